"""The practice cluster with the engine: healthy nodes pass, and each planted fault is found and fixed."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.demo.cluster import Practice, Scenario, practice
from acp_tui.demo.machine_profile import NOT_SIMULATED, cluster
from acp_tui.demo.walkthrough import walk
from acp_tui.install.verify.collect import NodeAccess
from acp_tui.install.verify.run import verify
from acp_tui.nodes.events import NodeFinished
from acp_tui.nodes.state import NodeState
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.run import PreflightDone, preflight

PLANTED = {
    (cluster().faults[name].requirement, machine.address) for machine in cluster().machines for name in machine.faults
}


async def judged(current: Practice, pinned: dict[str, str] | None = None) -> Report:
    """The report of a preflight; host keys seen are put into `pinned`."""
    report: Report | None = None
    async for event in preflight(current.plan, known_hosts=dict(pinned or {}), address_map=current.address_map):
        if isinstance(event, NodeFinished) and event.host_key and pinned is not None:
            pinned[event.address] = event.host_key
        if isinstance(event, PreflightDone):
            report = event.report
    assert report is not None
    return report


def named(verdicts: Iterable[Verdict]) -> set[tuple[str, str | None]]:
    return {(verdict.requirement, verdict.node) for verdict in verdicts}


@pytest.mark.parametrize("scenario", ["single-cluster", "single-node"])
async def test_healthy_nodes_need_no_fixes(scenario: Scenario) -> None:
    async with practice(faults=False, scenario=scenario, seconds=0) as current:
        report = await judged(current)
    assert report.ready
    assert {node.state for node in report.nodes} == {NodeState.CHECKED}
    assert not named(v for v in report.verdicts if v.outcome in (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PENDING_REBOOT))


async def test_the_planted_faults_are_found_and_fixed() -> None:
    pinned: dict[str, str] = {}
    async with practice(seconds=0) as current:
        report = await judged(current, pinned)
        blocking = [verdict for verdict in report.verdicts if verdict.blocks]
        assert named(blocking) == PLANTED
        for number, verdict in enumerate(blocking, 1):
            assert verdict.node is not None
            assert NOT_SIMULATED not in await current.apply_fix(verdict.node, verdict.remedy)
            left = [v for v in (await judged(current, pinned)).verdicts if v.blocks]
            assert named(left) == named(blocking[number:])
        assert (await judged(current, pinned)).ready


async def test_waivers_have_reasons_and_cover_only_manual_checks() -> None:
    async with practice(faults=False, seconds=0) as current:
        report = await judged(current)
    waived = [verdict for verdict in report.verdicts if verdict.waived is not None]
    assert {verdict.requirement for verdict in waived} == {waiver.requirement for waiver in current.plan.waivers}
    assert {verdict.outcome for verdict in waived} == {Outcome.MANUAL}
    assert all((verdict.waived or "").startswith("practice: ") for verdict in waived)


async def test_nothing_remains_at_the_end() -> None:
    async with practice(seconds=0) as current:
        assert current.folder.is_dir()
        host, port = current.address_map("192.0.2.11", 22)
    assert not current.folder.exists()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, port)


async def test_a_home_folder_keeps_the_package_and_the_machines(tmp_path: Path) -> None:
    pinned: dict[str, str] = {}
    async with practice(tmp_path / "home", seconds=0) as first:
        await judged(first, pinned)
    async with practice(tmp_path / "home", seconds=0) as second:
        report = await judged(second, pinned)
    assert second.plan == first.plan
    assert {node.state for node in report.nodes} == {NodeState.CHECKED}
    assert named(verdict for verdict in report.verdicts if verdict.blocks) == PLANTED


async def test_the_walkthrough_completes() -> None:
    lines: list[str] = []
    assert await walk(lines.append) == 0
    assert all(line.startswith("PRACTICE") for line in lines)
    told = "\n".join(lines)
    for requirement, address in PLANTED:
        assert f"Fixing {address}: {requirement}" in told
    assert "Install: installed" in told
    assert "https://192.0.2.10" in told
    assert "practice: a simulated disk has no speed" in told
    folder = Path(next(line for line in lines if "unpacked to" in line).rpartition(" ")[2])
    assert not left_of(folder.parent)


def left_of(folder: Path) -> list[str]:
    """The folder itself, and command lines of processes that name it."""
    lines = [_command_line(process) for process in Path("/proc").glob("[0-9]*")]
    return [str(folder)] * folder.exists() + [line for line in lines if str(folder) in line]


def _command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:  # it has ended meanwhile
        return ""


async def test_the_installed_practice_cluster_is_verified_and_can_have_failures() -> None:
    async with practice(faults=False, seconds=0) as current:
        reach = NodeAccess(current.plan, {}, current.folder, current.address_map)
        assert (await verify(reach)).healthy
        first = next(iter(current.nodes.values())).profile
        first.settings |= {"sick_pods": "a\tcrash\tx\tRunning\t\t\t1\t-CrashLoopBackOff \t\n", "pods": "9"}
        found = await verify(reach)
    assert not found.healthy
    [pods] = [verdict for verdict in found.report.verdicts if verdict.requirement == "INS-VERIFY-PODS"]
    assert (pods.outcome.value, pods.observed) == ("fail", "a/crash: CrashLoopBackOff 0/1")
