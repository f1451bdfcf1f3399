"""The preflight step: copy, recheck, filter and compare findings, and save the report."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot

from acp_tui.nodes.facts import Facts
from acp_tui.preflight.report.history import load_last_report
from acp_tui.preflight.report.model import Report
from screens.session.wizard_session import LAST_RUN, Session
from screens.widgets.row_list import Rows
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import close_paths, connectivity
from tests.support.wizard_pilot import screen_text, until, wizard

BAD, OTHER = "10.20.0.12", "10.20.0.22"
PLAN = valid_plan(ssh={"username": "root", "password": None})


def facts_of_nodes(**changes: object) -> dict[str, Facts]:
    """Return facts of healthy nodes, except one with swap and `changes`, and one with SELinux enabled."""
    facts = {node.address: healthy(node.address, role=node.role) for node in PLAN.nodes}
    facts[BAD] = replace(facts[BAD], swaps=("/swap.img",), **changes)  # type: ignore[arg-type]
    facts[OTHER] = replace(facts[OTHER], selinux="enforcing", selinux_config="enforcing")
    return facts


@asynccontextmanager
async def at_finding(folder: Path, **changes: object) -> AsyncIterator[tuple[Pilot[int], Session, list[str]]]:
    """Open the preflight step with the cursor on the swap finding of one node."""
    dialled: list[str] = []
    async with wizard(folder, PLAN, "preflight", facts_of_nodes(**changes), dialled) as (pilot, session):
        pilot.app.screen.query_one("#findings", Rows).move_to(f"SYS-SWAP {BAD} ")
        await pilot.pause()
        dialled.clear()  # the first collection connected to all nodes
        yield pilot, session, dialled


async def test_all_parts_of_a_finding_are_copied(tmp_path: Path) -> None:
    async with at_finding(tmp_path) as (pilot, session, _dialled):
        await pilot.press("y")
        file = session.draft.folder / "finding.txt"
        await until(pilot, file.exists)
        text = file.read_text(encoding="utf-8")
        assert pilot.app.clipboard == text
        for part in (
            f"SYS-SWAP {BAD}",
            "observed: now: on (/swap.img); at the next boot: off",
            "expected: ",
            "swapoff -a",
            "why: ",
            "how: ",
        ):
            assert part in text
        await pilot.pause()
        assert "acp-tui wrote" in screen_text(pilot)


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
        assert f"fixed: SYS-SWAP {BAD}: now: on (/swap.img)" in screen_text(pilot)


async def test_last_report_survives_the_wizard(tmp_path: Path) -> None:
    async with at_finding(tmp_path) as (pilot, session, _dialled):
        await pilot.press("e")  # the simulated node is unreachable, so the recheck ends immediately
        path = session.draft.folder / LAST_RUN
        await until(pilot, path.exists)
        last = load_last_report(path)
        assert last is not None
        assert {node.address for node in last.nodes} == {node.address for node in PLAN.nodes}


async def test_report_is_saved_as_json_and_html(tmp_path: Path) -> None:
    async with at_finding(tmp_path) as (pilot, session, _dialled):
        await pilot.press("s")
        page = session.draft.folder / "preflight.html"
        await until(pilot, page.exists)
        assert "SYS-SWAP" in page.read_text(encoding="utf-8")
        report = Report.from_json((session.draft.folder / "preflight.json").read_bytes())
        assert not report.ready


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
        for key_text in (
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
            assert key_text in text


async def test_connectivity_of_the_nodes_is_a_table(tmp_path: Path) -> None:
    async with at_finding(tmp_path) as (pilot, session, _dialled):
        for node in PLAN.nodes:
            facts = session.nodes.statuses[node.address].facts
            assert facts is not None
            tested = replace(facts, **connectivity(PLAN, node))
            by_node = {node.address: tested}
            close_paths(by_node, node.address, [n.address for n in PLAN.nodes] if node.address == BAD else [], 6443)
            session.nodes.statuses[node.address] = replace(
                session.nodes.statuses[node.address], facts=by_node[node.address]
            )
        await pilot.press("n")
        await pilot.pause()
        table = [line.strip(" │") for line in screen_text(pilot).splitlines() if re.search(r"\d 10\.20\.0\.", line)]
        assert len(table) == len(PLAN.nodes)
        assert [line.count("6443") for line in table] == [0, 4, 0, 0, 0]
