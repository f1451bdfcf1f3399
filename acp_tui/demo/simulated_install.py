"""The simulated install of the practice installer: received configurations and progress."""

import hashlib
import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from acp_tui.core.files import write_atomically
from acp_tui.demo.config_schema import faults_of
from acp_tui.demo.installer_behaviour import Behaviour

POSTS_FILE = "posts.json"
LOG_FILE = "installer.log"
_FAULT_STEP = 3  # the step during which faults show
STEPS: tuple[tuple[str, float], ...] = (
    ("Bootstrap: embedded registry", 0.10),
    ("Control plane: kubeadm, etcd", 0.35),
    ("Network and core add-ons", 0.50),
    ("Core platform: base operator", 0.75),
    ("Aligned plugins", 1.00),
)
"""Phases of an install, each with the share of the total time that has passed when the phase ends."""


@dataclass(frozen=True)
class Posts:
    """The number and the SHA-256 values of the received configurations, both accepted and rejected."""

    count: int = 0
    sha256: tuple[str, ...] = ()


def posts(folder: Path) -> Posts:
    try:
        return TypeAdapter(Posts).validate_json((folder / POSTS_FILE).read_bytes())
    except FileNotFoundError:
        return Posts()


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
        """Accept or reject a configuration. Return the HTTP status and the text of the response."""
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
        """Return the text of a progress response. None means that the connection must be closed instead."""
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
        """Return True if the practice installer must exit."""
        return self._ended is not None and time.monotonic() - self._ended > self.behaviour.linger
