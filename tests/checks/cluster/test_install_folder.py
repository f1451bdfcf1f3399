"""BND-FREE-100G: the free space of the install folder on the installer node."""

from dataclasses import replace

import pytest

from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.local_file_facts import NO_LOCAL_FILES, LocalFiles, PackageFile
from acp_tui.checks.topology import topology_of
from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.fact_types import InstallFolder
from acp_tui.nodes.state import NodeState
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import FAIL, FIRST, PASS, TODAY, UNKNOWN, cluster, verdicts

RULE, FOLDER = "BND-FREE-100G", "/root/cpaas-install"
GB = 10**9
CORE, EXTENSIONS = "installer-core-v4.0.3-x86.tar", "installer-extensions-v4.0.3-x86.tar"
FILES = LocalFiles(packages=(PackageFile("core", CORE, 20 * GB),))
BOTH = LocalFiles(packages=(*(FILES.packages or ()), PackageFile("extensions", EXTENSIONS, 30 * GB)))
MISSING = LocalFiles(packages=(PackageFile("core", CORE, None),))
BY_ACP_TUI = frozenset({(CORE, 20 * GB)})


def outcome(folder: InstallFolder | None, files: LocalFiles = FILES, release: str = "4.0") -> Outcome:
    plan = valid_plan(release=release, package={"core": f"/media/{CORE}"})
    facts = cluster(plan)
    facts[FIRST] = replace(facts[FIRST], install_folder=folder, missing={"install_folder": "timed out"})
    [verdict] = verdicts(plan, facts, files, frozenset({RULE}))
    assert verdict.node == (None if folder else FIRST)
    assert verdict.observed
    return verdict.outcome


@pytest.mark.parametrize(
    ("folder", "files", "release", "expected"),
    [
        (InstallFolder(FOLDER, 120 * GB), FILES, "4.0", PASS),
        (InstallFolder(FOLDER, 120 * GB - 1), FILES, "4.0", FAIL),
        (InstallFolder(FOLDER, 100 * GB - 1), FILES, "4.0", FAIL),
        # unpacked by acp-tui: nothing more to unpack
        (InstallFolder(FOLDER, 100 * GB, True, BY_ACP_TUI), FILES, "4.0", PASS),
        (InstallFolder(FOLDER, 100 * GB - 1, True, BY_ACP_TUI), FILES, "4.0", FAIL),
        # unpacked by acp-tui, but a different package
        (InstallFolder(FOLDER, 110 * GB, True, frozenset({(CORE, 19 * GB)})), FILES, "4.0", FAIL),
        (InstallFolder(FOLDER, 110 * GB, True, frozenset({("old.tar", 20 * GB)})), FILES, "4.0", FAIL),
        (InstallFolder(FOLDER, 110 * GB, True, frozenset()), FILES, "4.0", FAIL),
        # unpacked with tar
        (InstallFolder(FOLDER, 100 * GB, True), FILES, "4.0", PASS),
        # extensions are unpacked before the install only in 4.0
        (InstallFolder(FOLDER, 149 * GB), BOTH, "4.0", FAIL),
        (InstallFolder(FOLDER, 150 * GB), BOTH, "4.0", PASS),
        (InstallFolder(FOLDER, 120 * GB), BOTH, "4.1", PASS),
        (InstallFolder(FOLDER, 129 * GB, True, BY_ACP_TUI), BOTH, "4.0", FAIL),
        # nothing is known about the package
        (InstallFolder(FOLDER, 900 * GB), MISSING, "4.0", UNKNOWN),
        (InstallFolder(FOLDER, 900 * GB), NO_LOCAL_FILES, "4.0", UNKNOWN),
        (InstallFolder(FOLDER, 99 * GB), NO_LOCAL_FILES, "4.0", FAIL),
        (InstallFolder(FOLDER, 100 * GB, True, BY_ACP_TUI), MISSING, "4.0", PASS),
        # nothing is known about the folder
        (None, FILES, "4.0", UNKNOWN),
        (InstallFolder("/elsewhere", 900 * GB), FILES, "4.0", UNKNOWN),
    ],
)
def test_space_is_that_of_the_installer_node(
    folder: InstallFolder | None, files: LocalFiles, release: str, expected: Outcome
) -> None:
    assert outcome(folder, files, release) is expected


def test_no_package_is_never_enough_space() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    states = dict.fromkeys(facts, NodeState.CHECKED)
    only = frozenset({RULE, "BND-NODE-ARCH"})
    found = evaluate(plan, facts, states, topology=topology_of(plan), today=TODAY, local_files=BOTH, only=only)
    assert {(v.requirement, v.outcome, v.blocks) for v in found} == {
        (RULE, UNKNOWN, True),
        ("BND-NODE-ARCH", UNKNOWN, True),
    }
    assert all(v.remedy for v in found)
