"""The client for the installer's HTTP API. No other module imports httpx.

The installer node serves the API over plain HTTP, and the vendor documents little of it. So the client limits the size
of each response and the time of each request, and accepts no compressed response, which could expand to any size. It
parses responses in a thread, so that a large one does not block the event loop. It ignores the proxy variables of the
environment. It sends the configuration only once, and only to one address.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from acp_tui.core.i18n import pgettext
from acp_tui.install.api.endpoint import Endpoint
from acp_tui.install.api.progress_reply import ProgressReply, Says, is_json, read_progress
from acp_tui.install.api.versions import Offered, parse_offer, parse_token

if TYPE_CHECKING:  # httpx is imported at the first request: the first screen of the wizard must not wait for it
    import httpx

PREFIXES = ("", "/cpaas-installer")  # API-PREFIX
MAX_BODY = 8 * 1024 * 1024
"""The largest number of bytes that are read from a response. The rest of the response is ignored."""

_ASK = (10.0, 5.0)
"""Two time limits of a GET request, in seconds: for reading the response, and for connecting."""
_BODY_TIMEOUT = 20.0  # seconds; the timeouts of httpx hold for a single read
_POST = (120.0, 10.0)
_POST_TIMEOUT = 300.0  # seconds until the status line
_TOKEN = "/cpaas-installer/api/token"
_VERSIONS = "/api/v1/namespaces/kube-public/configmaps/base-component-version"


OnConnect = Callable[[Sequence[object], Sequence[object]], Awaitable[None]]
"""A function that receives the socket addresses of both ends of a new connection: of this process, of the server."""


class PostResult(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_SENT = "not-sent"
    """No connection was made. The installer received nothing, so a second POST is safe."""
    UNKNOWN = "unknown"
    """The connection broke during the POST. It is unknown whether the installer received the configuration."""


@dataclass(frozen=True)
class PostOutcome:
    result: PostResult
    status: int | None = None
    """The HTTP status of the response. None: there was no response."""
    body: str = ""
    """The text of the response, or the reason why there was no response.

    The text can quote the configuration, so mask its secrets before you show it."""


@dataclass(frozen=True)
class _Reply:
    status: int
    body: str
    html: bool


async def find_api(bases: Sequence[str]) -> Endpoint | None:
    """Search for the installer's API at the addresses `bases`, and return its endpoint. None: no API responds yet.

    The search sends GET requests to the progress URL, without and with each prefix. The API is at the first URL that
    returns status 200 and not a web page. A response with content takes precedence over an empty response."""
    empty: Endpoint | None = None
    async with _client(_ASK) as client:
        for base in bases:
            for prefix in PREFIXES:
                endpoint = Endpoint(base.rstrip("/"), prefix)
                reply = await _get(client, endpoint.url("/api/progress"))
                if reply is None or reply.status != 200 or reply.html:
                    continue
                if reply.body.strip():
                    return endpoint
                empty = empty or endpoint
    return empty


async def offered_versions(endpoint: Endpoint) -> Offered:
    """Query the Kubernetes and container runtime versions that the installer offers.

    The result has no versions if the installer does not report them."""
    async with _client(_ASK) as client:
        # The vendor's text has a double slash. A strict server rejects it.
        token = None
        for path in (f"/{_TOKEN}", _TOKEN):
            reply = await _get(client, endpoint.base + path)
            if reply is not None and reply.status == 200 and not reply.html:
                token = await asyncio.to_thread(parse_token, reply.body)
                break
        failure = ""
        for prefix in dict.fromkeys((endpoint.prefix, *PREFIXES)):
            reply = await _get(client, f"{endpoint.base}{prefix}{_VERSIONS}", token)
            if reply is not None and reply.status == 200 and not reply.html:
                return await asyncio.to_thread(parse_offer, reply.body)
            failure = failure or (f"HTTP {reply.status}" if reply is not None else "")
    without = "" if token else "\n" + f"{_TOKEN}: " + pgettext("error", "the installer returned no token")
    return Offered(raw=f"{_VERSIONS}: {failure or pgettext('error', 'the installer did not respond')}{without}")


async def post_config(
    endpoint: Endpoint,
    document: bytes,
    *,
    on_connect: OnConnect | None = None,
    timeout: float = _POST_TIMEOUT,
    body_timeout: float = _BODY_TIMEOUT,
) -> PostOutcome:
    """Send the configuration with one POST to one address. This function never repeats the POST (API-CONFIG).

    `on_connect`: called with the socket addresses of the connection before anything is sent over it. If it raises an
    error, the connection is closed, nothing is sent, and the error is passed on. `timeout`: limit in seconds until the
    HTTP status arrives. `body_timeout`: limit in seconds from the HTTP status to the end of the response."""
    import httpx

    async with _client(_POST) as client:
        request = client.build_request(
            "POST",
            endpoint.url("/api/config"),
            content=document,
            headers={"Content-Type": "application/json"},
            extensions={"trace": _trace(on_connect)} if on_connect else None,
        )
        try:
            async with asyncio.timeout(timeout):
                response = await client.send(request, stream=True)
            status, body = response.status_code, ""
            # The status decides, even if the body is truncated or endless.
            with suppress(httpx.HTTPError, TimeoutError):
                async with asyncio.timeout(body_timeout):
                    body = await _body(response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            return PostOutcome(PostResult.NOT_SENT, body=_why(error))
        except (httpx.HTTPError, TimeoutError) as error:
            return PostOutcome(PostResult.UNKNOWN, body=_why(error))
    return PostOutcome(PostResult.ACCEPTED if status == 200 else PostResult.REFUSED, status, body)


async def progress(endpoint: Endpoint) -> ProgressReply | None:
    """Query the installer's progress. None: there was no response, or it was empty or a web page (API-NOANSWER).

    A response with an error status counts only if it is JSON. Any other text comes from a proxy."""
    async with _client(_ASK) as client:
        reply = await _get(client, endpoint.url("/api/progress"))
    return await asyncio.to_thread(_progress_in, reply)


def _progress_in(reply: _Reply | None) -> ProgressReply | None:
    if reply is None or reply.html or not reply.body.strip():
        return None
    if reply.status != 200 and not is_json(reply.body):
        return None
    read = read_progress(reply.body)
    # In a truncated response the word may be part of any message, so it decides nothing.
    return read if len(reply.body) < MAX_BODY else replace(read, says=Says.RUNNING)


def import_http_client() -> None:
    """Import httpx and the modules that httpx itself imports late, and load the CA certificates.

    The runner does this at its start, so that the files of acp-tui can be replaced during an install."""
    for name in ("httpx", "httpcore", "anyio._backends._asyncio"):
        import_module(name)
    _ssl_context()


@cache
def _ssl_context() -> ssl.SSLContext:
    """Return the TLS context for all requests. It is cached, so that httpx does not read the certificates each time."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def _client(limits: tuple[float, float]) -> "httpx.AsyncClient":
    import httpx

    timeout = httpx.Timeout(limits[0], connect=limits[1])
    # A connection of its own for every task: a kept one may be dead, and a POST on it would end in doubt.
    return httpx.AsyncClient(
        verify=_ssl_context(),
        timeout=timeout,
        trust_env=False,
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},
    )


