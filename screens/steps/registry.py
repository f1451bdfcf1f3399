"""Image repository: the installer's own, or one that you run. What each means is said below the fields."""

from collections.abc import Iterable, Sequence

from rich.text import Text
from textual.widget import Widget

from acp_tui.core.i18n import N_, _
from acp_tui.plan.model import Plan
from screens.session.session import Changed
from screens.steps.base import WizardStep
from screens.widgets.form import Field
from screens.widgets.panel import Panel


def _has_user(plan: Plan) -> bool:
    """A password without a user is not sent; one that is there all the same stays in sight."""
    return bool(plan.registry.username or plan.registry.password)


FIELDS = (
    Field("registry.mode", N_("Registry")),
    Field("registry.address", N_("Address"), "registry.example.com"),
    Field("registry.username", N_("User")),
    Field("registry.password", N_("Password"), "", _has_user),
)


class RegistryStep(WizardStep):
    NAME = "registry"
    SHORT = N_("Registry")
    TITLE_TEXT = N_("Registry: where the nodes get their images")
    SECTIONS = ("registry",)
    KEYS = (("^R", N_("reveal")),)

    def fields(self) -> Sequence[Field]:
        return FIELDS

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        yield Panel(id="registry-note")

    def show_body(self, topic: Changed) -> None:
        self._set("#registry-note", Text("\n".join(_note(self.session.plan))))


def _note(plan: Plan) -> tuple[str, ...]:
    registry = plan.registry
    if registry.mode == "platform":
        host = plan.registry_address or _("the cluster endpoint")
        return (
            _("The installer runs a registry on the control plane nodes: {host}:11443.").format(host=host),
            _("Give the host alone, no port. A login is needed with disaster recovery."),
        )
    return (
        _("Nodes pull from {host}; it needs no rule for 11443.").format(
            host=plan.registry_address if registry.address else _("your registry")
        ),
        _("The installer does not fill it: get the image synchronisation plan from the vendor's support first."),
    )
