"""Releases: order, parsing, the list from the catalogue, and the release of a plan."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.core.assets import asset_path
from acp_tui.plan.file import schema
from acp_tui.plan.model import Plan
from acp_tui.plan.paths import InvalidValue, build
from acp_tui.plan.release import RELEASES, Release, listed_releases
from acp_tui.plan.sections.package import Package

NUMBERS = st.tuples(st.integers(0, 200), st.integers(0, 200))


@given(NUMBERS, NUMBERS)
def test_releases_sort_by_number(first_numbers: tuple[int, int], other_numbers: tuple[int, int]) -> None:
    first, second = (Release(f"{major}.{minor}") for major, minor in (first_numbers, other_numbers))
    assert (first < second, first <= second, first > second, first >= second, first == second) == (
        first_numbers < other_numbers,
        first_numbers <= other_numbers,
        first_numbers > other_numbers,
        first_numbers >= other_numbers,
        first_numbers == other_numbers,
    )


def test_release_compares_with_text_by_number() -> None:
    assert Release("4.10") > "4.3"
    assert sorted(map(Release, ("4.10", "4.3", "4.0"))) == ["4.0", "4.3", "4.10"]
    with pytest.raises(ValueError, match="'newest' is not a release"):
        assert Release("4.10") > "newest"


@pytest.mark.parametrize(("text", "release"), [("4.0", "4.0"), ("4.0.3", "4.0"), ("4.10.12", "4.10"), ("10.2", "10.2")])
def test_release_is_parsed_from_a_release_or_a_version(text: str, release: str) -> None:
    assert Release(text) == release


@pytest.mark.parametrize("text", ["", "4", "4.", "v4.0", "4.01", "4.0.03", "4.0.3.1", " 4.0", "4.0\n", "4.٣", "-4.0"])
def test_other_text_is_not_a_release(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a release. Use a number such as 4\.0 or 4\.0\.3"):
        Release(text)


def test_release_is_text_for_dictionaries_json_and_copies() -> None:
    release = Release("4.1")
    assert {"4.1": 1}[release] == 1
    assert json.dumps({"release": release}) == '{"release": "4.1"}'
    assert type(copy.deepcopy(release)) is Release


def test_releases_are_the_files_of_the_catalogue() -> None:
    files = {file.stem for file in (asset_path("catalog") / "releases").glob("*.yaml")}
    assert set(RELEASES) == files
    assert list(RELEASES) == sorted(files, key=lambda name: [int(number) for number in name.split(".")])


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ((), "the folder contains no release file"),
        (("4.0.yaml", "draft.yaml"), r"draft\.yaml: 'draft' is not a release"),
        (("4.0.yaml", "4.1.2.yaml"), r"4\.1\.2\.yaml: the name of this release file must be 4\.1\.yaml"),
    ],
)
def test_folder_with_invalid_file_names_is_rejected(files: tuple[str, ...], error: str, tmp_path: Path) -> None:
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=error):
        listed_releases(tmp_path)


def test_plan_accepts_the_listed_releases_and_lists_them_in_errors_and_schema() -> None:
    assert [build({"release": str(release)}).release for release in RELEASES] == list(RELEASES)
    with pytest.raises(InvalidValue) as rejected:
        build({"release": "3.9"})
    *first, last = (repr(str(release)) for release in RELEASES)
    assert [error.message for error in rejected.value.errors] == [
        f"the value must be one of {', '.join(first)} or {last}"
    ]
    document = json.dumps(schema())
    assert json.dumps({"enum": list(RELEASES), "type": "string"}) in document


@pytest.mark.parametrize(
    ("release", "core", "effective"),
    [
        (None, None, RELEASES[0]),
        (None, "/root/installer-core-v4.1.2-x86.tar", "4.1"),
        (None, "/v4.2.0/installer-core-v4.1.2-x86.tar", "4.1"),
        (None, "copy of installer-core-v4.1.2-x86_64.tar.part", "4.1"),
        (None, "/root-v4.2.0/core.tar", RELEASES[0]),
        (None, "installer-core-v4.01.2-x86.tar", RELEASES[0]),
        (None, "installer-core-v4.987.0-x86.tar", RELEASES[0]),
        ("4.2", "installer-core-v4.1.2-x86.tar", "4.2"),
    ],
)
def test_release_of_a_plan_is_its_own_or_that_of_its_core_package(
    release: str | None, core: str | None, effective: str
) -> None:
    assert Plan(release=release, package=Package(core=core)).effective_release == effective
