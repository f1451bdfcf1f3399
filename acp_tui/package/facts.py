"""What was found out about the packages of a plan, as frozen data: what `verdicts` judges and screens show."""

import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from acp_tui.core.files import resolve_path
from acp_tui.package.extract import PackageContents
from acp_tui.package.install_dir import FileIdentity
from acp_tui.package.reader import PackageReader
from acp_tui.package.signature.gpg import default_signature, hold_against
from acp_tui.package.signature.status import SignatureResult, Signed
from acp_tui.plan.model import Package
from acp_tui.plan.package_name import Kind, PackageName

Identities = tuple[FileIdentity | None, ...]


@dataclass(frozen=True)
class PackageInput:
    """One package with all that its signature is judged by. Paths are absolute."""

    kind: Kind
    package: Path
    signature: Path
    key_file: Path | None
    fingerprint: str

    def without_asking(self) -> SignatureResult | None:
        """The answer where none can be had from gpg; None: gpg has to be asked."""
        if identity(self.signature) is None:
            return SignatureResult(Signed.SIGNATURE_MISSING, detail=str(self.signature))
        if self.key_file is None:
            return SignatureResult(Signed.KEY_MISSING)
        if identity(self.key_file) is None:
            return SignatureResult(Signed.KEY_MISSING, detail=str(self.key_file))
        if shutil.which("gpg") is None:
            return SignatureResult(Signed.GPG_MISSING)
        return None

    def hold(self, source: PackageReader) -> SignatureResult:
        """The answer of gpg about the package's bytes, as they are read from `source`."""
        key_file = self.key_file or Path()
        return hold_against(source, self.package.name, self.signature, key_file, self.fingerprint)

    @property
    def identities(self) -> Identities:
        """What the files are now: other ones ask for a new answer."""
        return tuple(identity(path) for path in (self.package, self.signature, self.key_file))


@dataclass(frozen=True)
class SeenPackage:
    question: PackageInput
    name: PackageName | None
    file: FileIdentity | None
    """None: there is no such file, `trouble` says why."""
    contents: PackageContents | None = None
    """None: it cannot be unpacked, `trouble` says why."""
    trouble: str = ""
    signature: SignatureResult | None = None
    """None: not verified yet."""


@dataclass(frozen=True)
class PackageFacts:
    """`core` None: the plan names none."""

    core: SeenPackage | None
    extensions: SeenPackage | None
    target: Path
    target_usable: bool
    """It is a folder, or can be made one; False: a file is in its place."""
    free_after: int | None
    """Bytes that stay free on the target's filesystem once all is unpacked; None: it cannot be told."""
    unpacked: frozenset[Kind] = frozenset()
    installer_here: bool | None = None
    """Whether this host has the address of the installer node; None: the plan has no such node."""

    @property
    def packages(self) -> tuple[SeenPackage, ...]:
        return tuple(package for package in (self.core, self.extensions) if package is not None)


def questions(package: Package, base: Path) -> Mapping[Kind, PackageInput]:
    """The packages that a plan names. `base`: the folder that its relative paths start from."""
    key = resolve_path(base, package.public_key) if package.public_key else None
    named: tuple[tuple[Kind, str | None, str | None], ...] = (
        ("core", package.core, package.core_signature),
        ("extensions", package.extensions, package.extensions_signature),
    )
    found: dict[Kind, PackageInput] = {}
    for kind, name, signature in named:
        if name:
            path = resolve_path(base, name)
            beside = resolve_path(base, signature) if signature else default_signature(path)
            found[kind] = PackageInput(kind, path, beside, key, package.fingerprint)
    return found


def identity(path: Path | None) -> FileIdentity | None:
    """None: no file, or one that cannot be looked at."""
    try:
        return FileIdentity.of(path) if path else None
    except OSError:
        return None


def is_local_address(address: str) -> bool:
    """Whether `address` belongs to this host: only then can a socket be bound to it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
