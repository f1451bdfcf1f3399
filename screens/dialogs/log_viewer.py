"""The logs of an install, whole: page by page, searched, saved under another name. One page of lines is held."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from acp_tui.core.files import resolve_path
from acp_tui.core.i18n import _
from acp_tui.core.units import megabytes
from acp_tui.install.observe.log_reader import Page, before, find, last, page
from screens.dialogs.prompts import Ask
from screens.widgets.panel import Panel

_LOOK_EVERY = 1.0
"""Seconds between two looks for new lines, while the end of the log is in sight."""


class LogScreen(ModalScreen[None]):
    """`logs`: name and path of each; the first is shown first, at its end."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup,b", "turn(-1)", show=False),
        Binding("pagedown,f,space", "turn(1)", show=False),
        Binding("home,g", "top", show=False),
        Binding("end,G", "bottom", show=False),
        Binding("slash", "search", show=False),
        Binding("n", "again(False)", show=False),
        Binding("N", "again(True)", show=False),
        Binding("o", "other", show=False),
        Binding("s", "save", show=False),
    ]

    def __init__(self, logs: Sequence[tuple[str, Path]]) -> None:
        super().__init__()
        self._logs = tuple(logs)
        self._index = 0
        self._page = Page()
        self._words = ""
        self._said = ""

    @property
    def _path(self) -> Path:
        return self._logs[self._index][1]

    @property
    def _height(self) -> int:
        return max(1, self.query_one("#log-lines").size.height)

    def compose(self) -> ComposeResult:
        with Vertical(id="log-screen"):
            yield Panel(id="log-title")
            yield Panel(id="log-lines")
            yield Panel(id="log-state")
            keys = _("PgUp PgDn  g top  G end  / search  n N next  o other log  s save  Esc close")
            yield Panel(Text(keys, "dim", no_wrap=True, overflow="ellipsis"), id="log-keys")

    def on_mount(self) -> None:
        self.set_interval(_LOOK_EVERY, self._look_for_more)
        self.call_after_refresh(self.action_bottom)

    async def action_bottom(self) -> None:
        self._said = ""
        await self._go(await asyncio.to_thread(last, self._path, self._height))

    async def action_top(self) -> None:
        await self._go(0)

    async def action_move(self, by: int) -> None:
        await self._go(await self._beside(by))

    async def action_turn(self, by: int) -> None:
        await self._go(await self._beside(by * max(1, self._height - 1)))

    async def action_other(self) -> None:
        self._index = (self._index + 1) % len(self._logs)
        await self.action_bottom()

    @work(exclusive=True)
    async def action_search(self) -> None:
        words = await self.app.push_screen_wait(Ask(_("Search"), _("Any case; from the top line on."), self._words))
        if words:
            self._words = words
            await self._search(self._page.start, backwards=False)

    async def action_again(self, backwards: bool) -> None:
        if self._words:
            here = self._page.start
            await self._search(here if backwards else await self._beside(1), backwards=backwards)

    @work(exclusive=True)
    async def action_save(self) -> None:
        """Copy the log; it may be passed on, so what is there already is never written over."""
        wanted = Path.home() / self._path.name
        answer = await self.app.push_screen_wait(Ask(_("Save the log"), _("Copy it to this file:"), str(wanted)))
        if not answer:
            return
        self._said = await asyncio.to_thread(_saved, self._path, answer)
        self._tell()

    def action_leave(self) -> None:
        self.dismiss(None)

    async def _beside(self, lines: int) -> int:
        """Where the page begins that is this many lines further; never past the last page."""
        here = self._page.start
        if lines < 0:
            return await asyncio.to_thread(before, self._path, here, -lines)
        further = await asyncio.to_thread(page, self._path, here, lines)
        return min(further.end, await asyncio.to_thread(last, self._path, self._height))

    async def _search(self, start: int, *, backwards: bool) -> None:
        """To the next line with the words; past the end of the log it goes on from its other end."""
        found = await asyncio.to_thread(find, self._path, self._words, start, backwards=backwards)
        said = ""
        if found is None:
            other = self._page.size if backwards else 0
            found = await asyncio.to_thread(find, self._path, self._words, other, backwards=backwards)
            said = _("{words}: from the end on") if backwards else _("{words}: from the top on")
        self._said = (said if found is not None else _("{words}: not found")).format(words=self._words)
        await self._go(found if found is not None else self._page.start)

    async def _go(self, start: int) -> None:
        self._page = await asyncio.to_thread(page, self._path, start, self._height)
        self._tell()

    async def _look_for_more(self) -> None:
        """Stay at the end of a log that grows; who reads elsewhere is left alone."""
        here = self._page
        if here.end == here.size and self.app.screen is self:
            start = await asyncio.to_thread(last, self._path, self._height)
            shown = await asyncio.to_thread(page, self._path, start, self._height)
            if shown != here and self._page is here:  # a search may have led elsewhere meanwhile
                self._page = shown
                self._tell()

    def _tell(self) -> None:
        lines = Text("\n".join(self._page.lines), no_wrap=True, overflow="ellipsis")
        if self._words:
            lines.highlight_words([self._words], "reverse", case_sensitive=False)
        name, path = self._logs[self._index]
        size, end = self._page.size, self._page.end
        where = f"{100 * end // size} %" if size else _("nothing is written yet")
        self.query_one("#log-title", Panel).show(Text(f"{name}: {path}", "bold", no_wrap=True, overflow="ellipsis"))
        self.query_one("#log-lines", Panel).show(lines)
        state = f"{where}  {megabytes(size):.1f} MB  {self._said}"
        self.query_one("#log-state", Panel).show(Text(state, no_wrap=True, overflow="ellipsis"))


def _saved(log: Path, name: str) -> str:
    """Copy the log to a new file; what to tell of it."""
    target = resolve_path(Path(), name)
    try:
        with log.open("rb") as source, target.open("xb") as copy:
            target.chmod(0o600)
            shutil.copyfileobj(source, copy, 1024 * 1024)
    except OSError as error:
        return f"{error.strerror or error}: {target}"
    return _("Saved to {path}").format(path=target)
