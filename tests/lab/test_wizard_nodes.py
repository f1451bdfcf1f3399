"""The wizard's node monitor with real nodes: reboots, retries of unreachable nodes, and active tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.ssh.address_map import direct
from acp_tui.nodes.state import NodeState
from acp_tui.package.service import PackageWork
from acp_tui.plan.draft import Draft
from acp_tui.plan.known_hosts import KnownHosts, confirmed
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node
from acp_tui.preflight.active_tests import ActiveTest
from acp_tui.preflight.host_keys import read_host_keys
from acp_tui.preflight.report.model import Report
from screens.session.wizard_session import Changed, Session
from tests.lab.kit.check_run import as_planned, plan
from tests.lab.kit.nodes import Lab, LabNode
from tests.lab.kit.profiles import NodeProfile

pytestmark = pytest.mark.lab

Until = Callable[[Callable[[], bool]], Awaitable[None]]


@asynccontextmanager
async def session(folder: Path, answers: Plan) -> AsyncIterator[tuple[Session, Until]]:
    """A session without a screen, and a function that waits for a condition, tested at each of its notifications.

    The host keys of the nodes are confirmed."""
    changed = asyncio.Event()
    errors: list[BaseException] = []

    def notify(_topic: Changed) -> None:
        changed.set()

    async def until(reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not reached():
                await changed.wait()
                changed.clear()

    one = Session(
        Draft(folder / "draft", answers, known_hosts=await confirmed_hosts(answers)),
        notify,
        errors.append,
        address_map=direct,
        package=PackageWork(folder),
        plan_file=None,
    )
    one.open()
    try:
        yield one, until
    finally:
        await one.close()
    assert errors == []


async def confirmed_hosts(answers: Plan) -> KnownHosts:
    """Return the host keys that the nodes send, as confirmed known hosts."""
    keys = await read_host_keys(answers, [node.address for node in answers.nodes])
    return {address: confirmed(key) for address, key in keys.items() if isinstance(key, str)}


def reboot(node: LabNode) -> None:
    """Change the boot ID, as a reboot does."""
    node.sh(f"echo {uuid4()} >/run/boot; mount --bind /run/boot /proc/sys/kernel/random/boot_id")


def state(one: Session, node: LabNode) -> NodeState:
    return one.nodes.statuses[node.address].state


def outcomes(report: Report, rule: str) -> list[tuple[str | None, Outcome]]:
    return [(v.node, v.outcome) for v in report.verdicts if v.requirement == rule]


async def test_rebooted_node_is_checked_again_with_a_notice(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(NodeProfile(), NodeProfile())
    answers = Plan.model_validate(plan(as_planned(nodes), lab.address(0)))
    async with session(tmp_path, answers) as (one, until):
        await until(lambda: all(state(one, node) is NodeState.CHECKED for node in nodes))
        other = one.nodes.statuses[nodes[1].address]
        before = one.nodes.facts[nodes[0].address].boot_id
        nodes[0].sh("echo '/dev/vdb partition 8388604 0 -2' >>/proc/swaps")  # a fault that the reboot brought
        reboot(nodes[0])
        await one.nodes.refresh_now()
        assert state(one, nodes[0]) is NodeState.CHECKING
        assert one.nodes.statuses[nodes[0].address].facts is None
        assert not one.report().ready
        await until(lambda: state(one, nodes[0]) is NodeState.CHECKED)
        assert "rebooted" in one.nodes.statuses[nodes[0].address].notice
        assert one.nodes.facts[nodes[0].address].boot_id != before
        await one.evaluate_now()
        assert (nodes[0].address, Outcome.FAIL) in outcomes(one.report(), "SYS-SWAP")
        assert one.nodes.statuses[nodes[1].address].notice == other.notice == ""


async def test_unreachable_node_is_retried_and_locked_account_is_not(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(NodeProfile(), NodeProfile(), NodeProfile())
    stopped, locked, rebooted = nodes
    answers = Plan.model_validate(plan(as_planned(nodes), lab.address(0)))
    async with session(tmp_path, answers) as (one, until):
        one.nodes.retry_pauses = (1,) * 30
        await until(lambda: all(state(one, node) is NodeState.CHECKED for node in nodes))
        stopped.stop_sshd()
        reboot(rebooted)
        locked.sh("sed -i 's|^root:[^:]*:|root:!:|' /etc/shadow")
        await one.nodes.refresh_now()
        await one.evaluate_now()
        assert state(one, stopped) is NodeState.UNREACHABLE
        assert "next retry at" in one.nodes.statuses[stopped.address].notice
        assert (stopped.address, Outcome.UNKNOWN) in outcomes(one.report(), "SYS-SWAP")
        third = lab.start(NodeProfile())[0]  # it is added while the SSH port of the other one refuses connections
        one.set_nodes((*one.plan.nodes, Node(address=third.address, role="worker")))
        await until(lambda: third.address in one.nodes.statuses)
        await until(lambda: state(one, third) is NodeState.HOST_KEY_UNKNOWN)
        one.confirm_host_keys({third.address: one.nodes.statuses[third.address].host_key})
        await until(lambda: state(one, third) is NodeState.CHECKED)
        assert state(one, locked) is NodeState.AUTH_FAILED
        assert one.nodes.statuses[locked.address].notice == ""
        await until(lambda: one.nodes.statuses[stopped.address].retries >= 2)
        stopped.start_sshd()
        await until(lambda: state(one, stopped) is NodeState.CHECKED)
        await one.nodes.refresh_now()
        await one.evaluate_now()
        assert (stopped.address, Outcome.FAIL) not in outcomes(one.report(), "X-FIREWALL")
        assert state(one, locked) is NodeState.AUTH_FAILED  # no further login attempt
        assert locked.sh("grep -c 'Failed password' /var/log/sshd.log").strip() == "1"


async def test_results_of_active_tests_survive_a_recheck(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(NodeProfile(), NodeProfile())
    answers = Plan.model_validate(plan(as_planned(nodes), lab.address(0)))
    async with session(tmp_path, answers) as (one, until):
        await until(lambda: all(state(one, node) is NodeState.CHECKED for node in nodes))
        one.nodes.run_active_tests((ActiveTest.PATHS, ActiveTest.VRRP, ActiveTest.BANDWIDTH))
        assert one.nodes.active_tests
        await until(lambda: not one.nodes.active_tests)
        for _round in range(2):
            await one.evaluate_now()
            assert outcomes(one.report(), "NETCFG-BW-INTRA") == [(None, Outcome.PASS)]
            facts = one.nodes.facts[nodes[0].address]
            assert facts.bandwidths
            assert facts.bandwidths[nodes[1].address].bits
            assert facts.vrids_seen is not None
            assert facts.path_test is not None
            assert facts.path_test.opened["u"] == 5
            assert outcomes(one.report(), "X-FIREWALL") == [(None, Outcome.PASS)]
            for node in answers.nodes:
                one.nodes.check(node)
            await until(lambda: all(state(one, node) is NodeState.CHECKED for node in nodes))


async def test_registry_password_is_not_tested_while_it_is_typed(tmp_path: Path) -> None:
    registry = {"mode": "external", "address": "registry.example.com", "username": "u", "password": "p"}
    answers = Plan.model_validate({"registry": registry})
    async with session(tmp_path, answers) as (one, _until):
        one.update_draft(step="registry")
        assert one.nodes._tested_plan.registry.password is None
        one.update_draft(step="preflight")
        assert one.nodes._tested_plan.registry.password is not None
