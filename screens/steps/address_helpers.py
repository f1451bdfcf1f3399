"""Base class of the Network and Address steps. It suggests values and shows the drawing of the address plan."""

from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import Input

from acp_tui.checks.suggestions import Suggestion, suggest
from acp_tui.core.i18n import NC_, _, pgettext
from screens.dialogs.prompts import Read
from screens.formatting.address_plan import drawing
from screens.session.wizard_session import Changed
from screens.steps.base import WizardStep
from screens.widgets.form import Field


class AddressingStep(WizardStep):
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = (("^T", NC_("key", "address plan")), ("^F", NC_("key", "fill in")))

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+f", "fill_in", show=False, priority=True),
        Binding("ctrl+t", "draw", show=False, priority=True),
    ]

    def lead(self, field: Field) -> Text:
        suggestion = self._suggestion(field)
        if suggestion is not None:
            message = _("^F fills in {value}: {reason}").format(value=suggestion.value, reason=suggestion.reason)
            return Text(message, "cyan")
        if field.path == "address.platform" and self.session.plan.address.platform is None:
            endpoint = self.session.plan.address.cluster_endpoint or "-"
            return Text(_("The default is {value}, the cluster endpoint.").format(value=endpoint), "dim")
        return super().lead(field)

    def show_body(self, topic: Changed) -> None:
        self.show_help()

    def action_fill_in(self) -> None:
        """Fill in the suggestion for the field under the cursor."""
        suggestion = self._suggestion(self._field) if self._field is not None else None
        if suggestion is not None and isinstance(self.focused, Input):
            self.focused.value = suggestion.value

    def action_draw(self) -> None:
        text = drawing(self.session.plan, self.session.nodes.facts, Read.WIDE)
        self.app.push_screen(Read(pgettext("panel", "Address plan"), text, wide=True))

    def _suggestion(self, field: Field) -> Suggestion | None:
        return suggest(self.session.plan, self.session.nodes.facts, field.path)
