"""Temporary OpenPGP keys for tests, created and used by the real gpg in its own home folder."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

needs_gpg = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")
"""The mark for tests that run gpg."""

PAST = "20200102T000000"


class Signer:
    """A gpg home folder. Keys have no passphrase and are named by their user ID."""

    def __init__(self) -> None:
        # The path of the agent's socket must be short; pytest's folders are too long.
        self.home = Path(tempfile.mkdtemp(prefix="acp-test-", dir="/tmp"))

    def close(self) -> None:
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], check=False)
        shutil.rmtree(self.home, ignore_errors=True)

    def gpg(self, *arguments: str, at: str | None = None, stdin: bytes = b"") -> bytes:
        """Run gpg and return its output. `at`: the time that gpg sees, such as `20200102T000000`."""
        clock = ["--faked-system-time", f"{at}!"] if at else []
        command = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--pinentry-mode", "loopback"]
        command += ["--passphrase", "", *clock, *arguments]
        environment = {**os.environ, "LC_ALL": "C"}
        return subprocess.run(command, input=stdin, capture_output=True, check=True, env=environment).stdout

    def make_key(self, name: str, *, expires: str = "0", at: str | None = None) -> str:
        """Create an ed25519 key that can sign, and return its fingerprint."""
        self.gpg("--quick-gen-key", f"{name} <{name}@example.com>", "ed25519", "sign", expires, at=at)
        return self.fingerprint(name)

    def fingerprint(self, name: str) -> str:
        lines = self.gpg("--list-keys", "--with-colons", f"{name}@example.com").decode().splitlines()
        return next(line.split(":")[9] for line in lines if line.startswith("fpr:"))

    def add_signing_subkey(self, name: str) -> None:
        self.gpg("--quick-add-key", self.fingerprint(name), "ed25519", "sign", "0")

    def revoke(self, name: str) -> None:
        certificate = self.home / "openpgp-revocs.d" / f"{self.fingerprint(name)}.rev"
        self.gpg("--import", stdin=certificate.read_bytes().replace(b":-----BEGIN", b"-----BEGIN"))

    def sign(self, name: str, file: Path, *options: str, at: str | None = None) -> bytes:
        """Return a detached binary signature of `file`."""
        signer = ("--local-user", self.fingerprint(name))
        return self.gpg(*signer, *options, "--output", "-", "--detach-sign", str(file), at=at)

    def export(self, *names: str) -> bytes:
        return self.gpg("--export", *(self.fingerprint(name) for name in names))
