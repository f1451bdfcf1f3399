"""What is said to have changed is exactly what has, and what was not looked at is neither mended nor new."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue

from acp_tui.checks.verdict import Verdict
from acp_tui.nodes.state import NodeState
from acp_tui.preflight.report.diff import Changes, changes
from acp_tui.preflight.report.diff_text import change_lines
from acp_tui.preflight.report.history import last_report_path, load_last_report, save_last_report
from acp_tui.preflight.report.model import Report, report_json
from tests.support.factories.plans import nodes, valid_plan
from tests.support.factories.reports import MORNING, report
from tests.support.factories.verdicts import FIRST, SECOND, WORKER

SWAP: dict[str, object] = {"swaps": ("/swap.img",)}
LATER = MORNING + timedelta(hours=1)


def named(verdicts: tuple[Verdict, ...]) -> list[tuple[str, str | None]]:
    return [(verdict.requirement, verdict.node) for verdict in verdicts]


def test_the_same_cluster_again_has_no_changes() -> None:
    found = changes(report(changes={FIRST: SWAP}), report(changes={FIRST: SWAP}, at=LATER))
    assert not found
    assert change_lines(found) == ("Nothing has changed.",)


def test_new_mended_and_changed() -> None:
    before = report(changes={FIRST: SWAP, SECOND: SWAP})
    now = report(changes={SECOND: {"swaps": ("/dev/dm-1",)}, WORKER: {"selinux": "enforcing"}}, at=LATER)
    found = changes(before, now)
    assert named(found.new) == [("SEC-SELINUX", WORKER)]
    assert named(found.fixed) == [("SYS-SWAP", FIRST)]
    assert [(then.observed, after.observed) for then, after in found.changed] == [
        ("in use: /swap.img", "in use: /dev/dm-1")
    ]
    assert found.since == before.finished
    assert change_lines(found) == (
        f"new: SEC-SELINUX {WORKER}: enforcing",
        f"fixed: SYS-SWAP {FIRST}: in use: /swap.img",
        f"changed: SYS-SWAP {SECOND}: in use: /swap.img → in use: /dev/dm-1",
    )


def test_a_fault_between_nodes_that_moves_is_mended_here_and_new_there() -> None:
    berlin: dict[str, object] = {"timezone": "Europe/Berlin", "utc_offset": "+0100"}
    found = changes(report(changes={FIRST: berlin}), report(changes={SECOND: berlin}, at=LATER))
    assert named(found.new) == [("X-TIMEZONE", SECOND)]
    assert named(found.fixed) == [("X-TIMEZONE", FIRST)]


def test_a_waiver_is_a_change_and_not_a_mending() -> None:
    waiver: JsonValue = {"requirement": "SYS-SWAP", "node": FIRST, "reason": "agreed", "by": "j.doe"}
    waived = valid_plan(waivers=[waiver])
    found = changes(report(changes={FIRST: SWAP}), report(waived, {FIRST: SWAP}))
    assert (found.new, found.fixed) == ((), ())
    assert change_lines(found) == (f"waived: SYS-SWAP {FIRST}: in use: /swap.img",)
    back = changes(report(waived, {FIRST: SWAP}), report(changes={FIRST: SWAP}))
    assert change_lines(back) == (f"no longer waived: SYS-SWAP {FIRST}: in use: /swap.img",)


def test_a_node_that_no_longer_answers_is_one_change() -> None:
    up, down = report(changes={WORKER: SWAP}), report(states={WORKER: NodeState.UNREACHABLE})
    away = changes(up, down)
    assert away.states == ((WORKER, NodeState.CHECKED, NodeState.UNREACHABLE),)
    assert not [v for v in (*away.new, *away.fixed) if v.node == WORKER]
    back = changes(down, up)
    assert ("SYS-SWAP", WORKER) in named(back.new)
    assert not [v for v in back.fixed if v.node == WORKER]


def test_nodes_added_gone_and_rebooted() -> None:
    small, large = valid_plan(nodes=nodes(3, 1)), valid_plan(nodes=nodes(3, 2))
    grown = changes(report(small), report(large, {FIRST: {"boot_id": "another"}}))
    assert grown.added == ("10.20.0.22",)
    assert grown.rebooted == (FIRST,)
    shrunk = changes(report(large, {"10.20.0.22": SWAP}), report(small))
    assert shrunk.gone == ("10.20.0.22",)
    assert named(shrunk.fixed) == []
    assert f"{FIRST} was rebooted" in change_lines(grown)


def test_what_a_partial_run_did_not_look_at_is_not_mended() -> None:
    whole = report(changes={FIRST: SWAP, SECOND: SWAP, WORKER: {"selinux": "enforcing"}})
    now = report(at=LATER)
    one_node = replace(
        now,
        nodes=tuple(n for n in now.nodes if n.address == FIRST),
        verdicts=tuple(v for v in now.verdicts if v.node in (None, FIRST)),
    )
    found = changes(whole, one_node, partial=True)
    assert (named(found.fixed), found.gone) == ([("SYS-SWAP", FIRST)], ())
    one_rule = replace(now, verdicts=tuple(v for v in now.verdicts if v.requirement == "SEC-SELINUX"))
    assert named(changes(whole, one_rule, partial=True).fixed) == [("SEC-SELINUX", WORKER)]


@pytest.mark.parametrize("states", [{}, {WORKER: NodeState.LOST}])
def test_a_report_comes_back_from_its_document(states: dict[str, NodeState]) -> None:
    waiver: JsonValue = {"requirement": "SYS-SWAP", "node": "*", "reason": "условие", "by": "j.doe"}
    whole = report(valid_plan(waivers=[waiver]), {FIRST: SWAP}, states)
    back = Report.from_json(report_json(whole))
    assert report_json(back) == report_json(whole)
    assert (back.nodes, back.ready) == (whole.nodes, whole.ready)
    assert not changes(whole, back)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"schema": "acp-tui.report/2"}', report_json(report()).replace("report/1", "report/2")]
)
def test_another_document_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)schema|json|document"):
        Report.from_json(text)


def test_the_last_report_is_kept_for_each_plan_file(tmp_path: Path) -> None:
    here, there = last_report_path(tmp_path, tmp_path / "a.yaml"), last_report_path(tmp_path, tmp_path / "b.yaml")
    assert here != there
    assert load_last_report(here) is None
    save_last_report(here, report())
    kept = load_last_report(here)
    assert kept is not None
    assert not changes(kept, report())
    assert (here.stat().st_mode & 0o777, here.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    here.write_text(here.read_text()[:100])
    assert load_last_report(here) is None


def test_an_empty_comparison_is_false() -> None:
    assert not Changes(MORNING)
