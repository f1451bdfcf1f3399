"""The base class of the steps that ask for new host keys: Nodes, Trial and Preflight."""

from collections.abc import Mapping
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from screens.dialogs.host_keys import HostKeysDialog, review_host_keys
from screens.session.host_keys import keys_awaited, keys_to_confirm
from screens.session.wizard_session import Changed
from screens.steps.base import WizardStep


class HostKeyStep(WizardStep):
    """A step that asks for new host keys when each node has sent its key, and at the latest before the next step.

    It does not ask a second time for a key that the operator declined. The key T always asks."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("T,h", "host_keys", show=False)]

    _asking = False
    """True while a question about host keys is open or about to open."""

    def may_ask(self) -> bool:
        """Return True if the question may open by itself now. It must not open while the operator types."""
        return True

    def node_under_cursor(self) -> str:
        """Return the address of the node under the cursor; "" if the step has none."""
        return ""

    def session_changed(self, topic: Changed) -> None:
        super().session_changed(topic)
        self.ask_for_new_keys()

    def on_screen_resume(self) -> None:
        self.ask_for_new_keys()

    async def may_continue(self) -> bool:
        """Return False and ask if there are new host keys. After the answer, the wizard shows the next step."""
        if self._new_keys():
            self._asking = True
            self.app.run_worker(self._ask_and_continue())  # the tasks of this screen end with it
            return False
        return True

    def ask_for_new_keys(self) -> None:
        """Open the question if there are new host keys, and this step is on the screen."""
        if self._ready and not self._asking and self.app.screen is self and self.may_ask() and self._new_keys():
            self._asking = True
            self._ask()

    def _new_keys(self) -> Mapping[str, str]:
        """Return the keys to ask for. Empty while a node has not sent its key yet: one question is for all nodes."""
        plan, statuses = self.session.plan, self.session.nodes.statuses
        if keys_awaited(plan, statuses):
            return {}
        new = keys_to_confirm(plan, statuses, changes=False)
        declined = self.session.known_hosts_record.declined
        return {address: key for address, key in new.items() if (address, key) not in declined}

    @work
    async def _ask(self) -> None:
        await self._ask_now()

    async def _ask_now(self) -> None:
        try:
            new = self._new_keys()
            if new:
                await self.app.push_screen_wait(HostKeysDialog(self.session, lambda: new))
        finally:
            self._asking = False

    async def _ask_and_continue(self) -> None:
        await self._ask_now()
        await self.app.run_action("next_step")

    @work
    async def action_host_keys(self) -> None:
        """Ask for the changed key of the node under the cursor, or for all new and changed keys."""
        if message := await review_host_keys(self.app, self.session, self.node_under_cursor()):
            self.show_answer(message)
