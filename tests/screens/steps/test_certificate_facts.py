"""The preflight step: a finding is copied, looked at again, compared with the last run, filtered, taken along."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot

from acp_tui.checks.topology import topology_of
from acp_tui.nodes.facts import Facts, TcpPath, TcpResult
from acp_tui.preflight.report.history import load_last_report
from acp_tui.preflight.report.model import Report
from screens.session.session import LAST_RUN, Session
from screens.widgets.row_list import Rows
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import valid_plan
from tests.support.wizard_pilot import screen_text, until, wizard

BAD, OTHER = "10.20.0.12", "10.20.0.22"
PLAN = valid_plan(ssh={"username": "root", "password": None})


def nodes_seen(**changes: object) -> dict[str, Facts]:
    """Healthy nodes; one swaps (and what else `changes` says), one has SELinux on."""
    seen = {node.address: healthy(node.address, role=node.role) for node in PLAN.nodes}
    seen[BAD] = replace(seen[BAD], swaps=("/swap.img",), **changes)  # type: ignore[arg-type]
    seen[OTHER] = replace(seen[OTHER], selinux="enforcing", selinux_config="enforcing")
    return seen


@asynccontextmanager
async def at_finding(folder: Path, **changes: object) -> AsyncIterator[tuple[Pilot[int], Session, list[str]]]:
    """The cursor on the swap of one node."""
    dialled: list[str] = []
    async with wizard(folder, PLAN, "preflight", nodes_seen(**changes), dialled) as (pilot, session):
        pilot.app.screen.query_one("#findings", Rows).move_to(f"SYS-SWAP {BAD} ")
        await pilot.pause()
        dialled.clear()  # the nodes have looked around by themselves
        yield pilot, session, dialled


async def test_all_parts_of_a_finding_are_copied(tmp_path: Path) -> None:
    async with at_finding(tmp_path) as (pilot, session, _dialled):
        await pilot.press("y")
        file = session.draft.folder / "finding.txt"
        await until(pilot, file.exists)
        text = file.read_text(encoding="utf-8")
        assert pilot.app.clipboard == text
        for part in (f"SYS-SWAP {BAD}", "observed: in use: /swap.img", "expected: ", "swapoff -a", "why: ", "how: "):
            assert part in text
        await pilot.pause()
        assert "Written to" in screen_text(pilot)


async def test_recheck_of_a_finding_checks_only_its_node(tmp_path: Path) -> None:
    async with at_finding(tmp_path) as (pilot, _session, dialled):
        await pilot.press("e")
        await until(pilot, lambda: bool(dialled))
        assert set(dialled) == {BAD}


async def test_list_can_show_a_single_node(tmp_path: Path) -> None:
    async with at_finding(tmp_path) as (pilot, _session, _dialled):
        assert "SELinux is not fully disabled" in screen_text(pilot)
        await pilot.press("/")
        await pilot.pause()
        text = screen_text(pilot)
        assert f"on {BAD}" in text
        assert "SYS-SWAP" in text
        assert "SELinux is not fully disabled" not in text
        await pilot.press("/")
        await pilot.pause()
        assert "SELinux is not fully disabled" in screen_text(pilot)


async def test_changes_since_the_last_report_are_shown(tmp_path: Path) -> None:
    async with at_finding(tmp_path) as (pilot, session, _dialled):
        await pilot.press("c")
        await pilot.pause()
        assert "No earlier report" in screen_text(pilot)
        session.keep_last_report()
        session.nodes.statuses[BAD] = replace(session.nodes.statuses[BAD], facts=healthy(BAD))
        await session.evaluate_now()
        await pilot.press("c")
        await pilot.pause()
        assert f"fixed: SYS-SWAP {BAD}: in use: /swap.img" in screen_text(pilot)


async def test_last_report_survives_the_wizard(tmp_path: Path) -> None:
    async with at_finding(tmp_path) as (pilot, session, _dialled):
        await pilot.press("e")  # the node does not answer in this stage: the run ends at once
        kept = session.draft.folder / LAST_RUN
        await until(pilot, kept.exists)
        last = load_last_report(kept)
        assert last is not None
        assert {node.address for node in last.nodes} == {node.address for node in PLAN.nodes}


async def test_report_is_saved_as_json_and_html(tmp_path: Path) -> None:
    async with at_finding(tmp_path) as (pilot, session, _dialled):
        await pilot.press("s")
        page = session.draft.folder / "preflight.html"
        await until(pilot, page.exists)
        assert "SYS-SWAP" in page.read_text(encoding="utf-8")
        told = Report.from_json((session.draft.folder / "preflight.json").read_bytes())
        assert not told.ready


async def test_output_of_a_node_is_never_markup(tmp_path: Path) -> None:
    hostile = "[bold red]x[/] [link=file:///etc]y[/link]"
    async with at_finding(tmp_path, hostname=hostile) as (pilot, session, _dialled):
        await pilot.press("f", "/")
        await pilot.pause()
        rows = pilot.app.screen.query_one("#findings", Rows)
        rows.move_to(next(row.key for row in rows._rows if hostile[:15] in row.text.plain))
        await pilot.pause()
        assert "[bold red]x[/]" in screen_text(pilot)
        session.nodes.statuses[BAD] = replace(
            session.nodes.statuses[BAD], facts=replace(healthy(BAD), swaps=(hostile,))
        )
        await session.evaluate_now()
        await pilot.press("y")
        await until(pilot, (session.draft.folder / "finding.txt").exists)


async def test_all_preflight_keys_fit_80_columns(tmp_path: Path) -> None:
    async with at_finding(tmp_path) as (pilot, _session, _dialled):
        text = screen_text(pilot)
        for word in (
            "/ node",
            "y copy",
            "e/r recheck",
            "c diff",
            "n net",
            "s save",
            "t test",
            "f filter",
            "w/W waive",
            "explain",
        ):
            assert word in text


async def test_connectivity_of_the_nodes_is_a_table(tmp_path: Path) -> None:
    async with at_finding(tmp_path) as (pilot, session, _dialled):
        for node in PLAN.nodes:
            facts = session.nodes.statuses[node.address].facts
            assert facts is not None
            ways = tuple(
                TcpPath(
                    host, port, TcpResult.TIMEOUT if (node.address, port) == (BAD, 6443) else TcpResult.CONNECTED, 0.001
                )
                for other in topology_of(PLAN).nodes
                if other.node != node.address
                for host in other.addresses
                for port in other.ports
            )
            session.nodes.statuses[node.address] = replace(
                session.nodes.statuses[node.address], facts=replace(facts, paths=ways)
            )
        await pilot.press("n")
        await pilot.pause()
        table = [line.strip(" │") for line in screen_text(pilot).splitlines() if re.search(r"\d 10\.20\.0\.", line)]
        assert len(table) == len(PLAN.nodes)
        assert [line.count("6443") for line in table] == [0, 4, 0, 0, 0]
