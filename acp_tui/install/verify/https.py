"""Send one GET request over HTTPS, and also return the server's certificate.

The connection accepts any certificate, and a check evaluates the certificate later. httpx cannot be used, because it
does not return a certificate that it does not trust.
"""

import asyncio
import os
import socket
import ssl
from pathlib import Path

from acp_tui.checks.certificate_facts import cover
from acp_tui.core.files import read_limited
from acp_tui.core.i18n import _
from acp_tui.core.text import one_line
from acp_tui.install.verify.facts import Answer, Served
from acp_tui.nodes.ssh.address_map import AddressMap, direct
from acp_tui.preflight.certificates.fields import CertificateFields, CertificateInvalid, load_chain, load_der

_WITHIN = 15.0  # seconds for the complete request
_HEAD = 8192  # bytes of the response that are read


async def get(host: str, port: int, path: str, address_map: AddressMap = direct) -> Answer:
    """Request `https://host:port/path`. Errors of the server and the network are returned, not raised."""
    shown = f"[{host}]" if ":" in host else host
    url = f"https://{shown}{'' if port == 443 else f':{port}'}{path}"
    if not host:
        return Answer(url, None, None, _("the plan has no address for this URL"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    place, real = address_map(host, port)
    certificate: Served | None = None
    try:
        async with asyncio.timeout(_WITHIN):
            reader, writer = await asyncio.open_connection(place, real, ssl=context, server_hostname=host)
            try:
                tls = writer.get_extra_info("ssl_object")
                certificate = served(tls.getpeercert(binary_form=True)) if tls else None
                request = (
                    f"GET {path} HTTP/1.1\r\nHost: {shown}:{port}\r\nUser-Agent: acp-tui\r\n"
                    "Accept-Encoding: identity\r\nConnection: close\r\n\r\n"
                )
                writer.write(request.encode("ascii", errors="replace"))
                line = (await reader.readuntil(b"\n"))[:_HEAD]
            finally:
                writer.close()
    except TimeoutError:
        return Answer(
            url, None, certificate, _("the server did not respond within {seconds:g} s").format(seconds=_WITHIN)
        )
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return Answer(url, None, certificate, _("the server closed the connection without a response"))
    except (OSError, ValueError) as error:
        return Answer(url, None, certificate, _reason(error))
    status_line = line.decode("latin-1").split()
    if (
        len(status_line) < 2
        or not status_line[0].startswith("HTTP/")
        or not status_line[1].isdecimal()
        or len(status_line[1]) != 3
    ):
        return Answer(url, None, certificate, _("the response of the server is not HTTP"))
    return Answer(url, int(status_line[1]), certificate)


def _reason(error: OSError | ValueError) -> str:
    """Return the message of `error`. If asyncio changed a message of the operating system, return the original."""
    message = str(error)
    if isinstance(error, OSError):
        plain = error.errno and not isinstance(error, ssl.SSLError | socket.gaierror)
        message = os.strerror(error.errno or 0) if plain else error.strerror or message
    return one_line(message or type(error).__name__, limit=200)


def served(der: bytes | None) -> Served | None:
    """Parse the DER bytes of a certificate. None if the certificate is missing or invalid."""
    if not der:
        return None
    try:
        found = load_der(der)
    except CertificateInvalid:
        return None
    return Served(
        subject=found.subject,
        fingerprint=_fingerprint(found),
        self_signed=found.names_itself,
        not_after=found.not_after,
        names=found.names,
        addresses=found.addresses,
    )


def planned_fingerprint(file: Path) -> str | None:
    """Return the fingerprint of the first certificate in a file. None: no certificate can be read from it."""
    try:
        return _fingerprint(load_chain(read_limited(file))[0])
    except (OSError, CertificateInvalid, IndexError):
        return None


def _fingerprint(certificate: CertificateFields) -> str:
    """Return the SHA-256 fingerprint in upper-case hexadecimal digits with colons."""
    return bytes.fromhex(certificate.fingerprint).hex(":").upper()


def covers(certificate: Served, host: str) -> bool:
    """Return True if the certificate is valid for `host`, as a browser checks it."""
    return cover(certificate.names, certificate.addresses, host)
