"""Host keys in the wizard: nothing is sent to a node before the operator has confirmed its host key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from textual.containers import VerticalScroll
from textual.pilot import Pilot

from acp_tui.nodes.ssh.keys import key_line
from acp_tui.nodes.state import NodeState
from acp_tui.package.service import PackageWork
from acp_tui.plan.draft import Draft
from acp_tui.plan.known_hosts import (
    KeySource,
    KnownHost,
    confirmed,
    fingerprint,
    known_hosts_path,
    read_known_hosts,
    write_known_hosts,
)
from acp_tui.plan.sections.node import Ssh
from screens.app import AcpApp
from screens.dialogs.prompts import Confirm, Read
from screens.session.node_status import NodeStatus
from screens.session.wizard_session import Session
from screens.steps.nodes import NodesStep
from screens.widgets.row_list import Rows
from tests.support.host_key_dialog import asked, dialog_open, plan_of, report
from tests.support.host_keys import host_key
from tests.support.ssh_server import HOST_KEY, SECRET, Behaviour, server
from tests.support.wizard_pilot import SIZE, confirm_host_keys, screen_text, show, until, wizard

NODE, OTHER = "192.0.2.1", "192.0.2.2"
SERVER_KEY = key_line(HOST_KEY)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Set a home folder without known hosts, and return it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    return tmp_path


def own_file(home: Path, *lines: tuple[str, str]) -> None:
    text = "".join(f"{address} {key}\n" for address, key in lines)
    (home / ".ssh" / "known_hosts").write_text(text, encoding="utf-8")


@asynccontextmanager
async def with_server(
    folder: Path, behaviour: Behaviour, known: KnownHost | None = None, plan_file: Path | None = None
) -> AsyncIterator[tuple[Pilot[int], Session]]:
    """Run a wizard with one node, which is the test server, on the Nodes step."""
    async with server(behaviour) as port:
        plan = plan_of(NODE, ssh=Ssh(password=SecretStr(SECRET)))
        app = AcpApp(
            folder,
            draft=Draft(folder / "drafts" / "one", plan, known_hosts={NODE: known} if known else {}),
            plan_file=plan_file,
            plan_dir=folder,
            package=PackageWork(folder),
            address_map=lambda _address, _port: ("127.0.0.1", port),
            own=tuple,
        )
        async with app.run_test(size=SIZE) as pilot:
            session = await show(pilot, "nodes")
            yield pilot, session
            await session.close()


async def test_no_password_is_sent_before_the_key_is_confirmed(tmp_path: Path) -> None:
    behaviour, plan_file = Behaviour(command="true"), tmp_path / "plan.yaml"
    async with with_server(tmp_path, behaviour, plan_file=plan_file) as (pilot, session):
        await until(pilot, lambda: dialog_open(pilot))
        assert fingerprint(SERVER_KEY) in screen_text(pilot)
        await pilot.press("enter", "space")
        await pilot.pause()
        assert dialog_open(pilot)
        assert behaviour.connections > 0
        assert (behaviour.logins, behaviour.passwords) == (0, 0)
        await confirm_host_keys(pilot)
        await until(pilot, lambda: session.nodes.statuses[NODE].state is not NodeState.CHECKING)
        assert behaviour.passwords > 0
        assert session.draft.known_hosts == {NODE: confirmed(SERVER_KEY)}
    assert read_known_hosts(known_hosts_path(tmp_path, plan_file)) == {NODE: confirmed(SERVER_KEY)}


async def test_confirmed_key_of_a_resumed_draft_needs_no_question(tmp_path: Path) -> None:
    behaviour = Behaviour(command="true")
    async with with_server(tmp_path, behaviour, confirmed(SERVER_KEY)) as (pilot, session):
        await until(pilot, lambda: session.nodes.statuses[NODE].last_contact > 0)
        assert behaviour.passwords > 0
        await pilot.pause()
        assert isinstance(pilot.app.screen, NodesStep)


async def test_changed_key_is_trusted_after_a_question_with_both_fingerprints(tmp_path: Path) -> None:
    behaviour = Behaviour(command="true")
    async with with_server(tmp_path, behaviour, confirmed(host_key(NODE))) as (pilot, session):
        await until(pilot, lambda: session.nodes.statuses[NODE].state is NodeState.HOST_KEY_CHANGED)
        assert behaviour.logins == 0
        pilot.app.screen.query_one("#nodes").focus()
        await pilot.press("T")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        await pilot.pause()
        text = screen_text(pilot)
        assert f"known: {fingerprint(host_key(NODE))}" in text
        assert f"now: {fingerprint(SERVER_KEY)}" in text
        await pilot.press("y")
        await until(pilot, lambda: behaviour.passwords > 0)
        assert session.draft.known_hosts == {NODE: confirmed(SERVER_KEY)}


async def test_changed_key_of_a_known_hosts_file_is_not_replaced(tmp_path: Path) -> None:
    plan = plan_of(NODE, ssh=Ssh(known_hosts="nodes.keys"))
    async with wizard(tmp_path, plan, "nodes") as (pilot, session):
        known = KnownHost((host_key(NODE),), KeySource.FILE)
        changed = NodeStatus(NodeState.HOST_KEY_CHANGED, host_key=SERVER_KEY, known_host=known, last_contact=1.0)
        report(session, [(NODE, changed)])
        await pilot.press("T")
        await until(pilot, lambda: isinstance(pilot.app.screen, Read))
        await pilot.pause()
        assert "from nodes.keys" in screen_text(pilot)
        await pilot.press("y", "escape")
        assert session.draft.known_hosts == {}


async def test_changed_key_is_not_recorded_as_seen(tmp_path: Path) -> None:
    own_file(tmp_path, (f"[{NODE}]:22", host_key(NODE)), (NODE, host_key(NODE)))
    async with with_server(tmp_path, Behaviour()) as (pilot, session):
        await until(pilot, lambda: dialog_open(pilot))
        await pilot.press("n")
        session.answer("ssh.known_hosts", "user")
        session.nodes.check_changed()
        await until(pilot, lambda: session.nodes.statuses[NODE].state is NodeState.HOST_KEY_CHANGED)
        assert session.draft.known_hosts == {}


async def test_long_list_is_confirmed_only_at_its_end(tmp_path: Path) -> None:
    addresses = [f"192.0.2.{number}" for number in range(1, 13)]
    async with asked(tmp_path, *addresses) as (pilot, session):
        assert "y: yes" not in screen_text(pilot)
        await pilot.press("y")
        await pilot.pause()
        assert dialog_open(pilot)
        assert session.draft.known_hosts == {}
        await pilot.press("end")
        await until(pilot, lambda: "y: yes, all 12" in screen_text(pilot))
        assert pilot.app.screen.query_one("#host-keys", VerticalScroll).scroll_offset.y == 4
        await pilot.press("y")
        await until(pilot, lambda: len(session.draft.known_hosts) == 12)


async def test_own_known_hosts_file_is_named_at_each_key(tmp_path: Path) -> None:
    own_file(tmp_path, (NODE, host_key(NODE)), (OTHER, host_key(OTHER, 2)))
    async with asked(tmp_path, NODE, OTHER, "192.0.2.3") as (pilot, _session):
        text = screen_text(pilot)
        assert text.count("in ~/.ssh/known_hosts") == 1
        assert text.count("~/.ssh/known_hosts has a different key of this node") == 1
        assert "u: take the keys from ~/.ssh/known_hosts" in text


async def test_keys_of_the_own_known_hosts_file_are_taken(tmp_path: Path) -> None:
    own_file(tmp_path, (NODE, SERVER_KEY))
    behaviour = Behaviour(command="true")
    async with with_server(tmp_path, behaviour) as (pilot, session):
        await until(pilot, lambda: dialog_open(pilot))
        await pilot.press("u")
        await until(pilot, lambda: behaviour.passwords > 0)
        assert isinstance(pilot.app.screen, NodesStep)
        assert session.plan.ssh.known_hosts == "user"
        assert session.draft.known_hosts == {}


async def test_unreadable_known_hosts_file_is_shown_at_the_node(tmp_path: Path) -> None:
    ssh = Ssh(password=SecretStr("s"), known_hosts="missing.keys")
    async with wizard(tmp_path, plan_of(NODE, ssh=ssh), "nodes") as (pilot, session):
        await until(pilot, lambda: session.nodes.statuses[NODE].state is NodeState.HOST_KEY_UNKNOWN)
        pilot.app.screen.query_one("#nodes", Rows).focus()
        await until(pilot, lambda: "Cannot read the known hosts file" in screen_text(pilot))
        assert isinstance(pilot.app.screen, NodesStep)


async def test_confirmed_keys_are_added_to_the_file_of_the_commands(tmp_path: Path) -> None:
    plan_file = tmp_path / "plan.yaml"
    path = known_hosts_path(tmp_path, plan_file)
    write_known_hosts(path, {OTHER: confirmed(host_key(OTHER))})
    async with with_server(tmp_path, Behaviour(command="true"), plan_file=plan_file) as (pilot, _session):
        await confirm_host_keys(pilot)
    assert set(read_known_hosts(path)) == {NODE, OTHER}
