"""Secrets typed into a real draft are nowhere: not in its files, logs and temporary files, not on a screen unless asked
for, not in arguments and environments of any process. Only the plan's own overlay and the bundle hold them."""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.lab.kit.nodes import Lab
from tests.lab.kit.profiles import NodeProfile
from tests.support.tmux_terminal import Terminal
from tests.support.tmux_wizard import begin, go_on, kill, wizard

pytestmark = [pytest.mark.tmux, pytest.mark.lab]

ALLOWED = {"secrets.yaml", "installer-config.json"}


def files_with(folder: Path, canaries: list[str]) -> set[str]:
    """Names of the files below `folder` that hold one of the canaries."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if any(canary.encode() in content for canary in canaries):
                found.add(path.name)
    return found


def process_lines() -> Iterator[bytes]:
    """Arguments and environment of every process of this machine."""
    for name in ("cmdline", "environ"):
        for path in Path("/proc").glob(f"[0-9]*/{name}"):
            with suppress(OSError):
                yield path.read_bytes()


class Watched:
    """A wizard whose screens are held against the canaries at each look."""

    def __init__(self, window: Terminal, canaries: list[str]) -> None:
        self.window = window
        self._canaries = canaries

    def sees(self, *texts: str) -> None:
        screen = self.window.wait_for(*texts)
        assert not any(canary in screen for canary in self._canaries), screen
        lines = b"\n".join(process_lines())
        assert not any(canary.encode() in lines for canary in self._canaries)

    def keys(self, *names: str) -> None:
        self.window.keys(*names)

    def secret(self, canary: str) -> None:
        """Type it, look at it once, go on and back: it is masked again."""
        self.window.type(canary)
        self.window.keys("C-r")
        self.window.wait_for(canary)
        self.window.keys("Down", "Up")
        self.window.wait_until(lambda: canary not in self.window.screen())


@pytest.mark.timeout(240)
def test_secrets_are_nowhere(lab: Lab, tmp_path: Path) -> None:
    first, second = lab.start(NodeProfile(), NodeProfile())
    login, phrase, own, admin, registry = canaries = [f"cAn4ry-{secrets.token_hex(6)}" for _ in range(5)]
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with wizard(tmp_path, TMPDIR=str(temporary)) as window:
        seen = Watched(window, canaries)
        begin(window)
        seen.sees("Package:")
        seen.keys("C-n", "Tab")
        seen.sees("Nodes:")
        seen.secret(login)
        seen.keys("Down")
        window.type(str(first.encrypted_key_file))
        seen.keys("Down")
        seen.secret(phrase)
        seen.keys("Down", "Down")
        window.type(f"{first.address}, {second.address}")
        seen.keys("Enter")
        seen.sees(first.address, second.address)
        window.wait_until(lambda: window.screen().count("login failed") == 2)
        seen.keys("Tab", "Enter")
        seen.sees("Own SSH password")
        seen.keys(*["Down"] * 7)
        seen.secret(own)
        seen.keys("Escape")
        seen.sees("login failed")
        seen.keys("Escape")
        seen.sees("Go to")
        seen.keys("4")
        seen.sees("Address:")
        window.type("192.0.2.10")
        seen.keys(*["Down"] * 7)
        seen.sees("Password")
        seen.secret(admin)
        seen.keys("C-n", "C-n")
        seen.sees("Registry:")
        seen.keys("Right", "Down")
        window.type("registry.example.com:5000")
        seen.keys("Down", "u", "Down")
        seen.secret(registry)
        seen.keys("C-n", "C-n", "C-n")
        seen.sees("Review:")
        seen.keys("v")
        seen.sees("Document for the installer")
        seen.keys("Enter")
        seen.sees("Review:")
        before = files_with(tmp_path, canaries)
        assert not before
        for key, name in (("s", "plan.yaml"), ("x", "bundle")):
            seen.keys(key)
            seen.sees("Enter done")
            seen.keys("C-u")
            window.type(str(tmp_path / name))
            seen.keys("Enter")
            if key == "x":
                seen.sees("What becomes of the secrets?")
                seen.keys("p")
            seen.sees("ritten to")
        kill(window)
    with wizard(tmp_path, TMPDIR=str(temporary)) as window:
        seen = Watched(window, canaries)
        go_on(window)
        seen.sees("Review:")
        seen.keys("Escape")
        seen.sees("Go to")
        seen.keys("2")
        seen.sees("no passphrase is given", first.address, second.address)
        seen.keys("BTab", "BTab", "BTab")
        seen.sees("please give this one again")
        window.type(first.key_passphrase)
        seen.keys("C-n")
        seen.sees("Network:", "Nodes 2/2")
        kill(window)
    assert files_with(tmp_path, canaries) <= ALLOWED
    assert not files_with(tmp_path / "state", [first.key_passphrase])
