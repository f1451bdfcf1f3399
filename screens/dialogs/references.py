"""The dialog that asks about the references of a plan that another user can change."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, TypeVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from acp_tui.core.i18n import _
from acp_tui.plan.file import FoundReferences, ReferencePolicy, ReferencesRefused
from acp_tui.plan.file.confirmed_references import needs_confirmation, remember_confirmed

T = TypeVar("T")


class ConfirmReferences(ModalScreen[bool]):
    """A question with all references of a plan, which the operator can scroll. Only the key `y` confirms it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", show=False),
        Binding("n,escape", "answer(False)", show=False),
    ]

    def __init__(self, found: FoundReferences) -> None:
        super().__init__()
        self._found = found

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall wide"):
            yield Label(_("References to secrets of this host"), classes="dialog-title", markup=False)
            with VerticalScroll(id="reading"):
                yield Static(Text("\n".join((*self._found.lines(), self._found.question))))
            yield Static(Text(_("y: yes   n: no   Up/Down: scroll")), classes="dialog-keys")

    def on_mount(self) -> None:
        self.set_focus(self.query_one("#reading"))

    def action_answer(self, answer: bool) -> None:
        self.dismiss(answer)


async def read_with_references(app: App[int], home: Path, read: Callable[[ReferencePolicy], T]) -> T | None:
    """Return the result of `read`, which runs in a thread. Ask if the policy refuses the references of the plan.

    Return None if the operator does not confirm them. `home`: the state folder, which stores the confirmations."""
    confirmed = ""

    def policy(found: FoundReferences) -> None:
        if found.digest != confirmed and needs_confirmation(home, found):
            raise ReferencesRefused(found)

    while True:
        try:
            return await asyncio.to_thread(read, policy)
        except ReferencesRefused as refused:
            if not await app.push_screen_wait(ConfirmReferences(refused.found)):
                return None
            confirmed = refused.found.digest
            with suppress(OSError):  # without the record, acp-tui asks again at the next start
                await asyncio.to_thread(remember_confirmed, home, refused.found)
