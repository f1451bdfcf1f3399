"""The comparison of two reports: new, fixed and changed findings, nodes, and partial runs."""

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

ON = "now: on (/swap.img); at the next boot: off"
SWAP: dict[str, object] = {"swaps": ("/swap.img",)}
LATER = MORNING + timedelta(hours=1)


def named(verdicts: tuple[Verdict, ...]) -> list[tuple[str, str | None]]:
    return [(verdict.requirement, verdict.node) for verdict in verdicts]


def test_equal_reports_have_no_changes() -> None:
    difference = changes(report(changes={FIRST: SWAP}), report(changes={FIRST: SWAP}, at=LATER))
    assert not difference
    assert change_lines(difference) == ("Nothing has changed since the last preflight.",)


def test_new_fixed_and_changed_findings_are_listed() -> None:
    before = report(changes={FIRST: SWAP, SECOND: SWAP})
    current = report(changes={SECOND: {"swaps": ("/dev/dm-1",)}, WORKER: {"selinux": "enforcing"}}, at=LATER)
    difference = changes(before, current)
    assert named(difference.new) == [("SEC-SELINUX", WORKER)]
    assert named(difference.fixed) == [("SYS-SWAP", FIRST)]
    assert [(then.observed, after.observed) for then, after in difference.changed] == [
        (ON, ON.replace("/swap.img", "/dev/dm-1"))
    ]
    assert difference.since == before.finished
    assert change_lines(difference) == (
        f"new: SEC-SELINUX {WORKER}: now: enforcing; at the next boot: disabled",
        f"fixed: SYS-SWAP {FIRST}: {ON}",
        f"changed: SYS-SWAP {SECOND}: {ON} → {ON.replace('/swap.img', '/dev/dm-1')}",
    )


def test_consistency_finding_that_moves_is_fixed_on_one_node_and_new_on_another() -> None:
    berlin: dict[str, object] = {"timezone": "Europe/Berlin", "utc_offset": "+0100"}
    difference = changes(report(changes={FIRST: berlin}), report(changes={SECOND: berlin}, at=LATER))
    assert named(difference.new) == [("X-TIMEZONE", SECOND)]
    assert named(difference.fixed) == [("X-TIMEZONE", FIRST)]


def test_waived_finding_is_changed_not_fixed() -> None:
    waiver: JsonValue = {"requirement": "SYS-SWAP", "node": FIRST, "reason": "agreed", "by": "j.doe"}
    waived = valid_plan(waivers=[waiver])
    difference = changes(report(changes={FIRST: SWAP}), report(waived, {FIRST: SWAP}))
    assert (difference.new, difference.fixed) == ((), ())
    assert change_lines(difference) == (f"waived: SYS-SWAP {FIRST}: {ON}",)
    reverse = changes(report(waived, {FIRST: SWAP}), report(changes={FIRST: SWAP}))
    assert change_lines(reverse) == (f"no longer waived: SYS-SWAP {FIRST}: {ON}",)


def test_unreachable_node_is_one_change() -> None:
    up, down = report(changes={WORKER: SWAP}), report(states={WORKER: NodeState.UNREACHABLE})
    lost = changes(up, down)
    assert lost.states == ((WORKER, NodeState.CHECKED, NodeState.UNREACHABLE),)
    assert not [v for v in (*lost.new, *lost.fixed) if v.node == WORKER]
    reverse = changes(down, up)
    assert ("SYS-SWAP", WORKER) in named(reverse.new)
    assert not [v for v in reverse.fixed if v.node == WORKER]


def test_added_removed_and_rebooted_nodes_are_listed() -> None:
    one_worker, two_workers = valid_plan(nodes=nodes(3, 1)), valid_plan(nodes=nodes(3, 2))
    grown = changes(report(one_worker), report(two_workers, {FIRST: {"boot_id": "another"}}))
    assert grown.added == ("10.20.0.22",)
    assert grown.rebooted == (FIRST,)
    shrunk = changes(report(two_workers, {"10.20.0.22": SWAP}), report(one_worker))
    assert shrunk.gone == ("10.20.0.22",)
    assert named(shrunk.fixed) == []
    assert f"{FIRST} was rebooted" in change_lines(grown)


def test_findings_outside_a_partial_run_are_not_fixed() -> None:
    complete = report(changes={FIRST: SWAP, SECOND: SWAP, WORKER: {"selinux": "enforcing"}})
    current = report(at=LATER)
    one_node = replace(
        current,
        nodes=tuple(n for n in current.nodes if n.address == FIRST),
        verdicts=tuple(v for v in current.verdicts if v.node in (None, FIRST)),
    )
    difference = changes(complete, one_node, partial=True)
    assert (named(difference.fixed), difference.gone) == ([("SYS-SWAP", FIRST)], ())
    one_rule = replace(current, verdicts=tuple(v for v in current.verdicts if v.requirement == "SEC-SELINUX"))
    assert named(changes(complete, one_rule, partial=True).fixed) == [("SEC-SELINUX", WORKER)]


@pytest.mark.parametrize("states", [{}, {WORKER: NodeState.LOST}])
def test_report_is_loaded_unchanged_from_its_json(states: dict[str, NodeState]) -> None:
    waiver: JsonValue = {"requirement": "SYS-SWAP", "node": "*", "reason": "условие", "by": "j.doe"}
    complete = report(valid_plan(waivers=[waiver]), {FIRST: SWAP}, states)
    reverse = Report.from_json(report_json(complete))
    assert report_json(reverse) == report_json(complete)
    assert (reverse.nodes, reverse.ready) == (complete.nodes, complete.ready)
    assert not changes(complete, reverse)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"schema": "acp-tui.report/2"}', report_json(report()).replace("report/1", "report/2")]
)
def test_other_document_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?i)schema|json|document"):
        Report.from_json(text)


def test_last_report_is_saved_for_each_plan_file(tmp_path: Path) -> None:
    path, other_path = last_report_path(tmp_path, tmp_path / "a.yaml"), last_report_path(tmp_path, tmp_path / "b.yaml")
    assert path != other_path
    assert load_last_report(path) is None
    save_last_report(path, report())
    saved = load_last_report(path)
    assert saved is not None
    assert not changes(saved, report())
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    path.write_text(path.read_text()[:100])
    assert load_last_report(path) is None


def test_comparison_without_changes_is_false() -> None:
    assert not Changes(MORNING)
