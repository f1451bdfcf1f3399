"""The expected load of the cluster."""

from typing import Annotated

from pydantic import Field

from acp_tui.core.i18n import N_
from acp_tui.plan.field_types import Amount, Whole
from acp_tui.plan.sections.section import Section, answer


class Workload(Section):
    pods: Annotated[Whole, Field(ge=0)] = answer(
        0, id="CAP-SC-GROW", help=N_("Number of application Pods that you expect to run.")
    )
    clusters: Annotated[Whole, Field(ge=0)] = answer(
        0, id="CAP-MC-HGROW", help=N_("Number of workload clusters that you expect to connect to the platform.")
    )
    cpu: Amount = answer(
        0, id="CAP-RESERVE-30", help=N_("Optional. CPU cores that all applications in the global cluster need.")
    )
    memory: Amount = answer(
        0, id="CAP-RESERVE-30", help=N_("Optional. Memory in GB that all applications in the global cluster need.")
    )
