"""The Isolation step: where the platform and applications run, and settings of products, monitoring and logs."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from rich.text import Text
from textual.widget import Widget

from acp_tui.core.i18n import NC_, npgettext, pgettext
from acp_tui.plan.model import Plan
from screens.formatting.placement import may_choose, placed
from screens.session.wizard_session import Changed
from screens.steps.base import WizardStep
from screens.widgets.form import Field
from screens.widgets.panel import Panel


def _isolated(plan: Plan) -> bool:
    return plan.isolation


def _may_choose(plan: Plan, *, index: int) -> bool:
    return may_choose(plan, plan.nodes[index])


class IsolationStep(WizardStep):
    NAME = "isolation"
    SHORT = NC_("step", "Isolation")
    TITLE_TEXT = NC_("title", "Isolation: placement of Pods (DaemonSets are exempt)")
    SECTIONS = ("isolation", "components", "local_storage")

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        yield Panel(id="isolation-note")

    def show_body(self, topic: Changed) -> None:
        self.set_panel("#isolation-note", Text("\n").join(self._placed()))

    def _placed(self) -> Iterator[Text]:
        """Yield one line for each placement: its nodes, and the rule that decides it."""
        plan, preset = self.session.plan, self.session.draft.preset
        nodes_of: dict[str, list[str]] = {}
        for node in plan.nodes:
            nodes_of.setdefault(placed(plan, node, preset=node.address in preset), []).append(node.address)
        for placement, addresses in nodes_of.items():
            more = len(addresses) - 1
            nodes = (
                npgettext("isolation", "{node} and {count} more", "{node} and {count} more", more) if more else "{node}"
            )
            yield Text(nodes.format(node=addresses[0], count=more), "bold").append(f": {placement}", "not bold")

    def fields(self) -> Sequence[Field]:
        fields = [
            field
            for index, node in enumerate(self.session.plan.nodes)
            if node.role == "control-plane"
            for field in (
                Field(
                    f"nodes[{index}].platform_exclusive",
                    pgettext("isolation", "Excl. {node}").format(node=node.address),
                    shown=_isolated,
                ),
                Field(
                    f"nodes[{index}].deployable",
                    pgettext("isolation", "Apps {node}").format(node=node.address),
                    shown=partial(_may_choose, index=index),
                ),
            )
        ]
        return (
            Field("isolation", NC_("field", "Isolate platform")),
            *fields,
            Field("components.products", NC_("field", "Products"), "base, acp"),
            Field("components.prometheus_nodes", NC_("field", "Prometheus"), "10.20.0.21"),
            Field("components.victoriametrics_nodes", NC_("field", "VictoriaMetrics"), "10.20.0.21"),
            Field("components.victoriametrics_agents", NC_("field", "VM agents"), "1"),
            Field("components.elasticsearch_nodes", NC_("field", "Elasticsearch"), "10.20.0.21"),
            Field("local_storage", NC_("field", "Local storage")),
        )
