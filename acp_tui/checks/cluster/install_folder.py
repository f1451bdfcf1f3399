"""Check the free space of the install folder on the installer node."""

from pathlib import PurePath

from acp_tui.checks.cluster.missing_facts import missing_reason
from acp_tui.checks.finding import ClusterSubject, Finding, Findings
from acp_tui.checks.local_file_facts import PackageFile
from acp_tui.checks.release_traits import release_traits
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.core.units import GIGA, gigabytes
from acp_tui.nodes.fact_types import InstallFolder

_PATHS = ("package.install_dir",)


def space_for_package(subject: ClusterSubject) -> Findings:
    """BND-FREE-100G: enough space must be free on the installer node after the packages are unpacked.

    The size of each archive that is not unpacked yet counts as used. The facts come from the installer node, so the
    verdict does not depend on the host on which acp-tui runs.
    """
    node = subject.topology.installer_node
    if not node:
        return (_unknown(_("the plan has no control plane node yet")),)
    facts = subject.facts.get(node)
    if facts is None or facts.install_folder is None:
        return (Finding(Outcome.UNKNOWN, missing_reason(facts, "install_folder"), node=node, paths=_PATHS),)
    return (_judged(subject, facts.install_folder),)


def _judged(subject: ClusterSubject, folder: InstallFolder) -> Finding:
    planned, required = PurePath(subject.plan.package.install_dir), subject.check.number("gigabytes") * GIGA
    if planned.is_absolute() and planned != PurePath(folder.path):
        return _unknown(_("the free space has not been read since the plan changed"))
    free = folder.available
    if free < required:
        observed = _("{path} has {free:.1f} GB of free space").format(path=folder.path, free=gigabytes(free))
        return Finding(Outcome.FAIL, observed, paths=_PATHS)
    if not subject.plan.package.core:
        observed = _("{path} has {free:.1f} GB of free space, but the plan names no Core Package to unpack")
        return _unknown(observed.format(path=folder.path, free=gigabytes(free)))
    files = subject.local_files.packages
    if files is None:
        return _unknown(_("the size of the Core Package is unknown"))
    missing = [file for file in _needed(subject, files) if not _is_unpacked(folder, file)]
    if unreadable := [file.name for file in missing if file.size is None]:
        return _unknown(_("the size of the package {names} is unknown").format(names=", ".join(unreadable)))
    if not missing:
        observed = _("{path} has {free:.1f} GB of free space, and the packages are already unpacked")
        return Finding(Outcome.PASS, observed.format(path=folder.path, free=gigabytes(free)))
    size = sum(file.size or 0 for file in missing)
    observed = _("{path} has {free:.1f} GB of free space, and the packages to unpack have {size:.1f} GB").format(
        path=folder.path, free=gigabytes(free), size=gigabytes(size)
    )
    return Finding(Outcome.PASS if free - size >= required else Outcome.FAIL, observed, paths=_PATHS)


def _unknown(observed: str) -> Finding:
    return Finding(Outcome.UNKNOWN, observed, paths=_PATHS)


def _needed(subject: ClusterSubject, files: tuple[PackageFile, ...]) -> tuple[PackageFile, ...]:
    """Return the packages that are unpacked before the install."""
    early = release_traits(subject.plan.effective_release).extensions_before_install
    return tuple(file for file in files if file.kind == "core" or early)


def _is_unpacked(folder: InstallFolder, file: PackageFile) -> bool:
    """Return True if the install folder already contains the files of this package.

    Without a record of acp-tui, an installer in the folder counts as the Core Package: somebody unpacked it with tar.
    """
    if folder.unpacked is None:
        return folder.installer and file.kind == "core"
    return any(name == file.name and file.size in (None, size) for name, size in folder.unpacked)
