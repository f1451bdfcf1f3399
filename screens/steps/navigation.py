"""Navigation of the wizard: to the next step, to a step of the menu, or to the field or node of a finding."""

import asyncio
import re
from collections.abc import Sequence

from textual import work
from textual.app import App

from acp_tui.checks.verdict import Verdict
from acp_tui.core.i18n import _, pgettext
from screens.dialogs.prompts import Confirm, Pick, Read
from screens.session.wizard_session import Session
from screens.steps.base import WizardApp, WizardStep
from screens.steps.help_text import explanation
from screens.steps.menu import EXPLAIN, QUIT, TRIAL, menu_options, step_keys
from screens.steps.order import STEPS, adjacent_step
from screens.steps.preflight import PreflightStep
from screens.steps.trial import TrialStep
from screens.widgets.row_list import Rows


class StepNavigation(App[int]):
    """The part of the application that moves from step to step. It shows one step at a time."""

    steps: Sequence[type[WizardStep]] = STEPS
    session: Session | None = None

    @property
    def wizard(self) -> WizardApp:
        """This application with the type `WizardApp`, which has everything that a step may use."""
        raise NotImplementedError

    async def go(self, step: type[WizardStep], path: str | None = None) -> None:
        """Show `step`. If the step has a field for the plan key `path`, put the cursor into the field."""
        assert self.session is not None
        await self.keys_handled()
        current = self.current_step()
        if current is not None:
            current.leaving()
        screen = step(self.session, self.wizard)
        screen.initial_path = path
        if len(self.screen_stack) > 1:
            await self.switch_screen(screen)
        else:
            await self.push_screen(screen)

    async def go_to_blocker(self) -> None:
        """Show the field or the finding of the first blocker."""
        assert self.session is not None
        blockers = self.session.verdict_view.blockers
        if blockers:
            await self.go_to(blockers[0])
        else:
            await self.go(PreflightStep)

    async def go_to(self, verdict: Verdict) -> None:
        """Show the field of the verdict's plan key. Without such a field, show the verdict in the Preflight step."""
        for path in verdict.paths:
            if await self.go_to_answer(path):
                return
        await self.go(PreflightStep)
        if isinstance(self.screen, PreflightStep):
            self.screen.call_after_refresh(self.screen.move_to, verdict)

    async def go_to_answer(self, path: str) -> bool:
        """Show the step that edits the plan key `path`, with the cursor on the field. False if no step edits it."""
        assert self.session is not None
        step = next((one for one in self.steps if one.SECTIONS and path.startswith(one.SECTIONS)), None)
        if step is None:
            return False
        await self.go(step, path)
        if found := re.match(r"nodes\[(\d+)\]", path):
            self.screen.call_after_refresh(self._move_to_node, self.session.plan.nodes[int(found[1])].address)
        return True

    def _move_to_node(self, address: str) -> None:
        for rows in self.screen.query("#nodes").results(Rows):
            rows.move_to(address)
            self.screen.set_focus(rows)

    async def action_next_step(self) -> None:
        await self.keys_handled()
        current = self.current_step()
        if current is not None and await current.may_continue():
            following = adjacent_step(self.steps, current, 1)
            if following is not None:
                await self.go(following)

    async def action_previous_step(self) -> None:
        current = self.current_step()
        if current is not None and (before := adjacent_step(self.steps, current, -1)) is not None:
            await self.go(before)

    @work
    async def action_trial(self) -> None:
        """Show the Trial step. If the plan has several nodes, first ask for confirmation to keep only one."""
        if self.session is None or self.current_step() is None:
            return
        if (count := len(self.session.plan.nodes)) > 1:
            question = _(
                "The plan has {count} nodes. The trial keeps only the installer node and uses its address as the "
                "cluster endpoint."
            )
            ask = Confirm(_("Single-node trial"), question.format(count=count))
            if not await self.push_screen_wait(ask):
                return
        await self.go(TrialStep)

    @work
    async def action_menu(self) -> None:
        """Open the menu and go to the chosen step or action."""
        if self.current_step() is None:
            return
        picked = await self.push_screen_wait(Pick(pgettext("menu", "Go to"), menu_options(self.steps)))
        if picked == QUIT:
            await self.run_action("leave")
        elif picked == EXPLAIN:
            self.action_explain()
        elif picked == TRIAL:
            self.action_trial()
        elif picked is not None:
            await self.go(step_keys(self.steps)[picked])

    def action_explain(self) -> None:
        """Show all open findings of this step, and the requirement for the field or finding under the cursor."""
        current = self.current_step()
        if current is not None and (text := explanation(current)):
            self.push_screen(Read(current.rule_under_cursor() or pgettext("step", current.SHORT), text))

    def current_step(self) -> WizardStep | None:
        """Return the step on the screen. None while a dialog is open."""
        return self.screen if isinstance(self.screen, WizardStep) else None

    async def keys_handled(self) -> None:
        """Wait until the focused field has handled all keys that were typed earlier."""
        handled = asyncio.Event()
        if self.focused is not None and self.focused.call_later(handled.set):
            await handled.wait()
