"""Titles of verdicts: the finding if the requirement failed, the demand otherwise."""

import pytest

from acp_tui.checks.catalog import ManualCheck, Requirement
from acp_tui.checks.labels import TITLE_COLUMNS, verdict_title
from acp_tui.checks.verdict import Outcome, Severity, Verdict

DEMAND, FINDING = "Swap must be off", "Swap is on"


def row(finding: str = FINDING) -> Requirement:
    return Requirement(
        id="SYS-SWAP",
        severity=Severity.MUST,
        scope="node",
        title=DEMAND,
        finding=finding,
        check=ManualCheck(kind="manual"),
    )


def verdict(outcome: Outcome = Outcome.FAIL, *names: str) -> Verdict:
    return Verdict(
        requirement="SYS-SWAP",
        node="10.20.0.12",
        severity=Severity.MUST,
        outcome=outcome,
        observed="",
        expected="",
        remedy="",
        names=names,
    )


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.WARN, Outcome.PENDING_REBOOT, Outcome.MANUAL])
def test_failed_requirement_has_its_finding_as_title(outcome: Outcome) -> None:
    assert verdict_title(row(), verdict(outcome)) == FINDING


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE])
def test_other_outcomes_have_the_demand_as_title(outcome: Outcome) -> None:
    assert verdict_title(row(), verdict(outcome)) == DEMAND


def test_row_without_a_finding_has_its_demand_as_title() -> None:
    assert verdict_title(row(""), verdict()) == DEMAND


def test_names_of_the_verdict_are_filled_in() -> None:
    assert verdict_title(row("Tools are missing: {names}"), verdict(Outcome.FAIL, "tar", "jq")) == (
        "Tools are missing: tar, jq"
    )


def test_finding_without_names_ends_before_the_colon() -> None:
    assert verdict_title(row("Tools are missing: {names}"), verdict()) == "Tools are missing"


def test_braces_in_a_name_are_unchanged() -> None:
    assert verdict_title(row("In use: {names}"), verdict(Outcome.FAIL, "{x}", "%s")) == "In use: {x}, %s"


@pytest.mark.parametrize("names", [("a" * 60,), ("表" * 40,), tuple("abcdefghijkl")])
def test_long_finding_is_cut_to_36_columns(names: tuple[str, ...]) -> None:
    title = verdict_title(row("Packages can conflict: {names}"), verdict(Outcome.FAIL, *names))
    assert title.endswith("…")
    assert sum(2 if character == "表" else 1 for character in title) <= TITLE_COLUMNS


def test_finding_of_exactly_36_columns_is_not_cut() -> None:
    finding = "x" * TITLE_COLUMNS
    assert verdict_title(row(finding), verdict()) == finding
