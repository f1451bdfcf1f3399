"""Snapshots of all steps and some dialogs at 80x24. Open a changed picture, then accept it with `--snapshot-update`.

The pictures show the verdicts of a few rules only. So a new requirement changes no picture.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pydantic import JsonValue
from textual.pilot import Pilot

from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.topology import topology_of
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node
from screens.app import AcpApp
from screens.session import wizard_session as session_module
from screens.session.verdict_view import VerdictView
from screens.session.wizard_session import Session
from screens.steps.order import STEPS
from screens.steps.trial import TrialStep
from tests.support.factories.node_facts import fstab_swaps, healthy
from tests.support.factories.plans import CONTROL_PLANES, WORKERS, nodes, valid_plan
from tests.support.host_keys import host_key, not_confirmed
from tests.support.wizard_pilot import SIZE, screen_text, show, staged_app, until

Compare = Callable[..., bool]
CHANGES: dict[str, JsonValue] = {
    "ssh": {"username": "root", "password": None},
    "package": {"core": "/nowhere/installer-core-v4.0.3-x86.tar"},
}
RULES = (
    "BND-CORE",
    "HW-CP-COUNT",
    "HW-CPU-CORES",
    "SYS-SWAP",
    "SEC-SELINUX",
    "LB-6443",
    "LB-HEALTH",
    "NETRES-CERT",
    "NETRES-DOMAIN",
    "CAP-SC-MIN-WK",
    "P-ADMIN-PASS",
    "PRE-INIT",
    "XR-ENDPOINT-SYNTAX",
    "XR-SSH-AUTH",
)
"""The requirements whose verdicts the pictures show: at least one of each outcome."""


class FixedRulesView(VerdictView):
    """The verdicts of `RULES` only."""

    def __init__(self, verdicts: tuple[Verdict, ...] = (), unchecked: frozenset[str] = frozenset()) -> None:
        super().__init__(tuple(verdict for verdict in verdicts if verdict.requirement in RULES), unchecked)


@pytest.fixture(autouse=True)
def fixed_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "VerdictView", FixedRulesView)


def nodes_seen() -> dict[str, Facts]:
    """Five nodes: one with a failed rule, one that needs a reboot."""
    seen = {address: healthy(address, "ubuntu-22.04", "control-plane") for address in CONTROL_PLANES}
    seen |= {address: healthy(address, "centos-7.9", "worker") for address in WORKERS}
    seen["10.20.0.12"] = replace(seen["10.20.0.12"], swaps=("/swap.img",), boot_swaps=fstab_swaps("/swap.img"))
    seen["10.20.0.22"] = replace(seen["10.20.0.22"], selinux="permissive", selinux_config="disabled")
    return seen


def test_rules_of_the_pictures_have_every_outcome() -> None:
    seen = nodes_seen()
    states = dict.fromkeys(seen, NodeState.CHECKED)
    plan = valid_plan(**CHANGES)
    verdicts = evaluate(plan, seen, states, topology=topology_of(plan), today=date(2026, 3, 1), only=frozenset(RULES))
    assert {verdict.outcome for verdict in verdicts} == set(Outcome)


@pytest.mark.parametrize("step", [step.NAME for step in STEPS])
def test_step(snap_compare: Compare, tmp_path: Path, step: str) -> None:
    async def reach(pilot: Pilot[int]) -> None:
        await show(pilot, step, nodes_seen())

    assert snap_compare(staged_app(tmp_path, valid_plan(**CHANGES)), terminal_size=SIZE, run_before=reach)


def test_empty_plan(snap_compare: Compare, tmp_path: Path) -> None:
    async def reach(pilot: Pilot[int]) -> None:
        await show(pilot, "package")

    assert snap_compare(staged_app(tmp_path, Plan()), terminal_size=SIZE, run_before=reach)


def test_start_screen(snap_compare: Compare, tmp_path: Path) -> None:
    async def reach(pilot: Pilot[int]) -> None:
        await until(pilot, lambda: "Enter: choose" in screen_text(pilot))

    assert snap_compare(AcpApp(tmp_path), terminal_size=SIZE, run_before=reach)


def test_trial(snap_compare: Compare, tmp_path: Path) -> None:
    async def reach(pilot: Pilot[int]) -> None:
        session = await show(pilot, "package")
        assert isinstance(pilot.app, AcpApp)
        await pilot.app.go(TrialStep)
        await session.evaluate_now()
        await pilot.pause()

    plan = valid_plan(**CHANGES, nodes=nodes(1, 0), scenario="single-node", address={"cluster_endpoint": ""})
    assert snap_compare(staged_app(tmp_path, plan), terminal_size=SIZE, run_before=reach)


def test_wide_window(snap_compare: Compare, tmp_path: Path) -> None:
    async def reach(pilot: Pilot[int]) -> None:
        await show(pilot, "preflight", nodes_seen())

    assert snap_compare(staged_app(tmp_path, valid_plan(**CHANGES)), terminal_size=(132, 43), run_before=reach)


def host_keys_sent(session: Session, addresses: Sequence[str]) -> None:
    """Set the states of nodes that sent new host keys, as if their checks had ended."""
    session.set_nodes(tuple(Node(address=address) for address in addresses))
    session.nodes.statuses.update((address, not_confirmed(address)) for address in addresses)
    session.nodes_changed()


@pytest.mark.parametrize("count", [3, 12])
def test_host_keys(snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    addresses = [f"10.20.0.{11 + number}" for number in range(count)]
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    lines = f"{addresses[0]} {host_key(addresses[0])}\n{addresses[1]} {host_key(addresses[1], 2)}\n"
    (tmp_path / ".ssh" / "known_hosts").write_text(lines if count == 3 else "", encoding="utf-8")

    async def reach(pilot: Pilot[int]) -> None:
        host_keys_sent(await show(pilot, "nodes"), addresses)
        await until(pilot, lambda: "n: no" in screen_text(pilot))

    assert snap_compare(staged_app(tmp_path, valid_plan(**CHANGES)), terminal_size=SIZE, run_before=reach)


def test_nodes_with_host_keys_that_are_not_confirmed(
    snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    async def reach(pilot: Pilot[int]) -> None:
        host_keys_sent(await show(pilot, "nodes"), ("10.20.0.11", "10.20.0.12"))
        await until(pilot, lambda: "n: no" in screen_text(pilot))
        await pilot.press("n")
        await until(pilot, lambda: "not confirmed: T" in screen_text(pilot))
        pilot.app.screen.query_one("#nodes").focus()
        await until(pilot, lambda: "Press T" in screen_text(pilot))
        await until(pilot, lambda: "the plan must have 3" in screen_text(pilot))  # the new nodes are evaluated

    assert snap_compare(staged_app(tmp_path, valid_plan(**CHANGES)), terminal_size=SIZE, run_before=reach)


@pytest.mark.parametrize(
    ("name", "step", "keys"),
    [
        ("menu", "network", ("escape",)),
        ("waive", "preflight", ("w",)),
        ("finding details", "preflight", ("enter",)),
        ("node", "nodes", ("enter",)),
        ("quit", "address", ("ctrl+q",)),
        ("invalid value", "address", ("ctrl+u", "1", ".", "2")),
        ("sizes", "nodes", ("ctrl+t",)),
        ("suggestions", "nodes", ("ctrl+f",)),
        ("node import", "nodes", ("ctrl+l", *"10.20.0.31-32", "enter", *"10.20.0.300")),
        ("address plan", "network", ("ctrl+t",)),
    ],
)
def test_dialog(snap_compare: Compare, tmp_path: Path, name: str, step: str, keys: tuple[str, ...]) -> None:
    async def reach(pilot: Pilot[int]) -> None:
        session = await show(pilot, step, nodes_seen())
        await pilot.press(*keys)
        await session.evaluate_now()
        await pilot.pause()
        if name == "node import":  # it is read once nothing is typed any more
            await until(pilot, lambda: "1 invalid line" in screen_text(pilot))

    assert snap_compare(staged_app(tmp_path, valid_plan(**CHANGES)), terminal_size=SIZE, run_before=reach)
