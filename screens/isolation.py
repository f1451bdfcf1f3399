"""Isolation of platform and applications, products, monitoring and logs."""

from collections.abc import Iterable, Sequence

from rich.text import Text
from textual.widget import Widget

from acp_tui.plan import Plan
from acp_tui.texts import N_, _
from screens.session import Topic
from screens.step import Step
from screens.widgets.form import Field
from screens.widgets.panel import Panel


def _isolated(plan: Plan) -> bool:
    return plan.isolation


def _open(plan: Plan) -> bool:
    return not plan.isolation


class IsolationStep(Step):
    NAME = "isolation"
    SHORT = N_("Isolation")
    TITLE_TEXT = N_("Isolation: what runs where (DaemonSets are exempt)")
    SECTIONS = ("isolation", "components", "local_storage")

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        yield Panel(id="isolation-note")

    def show_body(self, topic: Topic) -> None:
        why = _("There is no worker, so applications are let onto the control plane nodes: preset to yes.")
        self._set("#isolation-note", Text(why if self.session.draft.preset else ""))

    def fields(self) -> Sequence[Field]:
        control_planes = [
            field
            for index, node in enumerate(self.session.plan.nodes)
            if node.role == "control-plane"
            for field in (
                Field(f"nodes[{index}].deployable", _("Apps {node}").format(node=node.address), shown=_open),
                Field(
                    f"nodes[{index}].platform_exclusive", _("Excl. {node}").format(node=node.address), shown=_isolated
                ),
            )
        ]
        return (
            Field("isolation", N_("Isolate platform")),
            *control_planes,
            Field("components.products", N_("Products"), "base, acp"),
            Field("components.prometheus_nodes", N_("Prometheus"), "10.20.0.21"),
            Field("components.victoriametrics_nodes", N_("VictoriaMetrics"), "10.20.0.21"),
            Field("components.victoriametrics_agents", N_("VM agents"), "1"),
            Field("components.elasticsearch_nodes", N_("Elasticsearch"), "10.20.0.21"),
            Field("local_storage", N_("Local storage")),
        )
