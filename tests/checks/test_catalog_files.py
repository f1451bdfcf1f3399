"""Errors in catalogue files: they name the file, the row and the key."""

from pathlib import Path

import pytest
import yaml

from acp_tui.checks.catalog import Informational, load_catalogue
from acp_tui.checks.catalog_files import CatalogueError
from acp_tui.core.assets import asset_path
from acp_tui.plan.release import RELEASES, Release

ROW = {"id": "KRN-THP", "severity": "must", "scope": "node", "title": "t", "check": {"kind": "manual"}}
OTHER = {**ROW, "id": "SYS-SWAP"}


def write(folder: Path, name: str, content: object) -> None:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A valid catalogue with one row and two releases."""
    write(tmp_path, "kernel.yaml", [ROW])
    write(tmp_path, "releases/4.0.yaml", "")
    write(tmp_path, "releases/4.1.yaml", {"KRN-THP": {"severity": "info"}})
    return tmp_path


def test_release_changes_only_the_keys_in_its_file(folder: Path) -> None:
    write(folder, "releases/4.10.yaml", {"KRN-THP": {"check": {"kind": "stated"}}, "traits": {}})
    first, second, third = (load_catalogue(folder, Release(name))["KRN-THP"] for name in ("4.0", "4.1", "4.10"))
    assert (first.severity, second.severity, third.severity) == ("must", "info", "info")
    assert first.check == second.check
    assert isinstance(third.check, Informational)


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({**OTHER, "expected": 5}, "SYS-SWAP: expected: Input should be a valid string"),
        ({**OTHER, "unheard-of": 1}, "SYS-SWAP: unheard-of: Extra inputs are not permitted"),
        ({**OTHER, "check": {"kind": "guess"}}, "SYS-SWAP: check: Input tag 'guess' found"),
        ({**OTHER, "check": {"kind": "function"}}, "SYS-SWAP: check.function.name: Field required"),
        ({**OTHER, "roles": ["all", "boss"]}, r"SYS-SWAP: roles.1: Input should be"),
        ({"id": "SYS-SWAP", "title": "t"}, "SYS-SWAP: severity: Field required\n.*SYS-SWAP: scope: Field required"),
        ({"title": "t"}, "row 1: id: missing"),
        ("SYS-SWAP", "row 1: expected a mapping"),
        (ROW, "KRN-THP: duplicate ID; assets/catalog/kernel.yaml has it, too"),
    ],
)
def test_invalid_row_is_named_with_its_file(row: object, error: str, folder: Path) -> None:
    write(folder, "os.yaml", [row])
    with pytest.raises(CatalogueError, match=f"^assets/catalog/os.yaml: {error}"):
        load_catalogue(folder, Release("4.0"))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"KRN-THP": {"expected": 5}}, r"releases/4\.2\.yaml: KRN-THP: expected: Input should be a valid string"),
        ({"KRN-THP": {"colour": "red"}}, r"releases/4\.2\.yaml: KRN-THP: colour: Extra inputs are not permitted"),
        ({"KRN-THP": {"check": {"kind": "at_least"}}}, r"releases/4\.2\.yaml: KRN-THP: check\.at_least\.fact: Field"),
        ({"KRN-THP": {"id": "KRN-NEW"}}, r"releases/4\.2\.yaml: KRN-THP: id: a release cannot change an ID"),
        ({"KRN-THP": "info"}, r"releases/4\.2\.yaml: KRN-THP: expected a mapping"),
        ({"KRN-NEW": {"severity": "info"}}, r"releases/4\.2\.yaml: KRN-NEW: unknown ID"),
        ([ROW], r"releases/4\.2\.yaml: expected a mapping"),
        ("KRN-THP: {why: a}\nKRN-THP: {why: b}\n", r"releases/4\.2\.yaml: line 2: duplicate key KRN-THP"),
        ("KRN-THP: {why: a, why: b}\n", r"releases/4\.2\.yaml: line 1: duplicate key why"),
        ("KRN-THP: {why\n", r"releases/4\.2\.yaml: .*line 2"),
    ],
)
def test_invalid_change_is_named_with_the_file_of_its_release(changes: object, error: str, folder: Path) -> None:
    write(folder, "releases/4.2.yaml", changes)
    load_catalogue(folder, Release("4.1"))
    for release in ("4.2", "4.10"):
        with pytest.raises(CatalogueError, match=f"(?s)^assets/catalog/{error}"):
            load_catalogue(folder, Release(release))


def test_invalid_key_is_named_with_the_file_of_its_row(folder: Path) -> None:
    write(folder, "kernel.yaml", [{**ROW, "why": 1}])
    with pytest.raises(CatalogueError, match=r"^assets/catalog/kernel\.yaml: KRN-THP: why: Input should be"):
        load_catalogue(folder, Release("4.1"))


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"KRN-THP": {}}, "expected a list of requirements"),
        ("- {id: KRN-CT4, why: a, why: b}\n", "line 1: duplicate key why"),
        ("- {id: [\n", ".*line 2"),
    ],
)
def test_invalid_file_is_named(content: object, error: str, folder: Path) -> None:
    write(folder, "os.yaml", content)
    with pytest.raises(CatalogueError, match=f"(?s)^assets/catalog/os.yaml: {error}"):
        load_catalogue(folder, Release("4.0"))


@pytest.mark.parametrize("release", RELEASES)
def test_catalogue_of_every_release_is_valid(release: Release) -> None:
    assert load_catalogue(asset_path("catalog"), release)
