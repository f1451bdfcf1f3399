"""The Registry step: the registry of the platform or your own registry. A text below the fields explains the choice."""

from collections.abc import Iterable, Sequence

from rich.text import Text
from textual.widget import Widget

from acp_tui.core.i18n import NC_, _, pgettext
from acp_tui.plan.model import Plan
from screens.session.wizard_session import Changed
from screens.steps.base import WizardStep
from screens.widgets.form import Field
from screens.widgets.panel import Panel


def _has_user(plan: Plan) -> bool:
    """Return True if the plan has a registry user or a registry password. Only then is the password field shown."""
    return bool(plan.registry.username or plan.registry.password)


FIELDS = (
    Field("registry.mode", NC_("field", "Registry")),
    Field("registry.address", NC_("field", "Address"), "registry.example.com"),
    Field("registry.username", NC_("field", "User")),
    Field("registry.password", NC_("field", "Password"), "", _has_user),
)


class RegistryStep(WizardStep):
    NAME = "registry"
    SHORT = NC_("step", "Registry")
    TITLE_TEXT = NC_("title", "Registry: the source of the container images")
    SECTIONS = ("registry",)
    KEYS = (("^R", NC_("key", "reveal")),)

    def fields(self) -> Sequence[Field]:
        return FIELDS

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        yield Panel(id="registry-note")

    def show_body(self, topic: Changed) -> None:
        self.set_panel("#registry-note", Text("\n".join(_note(self.session.plan))))


def _note(plan: Plan) -> tuple[str, ...]:
    registry = plan.registry
    if registry.mode == "platform":
        host = plan.registry_address or _("the cluster endpoint")
        return (
            _("The installer runs a registry on the control plane nodes: {host}:11443.").format(host=host),
            _("Enter the registry host without a port. For disaster recovery, also enter user and password."),
        )
    return (
        _("The nodes pull images from {host}. Port 11443 is not required.").format(
            host=plan.registry_address if registry.address else pgettext("registry", "your registry")
        ),
        _(
            "The installer does not copy the images to your registry. Before you install, ask the vendor's support how "
            "to copy them."
        ),
    )
