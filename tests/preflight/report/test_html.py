"""The report page: self-contained, complete, and without markup from nodes."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from pydantic import JsonValue

from acp_tui import __version__
from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.nodes.state import NodeState
from acp_tui.plan.file import secret_values
from acp_tui.preflight.report.diff import changes
from acp_tui.preflight.report.html.page import report_html
from acp_tui.preflight.report.model import NodeRecord, Report, report_json
from tests.support.factories.node_facts import DISTRIBUTIONS
from tests.support.factories.plans import node, valid_plan
from tests.support.factories.reports import report as judged_report
from tests.support.factories.verdicts import FIRST, SECOND

HOSTILE = "<script>alert(1)</script>\"'&$title"
VOID = {"meta", "br"}


def verdict(outcome: Outcome, **changes: str | None) -> Verdict:
    values = {
        "node": "10.0.0.1",
        "observed": "observed text",
        "expected": "expected text",
        "remedy": "do it",
        "waived": None,
    }
    values |= changes
    return Verdict(
        "OS-KERNEL",
        values["node"],
        Severity.MUST,
        outcome,
        str(values["observed"]),
        str(values["expected"]),
        str(values["remedy"]),
        values["waived"],
    )


def report(*verdicts: Verdict, hostname: str | None = "m1", state: NodeState = NodeState.CHECKED) -> Report:
    time = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return Report("4.0", time, time, (NodeRecord("10.0.0.1", hostname, "worker", state),), verdicts)


class Page(HTMLParser):
    """Collect tags and text. Fail on tags that are not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_page_has_all_parts_of_a_finding() -> None:
    page = Page(report_html(report(verdict(Outcome.FAIL), verdict(Outcome.PASS, node=None), hostname=None)))
    for text in ("Not ready to install", "10.0.0.1", "worker", "OS-KERNEL", "observed text", "expected text", "do it"):
        assert text in page.text
    assert "2026-01-02 03:04:05" in page.text


def test_ready_cluster_is_shown_as_ready() -> None:
    text = Page(report_html(report(verdict(Outcome.PASS)))).text
    assert "Ready to install" in text
    assert "Not ready" not in text


@pytest.mark.parametrize("outcome", list(Outcome))
def test_finding_of_each_outcome_is_shown(outcome: Outcome) -> None:
    assert "observed text" in Page(report_html(report(verdict(outcome)))).text


@pytest.mark.parametrize("state", list(NodeState))
def test_node_of_each_state_is_shown(state: NodeState) -> None:
    assert "m1" in Page(report_html(report(state=state))).text


def test_blockers_are_first_and_passed_checks_are_folded() -> None:
    html = report_html(report(verdict(Outcome.PASS, observed="fine"), verdict(Outcome.FAIL, observed="broken")))
    assert html.index("broken") < html.index("<details") < html.index("fine")


def test_waived_finding_is_in_its_own_section_with_its_reason() -> None:
    page = Page(report_html(report(verdict(Outcome.FAIL, waived="agreed with the vendor"))))
    assert "Waived (1)" in page.text
    assert "agreed with the vendor" in page.text
    assert "Blockers (" not in page.text


def test_ready_with_waivers_shows_their_number() -> None:
    text = Page(report_html(report(verdict(Outcome.FAIL, waived="agreed"), verdict(Outcome.PASS)))).text
    assert "Ready to install, 1 finding waived" in text


def test_text_of_a_node_is_escaped() -> None:
    html = report_html(
        report(
            verdict(Outcome.FAIL, observed=HOSTILE, expected=HOSTILE, remedy=HOSTILE, node=HOSTILE), hostname=HOSTILE
        )
    )
    page = Page(html)
    assert "script" not in {tag for tag, _attributes in page.tags}
    assert page.text.count(HOSTILE) == 5


def test_page_loads_nothing_from_outside() -> None:
    html = report_html(report(verdict(Outcome.FAIL)))
    assert not re.search(r"https?://|//\w|@import|url\(", html)
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _attributes in Page(html).tags}
    assert "${" not in html


