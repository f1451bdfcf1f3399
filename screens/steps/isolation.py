"""Isolation of platform and applications, products, monitoring and logs."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from rich.text import Text
from textual.widget import Widget

from acp_tui.core.i18n import N_, _, ngettext
from acp_tui.plan.model import Plan
from screens.formatting.placement import may_choose, placed
from screens.session.session import Changed
from screens.steps.base import WizardStep
from screens.widgets.form import Field
from screens.widgets.panel import Panel


def _isolated(plan: Plan) -> bool:
    return plan.isolation


def _may_choose(plan: Plan, *, index: int) -> bool:
    return may_choose(plan, plan.nodes[index])


class IsolationStep(WizardStep):
    NAME = "isolation"
    SHORT = N_("Isolation")
    TITLE_TEXT = N_("Isolation: what runs where (DaemonSets are exempt)")
    SECTIONS = ("isolation", "components", "local_storage")

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        yield Panel(id="isolation-note")

    def show_body(self, topic: Changed) -> None:
        self._set("#isolation-note", Text("\n").join(self._placed()))

    def _placed(self) -> Iterator[Text]:
        """Nodes of which the same is true on one line, with the rule that decides it."""
        plan, preset = self.session.plan, self.session.draft.preset
        told: dict[str, list[str]] = {}
        for node in plan.nodes:
            told.setdefault(placed(plan, node, preset=node.address in preset), []).append(node.address)
        for words, addresses in told.items():
            more = len(addresses) - 1
            nodes = ngettext("{node} and {count} more", "{node} and {count} more", more) if more else "{node}"
            yield Text(nodes.format(node=addresses[0], count=more), "bold").append(f": {words}", "not bold")

    def fields(self) -> Sequence[Field]:
        fields = [
            field
            for index, node in enumerate(self.session.plan.nodes)
            if node.role == "control-plane"
            for field in (
                Field(
                    f"nodes[{index}].platform_exclusive", _("Excl. {node}").format(node=node.address), shown=_isolated
                ),
                Field(
                    f"nodes[{index}].deployable",
                    _("Apps {node}").format(node=node.address),
                    shown=partial(_may_choose, index=index),
                ),
            )
        ]
        return (
            Field("isolation", N_("Isolate platform")),
            *fields,
            Field("components.products", N_("Products"), "base, acp"),
            Field("components.prometheus_nodes", N_("Prometheus"), "10.20.0.21"),
            Field("components.victoriametrics_nodes", N_("VictoriaMetrics"), "10.20.0.21"),
            Field("components.victoriametrics_agents", N_("VM agents"), "1"),
            Field("components.elasticsearch_nodes", N_("Elasticsearch"), "10.20.0.21"),
            Field("local_storage", N_("Local storage")),
        )
