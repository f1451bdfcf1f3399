"""The GET request over HTTPS, with real servers."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path
from ssl import DER_cert_to_PEM_cert

from cryptography.hazmat.primitives.serialization import Encoding

from acp_tui.core.clock import now
from acp_tui.install.verify.https import covers, get, planned_fingerprint, served
from tests.support.certificates import GOOD, KEY
from tests.support.kubectl_tables import self_signed, web


async def test_status_and_certificate_are_returned(tmp_path: Path) -> None:
    pem = await asyncio.to_thread(self_signed, tmp_path, "acp.example.com", "10.20.0.10")
    with web("127.0.0.1", 0, pem, 302) as port:
        answer = await get("acp.example.com", 443, "/", lambda _address, _port: ("127.0.0.1", port))
    assert (answer.url, answer.status, answer.trouble) == ("https://acp.example.com/", 302, "")
    certificate = answer.certificate
    assert certificate is not None
    assert certificate.self_signed
    assert certificate.fingerprint == planned_fingerprint(pem)
    assert timedelta(days=89) < certificate.not_after - now() < timedelta(days=91)
    assert covers(certificate, "ACP.example.com.")
    assert covers(certificate, "10.20.0.10")
    assert not covers(certificate, "other.example.com")
    assert not covers(certificate, "10.20.0.1")


async def reason_for(answer: bytes) -> str:
    """Return the reason why a server without TLS that answers `answer` is not an HTTPS server."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    response = await get("127.0.0.1", port, "/")
    server.close()
    assert response.status is None
    return response.trouble


async def test_response_that_is_not_https() -> None:
    assert await reason_for(b"HTTP/1.1 200 OK\r\n\r\n")
    assert await reason_for(b"")


async def test_unreachable_server() -> None:
    assert "refused" in (await get("127.0.0.1", 1, "/")).trouble
    assert (await get("no-such-host.invalid", 443, "/")).trouble
    assert "no address" in (await get("", 443, "/")).trouble
    assert (await get("a" * 80 + ".example.com", 443, "/")).trouble
    assert (await get("::1", 1, "/")).url == "https://[::1]:1/"


def test_file_that_is_not_a_certificate_has_no_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    assert planned_fingerprint(tmp_path / "x.pem") is None
    assert planned_fingerprint(tmp_path / "none.pem") is None
    assert served(b"nothing") is None
    assert served(None) is None


async def test_server_with_a_certificate_that_cannot_be_parsed_has_a_status(tmp_path: Path) -> None:
    odd = GOOD.public_bytes(Encoding.DER).replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020107"))
    (tmp_path / "pem").write_bytes(KEY + DER_cert_to_PEM_cert(odd).encode())
    with web("127.0.0.1", 0, tmp_path / "pem", 200) as port:
        answer = await get("acp.example.com", 443, "/", lambda _address, _port: ("127.0.0.1", port))
    assert (answer.status, answer.certificate, answer.trouble) == (200, None, "")


def test_pipe_as_the_certificate_of_the_plan_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert planned_fingerprint(tmp_path / "pipe") is None
