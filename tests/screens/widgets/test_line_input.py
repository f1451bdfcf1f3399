"""A secret cannot be copied from its field to the clipboard, which other programs can read."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from textual.pilot import Pilot
from textual.selection import SELECT_ALL

from screens.dialogs.prompts import Ask
from screens.widgets.line_input import Line
from tests.support.factories.plans import valid_plan
from tests.support.wizard_pilot import wizard

SECRET = "cAn4ry-secret"


class Terminal:
    """Everything that the wizard writes to the terminal."""

    def __init__(self, pilot: Pilot[int], monkeypatch: pytest.MonkeyPatch) -> None:
        self.written: list[str] = []
        driver = pilot.app._driver
        assert driver is not None
        monkeypatch.setattr(driver, "write", self.written.append)

    @property
    def copied(self) -> list[str]:
        """The texts that were copied to the clipboard of the terminal (OSC 52)."""
        codes = [text.removeprefix("\x1b]52;c;").rstrip("\a") for text in self.written if text.startswith("\x1b]52")]
        return [base64.b64decode(code).decode() for code in codes]


@pytest_asyncio.fixture
async def pilot(tmp_path: Path) -> AsyncIterator[Pilot[int]]:
    async with wizard(tmp_path, valid_plan(admin={"password": SECRET}), "address") as (pilot, _session):
        yield pilot


def field(pilot: Pilot[int], name: str) -> Line:
    line = pilot.app.screen.query_one(f"#{name}", Line)
    pilot.app.screen.set_focus(line)
    return line


@pytest.mark.parametrize("revealed", [False, True])
@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+x", "super+c"])
async def test_secret_is_not_copied_or_cut(
    pilot: Pilot[int], monkeypatch: pytest.MonkeyPatch, key: str, revealed: bool
) -> None:
    terminal, line = Terminal(pilot, monkeypatch), field(pilot, "f-admin-password")
    await pilot.pause()
    if revealed:
        await pilot.press("ctrl+r")
        assert not line.password
    line.select_all()
    await pilot.press(key)
    assert line.value == SECRET
    assert terminal.copied == []
    assert pilot.app.clipboard == ""


@pytest.mark.parametrize("revealed", [False, True])
async def test_secret_is_not_copied_with_a_selection_of_the_screen(
    pilot: Pilot[int], monkeypatch: pytest.MonkeyPatch, revealed: bool
) -> None:
    terminal, line = Terminal(pilot, monkeypatch), field(pilot, "f-admin-password")
    await pilot.pause()
    line.password = not revealed
    assert not line.allow_select
    pilot.app.screen.selections = dict.fromkeys(pilot.app.screen.query("*"), SELECT_ALL)
    assert SECRET not in (pilot.app.screen.get_selected_text() or "")
    pilot.app.screen.action_copy_text()
    assert terminal.copied
    assert not any(SECRET in text for text in terminal.copied)


async def test_clipboard_gets_no_secret_of_the_plan(pilot: Pilot[int], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(pilot, monkeypatch)
    pilot.app.copy_to_clipboard(f"output: {SECRET}\x1b[2J!")
    assert terminal.copied == ["output: ••••••!"]


async def test_secret_can_be_pasted_and_other_text_can_be_copied(
    pilot: Pilot[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal, line = Terminal(pilot, monkeypatch), field(pilot, "f-admin-username")
    await pilot.pause()
    line.select_all()
    await pilot.press("ctrl+c")
    assert terminal.copied == [line.value] == ["admin"]
    secret = field(pilot, "f-admin-password")
    await pilot.pause()
    secret.select_all()
    await pilot.press("ctrl+v")
    assert secret.value == "admin"


async def test_passphrase_in_a_dialog_is_not_copied(pilot: Pilot[int], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(pilot, monkeypatch)
    await pilot.app.push_screen(Ask("title", "question", SECRET, secret=True))
    await pilot.pause()
    pilot.app.screen.query_one("#ask", Line).select_all()
    await pilot.press("ctrl+c", "ctrl+x")
    assert terminal.copied == []
