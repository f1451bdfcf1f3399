"""The dialog that imports nodes from a list, an Ansible inventory or a CSV file. It shows a preview.

The text can contain passwords. The dialog masks them immediately and keeps the text only in memory.
"""

import asyncio
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
from acp_tui.core.files import open_regular_file, resolve_path
from acp_tui.core.i18n import _, ngettext, npgettext, pgettext
from acp_tui.core.redaction import unmask
from acp_tui.plan.node_import.detect import mask_nodes, read_list
from acp_tui.plan.node_import.host import MAX_BYTES, ParsedNodes, size_problem, with_newlines
from acp_tui.plan.node_import.merge import ImportPreview, merge_hosts
from acp_tui.plan.sections.node import Node
from screens.formatting.glyphs import glyphs
from screens.session.node_suggestions import import_nodes
from screens.session.wizard_session import Session
from screens.widgets.line_input import Line
from screens.widgets.panel import Panel
from screens.widgets.row_list import Row, Rows

_PAUSE = 0.3
"""Seconds between the last key press and the parsing of the text."""


class _Area(TextArea):
    """The editor for the list of nodes. Pasted text goes to the dialog, which masks passwords."""

    async def _on_paste(self, event: Paste) -> None:
        event.stop()
        event.prevent_default()
        if isinstance(self.screen, NodeImportDialog):
            self.screen.pasted(event.text)


