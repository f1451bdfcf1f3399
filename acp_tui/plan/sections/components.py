"""Products, monitoring and logging."""

from typing import Annotated

from pydantic import Field

from acp_tui.core.i18n import N_
from acp_tui.plan.field_types import FilledText, IpText, Whole
from acp_tui.plan.sections.section import Section, answer


class Components(Section):
    products: tuple[FilledText, ...] = answer(
        ("base", "acp"),
        id="P-PRODUCTS",
        rule="XR-PRODUCTS",
        help=N_("Products to install. base and acp are always installed."),
    )
    prometheus_nodes: tuple[IpText, ...] = answer(
        (),
        id="P-PROM",
        rule="XR-MON-NODES",
        help=N_("Addresses of the nodes that run Prometheus. Use Prometheus or VictoriaMetrics, not both."),
    )
    victoriametrics_nodes: tuple[IpText, ...] = answer(
        (), id="P-VM", rule="XR-MON-NODES", help=N_("Addresses of the nodes that run VictoriaMetrics.")
    )
    victoriametrics_agents: Annotated[Whole, Field(ge=0)] | None = answer(
        None,
        id="P-VM-AGENTS",
        rule="XR-VM-AGENTS",
        help=N_("Number of VictoriaMetrics agents. If empty: 1 if VictoriaMetrics has nodes, otherwise 0."),
    )
    elasticsearch_nodes: tuple[IpText, ...] = answer(
        (), id="P-ES", rule="XR-MON-NODES", help=N_("Addresses of the nodes that run Elasticsearch.")
    )
