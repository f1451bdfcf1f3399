"""Import of key files with hostile names, by the real gpg."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import gnupg
import pytest

from acp_tui.core.gpg.encryption import ToKey, encrypt
from acp_tui.core.gpg.home import gpg_home
from acp_tui.core.gpg.keys import import_keys

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")
NAMES = {
    "Latin-1": b"J\xe4ger <a@example.com>",
    "line end in Latin-1": b"x\x85pub",
    "line end and a record": b"x\x85fpr",
    "line end and a status": b"x\x85[GNUPG:] IMPORT_OK",
    "line separator": b"x\xe2\x80\xa8fpr",
    "control characters": b"x\rfpr\x0bfpr\x1b[31m",
}


@pytest.fixture
def home() -> Iterator[Path]:
    """A home folder for gpg that belongs to the signer."""
    with gpg_home() as folder:
        yield folder
        subprocess.run(["gpgconf", "--homedir", str(folder), "--kill", "gpg-agent"], check=False)


def run(home: Path, *arguments: str | bytes) -> bytes:
    options = ["gpg", "--homedir", str(home), "--batch", "--display-charset", "utf-8", "--passphrase", ""]
    return subprocess.run([*options, *arguments], check=True, capture_output=True).stdout


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_name_of_a_key_can_have_any_bytes(home: Path, tmp_path: Path, name: bytes) -> None:
    run(home, "--quick-gen-key", name, "future-default", "default", "never")
    content = run(home, "--export")
    assert name in content
    lines = run(home, "--list-keys", "--with-colons", "--with-subkey-fingerprint").split(b"\n")
    expected = tuple(line.split(b":")[9].decode() for line in lines if line.startswith(b"fpr:"))
    assert len(expected) == 2
    with gpg_home() as other:
        imported = import_keys(gnupg.GPG(gnupghome=str(other)), content)
    assert (imported.fingerprints, imported.without_name, imported.crashed) == (expected, 0, False)
    (tmp_path / "key.pub").write_bytes(content)
    assert encrypt(b"hidden", ToKey(str(tmp_path / "key.pub")))
