"""Local files that a plan names: certificate and key, plan of the primary cluster, SSH keys, packages."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from acp_tui.checks.certificate_facts import CertificateFacts
from acp_tui.plan.model import Plan
from acp_tui.plan.package_name import Kind


@dataclass(frozen=True)
class PrimaryCluster:
    """The plan of the primary cluster, read from the file that `disaster_recovery.primary` names."""

    path: str
    """The path of the plan file or bundle folder, as screens show it."""
    plan: Plan | None = None
    """The plan; None if it cannot be read. Then `error` contains the reason."""
    error: str = ""
    secrets_error: str = ""
    """The reason why the secrets of the primary are unknown; "" if they are known."""
    certificate: CertificateFacts | None = None
    """The certificate and key of the primary.

    None if the primary has none, or if they are part of a bundle whose secrets are unknown.
    """


@dataclass(frozen=True)
class PackageFile:
    """A package of the plan on this host."""

    kind: Kind
    name: str
    """The file name."""
    size: int | None
    """The size of the archive in bytes; None if the file is missing or cannot be read."""


@dataclass(frozen=True)
class LocalFiles:
    """The content of the local files of a plan.

    A value of None means that the plan names no such file, or that acp-tui has not tried to read the file. Checks that
    need the file then give the outcome `unknown`.
    """

    certificate: CertificateFacts | None = None
    primary: PrimaryCluster | None = None
    packages: tuple[PackageFile, ...] | None = None
    unreadable_keys: Mapping[str, str] = field(default_factory=dict)
    """For each plan key that names an unreadable SSH key file: the reason."""
    encrypted_keys: frozenset[str] = frozenset()
    """The plan keys that name an SSH key file with a passphrase."""


NO_LOCAL_FILES = LocalFiles()
