"""What the plan names on this machine, as it was read: its certificate pair, a standby's primary, the SSH keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from acp_tui.certificate import CertificateFacts
from acp_tui.primary import Primary


@dataclass(frozen=True)
class Beside:
    """The files beside the plan. None: the plan names none, or nobody read it; what rests on it is unknown then."""

    certificate: CertificateFacts | None = None
    primary: Primary | None = None
    lost_keys: Mapping[str, str] = field(default_factory=dict)
    """Dotted plan paths of the SSH key files that cannot be read, each with the reason."""


NOTHING_READ = Beside()
