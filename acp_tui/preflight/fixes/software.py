"""Fixes for software: conflicting files, folders and packages (FS-*, PKG-*), and missing packages (SW-*).

Removed packages and folders cannot be restored. Such steps run only if they are named, and list first what they remove.
"""

from collections.abc import Mapping

from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.preflight.fixes.leftovers import LEFTOVER_RECIPES, SHOW_FOLDERS
from acp_tui.preflight.fixes.step import FixContext, FixStep, Recipe, trusted, unexpected_names

_PACKAGE = r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,127}"


def _folders(*processes: str) -> Recipe:
    """FS-DIR-*: remove folders. If one of `processes` runs and uses them, do not remove them."""

    def recipe(case: FixContext) -> FixStep | str:
        paths = trusted(case.verdict.names, r"(/[a-z]+){2,4}/?")
        if paths is None:
            return unexpected_names(case.verdict.names)
        running = [name for name in processes if name in (case.facts.cluster_processes or ())]
        if running:
            return _("the folder is in use by {names}. First find out to which software these processes belong").format(
                names=", ".join(running)
            )
        return FixStep(
            case.verdict.requirement,
            case.title,
            f"not_running {' '.join(processes)}\nremove_folders {paths}",
            destructive=True,
            applied_by_default=False,
            preview=SHOW_FOLDERS.format(paths=paths),
            note=_("Deleted files cannot be restored. Back up the files that you need."),
        )

    return recipe


def _packages(remove: str, preview: str) -> Recipe:
    """PKG-CONFLICT-*: remove packages with the command `remove`.

    The command `preview` first lists the packages, with all packages that depend on them.
    """

    def recipe(case: FixContext) -> FixStep | str:
        if case.verdict.outcome is not Outcome.FAIL:
            return _(
                "the names of the observed packages are similar to the names of conflicting packages, but not equal. "
                "Decide yourself whether the observed packages conflict"
            )
        names = trusted(case.verdict.names, _PACKAGE)
        if names is None:
            return unexpected_names(case.verdict.names)
        return FixStep(
            case.verdict.requirement,
            case.title,
            f"{remove} {names}",
            destructive=True,
            applied_by_default=False,
            preview=preview.format(names=names) + "\ntrue",
            note=_(
                "The removal stops the software in these packages. Before the fix, move the applications that need "
                "this software to other machines, and back up the data of this software."
            ),
        )

    return recipe


def _from_a_repository(case: FixContext) -> str:
    return _(
        "acp-tui contains no system packages. Install the package from your repository, or add it to the system image"
    )


_YUM = _packages(
    "yum remove -y", "yum remove --assumeno {names} 2>&1 | sed -n '/^ *Removing/,/^ *Transaction Summary/p'"
)

SOFTWARE_RECIPES: Mapping[str, Recipe] = {
    "SW-BINARIES": _from_a_repository,
    "SW-SCP-SFTP": _from_a_repository,
    "SW-LVM2": _from_a_repository,
    "FS-DIR-DOCKER": _folders("dockerd"),
    "FS-DIR-CONTAINERD": _folders("containerd"),
    "FS-DIR-PODLOGS": _folders("kubelet"),
    "FS-DIR-KUBELETPKI": _folders("kubelet"),
    "FS-DIR-NERDCTL": _folders("containerd"),
    "PKG-CONFLICT-RPM": _YUM,
    "PKG-CONFLICT-KYLIN": _YUM,
    "PKG-CONFLICT-DPKG": _packages(
        "DEBIAN_FRONTEND=noninteractive apt-get purge -y", "apt-get -s purge {names} 2>&1 | grep -E '^(Purg|Remv) '"
    ),
    "PKG-CONFLICT-SNAP": _packages("snap remove --purge", "snap list {names}"),
    **LEFTOVER_RECIPES,
}
