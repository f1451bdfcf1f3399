"""Secrets typed in the wizard do not leak into files, logs, screens, or arguments and environments of processes.

Only the secrets overlay of the plan and the bundle contain them. A screen shows a secret only on request.
"""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.lab.kit.nodes import Lab
from tests.lab.kit.profiles import NodeProfile
from tests.support.tmux_terminal import Terminal
from tests.support.tmux_wizard import begin, kill, resume, wizard

pytestmark = [pytest.mark.tmux, pytest.mark.lab]

ALLOWED = {"secrets.yaml", "installer-config.json"}


def files_with(folder: Path, canaries: list[str]) -> set[str]:
    """Return the names of the files below `folder` that contain a canary."""
    names = set()
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if any(canary.encode() in content for canary in canaries):
                names.add(path.name)
    return names


def process_lines() -> Iterator[bytes]:
    """Yield the arguments and the environment of every process on this host."""
    for name in ("cmdline", "environ"):
        for path in Path("/proc").glob(f"[0-9]*/{name}"):
            with suppress(OSError):
                yield path.read_bytes()


class Watched:
    """A wizard that fails the test if a canary is on a screen or in a process."""

    def __init__(self, window: Terminal, canaries: list[str]) -> None:
        self.window = window
        self._canaries = canaries

    def wait_for(self, *texts: str) -> None:
        screen = self.window.wait_for(*texts)
        assert not any(canary in screen for canary in self._canaries), screen
        lines = b"\n".join(process_lines())
        assert not any(canary.encode() in lines for canary in self._canaries)

    def keys(self, *names: str) -> None:
        self.window.keys(*names)

    def secret(self, canary: str) -> None:
        """Type the secret and show it once; it is masked again after the cursor has moved."""
        self.window.type(canary)
        self.window.keys("C-r")
        self.window.wait_for(canary)
        self.window.keys("Down", "Up")
        self.window.wait_until(lambda: canary not in self.window.screen())


@pytest.mark.timeout(240)
def test_typed_secrets_do_not_leak(lab: Lab, tmp_path: Path) -> None:
    first, second = lab.start(NodeProfile(), NodeProfile())
    login, phrase, own, admin, registry = canaries = [f"cAn4ry-{secrets.token_hex(6)}" for _ in range(5)]
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with wizard(tmp_path, TMPDIR=str(temporary)) as window:
        watched = Watched(window, canaries)
        begin(window)
        watched.wait_for("Package:")
        watched.keys("C-n", "Tab")
        watched.wait_for("Nodes:")
        watched.secret(login)
        watched.keys("Down")
        window.type(str(first.encrypted_key_file))
        watched.keys("Down")
        watched.secret(phrase)
        watched.keys("Down", "Down")
        window.type(f"{first.address}, {second.address}")
        watched.keys("Enter")
        watched.wait_for(first.address, second.address)
        window.wait_until(lambda: window.screen().count("login failed") == 2)
        watched.keys("Tab", "Enter")
        watched.wait_for("Own SSH password")
        watched.keys(*["Down"] * 7)
        watched.secret(own)
        watched.keys("Escape")
        watched.wait_for("login failed")
        watched.keys("Escape")
        watched.wait_for("Go to")
        watched.keys("4")
        watched.wait_for("Address:")
        window.type("192.0.2.10")
        watched.keys(*["Down"] * 7)
        watched.wait_for("Password")
        watched.secret(admin)
        watched.keys("C-n", "C-n")
        watched.wait_for("Registry:")
        watched.keys("Right", "Down")
        window.type("registry.example.com:5000")
        watched.keys("Down", "u", "Down")
        watched.secret(registry)
        watched.keys("C-n", "C-n", "C-n")
        watched.wait_for("Review:")
        watched.keys("v")
        watched.wait_for("Configuration for the installer")
        watched.keys("Enter")
        watched.wait_for("Review:")
        before = files_with(tmp_path, canaries)
        assert not before
        for key, name in (("s", "plan.yaml"), ("x", "bundle")):
            watched.keys(key)
            watched.wait_for("Enter: OK")
            watched.keys("C-u")
            window.type(str(tmp_path / name))
            watched.keys("Enter")
            if key == "x":
                watched.wait_for("How should secrets be stored?")
                watched.keys("p")
            watched.wait_for("ritten to")
        kill(window)
    with wizard(tmp_path, TMPDIR=str(temporary)) as window:
        watched = Watched(window, canaries)
        resume(window)
        watched.wait_for("Review:")
        watched.keys("Escape")
        watched.wait_for("Go to")
        watched.keys("2")
        watched.wait_for("the plan has no passphrase for it", first.address, second.address)
        watched.keys("BTab", "BTab", "BTab")
        watched.wait_for("Enter this secret again.")
        window.type(first.key_passphrase)
        watched.keys("C-n")
        watched.wait_for("Network:", "Nodes 2/2")
        kill(window)
    assert files_with(tmp_path, canaries) <= ALLOWED
    assert not files_with(tmp_path / "state", [first.key_passphrase])
