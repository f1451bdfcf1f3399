"""The practice installer: the installer's HTTP API with a simulated install and configurable faults.

setup.sh of the practice package starts the practice installer, which installs nothing. Its folder has the files `port`,
`pid`, `installer.log` and `posts.json`. `posts.json` has the number of received configurations and their SHA-256, but
not their text, which contains passwords.
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pydantic import TypeAdapter

from acp_tui.core.files import write_atomically
from acp_tui.demo.installer_behaviour import Behaviour
from acp_tui.demo.simulated_install import PracticeInstaller

PORT_FILE = "port"
PID_FILE = "pid"

_PREFIX = "/cpaas-installer"
_TOKEN = "practice-token"
_VERSIONS = "/api/v1/namespaces/kube-public/configmaps/base-component-version"
_PAGE = b"<!DOCTYPE html><title>PRACTICE installer</title><p>PRACTICE: nothing is installed here.\n"


def runs(folder: Path) -> bool:
    """Return True if the practice installer of `folder` runs."""
    with suppress(OSError, ValueError):
        pid = int((folder / PID_FILE).read_text(encoding="ascii"))
        return b"acp_tui.demo.fake_installer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def stop(folder: Path) -> None:
    """Stop the practice installer of `folder`, if it runs."""
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        if runs(folder):
            os.kill(int((folder / PID_FILE).read_text(encoding="ascii")), signal.SIGTERM)


class _Handler(BaseHTTPRequestHandler):
    installer: PracticeInstaller

    def do_GET(self) -> None:
        time.sleep(self.installer.behaviour.answer_after)
        path = self._api_path()
        if path == "/api/token":
            token = _TOKEN if self.installer.behaviour.bare_token else json.dumps({"token": _TOKEN})
            self._answer(200, token)
        elif path == "/api/progress":
            text = self.installer.progress()
            if text is None:
                self._hang_up()
            else:
                self._answer(200, text)
        elif path == _VERSIONS:
            if self.headers.get("Authorization") == f"Bearer {_TOKEN}":
                self._answer(200, self._config_map())
            else:
                self._answer(401, json.dumps({"kind": "Status", "status": "Failure", "message": "Unauthorized"}))
        else:
            self._page()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self._api_path() != "/api/config":
            self._page()
            return
        if self.installer.behaviour.drop_post == "before":
            self._hang_up()
            return
        status, text = self.installer.take(body)
        time.sleep(self.installer.behaviour.post_after)
        if self.installer.behaviour.drop_post == "after":
            self._hang_up()
        else:
            self._answer(status, text)

    def _api_path(self) -> str:
        """Return the path of the request below the root of the API; "" if the API does not serve the request.

        /api/token is always served below /cpaas-installer, as the vendor documents."""
        path = "/" + self.path.partition("?")[0].lstrip("/")
        if path.startswith(_PREFIX):
            inner = path.removeprefix(_PREFIX)
            return inner if self.installer.behaviour.prefixed or inner == "/api/token" else ""
        return "" if self.installer.behaviour.prefixed or path == "/api/token" else path

    def _config_map(self) -> str:
        behaviour = self.installer.behaviour
        components = {"kubernetes": list(behaviour.kubernetes), "containerd": [*behaviour.runtimes], "etcd": ["3.5.18"]}
        data = {
            "base-component-version": json.dumps(components, indent=2),
            "runtimes": "\n".join(f"containerd://{version}" for version in behaviour.runtimes),
        }
        return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "data": data})

    def _answer(self, status: int, text: str, kind: str = "application/json") -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _page(self) -> None:
        self._answer(200, _PAGE.decode(), "text/html; charset=utf-8")

    def _hang_up(self) -> None:
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Ignore request lines, because they do not belong in the install log."""


def console(installer: PracticeInstaller, port: int = 0) -> ThreadingHTTPServer:
    """Return the HTTP server on loopback. It listens, but does not serve yet. `port` 0: any free port."""
    return ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"installer": installer}))


def serve(folder: Path, port: int, behaviour: Behaviour) -> None:
    """Serve until the install has ended or the process is stopped. The state files are in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / PID_FILE, f"{os.getpid()}\n")
    time.sleep(behaviour.listen_after)
    installer = PracticeInstaller(folder, behaviour)
    server = console(installer, port)
    installer.log("the practice installer listens; nothing is installed")
    write_atomically(folder / PORT_FILE, f"{server.server_address[1]}\n")
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    while not installer.over:
        time.sleep(0.1)
        if not _is_ours(folder):  # setup.sh ran again, or the practice was removed
            return
    installer.log("removed after success")
    for name in (PID_FILE, PORT_FILE):
        (folder / name).unlink(missing_ok=True)


def _is_ours(folder: Path) -> bool:
    try:
        return (folder / PID_FILE).read_text(encoding="ascii").strip() == str(os.getpid())
    except FileNotFoundError:
        return False


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="acp_tui.demo.fake_installer")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--behaviour", type=Path)
    given = parser.parse_args(arguments)
    behaviour = Behaviour()
    if given.behaviour is not None and given.behaviour.exists():
        behaviour = TypeAdapter(Behaviour).validate_json(given.behaviour.read_bytes())
    serve(given.folder, given.port, behaviour)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
