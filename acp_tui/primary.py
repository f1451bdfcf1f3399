"""The primary of a standby as it is known: frozen, so that comparing two plans needs no file.

What both clusters must have in common, and what they must not, is judged from it in `checks/plan`.
"""

from dataclasses import dataclass

from acp_tui.certificate import CertificateFacts
from acp_tui.plan.model import Plan


@dataclass(frozen=True)
class Primary:
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
