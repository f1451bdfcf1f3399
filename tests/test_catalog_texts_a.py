"""Titles and findings of the catalogue fit a row of the list: files whose texts are finished."""

import unicodedata

import pytest
import yaml

from acp_tui.checks.catalog import Requirement
from acp_tui.core.assets import asset_path

FINISHED = ("bundles", "capacity", "cross-node", "hardware", "install", "kernel", "os")
_TITLE = 60  # characters
_FINDING = 36  # columns
_NEVER_REPORTED = ("stated", "step")
_NAMED = ("present", "absent", "function")
"""Kinds of check that can fill `{names}`."""


def _rows(file: str) -> list[Requirement]:
    text = asset_path("catalog").joinpath(f"{file}.yaml").read_text(encoding="utf-8")
    return [Requirement.model_validate(row) for row in yaml.safe_load(text)]


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


@pytest.mark.parametrize("file", FINISHED)
def test_titles_are_short_demands_without_full_stop(file: str) -> None:
    wrong = [row.id for row in _rows(file) if len(row.title) > _TITLE or row.title.endswith(".")]
    assert wrong == []


@pytest.mark.parametrize("file", FINISHED)
def test_rows_that_can_be_reported_have_a_short_finding(file: str) -> None:
    for row in _rows(file):
        if row.check.kind not in _NEVER_REPORTED:
            assert row.finding, row.id
        assert _columns(row.finding.replace("{names}", "")) <= _FINDING, row.id
        assert not row.finding.endswith("."), row.id
        assert row.finding != row.title, row.id


@pytest.mark.parametrize("file", FINISHED)
def test_only_the_end_of_a_finding_names_things(file: str) -> None:
    for row in _rows(file):
        if "{" in row.finding:
            assert row.finding.endswith(": {names}"), row.id
            assert row.finding.count("{") == 1, row.id
            assert row.check.kind in _NAMED, row.id
