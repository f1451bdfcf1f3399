"""Texts of the catalogue: titles are demands, findings are facts, and both have a maximum length."""

import re

import pytest
from rich.cells import cell_len

from acp_tui.checks.catalog import Requirement, catalogue
from acp_tui.plan.release import RELEASES

TITLE_COLUMNS, FINDING_COLUMNS = 60, 36
NAMES = ": {names}"
UNREPORTED = ("stated", "step")
FILLS_NAMES = ("present", "absent", "function")
"""Kinds of check that can fill `{names}`."""
DEMAND = re.compile(r"\b(must|should|may|can|cannot)\b")
ROWS = [pytest.param(row, id=f"{release}-{row.id}") for release in RELEASES for row in catalogue(release).values()]


@pytest.mark.parametrize("row", ROWS)
def test_title_is_a_short_demand(row: Requirement) -> None:
    assert cell_len(row.title) <= TITLE_COLUMNS
    assert not row.title.endswith(".")
    if row.severity in ("must", "cond", "advice") and row.check.kind not in UNREPORTED:
        assert DEMAND.search(row.title)


@pytest.mark.parametrize("row", ROWS)
def test_reportable_row_has_a_short_finding(row: Requirement) -> None:
    finding = row.finding.removesuffix(NAMES)
    assert finding or row.check.kind in UNREPORTED
    assert cell_len(finding) <= FINDING_COLUMNS
    assert not finding.endswith(".")
    assert row.finding != row.title
    assert "{" not in finding
    assert not row.finding.endswith(NAMES) or row.check.kind in FILLS_NAMES


@pytest.mark.parametrize("row", ROWS)
def test_expected_value_demands_as_much_as_the_title(row: Requirement) -> None:
    """A reader takes an expected value without "must" or "should" for a result."""
    strong, weak = (re.compile(rf"\b{word}\b") for word in ("must", "should"))
    if row.expected:
        assert strong.search(row.expected) or weak.search(row.expected)
        assert not (weak.search(row.title) and strong.search(row.expected))
        assert not (strong.search(row.title) and weak.search(row.expected) and not strong.search(row.expected))
