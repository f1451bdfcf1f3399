"""The collector of the install folder, run by bash on folders of a test."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.collectors.install_folder import install_folder_collector
from acp_tui.nodes.fact_types import InstallFolder
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import CollectorOutput, Reader, build
from acp_tui.plan.package_name import STAMP

MARKER = "0123456789abcdef"
ROW = "df /dev/mapper/vg-root 1000 100 900 10% /"


def collect(folder: Path, df: str = "") -> Facts:
    """Return the facts of the folder. `df`: a script in place of the program of the system."""
    collector, programs = install_folder_collector(str(folder)), folder / "programs"
    before = ""
    if df:
        programs.mkdir()
        (programs / "df").write_text(f"#!/bin/bash\n{df}\n")
        (programs / "df").chmod(0o755)
        before = f"PATH={programs}:$PATH\n"
    program = before + build([collector], MARKER)
    done = subprocess.run(["bash", "-s"], input=program.encode(), capture_output=True, timeout=60, check=True)
    return facts_from("x", Reader(MARKER).feed(done.stdout), None, (collector,))


def parse(text: str, status: int = 0) -> Facts:
    collector = install_folder_collector("/opt/install")
    return facts_from("x", [CollectorOutput("install_folder", status, text)], None, (collector,))


def found(facts: Facts) -> InstallFolder:
    assert facts.install_folder is not None, facts.missing
    return facts.install_folder


def put_installer(folder: Path) -> None:
    (folder / "installer").mkdir(parents=True)
    (folder / "installer" / "setup.sh").touch()


@pytest.mark.parametrize("name", ["", "missing", "missing/in/depth", "with blank/and 'quote", "-n"])
def test_missing_folder_has_the_space_of_its_parent(tmp_path: Path, name: str) -> None:
    folder = found(collect(tmp_path / name))
    free = os.statvfs(tmp_path)
    assert folder.path == str(tmp_path / name)
    assert abs(folder.available - free.f_bavail * free.f_frsize) < 10**9
    assert (folder.installer, folder.unpacked) == (False, None)


def test_link_to_another_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc")
    assert "install_folder" in collect(tmp_path / "link" / "missing").missing  # /proc has no space at all


def test_packages_unpacked_with_tar_have_no_stamp(tmp_path: Path) -> None:
    put_installer(tmp_path)
    assert (found(collect(tmp_path)).installer, found(collect(tmp_path)).unpacked) == (True, None)


def test_stamp_names_the_packages_that_are_completely_unpacked(tmp_path: Path) -> None:
    put_installer(tmp_path)
    entry = {"file": {"name": "core.tar", "size": 20, "mtime_ns": 1, "inode": 1, "device": 1}, "files": "ab"}
    stamp = {"core": entry, "extensions": {**entry, "file": {"name": "", "size": 0}, "files": ""}}
    (tmp_path / STAMP).write_text(json.dumps(stamp))
    assert found(collect(tmp_path)).unpacked == frozenset({("core.tar", 20)})


@pytest.mark.parametrize(
    "stamp", ["", "[]", "{", "null", '{"core": 1}', '{"core": {"file": {"size": "x"}}}', "[" * 9999]
)
def test_damaged_stamp_names_no_package(tmp_path: Path, stamp: str) -> None:
    put_installer(tmp_path)
    (tmp_path / STAMP).write_text(stamp)
    assert found(collect(tmp_path)).unpacked == frozenset()


def test_file_in_place_of_the_folder_is_no_space(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "not a folder" in collect(tmp_path / "file").missing["install_folder"]


@pytest.mark.parametrize("df", ["exit 1", "echo 'df: invalid option' >&2", "echo Filesystem", "sleep 30"])
def test_space_is_read_without_a_usable_df(tmp_path: Path, df: str) -> None:
    free = os.statvfs(tmp_path)
    assert abs(found(collect(tmp_path, df)).available - free.f_bavail * free.f_frsize) < 10**9


@pytest.mark.parametrize(
    ("text", "status"),
    [("", 0), ("installer\n", 0), ("df\n", 0), ("df - 0 0 0 - /\n", 0), ("df: /opt: No such file\n", 0), (ROW, 124)],
)
def test_output_without_free_space_is_missing_with_a_reason(text: str, status: int) -> None:
    facts = parse(text, status)
    assert facts.install_folder is None
    assert facts.missing["install_folder"]


def test_row_of_df_is_parsed() -> None:
    assert parse(f"installer\n{ROW}\n").install_folder == InstallFolder("/opt/install", 900, True, None)


@given(st.text(max_size=300))
def test_any_output_is_parsed_or_missing(text: str) -> None:
    for output in (text, f"df {text}", f"stamp {text}\n{ROW}"):
        facts = parse(output)
        assert (facts.install_folder is None) == ("install_folder" in facts.missing)
