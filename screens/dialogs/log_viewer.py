"""The log viewer. It shows the logs of an install page by page and keeps only one page in memory."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from acp_tui.core.files import create_file, open_regular_file, resolve_path
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.units import megabytes
from acp_tui.install.observe.log_reader import Page, before, find, last, page
from screens.dialogs.prompts import Ask
from screens.widgets.panel import Panel

_POLL_INTERVAL = 1.0
"""Seconds between two reads of new lines. The viewer reads new lines only if the end of the log is visible."""


class LogScreen(ModalScreen[None]):
    """The log viewer. It opens at the end of the first log.

    `logs` has the name and the path of each log. `mask` masks the secrets in a line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup,b", "turn(-1)", show=False),
        Binding("pagedown,f,space", "turn(1)", show=False),
        Binding("home,g", "top", show=False),
        Binding("end,G", "bottom", show=False),
        Binding("slash", "search", show=False),
        Binding("n", "next_match(False)", show=False),
        Binding("N", "next_match(True)", show=False),
        Binding("o", "other", show=False),
        Binding("s", "save", show=False),
    ]

    def __init__(self, logs: Sequence[tuple[str, Path]], mask: Callable[[str], str]) -> None:
        super().__init__()
        self._mask = mask
        self._logs = tuple(logs)
        self._index = 0
        self._page = Page()
        self._pattern = ""
        self._message = ""

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
        self.set_interval(_POLL_INTERVAL, self._poll)
        self.call_after_refresh(self.action_bottom)

    async def action_bottom(self) -> None:
        self._message = ""
        await self._go(await asyncio.to_thread(last, self._path, self._height))

    async def action_top(self) -> None:
        await self._go(0)

    async def action_move(self, by: int) -> None:
        await self._go(await self._moved(by))

    async def action_turn(self, by: int) -> None:
        await self._go(await self._moved(by * max(1, self._height - 1)))

    async def action_other(self) -> None:
        self._index = (self._index + 1) % len(self._logs)
        await self.action_bottom()

    @work(exclusive=True)
    async def action_search(self) -> None:
        pattern = await self.app.push_screen_wait(
            Ask(
                pgettext("dialog", "Search"),
                _("The search ignores case and starts at the first visible line."),
                self._pattern,
            )
        )
        if pattern:
            self._pattern = pattern
            await self._search(self._page.start, backwards=False)

    async def action_next_match(self, backwards: bool) -> None:
        if self._pattern:
            here = self._page.start
            await self._search(here if backwards else await self._moved(1), backwards=backwards)

    @work(exclusive=True)
    async def action_save(self) -> None:
        """Ask for a path and copy the log to it. An existing file is never overwritten."""
        target = Path.home() / self._path.name
        answer = await self.app.push_screen_wait(
            Ask(_("Save the log"), _("Enter the path to which acp-tui copies the log."), str(target))
        )
        if not answer:
            return
        self._message = await asyncio.to_thread(_saved, self._path, answer)
        self._show()

    def action_close(self) -> None:
        self.dismiss(None)

    async def _moved(self, lines: int) -> int:
        """Return the start of the page that is `lines` lines further down, but not below the last page.

        If `lines` is negative, the page is further up."""
        here = self._page.start
        if lines < 0:
            return await asyncio.to_thread(before, self._path, here, -lines)
        further = await asyncio.to_thread(page, self._path, here, lines)
        return min(further.end, await asyncio.to_thread(last, self._path, self._height))

    async def _search(self, start: int, *, backwards: bool) -> None:
        """Go to the next line that contains the pattern, or to the previous one if `backwards`.

        If there is none, continue from the other end of the log."""
        found = await asyncio.to_thread(find, self._path, self._pattern, start, backwards=backwards)
        message = ""
        if found is None:
            other = self._page.size if backwards else 0
            found = await asyncio.to_thread(find, self._path, self._pattern, other, backwards=backwards)
            message = (
                _("{pattern}: no more matches above, continued from the end")
                if backwards
                else _("{pattern}: no more matches below, continued from the top")
            )
        if found is None:
            message = pgettext("log", "{pattern}: the log does not contain this text")
        self._message = message.format(pattern=self._pattern)
        await self._go(found if found is not None else self._page.start)

    async def _go(self, start: int) -> None:
        self._page = await asyncio.to_thread(page, self._path, start, self._height)
        self._show()

    async def _poll(self) -> None:
        """Show new lines if the end of the log is visible. Otherwise the page does not move."""
        here = self._page
        if here.end == here.size and self.app.screen is self:
            start = await asyncio.to_thread(last, self._path, self._height)
            shown = await asyncio.to_thread(page, self._path, start, self._height)
            if shown != here and self._page is here:  # a search can move the page during the read
                self._page = shown
                self._show()

    def _show(self) -> None:
        lines = Text("\n".join(map(self._mask, self._page.lines)), no_wrap=True, overflow="ellipsis")
        if self._pattern:
            lines.highlight_words([self._pattern], "reverse", case_sensitive=False)
        name, path = self._logs[self._index]
        size, end = self._page.size, self._page.end
        where = f"{100 * end // size} %" if size else pgettext("log", "empty log")
        self.query_one("#log-title", Panel).show(Text(f"{name}: {path}", "bold", no_wrap=True, overflow="ellipsis"))
        self.query_one("#log-lines", Panel).show(lines)
        state = f"{where}  {megabytes(size):.1f} MB  {self._message}"
        self.query_one("#log-state", Panel).show(Text(state, no_wrap=True, overflow="ellipsis"))


def _saved(log: Path, name: str) -> str:
    """Copy the log to the new file `name`. Return the message for the operator."""
    target = resolve_path(Path(), name)
    try:
        with open_regular_file(log) as source, create_file(target) as copy:
            shutil.copyfileobj(source, copy, 1024 * 1024)
    except OSError as error:
        reason = error.strerror or error
        return _("The log was not saved: {reason}: {path}").format(reason=reason, path=target)
    return pgettext("file", "The log was saved to {path}").format(path=target)
