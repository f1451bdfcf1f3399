"""The local files that a plan names, after they were read: certificate pair, primary of a standby, SSH keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from acp_tui.checks.certificates.model import CertificateFacts
from acp_tui.plan.model import Plan


@dataclass(frozen=True)
class PrimaryCluster:
    """What `disaster_recovery.primary` leads to."""

    place: str
    """The plan file or bundle folder, as it is told to people."""
    plan: Plan | None = None
    """None: it cannot be read, and `trouble` says why."""
    trouble: str = ""
    closed: str = ""
    """Why its secrets are not known; "" where they are."""
    certificate: CertificateFacts | None = None
    """Its pair as it was read; None: it has none, or that is one of the secrets which are not known."""


@dataclass(frozen=True)
class LocalFiles:
    """The files beside the plan. None: the plan names none, or nobody read it; what rests on it is unknown then."""

    certificate: CertificateFacts | None = None
    primary: PrimaryCluster | None = None
    lost_keys: Mapping[str, str] = field(default_factory=dict)
    """Dotted plan paths of the SSH key files that cannot be read, each with the reason."""


NO_LOCAL_FILES = LocalFiles()
