"""The nodes step: import of lists and inventories, this host, values read from nodes, order and sizing."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import TextArea

from acp_tui.core.local_host import LocalAddress
from acp_tui.nodes.fact_types import Interface
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.plan.draft import save
from acp_tui.plan.model import Plan
from screens.dialogs.node_import import NodeImportDialog
from screens.session.node_status import NodeStatus
from screens.widgets.line_input import Line
from screens.widgets.row_list import Rows
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import CONTROL_PLANES, WORKERS, nodes, valid_plan
from tests.support.wizard_pilot import screen_text, until, wizard

NO_LOGIN: dict[str, JsonValue] = {"ssh": {"username": "root", "password": None}}
CANARY = "canary-7e2d"


def node_facts(plan: Plan) -> dict[str, Facts]:
    return {node.address: healthy(node.address, role=node.role) for node in plan.nodes}


async def paste(pilot: Pilot[int], text: str) -> None:
    await pilot.pause()
    focused = pilot.app.focused
    assert focused is not None
    focused.post_message(Paste(text))
    await until(pilot, lambda: isinstance(pilot.app.screen, NodeImportDialog))
    await pilot.pause()


async def test_valid_lines_of_a_pasted_list_are_imported(tmp_path: Path) -> None:
    async with wizard(tmp_path, Plan(), "nodes") as (pilot, session):
        pilot.app.screen.query_one("#add").focus()
        await paste(pilot, "10.0.0.1-4\nworker 10.0.0.300\nworker 10.0.0.9 admin 2222\n10.0.0.2\n")
        text = screen_text(pilot)
        assert "3 control plane nodes, 2 workers, 1 duplicate, 1 invalid line" in text
        assert "line 2: '10.0.0.300' is not an IPv4 or IPv6 address" in text
        assert not session.plan.nodes, "nothing is imported before the operator confirms"
        await pilot.press("ctrl+t")
        await pilot.pause()
        assert [node.role[0] for node in session.plan.nodes] == ["c", "c", "c", "w", "w"]
        assert isinstance(pilot.app.screen, NodeImportDialog), "the dialog stays open for the invalid lines"
        area = pilot.app.screen.query_one("#list", TextArea)
        area.load_text("worker 10.0.0.30")
        await pilot.press("ctrl+t")
        await until(pilot, lambda: not isinstance(pilot.app.screen, NodeImportDialog))
        assert len(session.plan.nodes) == 6
        assert session.draft.pending_node_line == ""


async def test_cancelled_list_remains_in_the_dialog(tmp_path: Path) -> None:
    async with wizard(tmp_path, Plan(), "nodes") as (pilot, session):
        pilot.app.screen.query_one("#add").focus()
        await paste(pilot, f"10.0.0.1 pass={CANARY}\n10.0.0.2\n")
        await pilot.press("escape", "ctrl+n", "ctrl+p", "ctrl+l")
        await pilot.pause()
        assert "2 control plane nodes" in screen_text(pilot)
        assert not session.plan.nodes


async def test_inventory_passwords_go_only_into_the_plan(tmp_path: Path) -> None:
    file = tmp_path / "hosts.ini"
    file.write_text(f"[masters]\n10.0.0.[1:3]\n[workers]\n10.0.0.[4:5] ansible_password='{CANARY}'\n", encoding="utf-8")
    async with wizard(tmp_path, Plan(), "nodes") as (pilot, session):
        await pilot.press("ctrl+l")
        await pilot.pause()
        pilot.app.screen.query_one("#file", Line).focus()
        await pilot.pause()
        await pilot.press(*"hosts.ini", "enter")
        await until(pilot, lambda: "workers" in screen_text(pilot))
        assert CANARY not in screen_text(pilot)
        assert CANARY not in pilot.app.screen.query_one("#list", TextArea).text
        await pilot.press("ctrl+t")
        await until(pilot, lambda: not isinstance(pilot.app.screen, NodeImportDialog))
        password = session.plan.nodes[-1].ssh.password
        assert password is not None
        assert password.get_secret_value() == CANARY
        save(session.draft)
        draft_files = [path.read_text(encoding="utf-8") for path in session.draft.folder.rglob("*") if path.is_file()]
        assert not [text for text in draft_files if CANARY in text]


@pytest.mark.parametrize(
    ("name", "reason"), [("none.ini", "No such file"), (".", "Is a directory"), ("raw", "not UTF-8")]
)
async def test_unreadable_list_file_shows_the_reason(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "raw").write_bytes(b"\xff\xfe\x00")
    async with wizard(tmp_path, Plan(), "nodes") as (pilot, _session):
        await pilot.press("ctrl+l")
        await pilot.pause()
        pilot.app.screen.query_one("#file", Line).focus()
        await pilot.pause()
        await pilot.press(*name, "enter")
        await until(pilot, lambda: reason in screen_text(pilot).replace("\n", ""))


async def test_password_on_the_node_line_is_not_stored(tmp_path: Path) -> None:
    async with wizard(tmp_path, Plan(), "nodes") as (pilot, session):
        pilot.app.screen.query_one("#add").focus()
        await pilot.pause()
        await pilot.press(*f"10.0.0.1 password={CANARY}")
        await pilot.pause()
        assert CANARY not in session.draft.pending_node_line


async def test_common_login_goes_into_the_form(tmp_path: Path) -> None:
    async with wizard(tmp_path, Plan(), "nodes") as (pilot, session):
        pilot.app.screen.query_one("#add").focus()
        await paste(pilot, "10.0.0.1 admin 2222\n10.0.0.2 admin 2222\n")
        assert "login of all nodes: user admin, port 2222" in screen_text(pilot)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: not isinstance(pilot.app.screen, NodeImportDialog))
        assert (session.plan.ssh.username, session.plan.ssh.port) == ("admin", 2222)
        assert pilot.app.screen.query_one("#f-ssh-username", Line).value == "admin"


async def test_this_host_is_suggested_as_installer_node(tmp_path: Path) -> None:
    own = (LocalAddress("eth0", "192.0.2.7"), LocalAddress("eth0", "fd00::7"))
    async with wizard(tmp_path, Plan(), "nodes", own=own) as (pilot, session):
        assert "^F this host, 192.0.2.7  ^T sizes" in screen_text(pilot)
        pilot.app.screen.query_one("#add").focus()
        await pilot.pause()
        await pilot.press(*"10.0.0.1-3", "enter", "ctrl+f")
        await pilot.pause()
        assert "192.0.2.7 (eth0)" in screen_text(pilot)
        assert "fd00::7" not in screen_text(pilot), "the cluster uses IPv4"
        await pilot.press("1")
        await pilot.pause()
        installer = session.plan.installer_node
        assert installer is not None
        assert (installer.address, session.plan.nodes[0].address) == ("192.0.2.7", "192.0.2.7")
        assert "this host" not in screen_text(pilot), "this host is in the plan now"


async def test_this_host_in_the_plan_becomes_the_first_node(tmp_path: Path) -> None:
    plan = valid_plan(**NO_LOGIN, nodes=[*nodes(2, 0), {"address": "10.20.0.13", "installer": True}, *nodes(0, 1)])
    own = (LocalAddress("eth0", "192.0.2.7"), LocalAddress("eth1", "10.20.0.21"))
    async with wizard(tmp_path, plan, "nodes", own=own) as (pilot, session):
        await pilot.press("ctrl+f")
        await pilot.pause()
        assert "192.0.2.7" not in screen_text(pilot)
        await pilot.press("1")
        await pilot.pause()
        assert [(node.address[-2:], node.role[0]) for node in session.plan.nodes] == [
            ("21", "c"), ("11", "c"), ("12", "c"), ("13", "c"),
        ]  # fmt: skip
        installer = session.plan.installer_node
        assert installer is not None
        assert installer.address == "10.20.0.21"


async def test_values_read_from_nodes_are_filled_in_with_one_key(tmp_path: Path) -> None:
    plan = valid_plan(**NO_LOGIN, network={"ip_family": "dual"})
    facts = {
        a: replace(f, interfaces=(*(f.interfaces or ()), Interface("eth0", f"fd00::{a[-2:]}", 64)))
        for a, f in node_facts(plan).items()
    }
    async with wizard(tmp_path, plan, "nodes", facts) as (pilot, session):
        await pilot.press("ctrl+f")
        await pilot.pause()
        assert "10.20.0.12: eth0, fd00::12" in screen_text(pilot)
        await pilot.press("f")
        await pilot.pause()
        assert {(node.nic, node.ipv6) for node in session.plan.nodes} == {
            ("eth0", f"fd00::{address[-2:]}") for address in (*CONTROL_PLANES, *WORKERS)
        }
        await pilot.press("ctrl+f")
        await until(pilot, lambda: "acp-tui has no suggestions for the nodes" in screen_text(pilot))


async def test_first_control_plane_node_after_a_move_is_the_installer_node(tmp_path: Path) -> None:
    plan = valid_plan(**NO_LOGIN)
    async with wizard(tmp_path, plan, "nodes", node_facts(plan)) as (pilot, session):
        rows = pilot.app.screen.query_one("#nodes", Rows)
        rows.focus()
        await pilot.press("down", "K")
        await pilot.pause()
        installer = session.plan.installer_node
        assert installer is not None
        assert (installer.address, rows.key) == ("10.20.0.12", "10.20.0.12")
        await pilot.press("K", "J", "J")
        await pilot.pause()
        assert [node.address[-2:] for node in session.plan.nodes] == ["11", "13", "12", "21", "22"]


async def test_load_is_entered_in_the_sizing_dialog(tmp_path: Path) -> None:
    plan = valid_plan(**NO_LOGIN)
    facts = node_facts(plan)
    with_small_node = {**facts, "10.20.0.12": replace(facts["10.20.0.12"], cpu_count=4)}
    async with wizard(tmp_path, plan, "nodes", with_small_node) as (pilot, session):
        assert "sizes: 10.20.0.12 is too small" in screen_text(pilot)
        await pilot.press("ctrl+t", "down", "ctrl+u", *"170")
        await pilot.pause()
        text = screen_text(pilot)
        assert session.plan.workload.pods == 170
        assert "worker         0 (4 advised)" in text
        assert "10.20.0.12  control plane  4 cores, 33.5 GB   too small" in text
        await pilot.press("up", "right")
        await pilot.pause()
        assert session.plan.scenario == "multi-cluster"
        assert "Workload clusters" in screen_text(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert "Nodes:" in screen_text(pilot)


async def test_forced_placement_names_its_rule(tmp_path: Path) -> None:
    plan = valid_plan(**NO_LOGIN)
    async with wizard(tmp_path, plan, "nodes", node_facts(plan)) as (pilot, session):
        rows = pilot.app.screen.query_one("#nodes", Rows)
        rows.focus()
        await pilot.press("end", "enter")
        await pilot.pause()
        assert "XR-NOEXCL-WK requires applications" in screen_text(pilot)
        assert "Applications " not in screen_text(pilot)
        await pilot.press("escape", "home", "enter")
        await pilot.pause()
        assert "applications on the node: no (default)" in screen_text(pilot)
        session.answer("nodes[0].deployable", "true")
        session.answer("isolation", "true")
        await pilot.press("escape", "enter")
        await pilot.pause()
        text = screen_text(pilot)
        assert "XR-EXCL-CP forbids applications" in text
        assert "Applications " in text, "a value that contradicts the requirement can be changed"


async def test_isolation_step_shows_the_placement(tmp_path: Path) -> None:
    plan = valid_plan(**NO_LOGIN, isolation=True)
    async with wizard(tmp_path, plan, "isolation", node_facts(plan)) as (pilot, _session):
        text = " ".join(line[17:].strip() for line in screen_text(pilot).splitlines())
        assert "10.20.0.11 and 2 more: XR-EXCL-CP forbids applications: Exclusive control" in text
        assert "10.20.0.21 and 1 more: XR-NOEXCL-WK requires applications: Workers that" in text
        assert "Apps 10.20.0.11" not in text
        await pilot.press("down", "right", "right")
        await pilot.pause()
        assert "Apps 10.20.0.11" in screen_text(pilot), "not exclusive: the placement can be chosen"


async def test_unreachable_node_shows_its_next_retry(tmp_path: Path) -> None:
    plan = valid_plan(**NO_LOGIN)
    async with wizard(tmp_path, plan, "nodes", node_facts(plan)) as (pilot, session):
        unreachable = NodeStatus(
            NodeState.UNREACHABLE, detail="no answer to the connection", notice="next retry at 15:04:05"
        )
        session.nodes.statuses["10.20.0.12"] = unreachable
        pilot.app.screen.query_one("#nodes", Rows).focus()
        await pilot.press("home", "down")
        session.nodes_changed()
        await pilot.pause()
        text = screen_text(pilot)
        assert "unreachable, next retry at 15:04:05" in text
        assert "no answer to the connection" in text
        await pilot.press("down")
        await pilot.pause()
        assert "next retry at 15:04:05" not in screen_text(pilot)
        await pilot.resize_terminal(120, 30)
        await pilot.pause()
        session.nodes_changed()
        await until(pilot, lambda: "next retry at 15:04:05" in screen_text(pilot))


async def test_hundred_nodes_are_pasted_at_once(tmp_path: Path) -> None:
    async with wizard(tmp_path, Plan(), "nodes") as (pilot, session):
        pilot.app.screen.query_one("#add").focus()
        await paste(pilot, "\n".join(f"10.0.{n // 50}.{n % 50 + 1}" for n in range(100)))
        await pilot.press("ctrl+t")
        await until(pilot, lambda: len(session.plan.nodes) == 100)
        assert sum(node.role == "control-plane" for node in session.plan.nodes) == 3
