"""What the network and the address step share: an answer taken over at a key, and the drawing of the address plan."""

from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import Input

from acp_tui.checks.suggestions import Suggestion, suggest
from acp_tui.core.i18n import N_, _
from screens.dialogs.prompts import Read
from screens.formatting.address_plan import drawing
from screens.session.session import Changed
from screens.steps.base import WizardStep
from screens.widgets.form import Field


class AddressingStep(WizardStep):
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = (("^T", N_("address plan")), ("^F", N_("fill in")))

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+f", "take", show=False, priority=True),
        Binding("ctrl+t", "draw", show=False, priority=True),
    ]

    def lead(self, field: Field) -> Text:
        offered = self._offered(field)
        if offered is not None:
            return Text(_("^F fills in {value}: {why}").format(value=offered.value, why=offered.reason), "cyan")
        if field.path == "address.platform" and self.session.plan.address.platform is None:
            endpoint = self.session.plan.address.cluster_endpoint or "-"
            return Text(_("Now {value}, the cluster endpoint.").format(value=endpoint), "dim")
        return super().lead(field)

    def show_body(self, topic: Changed) -> None:
        self._show_help()

    def action_take(self) -> None:
        """Fill in what is offered for the field under the cursor."""
        offered = self._offered(self._field) if self._field is not None else None
        if offered is not None and isinstance(self.focused, Input):
            self.focused.value = offered.value

    def action_draw(self) -> None:
        text = drawing(self.session.plan, self.session.nodes.facts, Read.WIDE)
        self.app.push_screen(Read(_("Address plan"), text, wide=True))

    def _offered(self, field: Field) -> Suggestion | None:
        return suggest(self.session.plan, self.session.nodes.facts, field.path)
