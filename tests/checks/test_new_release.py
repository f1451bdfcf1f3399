"""A new release needs one file: a copy of the assets with `4.10.yaml` and the unchanged program."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import JsonValue

from acp_tui.core.assets import asset_path
from acp_tui.plan.file import schema
from acp_tui.plan.release import RELEASES

NEW = "4.10"
CHANGE = """
traits:
  container_tool: docker
XR-VERSIONS:
  remedy: Choose 1.40.
  check: {kind: function, name: versions_offered, params: {minors: ["1.40"]}}
"""
TRAITS = "from acp_tui.checks.release_traits import release_traits as of; print(of('4.10').container_tool)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The current folder comes first in the module path, so that its `assets` are used."""
    folder = tmp_path_factory.mktemp("new-release")
    shutil.copytree(asset_path("."), folder / "assets", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "assets" / "catalog" / "releases" / f"{NEW}.yaml").write_text(CHANGE, encoding="utf-8")
    return folder


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, text=True, capture_output=True, check=False)
    assert "Traceback" not in done.stderr
    return done.stdout


def acp_tui(folder: Path, *arguments: str) -> str:
    return run(folder, "-m", "acp_tui", *arguments)


def outcome(folder: Path, release: str, version: str) -> str:
    """The verdict of XR-VERSIONS on a plan."""
    (folder / "plan.yaml").write_text(f"release: {release}\nkubernetes: {{version: {version}}}\n", encoding="utf-8")
    report = json.loads(acp_tui(folder, "validate", "plan.yaml", "--json"))
    assert report["release"] == release
    assert report["problems"] == []
    [verdict] = [verdict for verdict in report["verdicts"] if verdict["requirement"] == "XR-VERSIONS"]
    return str(verdict["verdict"])


def test_it_is_the_newest_release_of_the_command_and_the_schema(folder: Path) -> None:
    assert f"{{{','.join(RELEASES)},{NEW}}}" in acp_tui(folder, "explain", "--help")
    document: JsonValue = json.loads(acp_tui(folder, "schema"))
    listed = json.dumps([*RELEASES])
    assert json.dumps(document) == json.dumps(schema()).replace(listed, json.dumps([*RELEASES, NEW]))


def test_it_is_explained(folder: Path) -> None:
    assert "Choose 1.40." in acp_tui(folder, "explain", "--release", NEW, "XR-VERSIONS")
    assert "Choose 1.40." not in acp_tui(folder, "explain", "--release", RELEASES[-1], "XR-VERSIONS").partition(NEW)[0]
    assert f"Release {NEW}" in acp_tui(folder, "explain", "XR-VERSIONS")


def test_its_changed_requirement_changes_the_verdict(folder: Path) -> None:
    assert (outcome(folder, NEW, "1.40.2"), outcome(folder, NEW, "1.34.5")) == ("pass", "warn")
    assert (outcome(folder, "4.3", "1.40.2"), outcome(folder, "4.3", "1.34.5")) == ("warn", "pass")


def test_its_package_selects_it(folder: Path) -> None:
    (folder / "plan.yaml").write_text(f"package: {{core: installer-core-v{NEW}.2-x86.tar}}\n", encoding="utf-8")
    assert json.loads(acp_tui(folder, "validate", "plan.yaml", "--json"))["release"] == NEW


def test_its_trait_applies(folder: Path) -> None:
    assert run(folder, "-c", TRAITS) == "docker\n"
