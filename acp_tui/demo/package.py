"""The practice package: a small archive with the layout of a Core Package, signed with a temporary key.

acp-tui verifies and unpacks it with the same code as the vendor's package.
"""

import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from shlex import quote

import gnupg

import acp_tui
from acp_tui.core.assets import asset_path
from acp_tui.core.errors import AcpError
from acp_tui.core.files import private_folder
from acp_tui.core.i18n import _
from acp_tui.demo.installer_behaviour import Behaviour, write_behaviour

CORE_NAME = "installer-core-v4.0.3-x86.tar"
_CHUNK = 4 * 1024 * 1024
_SIGNER = "acp-tui PRACTICE key"
_SIGNER_EMAIL = "practice@example.com"
_README = b"""\
# PRACTICE package

This is not Alauda Container Platform. acp-tui built this package for practice and signed it with a temporary key.
It installs nothing. setup.sh starts a simulated installer.
"""


class PracticeUnavailable(AcpError):
    """The practice cluster cannot start on this host. The message names the program that is missing or fails."""


@dataclass(frozen=True)
class PracticePackage:
    core: Path
    signature: Path
    public_key: Path
    fingerprint: str
    """The fingerprint of the signing key, 40 hexadecimal digits."""


def build_package(folder: Path, behaviour: Behaviour, *, filler: int = 6) -> PracticePackage:
    """Build and sign a core package in `folder`. If it has a package with this content, reuse that package.

    `filler`: number of 4 MiB images that make progress visible. Raises `PracticeUnavailable` if gpg is missing or
    fails."""
    private_folder(folder)
    core = folder / CORE_NAME
    signature, public_key, built = core.with_name(f"{core.name}.sig"), folder / "verify-key.pub", folder / "built"
    members = tuple(_members(folder, behaviour, filler))
    recipe = sha256(b"".join(f"{m.name} {m.mode} ".encode() + m.content for m in members)).hexdigest()
    known, _space, fingerprint = built.read_text(encoding="ascii").partition(" ") if built.exists() else ("", "", "")
    if known != recipe:
        _archive(core, members)
        fingerprint = _sign(core, signature, public_key)
        built.write_text(f"{recipe} {fingerprint}", encoding="ascii")
    return PracticePackage(core, signature, public_key, fingerprint)


def _sign(core: Path, signature: Path, public_key: Path) -> str:
    """Sign the package with a new key; return the fingerprint of the key."""
    signature.unlink(missing_ok=True)
    with _throwaway_gpg() as gpg:
        fingerprint = str(
            gpg.gen_key(
                gpg.gen_key_input(
                    key_type="EDDSA",
                    key_curve="ed25519",
                    key_usage="sign",
                    name_real=_SIGNER,
                    name_email=_SIGNER_EMAIL,
                    expire_date=0,
                    no_protection=True,
                )
            ).fingerprint
        )
        with core.open("rb") as stream:
            gpg.sign_file(stream, keyid=fingerprint, detach=True, binary=True, output=str(signature))
        if not signature.exists():
            raise PracticeUnavailable(
                _("gpg cannot sign the practice package. Run `gpg --version`, and check that /tmp has free space.")
            )
        public_key.write_text(gpg.export_keys(fingerprint), encoding="ascii")
    return fingerprint


@dataclass(frozen=True)
class _Member:
    name: str
    content: bytes
    mode: int


def _members(folder: Path, behaviour: Behaviour, filler: int) -> Iterator[_Member]:
    assets = asset_path("demo")
    yield _Member("installer/setup.sh", (assets / "setup.sh").read_bytes(), 0o755)
    yield _Member("installer/res/init.sh", (assets / "package" / "init.sh").read_bytes(), 0o755)
    yield _Member("installer/README.md", _README, 0o644)
    yield _Member("installer/python", _python_wrapper(), 0o755)
    with tempfile.TemporaryDirectory(dir=folder) as manners:  # the package gets all files in it
        write_behaviour(Path(manners), behaviour)
        for file in sorted(Path(manners).iterdir()):
            yield _Member(f"installer/{file.name}", file.read_bytes(), 0o644)
    block = bytes(_CHUNK)
    for number in range(1, filler + 1):
        yield _Member(f"installer/images/practice-{number:02}.img", block, 0o644)


def _archive(core: Path, members: Iterable[_Member]) -> None:
    with tarfile.open(core, "w") as tar:
        for member in members:
            entry = tarfile.TarInfo(member.name)
            entry.size, entry.mode = len(member.content), member.mode
            tar.addfile(entry, io.BytesIO(member.content))


def _python_wrapper() -> bytes:
    """Return a shell script that runs the Python interpreter of acp-tui. setup.sh calls it."""
    root = str(Path(acp_tui.__file__).parents[1])
    return f'#!/bin/sh\nPYTHONPATH={quote(root)}\nexport PYTHONPATH\nexec {quote(sys.executable)} "$@"\n'.encode()


@contextmanager
def _throwaway_gpg() -> Iterator[gnupg.GPG]:
    if shutil.which("gpg") is None:
        raise PracticeUnavailable(
            _("acp-tui cannot sign the practice package, because gpg is not installed. Install the package gnupg.")
        )
    # The path of the agent's socket in this folder must be shorter than 108 characters, so TMPDIR is not used.
    home = Path(tempfile.mkdtemp(prefix="acp-gpg-", dir="/tmp"))
    try:
        yield gnupg.GPG(gnupghome=str(home))
    finally:
        if shutil.which("gpgconf"):
            subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)
