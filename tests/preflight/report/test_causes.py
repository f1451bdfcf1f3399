"""Findings and the verdicts that follow from them, in the report, the commands, the comparison and the wizard."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import JsonValue

from acp_tui.checks.verdict import Verdict
from acp_tui.cli.findings import print_report
from acp_tui.nodes.fact_types import TcpResult
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Plan
from acp_tui.preflight.report.diff import changes
from acp_tui.preflight.report.html.page import report_html
from acp_tui.preflight.report.model import Report, report_json
from screens.formatting.preflight_list import Filter, shown_verdicts
from screens.session.verdict_view import VerdictView
from tests.support.factories.plans import VIP, valid_plan
from tests.support.factories.reports import MORNING, report
from tests.support.factories.verdicts import FIRST, SECOND, close_paths, cluster

LATER = MORNING + timedelta(hours=1)
HOST = "api.example.com"
SWAP: dict[str, object] = {"swaps": ("/swap.img",)}
LOST = {SECOND: NodeState.LOST}


def no_record(plan: Plan) -> dict[str, dict[str, object]]:
    """Return changes to the facts after which no node resolves the endpoint."""
    facts = cluster(plan)
    for node in facts:
        close_paths(facts, node, [HOST], result=TcpResult.UNRESOLVED)
    return {node: {"names": {**(f.names or {}), HOST: ()}, "paths": f.paths} for node, f in facts.items()}


def domain_plan(**changes: JsonValue) -> Plan:
    return valid_plan(address={"cluster_endpoint": HOST, "platform": VIP}, **changes)


def without_manual(found: Report) -> Report:
    """Return the report without the verdicts that a person must confirm."""
    return replace(found, verdicts=tuple(v for v in found.verdicts if v.outcome.value != "manual"))


def printed(found: Report, capsys: pytest.CaptureFixture[str], *, with_followers: bool = False) -> str:
    print_report(found, with_followers=with_followers)
    return capsys.readouterr().out


def headings(page: str) -> list[str]:
    """Return the rule or node of each blocker on the page."""
    blockers = page.partition('id="blocks"')[2].partition("</section>")[0]
    return re.findall(r"<h3>.*?<code>([^<]*)</code>", blockers, re.DOTALL)


def test_json_keeps_every_verdict_with_its_cause() -> None:
    plan = domain_plan()
    found = without_manual(report(plan, no_record(plan)))
    document = json.loads(report_json(found))
    assert document["blockers"] == 1
    assert not document["ready"]
    problems = {(v["requirement"], v["node"]): v["cause"] for v in document["verdicts"] if v["verdict"] != "pass"}
    assert problems["NETRES-DOMAIN", FIRST] is None
    assert problems["NETRES-DOMAIN", SECOND] == problems["LB-6443", None] == "NETRES-DOMAIN"
    assert document["summary"]["fail"] == 5
    assert "missing" not in document["verdicts"][0]
    read = Report.from_json(report_json(found))
    assert [v.cause for v in read.verdicts] == [v.cause for v in found.verdicts]


def test_report_of_an_earlier_version_has_no_causes() -> None:
    document = json.loads(report_json(report(states=LOST)))
    del document["blockers"]
    for verdict in document["verdicts"]:
        del verdict["cause"]
    read = Report.from_json(json.dumps(document))
    assert {verdict.cause for verdict in read.verdicts} == {None}
    assert read.findings.blockers > 0
    assert report_html(read)


def test_command_prints_one_line_for_a_cause(capsys: pytest.CaptureFixture[str]) -> None:
    plan = domain_plan()
    found = without_manual(report(plan, no_record(plan)))
    text = printed(found, capsys)
    assert re.findall(r"^(?:Failed|Unknown) .*?([A-Z]+-[A-Z0-9-]+)", text, re.MULTILINE) == ["NETRES-DOMAIN"]
    assert "7 more results follow from this finding: NETRES-DOMAIN, LB-443, LB-6443, LB-11443" in text
    assert "Failed: 1" in text
    assert "timed out" not in text
    everything = printed(found, capsys, with_followers=True)
    assert everything.count(f"{HOST}:6443: ") == 1


def test_command_prints_a_rule_once_with_its_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    swaps: dict[str, dict[str, object]] = {FIRST: SWAP, SECOND: {"swaps": ("/dev/dm-1",)}}
    text = printed(without_manual(report(changes=swaps)), capsys)
    assert text.count("SYS-SWAP") == 1
    assert f"observed on {FIRST}: now: on (/swap.img)" in text
    assert f"observed on {SECOND}: now: on (/dev/dm-1)" in text
    same = printed(without_manual(report(changes={FIRST: SWAP, SECOND: SWAP})), capsys)
    assert f"nodes: {FIRST}, {SECOND}" in same
    assert same.count("now: on") == 1


@pytest.mark.parametrize("state", [s for s in NodeState if s not in (NodeState.CHECKED, NodeState.CHECKING)])
def test_node_that_could_not_be_checked_is_one_finding(state: NodeState, capsys: pytest.CaptureFixture[str]) -> None:
    found = without_manual(report(states={SECOND: state}, changes={FIRST: SWAP}))
    assert found.findings.blockers == 2
    text = printed(found, capsys)
    assert len(re.findall(rf"^{re.escape(SECOND)}: .* requirements could not be checked", text, re.MULTILINE)) == 1
    assert "Unknown" not in text
    assert headings(report_html(found)) == [SECOND, "SYS-SWAP"]
    assert "Blockers (2)" in report_html(found)


def test_html_page_has_the_followers_in_a_closed_section() -> None:
    plan = domain_plan()
    page = report_html(without_manual(report(plan, no_record(plan))))
    assert headings(page) == ["NETRES-DOMAIN"]
    assert page.count("<summary>7 more results follow from this finding: NETRES-DOMAIN, LB-443, LB-6443, LB-11443") == 1
    assert "Other findings, which do not block" not in page.partition("LB-443</code>")[0]


def test_waived_cause_stays_a_blocker_while_its_followers_block(capsys: pytest.CaptureFixture[str]) -> None:
    waiver: JsonValue = {"requirement": "NETRES-DOMAIN", "node": FIRST, "reason": "agreed", "by": "j.doe"}
    plan = domain_plan(waivers=[waiver])
    found = without_manual(report(plan, no_record(plan)))
    assert (found.ready, found.findings.blockers) == (False, 1)
    text = printed(found, capsys)
    assert "waived: agreed" in text
    assert "4 more results follow from this finding and are not waived: NETRES-DOMAIN" in text
    assert headings(report_html(found, plan)) == ["NETRES-DOMAIN"]
    everywhere = domain_plan(waivers=[{"requirement": "NETRES-DOMAIN", "reason": "agreed", "by": "j.doe"}])
    assert without_manual(report(everywhere, no_record(everywhere))).findings.blockers == 0


def test_report_that_is_not_ready_has_a_blocker_that_is_listed() -> None:
    complete = without_manual(report())
    assert (complete.ready, complete.findings.blockers) == (True, 0)
    lost = replace(complete, nodes=tuple(replace(n, state=NodeState.LOST) for n in complete.nodes))
    assert (lost.ready, lost.findings.blockers) == (False, len(lost.nodes))
    assert sorted(headings(report_html(lost))) == sorted(node.address for node in lost.nodes)


def test_comparison_lists_the_finding_and_not_its_followers() -> None:
    plan = domain_plan()
    healthy, broken = report(plan), report(plan, no_record(plan), at=LATER)

    def named(verdicts: tuple[Verdict, ...]) -> list[tuple[str, str | None]]:
        return [(verdict.requirement, verdict.node) for verdict in verdicts]

    assert named(changes(healthy, broken).new) == [("NETRES-DOMAIN", FIRST)]
    assert named(changes(broken, healthy).fixed) == [("NETRES-DOMAIN", FIRST)]


def test_wizard_lists_findings_and_counts_them_on_each_of_their_nodes() -> None:
    plan = domain_plan()
    view = VerdictView(without_manual(report(plan, no_record(plan))).verdicts)
    assert [(v.requirement, v.node) for v in view.blockers] == [("NETRES-DOMAIN", FIRST)]
    assert view.blockers_by_node == {node.address: 1 for node in plan.nodes}
    assert [v.node for v in shown_verdicts(view, Filter.BLOCKERS, SECOND)] == [FIRST]
    shown = {v.requirement for v in shown_verdicts(view, Filter.OPEN, None)}
    assert "LB-443" not in shown
    assert "LB-443" in {v.requirement for v in shown_verdicts(view, Filter.ALL, None)}


def test_wizard_hides_what_follows_from_an_unchecked_node() -> None:
    view = VerdictView(without_manual(report(states=LOST, changes={FIRST: SWAP})).verdicts, frozenset({SECOND}))
    assert [(v.requirement, v.node) for v in view.blockers] == [("SYS-SWAP", FIRST)]
