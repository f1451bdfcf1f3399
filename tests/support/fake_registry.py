"""A fake image registry with real TLS: `/v2/` requires a login, Basic or from a token server."""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

USER, PASSWORD = "pull'er", 'Pa$$ "word": \\ %41é'
TOKEN = "to.ken-1_2~3+4/5=="

_KEY = ec.generate_private_key(ec.SECP256R1())
_CA_KEY = ec.generate_private_key(ec.SECP256R1())


def _certificate(host: str, issuer: str, key: ec.EllipticCurvePrivateKey, *, days: int = 5) -> x509.Certificate:
    """Return a certificate that expires in `days` (negative: in the past). The issuer is "ca" or `host` itself."""
    now = datetime.now(UTC)
    ca = host == "ca"
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key((_CA_KEY if ca else _KEY).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if not ca:
        name = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
    return builder.sign(key, hashes.SHA256())


CA_PEM = _certificate("ca", "ca", _CA_KEY).public_bytes(Encoding.PEM).decode()
"""The CA certificate that a node must trust."""


@dataclass
class SmallRegistry:
    """A running registry. `requests`: path and Authorization header of each request."""

    port: int
    requests: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def small_registry(
    folder: Path, address: str = "127.0.0.1", *, login: str = "basic", certificate: str = "good", realm: str = ""
) -> Iterator[SmallRegistry]:
    """Run a registry during the block.

    `login`: `basic`, `bearer`, `none`. `certificate`: `good`, `self-signed`, `other name`, `expired`, `none`.
    `realm`: URL of the token server; "": the registry itself.
    """
    registry = SmallRegistry(0)
    basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            credentials, url = self.headers.get("Authorization", ""), urlsplit(self.path)
            registry.requests.append((self.path, credentials))
            scheme = "http" if certificate == "none" else "https"
            token_server = realm or f"{scheme}://{address}:{registry.port}/token?account=x"
            if url.path == "/token":
                query = parse_qs(url.query)
                valid = credentials == basic and query.get("service") == ["a registry & co"]
                self.reply(200 if valid else 401, "", json.dumps({"expires_in": 300, "token": TOKEN} if valid else {}))
            elif url.path != "/v2/":
                self.reply(404, "", "")
            elif login == "none" or credentials == (basic if login == "basic" else f"Bearer {TOKEN}"):
                self.reply(200, "", "{}")
            elif login == "basic":
                self.reply(401, 'Basic realm="x"', "{}")
            else:
                self.reply(401, f'Bearer realm="{token_server}",service="a registry & co"', "{}")

        def reply(self, status: int, challenge: str, body: str) -> None:
            self.send_response(status)
            if challenge:
                self.send_header("Www-Authenticate", challenge)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer((address, 0), Answer) as server:
        registry.port = server.server_address[1]
        if certificate != "none":
            server.socket = _with_tls(folder, address, certificate).wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield registry
        server.shutdown()


def _with_tls(folder: Path, address: str, kind: str) -> ssl.SSLContext:
    made = {
        "good": lambda: _certificate(address, "ca", _CA_KEY),
        "self-signed": lambda: _certificate(address, address, _KEY),
        "other name": lambda: _certificate("other.example.com", "ca", _CA_KEY),
        "expired": lambda: _certificate(address, "ca", _CA_KEY, days=-1),
    }[kind]()
    file = folder / f"registry-{kind.replace(' ', '-')}.pem"
    key = _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(made.public_bytes(Encoding.PEM) + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
