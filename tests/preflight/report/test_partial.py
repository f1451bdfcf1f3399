"""When a report is partial, and that a partial report is never ready."""

import json
from dataclasses import replace
from typing import Any

import pytest

from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.nodes.state import NodeState
from acp_tui.preflight.report.html.page import report_html
from acp_tui.preflight.report.model import Report, report_json
from acp_tui.preflight.report.readiness import left_out, readiness
from tests.support.factories.bundles import report as small
from tests.support.factories.plans import valid_plan

PACKAGE = Verdict("BND-CORE", None, Severity.MUST, Outcome.PASS, "core.tar", "", "")
GOOD = replace(small(), verdicts=(PACKAGE, *small().verdicts))


def with_state(state: NodeState) -> Report:
    return replace(GOOD, nodes=tuple(replace(node, state=state) for node in GOOD.nodes))


def of_an_older_version(report: Report) -> str:
    document: dict[str, Any] = json.loads(report_json(report))
    del document["partial"]
    return json.dumps(document)


def test_complete_report_is_ready() -> None:
    assert (GOOD.partial, GOOD.unblocked, GOOD.ready) == (False, True, True)
    assert readiness(GOOD) == "Ready to install"
    assert list(left_out(GOOD, valid_plan())) == []


def test_report_of_a_selection_is_unblocked_but_not_ready() -> None:
    selected = replace(GOOD, left_out=True)
    assert (selected.partial, selected.unblocked, selected.ready) == (True, True, False)
    assert readiness(selected).startswith("Partial check")
    nodes, requirements = left_out(selected, valid_plan())
    assert nodes == "4 nodes were not checked: 10.20.0.12, 10.20.0.13, 10.20.0.21, 10.20.0.22."
    assert "requirements were not checked." in requirements
    page = report_html(selected, valid_plan())
    assert nodes in page
    assert "Ready to install" not in page


def test_report_without_the_package_is_not_ready_until_it_is_added() -> None:
    selected = replace(small(), left_out=True)
    assert not selected.ready
    assert selected.with_package((PACKAGE,), selected.finished).ready
    assert not selected.with_package((PACKAGE,), selected.finished, selection=True).ready


@pytest.mark.parametrize("state", NodeState)
def test_only_checked_nodes_are_ready(state: NodeState) -> None:
    report = with_state(state)
    assert report.ready is (state is NodeState.CHECKED)
    assert report.partial is (state in (NodeState.CHECKING, NodeState.LOST, NodeState.TIMEOUT))


def test_lost_node_is_named() -> None:
    assert "The facts of 10.20.0.11 are incomplete: " in " ".join(left_out(with_state(NodeState.LOST), None))


@pytest.mark.parametrize(
    ("severity", "outcome", "waived", "blocks"),
    [
        (Severity.MUST, Outcome.FAIL, None, True),
        (Severity.COND, Outcome.FAIL, None, True),
        (Severity.MUST, Outcome.PENDING_REBOOT, None, True),
        (Severity.COND, Outcome.PENDING_REBOOT, None, True),
        (Severity.MUST, Outcome.UNKNOWN, None, True),
        (Severity.MUST, Outcome.MANUAL, None, True),
        (Severity.COND, Outcome.UNKNOWN, None, False),
        (Severity.COND, Outcome.MANUAL, None, False),
        (Severity.ADVICE, Outcome.MANUAL, None, False),
        (Severity.MUST, Outcome.WARN, None, False),
        (Severity.MUST, Outcome.NOT_APPLICABLE, None, False),
        (Severity.MUST, Outcome.PASS, None, False),
        (Severity.MUST, Outcome.FAIL, "agreed", False),
        (Severity.MUST, Outcome.UNKNOWN, "agreed", False),
        (Severity.MUST, Outcome.MANUAL, "agreed", False),
        (Severity.MUST, Outcome.PENDING_REBOOT, "agreed", False),
    ],
)
def test_what_blocks(severity: Severity, outcome: Outcome, waived: str | None, blocks: bool) -> None:
    report = replace(GOOD, verdicts=(PACKAGE, Verdict("X", None, severity, outcome, "", "", "", waived)))
    assert (report.unblocked, report.ready) == (not blocks, not blocks)


def test_json_has_partial_after_ready_and_keeps_it() -> None:
    for report in (GOOD, replace(GOOD, left_out=True), with_state(NodeState.LOST)):
        document = json.loads(report_json(report))
        assert list(document).index("partial") == list(document).index("ready") + 1
        assert (document["ready"], document["partial"]) == (report.ready, report.partial)
        loaded = Report.from_json(report_json(report))
        assert (loaded.ready, loaded.partial) == (report.ready, report.partial)


def test_document_of_an_older_version_is_ready_only_with_the_package() -> None:
    assert Report.from_json(of_an_older_version(GOOD)).ready
    without = Report.from_json(of_an_older_version(small()))
    assert (without.partial, without.ready) == (True, False)


def test_partial_in_a_document_cannot_be_overruled_by_ready() -> None:
    document = json.loads(report_json(replace(GOOD, left_out=True)))
    document["ready"] = True
    assert not Report.from_json(json.dumps(document)).ready