def test_json_report_keeps_unicode_and_counts_outcomes() -> None:
    text = report_json(report(verdict(Outcome.UNKNOWN, observed="не видно")))
    assert text.endswith("}\n")
    assert "не видно" in text
    assert json.loads(text)["summary"]["unknown"] == 1


def test_requirement_is_listed_once_with_all_nodes_and_a_fix_for_each_system() -> None:
    plan = valid_plan()
    workers = [node.address for node in plan.nodes if node.role == "worker"]
    on_centos: dict[str, object] = {
        **DISTRIBUTIONS["centos-7.9"],
        "cmdline": (),
        "boot_entries": (),
        "grub_defaults": (),
    }
    broken = {node.address: {"cmdline": (), "boot_entries": (), "grub_defaults": ()} for node in plan.nodes}
    text = Page(report_html(judged_report(plan, {**broken, **dict.fromkeys(workers, on_centos)}), plan)).text
    blocking = text[text.index("Blockers (") : text.index("Findings by node")]
    assert blocking.count("KRN-THP") == 1
    assert blocking.index("update-grub") != blocking.index("grubby --update-kernel=ALL --args=transparent_hugepage")
    assert ", ".join(workers) in blocking
    assert text.index("Blockers (") < text.index("Findings by node") < text.index("Not applicable (")


def test_waiver_has_author_reason_and_end() -> None:
    waiver: JsonValue = {
        "requirement": "SYS-SWAP",
        "node": "*",
        "reason": "test lab",
        "by": "j.doe",
        "until": "2026-12-31",
    }
    plan = valid_plan(waivers=[waiver])
    text = Page(report_html(judged_report(plan, {FIRST: {"swaps": ("/swap",)}}), plan)).text
    assert "test lab (by j.doe, until 2026-12-31)" in text


def test_unreachable_node_is_one_finding() -> None:
    plan = valid_plan()
    page = judged_report(plan, states={SECOND: NodeState.UNREACHABLE})
    page = replace(page, nodes=tuple(replace(n, detail="no route") if n.address == SECOND else n for n in page.nodes))
    text = Page(report_html(page, plan)).text
    unknown = [v for v in page.verdicts if v.node == SECOND and v.outcome is Outcome.UNKNOWN]
    assert f"{len(unknown)} rules could not be checked" in text
    assert f"unreachable: {SECOND}" in text
    assert "no route" in text
    assert text.index("no route") < text.index("Findings by node") if "Findings by node" in text else True


def test_page_has_nodes_plan_and_changes_but_no_secret() -> None:
    plan = valid_plan()
    before, now = judged_report(plan), judged_report(plan, {FIRST: {"swaps": ("/swap",), "boot_id": "other"}})
    page_text = Page(report_html(now, plan, changes(before, now))).text
    for text in (
        "Ubuntu 22.04.4 LTS",
        "5.15.0-56-generic",
        "33.5 GB",
        "eth0 10.20.0.11/24",
        "network.cluster_cidr.ipv4",
        "10.3.0.0/16",
        "Changes since the last preflight",
        f"{FIRST} was rebooted",
        f"acp-tui {__version__}",
    ):
        assert text in page_text
    for path, secret in secret_values(plan).items():
        assert path in page_text
        assert str(secret) not in page_text


def test_report_of_hundred_faulty_nodes_is_below_a_megabyte() -> None:
    plan = valid_plan(
        nodes=[node(f"10.20.{i // 250}.{i % 250 + 1}", "control-plane" if i < 3 else "worker") for i in range(100)]
    )
    faults = {
        planned_node.address: {
            "swaps": ("/swap.img",),
            "selinux": "enforcing",
            "modules": frozenset[str](),
            "cpu_count": 1,
            "cmdline": (),
            "boot_entries": (),
            "grub_defaults": (),
            "timezone": f"Zone/{planned_node.address}",
            "hostname": f"Node_{planned_node.address}",
            "dpkg_packages": frozenset({"docker.io", f"containerd-{planned_node.address}"}),
        }
        for planned_node in plan.nodes
    }
    assert len(report_html(judged_report(plan, faults), plan).encode()) < 1_000_000


def test_long_text_is_truncated() -> None:
    assert len(report_html(report(verdict(Outcome.FAIL, observed="x" * 500_000)))) < 50_000
