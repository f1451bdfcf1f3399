"""Length limits of the texts of parameters.yaml and the release overlays: titles and findings fit their columns."""

import pytest
import yaml
from rich.cells import cell_len

from acp_tui.catalog import Requirement, catalogue
from acp_tui.plan import RELEASES
from acp_tui.resources import asset_path

TITLE_COLUMNS, FINDING_COLUMNS = 60, 36
_NAMES = ": {names}"
_CATALOG = asset_path("catalog")


def _parameter_rows() -> list[str]:
    return [row["id"] for row in yaml.safe_load((_CATALOG / "parameters.yaml").read_text(encoding="utf-8"))]


def _overlay_rows(release: str) -> list[str]:
    """Rows whose title or finding the overlay of `release` sets."""
    changes = yaml.safe_load((_CATALOG / "releases" / f"{release}.yaml").read_text(encoding="utf-8"))
    return [name for name, change in changes.items() if change.keys() & {"title", "finding"}]


ROWS = [
    *((release, name) for release in RELEASES for name in _parameter_rows()),
    *((release, name) for release in RELEASES[1:] for name in _overlay_rows(release)),
]


def _row(release: str, name: str) -> Requirement:
    return catalogue(release)[name]


@pytest.mark.parametrize(("release", "name"), ROWS)
def test_title_fits_its_columns(release: str, name: str) -> None:
    title = _row(release, name).title
    assert cell_len(title) <= TITLE_COLUMNS
    assert not title.endswith(".")


@pytest.mark.parametrize(("release", "name"), ROWS)
def test_reportable_row_has_a_finding_that_fits_its_columns(release: str, name: str) -> None:
    row = _row(release, name)
    if row.check.kind in ("stated", "step"):
        return
    assert row.finding
    assert cell_len(row.finding.removesuffix(_NAMES)) <= FINDING_COLUMNS
    assert not row.finding.endswith(".")
    assert "{" not in row.finding.removesuffix(_NAMES)


@pytest.mark.parametrize(("release", "name"), ROWS)
def test_finding_differs_from_the_title(release: str, name: str) -> None:
    row = _row(release, name)
    assert row.finding != row.title