def _trace(on_connect: OnConnect) -> Callable[[str, Mapping[str, Any]], Awaitable[None]]:
    """Return the trace function of httpx that calls `on_connect` when the connection is open."""

    async def trace(event: str, info: Mapping[str, Any]) -> None:
        if event != "connection.connect_tcp.complete":
            return
        stream = info["return_value"]
        try:
            await on_connect(stream.get_extra_info("client_addr"), stream.get_extra_info("server_addr"))
        except BaseException:
            await stream.aclose()  # httpx closes only a connection that it has taken over
            raise

    return trace


async def _get(client: "httpx.AsyncClient", url: str, token: str | None = None) -> _Reply | None:
    import httpx

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        async with asyncio.timeout(_BODY_TIMEOUT), client.stream("GET", url, headers=headers) as response:
            compressed, body = _is_compressed(response), await _body(response)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
        return None
    if compressed:
        return None
    # Some servers declare any text as HTML, so the content decides.
    start = body.lstrip("\ufeff \t\r\n")[:1]
    html = start == "<" or ("html" in response.headers.get("content-type", "") and start not in ("{", "["))
    return _Reply(response.status_code, body, html)


def _is_compressed(response: "httpx.Response") -> bool:
    return response.headers.get("content-encoding", "").strip().lower() not in ("", "identity")


async def _body(response: "httpx.Response") -> str:
    """Return the first `MAX_BODY` bytes of a response as text; "" if the response is compressed."""
    if _is_compressed(response):
        return ""
    data = bytearray()
    async for chunk in response.aiter_raw():
        data += chunk
        if len(data) >= MAX_BODY:
            break
    return bytes(data[:MAX_BODY]).decode("utf-8", errors="replace")


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__
