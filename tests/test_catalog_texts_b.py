"""Texts of the catalogue rows on networks, packages, preparation, security, software, surroundings and users."""

import pytest
import yaml

from acp_tui.checks.catalog import Requirement, catalogue
from acp_tui.core.assets import asset_path
from acp_tui.plan.release import RELEASES

FILES = ("network", "packages", "preparation", "security", "software", "surroundings", "users")
TITLE_LENGTH = 60  # characters
FINDING_WIDTH = 36  # columns
FIRST_RELEASE = RELEASES[0]


def rows(release: str) -> list[Requirement]:
    """The rows of these files, as `release` has them."""
    texts = [(asset_path("catalog") / f"{name}.yaml").read_text(encoding="utf-8") for name in FILES]
    return [catalogue(release)[row["id"]] for text in texts for row in yaml.safe_load(text)]


def test_titles_fit_in_their_column() -> None:
    too_long = {row.id: row.title for row in rows(FIRST_RELEASE) if len(row.title) > TITLE_LENGTH}
    assert too_long == {}


def test_findings_fit_in_their_column_and_have_no_full_stop() -> None:
    wrong = {row.id: row.finding for row in rows(FIRST_RELEASE) if len(row.finding) > FINDING_WIDTH}
    assert wrong == {}
    assert [row.id for row in rows(FIRST_RELEASE) if row.finding.endswith(".")] == []


@pytest.mark.parametrize("release", RELEASES)
def test_rows_that_a_report_can_show_have_a_finding(release: str) -> None:
    missing = [row.id for row in rows(release) if row.check.kind not in ("stated", "step") and not row.finding]
    assert missing == []


def test_findings_name_only_what_their_check_fills_in() -> None:
    named = {row.id for row in rows(FIRST_RELEASE) if "{" in row.finding}
    assert all(row.finding.endswith(": {names}") for row in rows(FIRST_RELEASE) if row.id in named)
    assert named == {
        "NET-172-FREE",
        "NET-PORTS-CP",
        "NET-PORTS-INST",
        "NET-PORTS-OVN",
        "NET-PORTS-WK",
        "PKG-CONFLICT-DPKG",
        "PKG-CONFLICT-KYLIN",
        "PKG-CONFLICT-RPM",
        "PKG-CONFLICT-SNAP",
        "SEC-FIREWALL",
        "SW-BINARIES",
    }
