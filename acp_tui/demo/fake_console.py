"""The practice Web UI and registry: an HTTPS server on loopback with a self-signed certificate."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from acp_tui.core.clock import now
from acp_tui.core.files import private_folder, write_atomically

_LIFE = timedelta(days=30)


@asynccontextmanager
async def console(folder: Path, *addresses: str) -> AsyncIterator[int]:
    """Run the server until the block ends; yield its port. The certificate is in `folder` and valid for `addresses`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(await asyncio.to_thread(_pair, private_folder(folder), addresses))
    server = await asyncio.start_server(_answer, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        request = await reader.readuntil(b"\r\n\r\n")
        status = b"401 Unauthorized" if request.startswith(b"GET /v2/") else b"200 OK"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 9\r\nConnection: close\r\n\r\nPRACTICE\n")
        await writer.drain()
    writer.close()


def _pair(folder: Path, addresses: tuple[str, ...]) -> Path:
    """Write a PEM file with a new key and its self-signed certificate; return its path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "PRACTICE")])
    moment = now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(hours=1))
        .not_valid_after(moment + _LIFE)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(one)) for one in addresses]), False)
        .sign(key, SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_atomically(folder / "console.pem", secret + certificate.public_bytes(Encoding.PEM), mode=0o600)
    return folder / "console.pem"