class NodeImportDialog(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False, priority=True),
        Binding("ctrl+t", "import", show=False, priority=True),
    ]

    def __init__(self, session: Session, plan_dir: Path) -> None:
        """`plan_dir` is the folder of the plan. Relative file paths are resolved from it."""
        super().__init__()
        self._session = session
        self._plan_dir = plan_dir
        self._hidden: dict[str, str] = {}
        """The secret for each mask in the text on the screen."""
        self._due: Timer | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall wide"):
            yield Label(_("Import nodes from a list, an inventory or a CSV file"), classes="dialog-title", markup=False)
            yield _Area(compact=True, soft_wrap=False, show_line_numbers=True, id="list")
            with Horizontal(classes="field"):
                yield Label(_("File to import"), classes="label")
                yield Line("", placeholder=_("Example: /root/hosts.ini"), takes=self._load, id="file")
            yield Panel(id="list-summary")
            yield Rows(id="preview", empty=_("Example of a line: worker 10.20.0.21-23 admin 2222"))
            yield Static(Text(_("^T: import valid lines   Tab: next field   Esc: cancel")), classes="dialog-keys")

    def on_mount(self) -> None:
        area = self.query_one("#list", TextArea)
        area.cursor_blink = False
        self.show(self._session.pasted_list)
        self.set_focus(area)

    @property
    def text(self) -> str:
        """The text in the editor with all secrets. The screen shows masks instead of the secrets."""
        return unmask(self.query_one("#list", TextArea).text, self._hidden)

    def show(self, text: str) -> None:
        """Replace the text of the editor, mask its secrets, and parse it."""
        shown, self._hidden = mask_nodes(text, read_list(text))
        area = self.query_one("#list", TextArea)
        with area.prevent(TextArea.Changed):  # the text is parsed below, so no parsing after the pause
            area.load_text(shown)
        self._parse()

    def pasted(self, text: str) -> None:
        if problem := size_problem(text):
            message = pgettext("error", "Cannot paste the list: {reason}").format(reason=problem)
            self._show_summary(Text(message, "bold red"))
            return
        area = self.query_one("#list", TextArea)
        before = area.get_text_range((0, 0), min(area.selection.start, area.selection.end))
        after = area.get_text_range(max(area.selection.start, area.selection.end), area.document.end)
        text = unmask(before, self._hidden) + with_newlines(text) + unmask(after, self._hidden)
        self.show(text)
        area.move_cursor(area.document.end)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        if self._due is not None:
            self._due.stop()
        self._due = self.set_timer(_PAUSE, self._parse)

    def action_import(self) -> None:
        """Import the nodes of the valid lines into the plan. Close the dialog if no line is invalid."""
        parsed, preview = self._parsed()
        import_nodes(self._session, preview)
        if not parsed.faults and preview.imported:
            self._session.pasted_list = ""
            self.dismiss(None)
        else:
            self._parse()

    def action_cancel(self) -> None:
        self._session.pasted_list = self.text
        self.dismiss(None)

    def _parsed(self) -> tuple[ParsedNodes, ImportPreview]:
        parsed = read_list(self.text)
        return parsed, merge_hosts(self._session.plan, parsed)

    def _parse(self) -> None:
        parsed, preview = self._parsed()
        self._show_summary(Text(_summary(parsed, preview)))
        rows = [Row(str(number), line) for number, line in enumerate(_preview(parsed, preview), 1)]
        self.query_one("#preview", Rows).show(rows)

    def _show_summary(self, text: Text) -> None:
        text.no_wrap, text.overflow = True, "ellipsis"
        self.query_one("#list-summary", Panel).show(text)

    def _load(self, path: str) -> bool:
        """Read the file at `path` into the editor. Return False, so that the path stays in the input line."""
        if path.strip():
            self._read_file(resolve_path(self._plan_dir, path.strip()))
        return False

    @work
    async def _read_file(self, path: Path) -> None:
        try:
            text = await asyncio.to_thread(_content, path)
        except (OSError, ValueError, RuntimeError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            message = pgettext("error", "Cannot read the file: {reason}: {path}")
            self._show_summary(Text(message.format(reason=reason, path=path), "bold red"))
        else:
            self.show(text)


def _content(path: Path) -> str:
    """Return the text of the file at `path`.

    Raises: OSError if the file cannot be read. ValueError if the file is not UTF-8 text of at most MAX_BYTES bytes."""
    with open_regular_file(path) as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise ValueError(_("the file is larger than {limit} bytes").format(limit=MAX_BYTES))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(_("the file is not UTF-8 text")) from None
    if problem := size_problem(text):
        raise ValueError(problem)
    return text


def _summary(parsed: ParsedNodes, preview: ImportPreview) -> str:
    planes = sum(node.role == "control-plane" for node in preview.imported)
    workers = len(preview.imported) - planes
    parts = (
        (planes, ngettext("{count} control plane node", "{count} control plane nodes", planes)),
        (workers, npgettext("import", "{count} worker", "{count} workers", workers)),
        (
            len(preview.already_in_plan),
            ngettext(
                "{count} node already in the plan", "{count} nodes already in the plan", len(preview.already_in_plan)
            ),
        ),
        (
            len(preview.duplicates),
            npgettext("import", "{count} duplicate", "{count} duplicates", len(preview.duplicates)),
        ),
        (len(parsed.faults), npgettext("import", "{count} invalid line", "{count} invalid lines", len(parsed.faults))),
    )
    return ", ".join(message.format(count=count) for count, message in parts if count)


def _preview(parsed: ParsedNodes, preview: ImportPreview) -> Iterator[Text]:
    """Yield the preview: invalid lines, notes, nodes that are not imported, the common login, and the new nodes."""
    g = glyphs()
    for fault in parsed.faults:
        yield Text(f"{g.failed} {fault}", "red")
    for note in parsed.notes:
        yield Text(f"{g.warned} {note}", "yellow")
    for host in preview.already_in_plan:
        message = _("line {number}: {address} is already in the plan").format(number=host.line, address=host.address)
        yield Text(f"{g.rest} {message}", "dim")
    for host in preview.duplicates:
        message = _("line {number}: {address} is in the list more than once").format(
            number=host.line, address=host.address
        )
        yield Text(f"{g.rest} {message}", "dim")
    if preview.login:
        yield Text(_("common login of all nodes: {login}").format(login=_login(dict(preview.login))), "cyan")
    for node in preview.imported:
        yield Text(f"+ {node.address:<16}{role_label(node.role):<15}{_login(_own_login(node))}")


def _own_login(node: Node) -> dict[str, object]:
    return {name: value for name in type(node.ssh).model_fields if (value := getattr(node.ssh, name)) is not None}


def _login(values: dict[str, object]) -> str:
    """Return an SSH login as text, without its secrets. `values` has keys of the plan's `ssh` section."""
    labels = {
        "username": pgettext("import", "user {value}"),
        "port": pgettext("import", "port {value}"),
        "password": pgettext("import", "a password"),
        "key_file": pgettext("import", "key {value}"),
        "key_passphrase": pgettext("import", "a passphrase"),
    }
    return ", ".join(labels[name].format(value=value) for name, value in values.items())
