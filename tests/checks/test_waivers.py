"""Waivers: each covers one rule and is in every report; waivers without effect give a warning."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pydantic import JsonValue

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.topology import topology_of
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.checks.waivers import RULE, idle_waivers
from acp_tui.cli.main import main
from acp_tui.nodes.state import NodeState
from acp_tui.plan.file import dump_plan
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import FIRST, SECOND, TODAY, cluster, verdicts


def waiver(**changes: JsonValue) -> dict[str, JsonValue]:
    return {"requirement": "SYS-SWAP", "node": "*", "reason": "agreed", "by": "j.doe", **changes}


def verdicts_with(*waivers: dict[str, JsonValue]) -> tuple[Verdict, ...]:
    """Return the verdicts of a cluster whose first node uses swap."""
    plan = valid_plan(waivers=list(waivers))
    facts = cluster(plan)
    facts[FIRST] = type(facts[FIRST])(**{**vars(facts[FIRST]), "swaps": ("/swap.img",)})
    return evaluate(plan, facts, dict.fromkeys(facts, NodeState.CHECKED), topology=topology_of(plan), today=TODAY)


def swap_verdict(verdicts: tuple[Verdict, ...]) -> Verdict:
    return next(v for v in verdicts if v.requirement == "SYS-SWAP" and v.node == FIRST)


@pytest.mark.parametrize(
    ("changes", "waived"),
    [
        ({}, True),
        ({"node": FIRST}, True),
        ({"until": "2026-03-01"}, True),
        ({"node": "10.20.0.12"}, False),
        ({"until": "2026-02-28"}, False),
        ({"until": "next week"}, False),
        ({"requirement": "SYS-SWAPS"}, False),
        ({"requirement": "*"}, False),
        ({"requirement": "sys-swap"}, False),
    ],
)
def test_waiver_covers_its_requirement_and_nodes_until_its_date(changes: dict[str, JsonValue], waived: bool) -> None:
    verdict = swap_verdict(verdicts_with(waiver(**changes)))
    assert verdict.outcome is Outcome.FAIL  # a waived requirement still fails
    assert (verdict.waived == "agreed") is waived
    assert verdict.blocks is not waived


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"requirement": "SYS-SWAPS"}, "the release has no requirement with this ID"),
        ({"node": "10.20.0.99"}, "does not contain this node"),
        ({"until": "2026-02-28"}, "2026-02-28"),
        ({"until": "next week"}, "does not have the form YYYY-MM-DD"),
    ],
)
def test_waiver_without_effect_is_a_warning_with_the_reason(changes: dict[str, JsonValue], reason: str) -> None:
    idle = [v for v in verdicts_with(waiver(), waiver(**changes)) if v.requirement == RULE]
    assert [(v.outcome, v.blocks, v.paths) for v in idle] == [(Outcome.WARN, False, ("waivers[1]",))]
    assert str(waiver(**changes)["requirement"]) in idle[0].observed
    assert reason in idle[0].observed


def test_waivers_in_force_have_no_finding() -> None:
    assert (
        idle_waivers(valid_plan(waivers=[waiver(), waiver(until="2099-01-01")]), TODAY, catalogue("4.0").keys()) == ()
    )


def test_validate_prints_waivers_without_effect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(dump_plan(valid_plan(waivers=[waiver(until=str(date(2020, 1, 1)))])), encoding="utf-8")
    main(["validate", str(file)])
    assert "the waiver of SYS-SWAP for all nodes has no effect" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--yes", "-y", "--force", "--skip-checks", "--ignore-errors", "--no-preflight"])
@pytest.mark.parametrize("command", ["check", "install", "bundle", "validate"])
def test_no_option_skips_the_checks(command: str, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "plan.yaml", *(["bundle"] if command == "bundle" else []), option])
    assert ended.value.code == 2
    assert option in capsys.readouterr().err


def test_waivers_cover_one_rule_on_one_node_until_their_date() -> None:
    def waiver(node: str, until: str | None) -> JsonValue:
        return {"requirement": "SYS-SWAP", "node": node, "reason": "on purpose", "by": "me", "until": until}

    def waived(node: str, until: str | None) -> str | None:
        plan = valid_plan(waivers=[waiver(node, until)])
        facts = {**cluster(plan), SECOND: replace(cluster(plan)[SECOND], swaps=("/dev/vda2",))}
        results = [v for v in verdicts(plan, facts) if v.requirement == "SYS-SWAP"]
        assert all(v.waived is None for v in results if v.node != SECOND)
        return next(v.waived for v in results if v.node == SECOND)

    assert waived(SECOND, None) == "on purpose"
    assert waived("*", "2026-03-01") == "on purpose"
    assert waived("*", "2026-02-28") is None
    assert waived("*", "next week") is None
    assert waived(FIRST, None) is None
