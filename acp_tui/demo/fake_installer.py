"""The practice installer: the installer's HTTP API with a simulated install and configurable faults.

setup.sh of the practice package starts it. Nothing is installed. Its folder has `port`, `pid`, `installer.log`, and
`posts.json` with the number of received configurations and their SHA-256, but not their text, which has passwords.
"""

import argparse
import hashlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pydantic import TypeAdapter

from acp_tui.core.files import write_atomically
from acp_tui.demo.config_schema import faults_of

BEHAVIOUR_FILE = "behaviour.json"
PORT_FILE = "port"
PID_FILE = "pid"
POSTS_FILE = "posts.json"
LOG_FILE = "installer.log"

_PREFIX = "/cpaas-installer"
_TOKEN = "practice-token"
_VERSIONS = "/api/v1/namespaces/kube-public/configmaps/base-component-version"
_PAGE = b"<!DOCTYPE html><title>PRACTICE installer</title><p>PRACTICE: nothing is installed here.\n"
_FAULT_STEP = 3  # the step during which faults show


@dataclass(frozen=True)
class Behaviour:
    """Settings of the practice installer. All times in seconds."""

    seconds: float = 8.0
    """Duration of the install."""
    linger: float = 60.0
    """Time between success and exit."""
    setup_seconds: float = 1.0
    setup_exit: int = 0
    """Exit status of setup.sh; not 0: it fails before the practice installer starts."""
    listen_after: float = 0.0
    answer_after: float = 0.0
    """Delay of each response."""
    prefixed: bool = False
    """Serve the API only below /cpaas-installer; any other path is a web page."""
    failed_answers: int = 0
    """Number of progress responses with Failed, after which the install continues."""
    stall: bool = False
    """Stop the install in the middle for good."""
    drop_every: int = 0
    """Close the connection on every Nth progress request."""
    post_after: float = 0.0
    """Delay of the response to an accepted configuration."""
    drop_post: str = ""
    """`before`: close the connection without accepting the POST; `after`: accept it, then close."""
    refuse: str = ""
    """Reject the configuration with this text."""
    quote_refused: bool = False
    """Repeat the complete configuration in a rejection."""
    bare_token: bool = False
    kubernetes: tuple[str, ...] = ("1.28.15", "1.29.13", "1.30.9", "1.31.6")
    runtimes: tuple[str, ...] = ("1.7.27-4",)


def write_behaviour(setup_dir: Path, behaviour: Behaviour) -> None:
    """Write the settings for setup.sh in `setup_dir` and for the practice installer."""
    write_atomically(setup_dir / BEHAVIOUR_FILE, TypeAdapter(Behaviour).dump_json(behaviour, indent=2))
    write_atomically(setup_dir / "setup.conf", f"seconds={behaviour.setup_seconds}\nexit={behaviour.setup_exit}\n")


@dataclass(frozen=True)
class Posts:
    """Received configurations, accepted or rejected."""

    count: int = 0
    sha256: tuple[str, ...] = ()


def posts(folder: Path) -> Posts:
    try:
        return TypeAdapter(Posts).validate_json((folder / POSTS_FILE).read_bytes())
    except FileNotFoundError:
        return Posts()


def runs(folder: Path) -> bool:
    """Whether the practice installer of `folder` runs."""
    with suppress(OSError, ValueError):
        pid = int((folder / PID_FILE).read_text(encoding="ascii"))
        return b"acp_tui.demo.fake_installer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def stop(folder: Path) -> None:
    """Stop the practice installer of `folder`, if it runs."""
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        if runs(folder):
            os.kill(int((folder / PID_FILE).read_text(encoding="ascii")), signal.SIGTERM)


STEPS: tuple[tuple[str, float], ...] = (
    ("Bootstrap: embedded registry", 0.10),
    ("Control plane: kubeadm, etcd", 0.35),
    ("Network and core add-ons", 0.50),
    ("Core platform: base operator", 0.75),
    ("Aligned plugins", 1.00),
)
"""Phases of an install, each with the share of the total time at which it ends."""


