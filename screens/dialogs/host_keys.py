"""The dialog that shows host keys which are not confirmed, and the functions that ask about host keys."""

import asyncio
from collections.abc import Callable, Mapping
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from acp_tui.core.i18n import _, ngettext, npgettext, pgettext
from acp_tui.plan.known_hosts import OWN_FILE, PRINT_FINGERPRINTS, USER, KeySource, fingerprint
from acp_tui.plan.model import Plan
from screens.dialogs.prompts import Confirm, Read
from screens.formatting.glyphs import glyphs
from screens.formatting.host_key import source_text
from screens.session.host_keys import (
    InOwnFile,
    changed_keys,
    keys_awaited,
    keys_to_confirm,
    look_up_in_own_file,
)
from screens.session.wizard_session import Changed, Session

_LINES = 8
"""Number of lines of the list that are visible without scrolling."""
_WIDTH = 72
"""Number of columns of a line of the list."""


class HostKeysDialog(ModalScreen[bool]):
    """The question whether host keys belong to the nodes of the operator. Only the key `y` confirms them.

    The dialog first waits until each node has sent its host key or has failed. It returns True if the operator
    confirmed the keys, took them from another source, or if there is no key to confirm."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "confirm", show=False),
        Binding("n,escape", "decline", show=False),
        Binding("u", "own_file", show=False),
    ]

    def __init__(self, session: Session, find: Callable[[], Mapping[str, str]]) -> None:
        """`find` returns the keys to confirm: node address → key as `type base64`."""
        super().__init__()
        self._session = session
        self._find = find
        self._keys: Mapping[str, str] = {}
        self._in_own_file: Mapping[str, InOwnFile] = {}
        self._list: tuple[Text, ...] = ()
        self._loading = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide"):
            yield Label("", id="host-keys-title", classes="dialog-title", markup=False)
            yield Static("", id="host-keys-intro", classes="dialog-text")
            with VerticalScroll(id="host-keys"):
                yield Static("", id="host-keys-list")
            yield Static("", id="host-keys-compare")
            yield Static("", id="host-keys-keys", classes="dialog-keys")

    def on_mount(self) -> None:
        self.set_focus(self.query_one("#host-keys"))
        self.watch(self.query_one("#host-keys"), "scroll_y", self._show_keys)
        self.session_changed(Changed.NODES)

    def session_changed(self, topic: Changed) -> None:
        """Show the keys as soon as each node has sent its key or has failed."""
        if self._loading:
            return
        if keys_awaited(self._session.plan, self._session.nodes.statuses):
            self.query_one("#host-keys-title", Label).update(_("Reading the host keys of the nodes"))
            self.query_one("#host-keys-keys", Static).update(pgettext("key", "n: cancel"))
        else:
            self._loading = True
            self.run_worker(self._load())

    def action_confirm(self) -> None:
        """Confirm all keys of the list, if the operator has seen its end."""
        if self._keys and self._at_end:
            self._session.confirm_host_keys(self._keys)
            self.dismiss(True)

    def action_decline(self) -> None:
        self._session.known_hosts_record.decline(self._keys)
        self.dismiss(False)

    def action_own_file(self) -> None:
        """Take the host keys from the operator's own known hosts file."""
        if self._offers_own_file:
            self._session.answer("ssh.known_hosts", USER)
            self._session.nodes.check_changed()
            self.dismiss(True)

    @property
    def _offers_own_file(self) -> bool:
        return self._session.plan.ssh.known_hosts is None and InOwnFile.SAME in self._in_own_file.values()

    @property
    def _at_end(self) -> bool:
        return self.query_one("#host-keys").scroll_offset.y + _LINES >= len(self._list)

    async def _load(self) -> None:
        keys, plan = self._find(), self._session.plan
        if not keys:
            self.dismiss(True)
            return
        self._in_own_file = await asyncio.to_thread(look_up_in_own_file, plan, keys)
        self._list = key_lines(keys, self._in_own_file)
        count = len(keys)
        title = ngettext("Is this your node?", "Are these your nodes?", count)
        intro = ngettext(
            "The host key of {count} node is not confirmed. acp-tui sends no password, no bundle and no change to the "
            "node before you confirm the key.",
            "The host keys of {count} nodes are not confirmed. acp-tui sends no password, no bundle and no change to "
            "the nodes before you confirm the keys.",
            count,
        ).format(count=count)
        compare = Text("\n" + _("Compare with what each node prints on its console:") + "\n")
        self.query_one("#host-keys-title", Label).update(title)
        self.query_one("#host-keys-intro", Static).update(Text(intro))
        self.query_one("#host-keys-list", Static).update(Text("\n").join(self._list))
        self.query_one("#host-keys").styles.height = min(len(self._list), _LINES)
        self.query_one("#host-keys-compare", Static).update(compare.append(PRINT_FINGERPRINTS, "bold"))
        self._keys = keys
        self._show_keys()

    def _show_keys(self) -> None:
        if not self._keys:
            return
        if self._at_end:
            count = len(self._keys)
            yes = npgettext("key", "y: yes", "y: yes, all {count}", count).format(count=count)
        else:
            yes = _("Down, PgDn: scroll to the end of the list, then press y")
        parts = [yes, pgettext("key", "n: no")]
        if self._offers_own_file:
            parts.append(pgettext("key", "u: take the keys from {file}").format(file=OWN_FILE))
        self.query_one("#host-keys-keys", Static).update(Text("   ".join(parts)))


