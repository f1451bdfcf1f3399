"""Nodes from a list or an inventory: pasted or read from a file, looked at, and what is right is taken.

The text may hold passwords. They are masked as soon as it is there, and it is kept in memory alone.
"""

import asyncio
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Paste
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Label, Static, TextArea

from acp_tui.checks.labels import role_label
from acp_tui.core.files import resolve_path
from acp_tui.core.i18n import _, ngettext
from acp_tui.plan.model import Node
from acp_tui.plan.node_import.detect import masked, read_list, unmasked
from acp_tui.plan.node_import.host import MAX_BYTES, ParsedNodes, cleaned
from acp_tui.plan.node_import.merge import ImportPreview, merge_hosts
from screens.formatting.glyphs import glyphs
from screens.session.node_suggestions import take_into
from screens.session.session import Session
from screens.widgets.line_input import Line
from screens.widgets.panel import Panel
from screens.widgets.row_list import Row, Rows

_PAUSE = 0.3
"""Seconds without a key after which what stands there is read."""


class _Area(TextArea):
    """A text of many lines, whose pastes the dialog takes care of."""

    async def _on_paste(self, event: Paste) -> None:
        event.stop()
        event.prevent_default()
        if isinstance(self.screen, ListDialog):
            self.screen.pasted(event.text)


class ListDialog(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False, priority=True),
        Binding("ctrl+t", "take", show=False, priority=True),
    ]

    def __init__(self, session: Session, base: Path) -> None:
        """`base`: the folder that relative paths start from."""
        super().__init__()
        self._session = session
        self._base = base
        self._hidden: dict[str, str] = {}
        """What is masked in the text that is shown."""
        self._due: Timer | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall wide"):
            yield Label(_("Nodes from a list, an inventory or a CSV"), classes="dialog-title", markup=False)
            yield _Area(compact=True, soft_wrap=False, show_line_numbers=True, id="list")
            with Horizontal(classes="field"):
                yield Label(_("or from a file"), classes="label")
                yield Line("", placeholder=_("such as /root/hosts.ini"), takes=self._load, id="file")
            yield Panel(id="list-told")
            yield Rows(id="preview", empty=_("Lines such as: worker 10.20.0.21-23 admin 2222"))
            yield Static(Text(_("^T take what is right   Tab on   Esc leave")), classes="dialog-keys")

    def on_mount(self) -> None:
        area = self.query_one("#list", TextArea)
        area.cursor_blink = False
        self.show(self._session.pasted)
        self.set_focus(area)

    @property
    def text(self) -> str:
        """What stands there, the secrets in their places."""
        return unmasked(self.query_one("#list", TextArea).text, self._hidden)

    def show(self, text: str) -> None:
        """Look at this text from now on."""
        shown, self._hidden = masked(text, read_list(text))
        area = self.query_one("#list", TextArea)
        with area.prevent(TextArea.Changed):  # it is looked at now, and not once more in a moment
            area.load_text(shown)
        self._look()

    def pasted(self, text: str) -> None:
        if len(text) > MAX_BYTES:
            self._tell(
                Text(_("larger than {limit} bytes: this is no list of nodes").format(limit=MAX_BYTES), "bold red")
            )
            return
        area = self.query_one("#list", TextArea)
        before = area.get_text_range((0, 0), min(area.selection.start, area.selection.end))
        after = area.get_text_range(max(area.selection.start, area.selection.end), area.document.end)
        whole = unmasked(before, self._hidden) + cleaned(text) + unmasked(after, self._hidden)
        self.show(whole)
        area.move_cursor(area.document.end)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        if self._due is not None:
            self._due.stop()
        self._due = self.set_timer(_PAUSE, self._look)

    def action_take(self) -> None:
        """Take what is right; what is wrong stays to be mended."""
        reading, taking = self._read()
        take_into(self._session, taking)
        if not reading.faults and taking.imported:
            self._session.pasted = ""
            self.dismiss(None)
        else:
            self._look()

    def action_leave(self) -> None:
        self._session.pasted = self.text
        self.dismiss(None)

    def _read(self) -> tuple[ParsedNodes, ImportPreview]:
        reading = read_list(self.text)
        return reading, merge_hosts(self._session.plan, reading)

    def _look(self) -> None:
        reading, taking = self._read()
        self._tell(Text(_summary(reading, taking)))
        rows = [Row(str(number), line) for number, line in enumerate(_preview(reading, taking), 1)]
        self.query_one("#preview", Rows).show(rows)

    def _tell(self, text: Text) -> None:
        text.no_wrap, text.overflow = True, "ellipsis"
        self.query_one("#list-told", Panel).show(text)

    def _load(self, path: str) -> bool:
        """False: the path stays where it is, to be looked at."""
        if path.strip():
            self._read_file(resolve_path(self._base, path.strip()))
        return False

    @work
    async def _read_file(self, path: Path) -> None:
        try:
            text = await asyncio.to_thread(_content, path)
        except (OSError, ValueError, RuntimeError) as error:
            why = (error.strerror if isinstance(error, OSError) else None) or str(error)
            self._tell(Text(_("{why}: {path}").format(why=why, path=path), "bold red"))
        else:
            self.show(text)


def _content(path: Path) -> str:
    """OSError, ValueError: it cannot be read as a text."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(_("this is no file"))
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise ValueError(_("larger than {limit} bytes: this is no list of nodes").format(limit=MAX_BYTES))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(_("not UTF-8 text")) from None


def _summary(reading: ParsedNodes, taking: ImportPreview) -> str:
    planes = sum(node.role == "control-plane" for node in taking.imported)
    workers = len(taking.imported) - planes
    parts = (
        (planes, ngettext("{count} control plane", "{count} control planes", planes)),
        (workers, ngettext("{count} worker", "{count} workers", workers)),
        (len(taking.already_in_plan), _("{count} there already")),
        (len(taking.duplicates), _("{count} named twice")),
        (len(reading.faults), _("{count} wrong")),
    )
    return ", ".join(words.format(count=count) for count, words in parts if count)


def _preview(reading: ParsedNodes, taking: ImportPreview) -> Iterator[Text]:
    """What is wrong first, then what is worth knowing, then every node as it would be taken."""
    g = glyphs()
    for fault in reading.faults:
        yield Text(f"{g.failed} {fault}", "red")
    for note in reading.notes:
        yield Text(f"{g.warned} {note}", "yellow")
    for host in taking.already_in_plan:
        told = _("line {number}: {address} is in the plan already").format(number=host.line, address=host.address)
        yield Text(f"{g.rest} {told}", "dim")
    for host in taking.duplicates:
        told = _("line {number}: {address} was named before").format(number=host.line, address=host.address)
        yield Text(f"{g.rest} {told}", "dim")
    if taking.login:
        yield Text(_("login of all nodes: {login}").format(login=_login(dict(taking.login))), "cyan")
    for node in taking.imported:
        yield Text(f"+ {node.address:<16}{role_label(node.role):<15}{_login(_own(node))}")


def _own(node: Node) -> dict[str, object]:
    return {name: value for name in type(node.ssh).model_fields if (value := getattr(node.ssh, name)) is not None}


def _login(said: dict[str, object]) -> str:
    """Of secrets only that they are there."""
    words = {
        "username": _("user {value}"),
        "port": _("port {value}"),
        "password": _("a password"),
        "key_file": _("key {value}"),
        "key_passphrase": _("a passphrase"),
    }
    return ", ".join(words[name].format(value=value) for name, value in said.items())
