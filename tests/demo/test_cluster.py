"""The practice cluster with the engine: healthy nodes pass, and each planted fault is reported and fixed."""

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
from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import KnownHosts, confirmed
from acp_tui.plan.secret_mask import secret_mask
from acp_tui.preflight.host_keys import read_host_keys
from acp_tui.preflight.read_local_files import read_local_files
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.run import PreflightDone, preflight

PLANTED = {
    (cluster().faults[name].requirement, machine.address) for machine in cluster().machines for name in machine.faults
}


async def known_hosts(current: Practice) -> KnownHosts:
    """Return the host keys of the practice nodes as confirmed."""
    addresses = [node.address for node in current.plan.nodes]
    keys = await read_host_keys(current.plan, addresses, current.address_map)
    return {address: confirmed(key) for address, key in keys.items() if isinstance(key, str)}


async def run_preflight(current: Practice, known: KnownHosts | None = None) -> Report:
    """Return the report of a preflight. `known`: the known hosts; None to confirm the current keys."""
    report: Report | None = None
    hosts = known if known is not None else await known_hosts(current)
    files = read_local_files(current.plan, current.folder)
    async for event in preflight(current.plan, known_hosts=hosts, address_map=current.address_map, local_files=files):
        if isinstance(event, PreflightDone):
            report = event.report
    assert report is not None
    assert not report.ready, "nothing is known about the package yet"
    return report.with_package(await current.package_work().verify(current.plan), report.finished)


async def test_host_names_of_practice_nodes_are_not_masked() -> None:
    """A password that is a part of a host name would make the names unreadable."""
    async with practice(faults=False, seconds=0) as current:
        mask = secret_mask(current.plan)
        hosts = [machine.settings["hostname"] for machine in cluster().machines]
        assert [mask(host) for host in hosts] == hosts


def names(verdicts: Iterable[Verdict]) -> set[tuple[str, str | None]]:
    return {(verdict.requirement, verdict.node) for verdict in verdicts}


@pytest.mark.parametrize("scenario", ["single-cluster", "single-node"])
async def test_healthy_nodes_need_no_fixes(scenario: Scenario) -> None:
    async with practice(faults=False, scenario=scenario, seconds=0) as current:
        report = await run_preflight(current)
    assert report.ready
    assert {node.state for node in report.nodes} == {NodeState.CHECKED}
    assert not names(v for v in report.verdicts if v.outcome in (Outcome.FAIL, Outcome.UNKNOWN, Outcome.PENDING_REBOOT))


async def test_planted_faults_are_reported_and_fixed() -> None:
    async with practice(seconds=0) as current:
        known = await known_hosts(current)
        report = await run_preflight(current, known)
        blocking = [verdict for verdict in report.verdicts if verdict.blocks]
        assert names(blocking) == PLANTED
        for number, verdict in enumerate(blocking, 1):
            assert verdict.node is not None
            assert NOT_SIMULATED not in await current.apply_fix(verdict.node, verdict.remedy)
            left = [v for v in (await run_preflight(current, known)).verdicts if v.blocks]
            assert names(left) == names(blocking[number:])
        assert (await run_preflight(current, known)).ready


async def test_waivers_have_reasons_and_cover_only_manual_checks() -> None:
    async with practice(faults=False, seconds=0) as current:
        report = await run_preflight(current)
    waived = [verdict for verdict in report.verdicts if verdict.waived is not None]
    assert {verdict.requirement for verdict in waived} == {waiver.requirement for waiver in current.plan.waivers}
    assert {verdict.outcome for verdict in waived} == {Outcome.MANUAL}
    assert all((verdict.waived or "").startswith("practice: ") for verdict in waived)


async def test_practice_leaves_no_folder_and_no_server() -> None:
    async with practice(seconds=0) as current:
        assert current.folder.is_dir()
        host, port = current.address_map("192.0.2.11", 22)
    assert not current.folder.exists()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, port)


async def test_a_home_folder_keeps_the_package_and_the_machines(tmp_path: Path) -> None:
    async with practice(tmp_path / "home", seconds=0) as first:
        known = await known_hosts(first)
        await run_preflight(first, known)
    async with practice(tmp_path / "home", seconds=0) as second:
        report = await run_preflight(second, known)
    assert second.plan == first.plan
    assert {node.state for node in report.nodes} == {NodeState.CHECKED}
    assert names(verdict for verdict in report.verdicts if verdict.blocks) == PLANTED


async def test_the_walkthrough_completes() -> None:
    lines: list[str] = []
    assert await walk(lines.append) == 0
    assert all(line.startswith("PRACTICE") for line in lines)
    output = "\n".join(lines)
    for requirement, address in PLANTED:
        assert f"Fix on {address}: {requirement}" in output
    assert "Install: installed" in output
    assert "https://192.0.2.10" in output
    assert "practice: the speed of a simulated disk cannot be measured" in output
    folder = Path(next(line for line in lines if "unpacked in" in line).rpartition(" ")[2])
    assert not leftovers(folder.parent)


def leftovers(folder: Path) -> list[str]:
    """Return the folder if it exists, and the command lines of processes that name it."""
    lines = [_command_line(process) for process in Path("/proc").glob("[0-9]*")]
    return [str(folder)] * folder.exists() + [line for line in lines if str(folder) in line]


def _command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:  # the process has ended
        return ""


async def test_installed_practice_cluster_is_verified_and_failing_pods_are_reported() -> None:
    async with practice(faults=False, seconds=0) as current:
        access = NodeAccess(current.plan, await known_hosts(current), current.folder, current.address_map)
        assert (await verify(access)).healthy
        first = next(iter(current.nodes.values())).profile
        first.settings |= {"sick_pods": "a\tcrash\tx\tRunning\t\t\t1\t-CrashLoopBackOff \t\n", "pods": "9"}
        result = await verify(access)
    assert not result.healthy
    [pods] = [verdict for verdict in result.report.verdicts if verdict.requirement == "INS-VERIFY-PODS"]
    assert (pods.outcome.value, pods.observed) == ("fail", "a/crash: CrashLoopBackOff 0/1")
