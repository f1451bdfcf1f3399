"""Waivers: each covers one rule and is in every report; waivers without effect give a warning."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import JsonValue

from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.checks.waivers import RULE, idle_waivers
from acp_tui.cli.main import main
from acp_tui.nodes.state import NodeState
from acp_tui.plan.file import dump_plan
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import FIRST, TODAY, cluster


def waiver(**changes: JsonValue) -> dict[str, JsonValue]:
    return {"requirement": "SYS-SWAP", "node": "*", "reason": "agreed", "by": "j.doe", **changes}


def judged(*waivers: dict[str, JsonValue]) -> tuple[Verdict, ...]:
    """A cluster whose first node has swap in use."""
    plan = valid_plan(waivers=list(waivers))
    facts = cluster(plan)
    facts[FIRST] = type(facts[FIRST])(**{**vars(facts[FIRST]), "swaps": ("/swap.img",)})
    return evaluate(plan, facts, dict.fromkeys(facts, NodeState.CHECKED), today=TODAY)


def swap(verdicts: tuple[Verdict, ...]) -> Verdict:
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
def test_what_a_waiver_covers(changes: dict[str, JsonValue], waived: bool) -> None:
    verdict = swap(judged(waiver(**changes)))
    assert verdict.outcome is Outcome.FAIL  # a waived rule is still not met, and says so
    assert (verdict.waived == "agreed") is waived
    assert verdict.blocks is not waived


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"requirement": "SYS-SWAPS"}, "unknown requirement"),
        ({"node": "10.20.0.99"}, "does not contain this node"),
        ({"until": "2026-02-28"}, "2026-02-28"),
        ({"until": "next week"}, "not a date"),
    ],
)
def test_a_waiver_without_effect_is_a_warning_that_names_it(changes: dict[str, JsonValue], word: str) -> None:
    idle = [v for v in judged(waiver(), waiver(**changes)) if v.requirement == RULE]
    assert [(v.outcome, v.blocks, v.paths) for v in idle] == [(Outcome.WARN, False, ("waivers[1]",))]
    assert str(waiver(**changes)["requirement"]) in idle[0].observed
    assert word in idle[0].observed


def test_waivers_in_force_are_not_mentioned() -> None:
    assert idle_waivers(valid_plan(waivers=[waiver(), waiver(until="2099-01-01")]), TODAY) == ()


def test_validate_tells_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(dump_plan(valid_plan(waivers=[waiver(until=str(date(2020, 1, 1)))])), encoding="utf-8")
    main(["validate", str(file)])
    assert "the waiver of SYS-SWAP for all nodes has no effect" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--yes", "-y", "--force", "--skip-checks", "--ignore-errors", "--no-preflight"])
@pytest.mark.parametrize("command", ["check", "install", "bundle", "validate"])
def test_no_switch_puts_the_checks_aside(command: str, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "plan.yaml", *(["bundle"] if command == "bundle" else []), option])
    assert ended.value.code == 2
    assert option in capsys.readouterr().err
