"""The log viewer of an install: paging, search, following, saving, and long or missing logs."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from textual.pilot import Pilot

from acp_tui.install.observe.log_reader import last
from screens.dialogs.log_viewer import LogScreen
from tests.support.factories.plans import valid_plan
from tests.support.wizard_pilot import screen_text, until, wizard


@pytest.fixture
def logs(tmp_path: Path) -> tuple[tuple[str, Path], ...]:
    setup, installer = tmp_path / "setup.log", tmp_path / "installer.log"
    setup.write_text("".join(f"line {number} of setup\n" for number in range(200_000)), encoding="ascii")
    installer.write_text("[bold]first[/bold]\nphase network begins\nsecond\n", encoding="ascii")
    return ("setup.sh", setup), ("installer", installer)


@pytest_asyncio.fixture
async def pilot(tmp_path: Path, logs: tuple[tuple[str, Path], ...]) -> AsyncIterator[Pilot[int]]:
    async with wizard(tmp_path / "home", valid_plan(), "install") as (pilot, _session):
        await pilot.app.push_screen(LogScreen(logs, str))
        await until(pilot, lambda: "line 199999 of setup" in screen_text(pilot))
        yield pilot


async def test_log_opens_at_its_end_and_turns_pages(pilot: Pilot[int]) -> None:
    assert screen_text(pilot).startswith("setup.sh: ")
    await pilot.press("pageup")
    await until(pilot, lambda: "line 199999 " not in screen_text(pilot))
    await pilot.press("g")
    await until(pilot, lambda: "line 0 of setup" in screen_text(pilot))
    await pilot.press("down", "down")
    await until(pilot, lambda: "line 1 of" not in screen_text(pilot) and "line 2 of setup" in screen_text(pilot))
    await pilot.press("G")
    await until(pilot, lambda: "line 199999 of setup" in screen_text(pilot) and "100 %" in screen_text(pilot))


async def test_search_moves_from_match_to_match(pilot: Pilot[int]) -> None:
    await pilot.press("g", "slash", *"LINE 4711 ", "enter")
    await until(pilot, lambda: "line 4711 of setup" in screen_text(pilot).splitlines()[1])
    await pilot.press("slash", *[*["backspace"] * 10, *"7 of"], "enter")
    await until(pilot, lambda: "line 4717 of setup" in screen_text(pilot).splitlines()[1])
    await pilot.press("n")
    await until(pilot, lambda: "line 4727 of setup" in screen_text(pilot).splitlines()[1])
    await pilot.press("N")
    await until(pilot, lambda: "line 4717 of setup" in screen_text(pilot).splitlines()[1])
    # The search continues from the top after the end of the log.
    await pilot.press("G", "slash", *[*["backspace"] * 4, *"line 5 of"], "enter")
    await until(pilot, lambda: "line 5 of setup" in screen_text(pilot).splitlines()[1])
    assert "line 5 of: no more matches below, continued from the top" in screen_text(pilot)
    await pilot.press("N")
    await until(pilot, lambda: "line 5 of: no more matches above, continued from the end" in screen_text(pilot))
    await pilot.press("slash", *[*["backspace"] * 9, *"nothing"], "enter")
    await until(pilot, lambda: "nothing: the log does not contain this text" in screen_text(pilot))
    assert "line 5 of setup" in screen_text(pilot).splitlines()[1], "the page does not change"


async def test_growing_log_keeps_the_page_of_a_search(
    pilot: Pilot[int], logs: tuple[tuple[str, Path], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The poll for new lines starts at the end of the log, and ends after the search has moved to another page."""
    screen = pilot.app.screen
    assert isinstance(screen, LogScreen)
    search_done = threading.Event()

    def last_after_search(path: Path, height: int) -> int:
        search_done.wait()
        return last(path, height)

    monkeypatch.setattr("screens.dialogs.log_viewer.last", last_after_search)
    with logs[0][1].open("a", encoding="ascii") as file:
        file.write("one more\n")
    polling = asyncio.create_task(screen._poll())
    await pilot.press("slash", *"line 5 of", "enter")
    await until(pilot, lambda: "line 5 of setup" in screen_text(pilot).splitlines()[1])
    search_done.set()
    await polling
    await pilot.pause()
    assert "line 5 of setup" in screen_text(pilot).splitlines()[1]


async def test_end_of_the_other_log_is_followed(pilot: Pilot[int], logs: tuple[tuple[str, Path], ...]) -> None:
    await pilot.press("o")
    await until(pilot, lambda: "[bold]first[/bold]" in screen_text(pilot))
    with logs[1][1].open("a", encoding="ascii") as file:
        file.write("third\n")
    await until(pilot, lambda: "third" in screen_text(pilot))


async def test_saving_never_overwrites_a_file(
    pilot: Pilot[int], tmp_path: Path, logs: tuple[tuple[str, Path], ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    await pilot.press("o", "s", "enter")
    copy = tmp_path / "home" / "installer.log"
    await until(pilot, lambda: "The log was saved to" in screen_text(pilot))
    assert copy.read_bytes() == logs[1][1].read_bytes()
    assert oct(copy.stat().st_mode & 0o777) == "0o600"
    await pilot.press("s", "enter")
    await until(pilot, lambda: "File exists" in screen_text(pilot))


async def test_truncated_or_missing_log_is_shown_as_empty(
    pilot: Pilot[int], logs: tuple[tuple[str, Path], ...]
) -> None:
    os.truncate(logs[0][1], 100)
    await pilot.press("pageup")
    await until(pilot, lambda: "line 0 of setup" in screen_text(pilot))
    logs[0][1].unlink()
    await pilot.press("G")
    await until(pilot, lambda: "empty" in screen_text(pilot))
    await pilot.press("escape")
    await until(pilot, lambda: not isinstance(pilot.app.screen, LogScreen))