def key_lines(keys: Mapping[str, str], in_own_file: Mapping[str, InOwnFile]) -> tuple[Text, ...]:
    """Return the lines of the list: address and fingerprint of each node, and what the operator's file says."""
    width = max(map(len, keys))
    lines = []
    for address, key in keys.items():
        line = Text(no_wrap=True).append(address.ljust(width), "bold")
        shown = f"  {fingerprint(key)}"
        if width + len(shown) > _WIDTH:
            lines += [line, Text(shown, no_wrap=True)]
        else:
            lines.append(line.append(shown))
        match in_own_file.get(address):
            case InOwnFile.SAME:
                lines.append(Text("  " + pgettext("host key", "in {file}").format(file=OWN_FILE), "green"))
            case InOwnFile.DIFFERENT:
                message = pgettext("host key", "{file} has a different key of this node")
                lines.append(Text(f"  {glyphs().warned} " + message.format(file=OWN_FILE), "bold yellow"))
    return tuple(lines)


async def require_confirmed_hosts(app: App[int], session: Session) -> bool:
    """Ask for every host key that is not confirmed, also for keys that only a login with a key file has read.

    Call this before acp-tui changes nodes or sends them something secret. Return True if no key remains. The nodes that
    cannot be reached have no key to confirm."""

    def find() -> Mapping[str, str]:
        return keys_to_confirm(session.plan, session.nodes.statuses, changes=True)

    while find() or keys_awaited(session.plan, session.nodes.statuses):
        if not await app.push_screen_wait(HostKeysDialog(session, find)):
            return False
    return True


def hosts_not_confirmed() -> str:
    """Return the message for an action that did not start, because host keys are not confirmed."""
    return _("Host keys are not confirmed. Press T in the Preflight step.")


async def review_host_keys(app: App[int], session: Session, address: str = "") -> str:
    """Ask for the changed host key of the node `address`. If it is "", ask for all new and then all changed keys.

    Return a message if there is no key to ask for, else ""."""
    changed = changed_keys(session.plan, session.nodes.statuses)
    if address in changed:
        await _ask_changed(app, session, address)
        return ""
    new = keys_to_confirm(session.plan, session.nodes.statuses, changes=True)
    if new:
        await app.push_screen_wait(HostKeysDialog(session, lambda: new))
    for one in changed:
        await _ask_changed(app, session, one)
    return "" if new or changed else _("No host key is waiting for a confirmation.")


async def _ask_changed(app: App[int], session: Session, address: str) -> None:
    """Ask whether the operator trusts the changed host key of a node, and record the new key."""
    status = session.nodes.statuses[address]
    known, sent = status.known_host, fingerprint(status.host_key)
    title = _("Host key of {address}").format(address=address)
    accepted = [fingerprint(key) for key in known.keys] if known is not None else []
    lines = [f"{pgettext('host key', 'known')}: {one}" for one in accepted]
    keys = "\n".join([*lines, f"{pgettext('host key', 'now')}: {sent}"])
    if known is None or known.source is KeySource.FILE:
        reason = _(
            "The known key comes from another source: {source}. acp-tui cannot replace it. If you reinstalled this "
            "node, correct that source, then recheck the node."
        ).format(source=source_text(known, _login_file(session.plan, address)))
        await app.push_screen_wait(Read(title, Text(f"{keys}\n\n{reason}")))
        return
    question = _(
        "Do you trust the new key? Confirm only if you reinstalled this node. If you did not, another machine may be "
        "using this address."
    )
    if await app.push_screen_wait(Confirm(title, f"{keys}\n\n{question}")):
        session.confirm_host_keys({address: status.host_key})


def _login_file(plan: Plan, address: str) -> str | None:
    return next((plan.login(node).known_hosts for node in plan.nodes if node.address == address), None)
