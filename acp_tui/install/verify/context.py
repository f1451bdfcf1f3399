"""The input of the checks of an installed cluster."""

from dataclasses import dataclass
from datetime import datetime

from acp_tui.install.verify.facts import Answer, Installed
from acp_tui.plan.model import Plan


@dataclass(frozen=True)
class VerifyContext:
    """Everything that the checks read. `installed_at`: time of a successful install; None: unknown on this host."""

    plan: Plan
    installed: Installed
    platform: Answer
    registry: Answer | None
    planned_certificate: str | None
    """Fingerprint of the plan's certificate. None: the plan has no certificate, or it cannot be read."""
    moment: datetime
    installed_at: datetime | None = None
