"""The role of the cluster in a disaster recovery pair."""

from typing import Literal

from acp_tui.core.i18n import N_
from acp_tui.plan.sections.section import Section, answer


class DisasterRecovery(Section):
    role: Literal["none", "primary", "standby"] = answer(
        "none", id="CAP-DR-FIRST", help=N_("Role of this cluster in a disaster recovery pair.")
    )
    primary: str | None = answer(
        None,
        id="DR-PARAM-RECORD",
        help=N_("Only for a standby cluster: path of the plan or bundle of the primary cluster."),
    )
