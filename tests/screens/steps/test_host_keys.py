"""When the steps ask for host keys: once for all nodes, never while the operator types, and before the next step."""

from pathlib import Path

import pytest

from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import KeySource, KnownHost, confirmed, fingerprint
from acp_tui.plan.sections.node import Ssh
from screens.session.node_status import NodeStatus
from screens.steps.network import NetworkStep
from screens.steps.nodes import NodesStep
from screens.steps.preflight import PreflightStep
from tests.support.host_key_dialog import asked, dialog_open, plan_of, report
from tests.support.host_keys import host_key, not_confirmed
from tests.support.wizard_pilot import confirm_host_keys, screen_text, show, until, wizard

NODE, OTHER = "192.0.2.1", "192.0.2.2"


async def test_declined_keys_stay_unconfirmed_and_the_steps_stay_usable(tmp_path: Path) -> None:
    async with asked(tmp_path, NODE, OTHER) as (pilot, session):
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, NodesStep))
        session.nodes_changed()
        await until(pilot, lambda: "host key not confirmed" in screen_text(pilot))
        await pilot.pause()
        assert session.nodes.known_hosts == {}
        await pilot.press("ctrl+n")
        await until(pilot, lambda: isinstance(pilot.app.screen, NetworkStep))
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(pilot.app.screen, NodesStep))
        pilot.app.screen.query_one("#nodes").focus()
        await pilot.press("T")
        await confirm_host_keys(pilot)
        assert set(session.draft.known_hosts) == {NODE, OTHER}


async def test_new_keys_are_asked_for_before_the_next_step(tmp_path: Path) -> None:
    async with wizard(tmp_path, plan_of(NODE), "nodes") as (pilot, session):
        pilot.app.screen.query_one("#f-ssh-username").focus()
        await pilot.pause()
        await pilot.press("x")  # while the operator types, the dialog does not open
        report(session, [(NODE, not_confirmed(NODE))])
        await pilot.press("y")
        await pilot.pause(0.2)
        assert isinstance(pilot.app.screen, NodesStep)
        assert session.draft.known_hosts == {}
        await pilot.press("ctrl+n")
        await confirm_host_keys(pilot)
        await until(pilot, lambda: isinstance(pilot.app.screen, NetworkStep))


async def test_y_in_the_field_for_new_nodes_confirms_nothing(tmp_path: Path) -> None:
    async with wizard(tmp_path, plan_of(NODE), "nodes") as (pilot, session):
        pilot.app.screen.query_one("#add").focus()
        await pilot.press("x")
        report(session, [(NODE, not_confirmed(NODE))])
        await pilot.press("y", "y")
        await until(pilot, lambda: "host key not confirmed" in screen_text(pilot))
        assert isinstance(pilot.app.screen, NodesStep)
        assert session.draft.known_hosts == {}
        await pilot.press("ctrl+u")
        await until(pilot, lambda: dialog_open(pilot))
        assert session.draft.known_hosts == {}


async def test_one_question_for_all_nodes_after_the_last_key(tmp_path: Path) -> None:
    async with wizard(tmp_path, plan_of(NODE, OTHER), "nodes") as (pilot, session):
        report(session, [(NODE, not_confirmed(NODE)), (OTHER, NodeStatus(NodeState.CHECKING))])
        await until(pilot, lambda: "host key not confirmed" in screen_text(pilot))
        assert isinstance(pilot.app.screen, NodesStep)
        report(session, [(OTHER, not_confirmed(OTHER))])
        await until(pilot, lambda: dialog_open(pilot))
        text = screen_text(pilot)
        assert "y: yes, all 2" in text
        assert fingerprint(host_key(NODE)) in text
        assert fingerprint(host_key(OTHER)) in text


async def test_key_login_is_asked_for_before_a_change_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(NODE, ssh=Ssh(key_file="id"))
    async with wizard(tmp_path, plan, "nodes") as (pilot, session):
        seen = KnownHost((host_key(NODE),), KeySource.SEEN)
        login = plan.login(plan.nodes[0])
        session.nodes._stop(NODE)
        report(session, [(NODE, NodeStatus(NodeState.CHECKED, login=login, known_host=seen, last_contact=1.0))])
        await pilot.pause(0.2)
        await pilot.press("ctrl+n")
        await until(pilot, lambda: isinstance(pilot.app.screen, NetworkStep))
        monkeypatch.setattr(session.nodes, "refresh", lambda **_options: None)
        await show(pilot, "preflight")
        await pilot.press("t")
        await until(pilot, lambda: dialog_open(pilot))
        assert fingerprint(host_key(NODE)) in screen_text(pilot)
        await pilot.press("n")
        await until(pilot, lambda: "Host keys are not confirmed" in screen_text(pilot))
        assert isinstance(pilot.app.screen, PreflightStep)
        await pilot.press("t")
        await confirm_host_keys(pilot)
        await until(pilot, lambda: "Space: choose" in screen_text(pilot))
        assert session.nodes.known_hosts == {NODE: confirmed(host_key(NODE))}
