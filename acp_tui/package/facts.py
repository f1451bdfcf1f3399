"""The facts about the packages of a plan. The module `checks` evaluates them, and screens show them."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from acp_tui.core.files import resolve_path
from acp_tui.package.archive import PackageContents
from acp_tui.package.install_dir import FileIdentity
from acp_tui.package.reader import PackageReader
from acp_tui.package.signature.gpg import default_signature, verify_stream
from acp_tui.package.signature.gpg_status import SignatureResult, Signed
from acp_tui.plan.package_name import Kind, PackageName
from acp_tui.plan.sections.package import Package

Identities = tuple[FileIdentity | None, ...]


@dataclass(frozen=True)
class PackageInput:
    """One package, and the files that are needed to verify its signature. Paths are absolute."""

    kind: Kind
    package: Path
    signature: Path
    key_file: Path | None
    fingerprint: str

    def result_without_gpg(self) -> SignatureResult | None:
        """Return the result if the package cannot be verified because a file or gpg is missing; None if it can."""
        if identity(self.signature) is None:
            return SignatureResult(Signed.SIGNATURE_MISSING, detail=str(self.signature))
        if self.key_file is None:
            return SignatureResult(Signed.KEY_MISSING)
        if identity(self.key_file) is None:
            return SignatureResult(Signed.KEY_MISSING, detail=str(self.key_file))
        if shutil.which("gpg") is None:
            return SignatureResult(Signed.GPG_MISSING)
        return None

    def verify(self, source: PackageReader) -> SignatureResult:
        """Verify the signature of the package. `source` reads the bytes of the package."""
        key_file = self.key_file or Path()
        return verify_stream(source, self.package.name, self.signature, key_file, self.fingerprint)

    @property
    def identities(self) -> Identities:
        """Return the current identities of the package, its signature and its key file.

        The result of a verification is valid only while these identities stay the same."""
        return tuple(identity(path) for path in (self.package, self.signature, self.key_file))


@dataclass(frozen=True)
class PackageState:
    """The state of one package of the plan."""

    package_input: PackageInput
    name: PackageName | None
    file: FileIdentity | None
    """The identity of the package file.

    If the file is missing or cannot be read, the identity is None and `trouble` has the reason."""
    contents: PackageContents | None = None
    """The contents of the package; None if the package cannot be unpacked.

    `trouble` then has the reason."""
    trouble: str = ""
    signature: SignatureResult | None = None
    """The result of the verification; None if the signature is not verified yet."""


@dataclass(frozen=True)
class PackageFacts:
    """The facts about the packages and the install folder. `core` is None if the plan does not name a Core Package."""

    core: PackageState | None
    extensions: PackageState | None
    target: Path
    target_usable: bool
    """True if the install folder is a folder or does not exist yet; False if it is a file."""
    free_after: int | None
    """The free bytes on the file system of the install folder after unpacking; None if unknown."""
    unpacked: frozenset[Kind] = frozenset()
    installer_here: bool | None = None
    """True if this host has the address of the installer node; None if the plan has no installer node."""

    @property
    def packages(self) -> tuple[PackageState, ...]:
        return tuple(package for package in (self.core, self.extensions) if package is not None)


def package_inputs(package: Package, base: Path) -> Mapping[Kind, PackageInput]:
    """Return the packages that a plan names. `base`: the folder in which relative paths of the plan start."""
    key = resolve_path(base, package.public_key) if package.public_key else None
    named: tuple[tuple[Kind, str | None, str | None], ...] = (
        ("core", package.core, package.core_signature),
        ("extensions", package.extensions, package.extensions_signature),
    )
    inputs: dict[Kind, PackageInput] = {}
    for kind, name, signature in named:
        if name:
            path = resolve_path(base, name)
            inputs[kind] = PackageInput(
                kind=kind,
                package=path,
                signature=resolve_path(base, signature) if signature else default_signature(path),
                key_file=key,
                fingerprint=package.fingerprint,
            )
    return inputs


def identity(path: Path | None) -> FileIdentity | None:
    """Return the identity of a file; None if the file is missing or cannot be read."""
    try:
        return FileIdentity.of(path) if path else None
    except OSError:
        return None
