"""The content of the local files that a plan names: certificate pair, primary of a standby, SSH keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from acp_tui.checks.certificate_facts import CertificateFacts
from acp_tui.plan.model import Plan


@dataclass(frozen=True)
class PrimaryCluster:
    """The plan of the primary cluster, from the path in `disaster_recovery.primary`."""

    path: str
    """The plan file or bundle folder, as it is shown on screen."""
    plan: Plan | None = None
    """None: it cannot be read; the reason is `error`."""
    error: str = ""
    secrets_error: str = ""
    """Why its secrets are unknown; "": they are known."""
    certificate: CertificateFacts | None = None
    """Its certificate pair; None: it has none, or the pair is one of the unknown secrets."""


@dataclass(frozen=True)
class LocalFiles:
    """The content of the local files. None: the plan names no such file, or it was not read (checks are `unknown`)."""

    certificate: CertificateFacts | None = None
    primary: PrimaryCluster | None = None
    unreadable_keys: Mapping[str, str] = field(default_factory=dict)
    """Plan path of each SSH key file that cannot be read → the reason."""


NO_LOCAL_FILES = LocalFiles()
