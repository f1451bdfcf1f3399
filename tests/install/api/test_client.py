"""The client of the installer's API: parsing of progress replies, and requests to real HTTP servers."""

import gzip
import json
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from acp_tui.demo.fake_installer import console
from acp_tui.demo.installer_behaviour import Behaviour
from acp_tui.demo.simulated_install import PracticeInstaller, posts
from acp_tui.install.api import client as api
from acp_tui.install.api.client import PostResult
from acp_tui.install.api.endpoint import Endpoint
from acp_tui.install.api.progress_reply import ProgressReply, Says, read_progress
from tests.support.install_harness import config


@contextmanager
def listening(server: ThreadingHTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def practice(folder: Path, behaviour: Behaviour | None = None) -> Iterator[str]:
    with listening(console(PracticeInstaller(folder, behaviour or Behaviour(seconds=0.2)))) as base:
        yield base


@contextmanager
def answering(status: int, body: bytes, kind: str = "application/json") -> Iterator[str]:
    """Run a server that returns the same response to each request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as base:
        yield base


@contextmanager
def sending(*headers: tuple[str, str], body: bytes = b"{}") -> Iterator[tuple[str, list[str]]]:
    """Run a server that returns these headers and this body. Yield its address, and the encodings that clients accept.

    The list grows with each request."""
    accepted: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            accepted.append(self.headers.get("Accept-Encoding", ""))
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            with suppress(ConnectionError):  # the client does not read all of it
                self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as base:
        yield base, accepted


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


async def test_the_api_is_found_without_a_prefix(tmp_path: Path) -> None:
    with practice(tmp_path) as base:
        assert await api.find_api([closed_port(), base + "/"]) == Endpoint(base)


async def test_api_is_found_with_the_prefix_behind_a_web_page(tmp_path: Path) -> None:
    with practice(tmp_path, Behaviour(prefixed=True)) as base:
        endpoint = await api.find_api([base])
        assert endpoint == Endpoint(base, "/cpaas-installer")
        assert (await api.offered_versions(endpoint)).kubernetes[0] == "1.31.6"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b"{}", "application/json"),
        (302, b"{}", "application/json"),
        (200, b"<html>", "text/plain"),
        (200, b"", "text/html"),
        (200, b"\n <!doctype html>", ""),
    ],
)
async def test_error_status_or_html_is_not_the_api(status: int, body: bytes, kind: str) -> None:
    with answering(status, body, kind) as base:
        assert await api.find_api([base]) is None


async def test_api_with_content_has_priority_over_an_empty_answer(tmp_path: Path) -> None:
    with ExitStack() as stack:
        empty = stack.enter_context(answering(200, b""))
        base = stack.enter_context(practice(tmp_path))
        assert await api.find_api([empty, base]) == Endpoint(base)
        assert await api.find_api([empty]) == Endpoint(empty)


@pytest.mark.parametrize("bare", [True, False])
async def test_offered_versions_with_either_token(tmp_path: Path, bare: bool) -> None:
    behaviour = Behaviour(bare_token=bare, kubernetes=("1.30.9", "1.31.6"), runtimes=("1.7.27-4",))
    with practice(tmp_path, behaviour) as base:
        offered = await api.offered_versions(Endpoint(base))
    assert (offered.kubernetes, offered.runtimes) == (("1.31.6", "1.30.9"), ("containerd://1.7.27-4",))


async def test_an_accepted_configuration_arrives_once_and_byte_for_byte(tmp_path: Path) -> None:
    document = json.dumps(config()).encode()
    with practice(tmp_path) as base:
        outcome = await api.post_config(Endpoint(base), document)
        again = await api.post_config(Endpoint(base), document)
    assert (outcome.result, outcome.status) == (PostResult.ACCEPTED, 200)
    assert (again.result, again.status) == (PostResult.REFUSED, 409)
    assert posts(tmp_path).count == 2


@pytest.mark.parametrize("status", [201, 204, 302, 400, 500])
async def test_any_status_except_200_is_a_rejection(status: int) -> None:
    with answering(status, b"") as base:
        outcome = await api.post_config(Endpoint(base), b"{}")
    assert (outcome.result, outcome.status) == (PostResult.REFUSED, status)


async def test_rejection_has_a_reason(tmp_path: Path) -> None:
    document = config()
    document.pop("product")
    with practice(tmp_path) as base:
        outcome = await api.post_config(Endpoint(base), json.dumps(document).encode())
    assert outcome.result is PostResult.REFUSED
    assert "product" in outcome.body


async def test_post_is_not_sent_to_a_closed_port_and_unknown_after_a_drop(tmp_path: Path) -> None:
    assert (await api.post_config(Endpoint(closed_port()), b"{}")).result is PostResult.NOT_SENT
    for drop in ("before", "after"):
        with practice(tmp_path, Behaviour(drop_post=drop)) as base:
            outcome = await api.post_config(Endpoint(base), json.dumps(config()).encode())
        assert outcome.result is PostResult.UNKNOWN


async def test_missing_progress_reply_is_none(tmp_path: Path) -> None:
    assert await api.progress(Endpoint(closed_port())) is None
    with answering(200, b" \n") as base:
        assert await api.progress(Endpoint(base)) is None
    with practice(tmp_path, Behaviour(drop_every=1)) as base:
        assert await api.progress(Endpoint(base)) is None


async def test_proxy_of_the_environment_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", closed_port())
    monkeypatch.setenv("HTTP_PROXY", closed_port())
    monkeypatch.setenv("no_proxy", "")
    with practice(tmp_path) as base:
        assert await api.find_api([base]) is not None


async def test_long_answer_is_truncated() -> None:
    with answering(200, b'{"message": "Success is near' + b"x" * (2 * api.MAX_BODY)) as base:
        reply = await api.progress(Endpoint(base))
    assert reply is not None
    assert len(reply.raw) == api.MAX_BODY
    assert reply.says is Says.RUNNING


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (404, b"Success", None),
        (502, b"Failed to reach the backend", None),
        (503, b'"Failed"', None),
        (500, b'{"status": "Failed"}', Says.FAILED),
    ],
)
async def test_error_status_without_json_is_not_a_reply(status: int, body: bytes, says: Says | None) -> None:
    with answering(status, body, "text/plain") as base:
        reply = await api.progress(Endpoint(base))
    assert (reply.says if reply else None) is says


async def test_json_is_the_api_whatever_its_content_type() -> None:
    with answering(200, b'{"step": 0}', "text/html; charset=utf-8") as base:
        assert await api.find_api([base]) == Endpoint(base)


async def test_missing_versions_have_a_reason() -> None:
    with answering(401, b"") as base:
        assert "HTTP 401" in (await api.offered_versions(Endpoint(base))).raw
    assert "the installer did not respond" in (await api.offered_versions(Endpoint(closed_port()))).raw


@pytest.mark.parametrize(("answer", "result"), [(b"HTTP/1.1 200 OK\r\n\r\n", PostResult.ACCEPTED),
                                                (b"HTTP/1.1 400 No\r\n\r\n", PostResult.REFUSED),
                                                (b"HTTP/1.1 2", PostResult.UNKNOWN)])  # fmt: skip
async def test_endless_answer_to_the_post_times_out(answer: bytes, result: PostResult) -> None:
    finished = threading.Event()

    def trickle(listener: socket.socket) -> None:
        connection, _address = listener.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(answer)
            while not finished.wait(0.05):
                connection.sendall(b"0")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=trickle, args=(listener,))
        thread.start()
        try:
            address = Endpoint(f"http://127.0.0.1:{listener.getsockname()[1]}")
            outcome = await api.post_config(address, b"{}", timeout=0.3, body_timeout=0.3)
        finally:
            finished.set()
            thread.join()
    assert outcome.result is result


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "deflate", "br", "x"])
async def test_compressed_response_is_no_response_and_never_expands(encoding: str) -> None:
    """gzip twice compresses 1 GiB to a few kilobytes."""
    twice = gzip.compress(gzip.compress(bytes(100 << 20)))
    with sending(("Content-Encoding", encoding), body=twice) as (base, accepted):
        tracemalloc.start()
        try:
            assert await api.progress(Endpoint(base)) is None
            assert await api.find_api([base]) is None
            posted = await api.post_config(Endpoint(base), b"{}")
            assert tracemalloc.get_traced_memory()[1] < 32 << 20
        finally:
            tracemalloc.stop()
    assert (posted.result, posted.body) == (PostResult.ACCEPTED, "")
    assert set(accepted) == {"identity"}


async def test_response_that_is_declared_as_not_compressed_counts() -> None:
    with sending(("Content-Encoding", "Identity"), body=b'{"status": "Success"}') as (base, _accepted):
        reply = await api.progress(Endpoint(base))
    assert reply is not None
    assert reply.says is Says.SUCCESS


async def test_response_with_huge_headers_is_no_response() -> None:
    with sending(*((f"X-{number}", "x" * 60_000) for number in range(20))) as (base, _accepted):
        assert await api.progress(Endpoint(base)) is None


async def test_response_is_parsed_outside_of_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest response needs seconds. The runner and the wizard must stay responsive meanwhile."""
    threads = []

    def read(text: str) -> ProgressReply:
        threads.append(threading.current_thread())
        return read_progress(text)

    monkeypatch.setattr(api, "read_progress", read)
    with sending(body=b'{"status": "Running"}') as (base, _accepted):
        assert await api.progress(Endpoint(base))
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()