class PracticeInstaller:
    """State of the simulated install: received configurations and progress."""

    def __init__(self, folder: Path, behaviour: Behaviour) -> None:
        self.folder = folder
        self.behaviour = behaviour
        self._lock = threading.Lock()
        self._posts = Posts()
        self._began: float | None = None
        self._held = 0.0
        self._failed_left = behaviour.failed_answers
        self._questions = 0
        self._step = 0
        self._ended: float | None = None

    def log(self, text: str) -> None:
        with (self.folder / LOG_FILE).open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} PRACTICE {text}\n")

    def take(self, body: bytes) -> tuple[int, str]:
        """Handle a configuration; return HTTP status and text of the response."""
        with self._lock:
            self._posts = Posts(self._posts.count + 1, (*self._posts.sha256, hashlib.sha256(body).hexdigest()))
            write_atomically(self.folder / POSTS_FILE, TypeAdapter(Posts).dump_json(self._posts))
            wrong = [self.behaviour.refuse] if self.behaviour.refuse else self._wrong(body)
            if wrong:
                self.log(f"configuration refused: {'; '.join(wrong)}")
                quoted = body.decode(errors="replace") if self.behaviour.quote_refused else ""
                return 400, json.dumps({"message": "; ".join(wrong), "received": quoted})
            if self._began is not None:
                return 409, json.dumps({"message": "an install is already running"})
            self._began = time.monotonic()
            self.log("configuration accepted")
            return 200, json.dumps({"message": "accepted"})

    def _wrong(self, body: bytes) -> list[str]:
        if wrong := faults_of(body):
            return wrong
        cluster = json.loads(body)["cluster"]
        runtime = cluster["annotations"].get("cpaas.io/container-runtime")
        wrong = [] if cluster["version"] in self.behaviour.kubernetes else ["cluster.version: not offered"]
        if runtime not in {f"containerd://{version}" for version in self.behaviour.runtimes}:
            wrong.append("cpaas.io/container-runtime: not offered")
        return wrong

    def progress(self) -> str | None:
        """Return the text of a progress response; None: close the connection."""
        with self._lock:
            self._questions += 1
            every = self.behaviour.drop_every
            if every and self._questions % every == 0:
                return None
            status, step = self._state()
            if step != self._step:
                self._step = step
                self.log(f"step {step}: {STEPS[min(step, len(STEPS)) - 1][0]}")
            name = STEPS[min(step, len(STEPS)) - 1][0] if step else "Waiting for the configuration"
            if status == "Success":
                self._ended = self._ended or time.monotonic()
            answer = {"status": status, "step": step, "total": len(STEPS), "name": name, "message": "PRACTICE"}
            return json.dumps(answer, indent=2) + "\n"

    def _state(self) -> tuple[str, int]:
        if self._began is None:
            return "Waiting", 0
        now = time.monotonic()
        share = (now - self._began - self._held) / self.behaviour.seconds
        step = next((number for number, (_name, end) in enumerate(STEPS, 1) if share < end), len(STEPS) + 1)
        if step >= _FAULT_STEP and (self._failed_left or self.behaviour.stall):
            # Time does not advance during a fault; afterwards the install continues.
            self._held = now - self._began - STEPS[_FAULT_STEP - 2][1] * self.behaviour.seconds
            if self._failed_left:
                self._failed_left -= 1
                return "Failed", _FAULT_STEP
            return "Running", _FAULT_STEP
        return ("Success", len(STEPS)) if step > len(STEPS) else ("Running", step)

    @property
    def over(self) -> bool:
        """Whether the practice installer must exit."""
        return self._ended is not None and time.monotonic() - self._ended > self.behaviour.linger


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
        """Return the path below the API's root. The token is always below the prefix, as documented by the vendor."""
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
        """Log nothing: request lines do not belong into the install log."""


def console(installer: PracticeInstaller, port: int = 0) -> ThreadingHTTPServer:
    """Return the HTTP server on loopback, listening but not yet serving. `port` 0: any free port."""
    return ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"installer": installer}))


def serve(folder: Path, port: int, behaviour: Behaviour) -> None:
    """Serve until the install has ended or the process is stopped; keep the state files in `folder`."""
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
