"""Fixes for software: conflicting files, folders and packages (FS-*, PKG-*), and missing packages (SW-*).

Removed packages and folders cannot be restored. Such steps run only if they are named, and list first what they remove.
"""

from collections.abc import Mapping
from shlex import quote

from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.preflight.fixes.step import FixContext, FixStep, Recipe, trusted, unexpected_names

_KUBELET = "/etc/systemd/system/kubelet.service"
_PACKAGE = r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,127}"
_SHOW_FOLDERS = """\
for path in {paths}; do
  [ -e "$path" ] || [ -L "$path" ] || continue
  timeout 20 du -sxh "$path"
  newest=$(timeout 20 find "$path" -xdev -type f -printf '%TY-%Tm-%Td %TH:%TM  %p\\n' | sort -r | head -n 1)
  echo "newest file: ${{newest:-none}}"
done
true"""
_BINARY = r"/usr/local/s?bin/[A-Za-z0-9][A-Za-z0-9.+_-]{0,127}|/opt/cni/bin"


def kubelet_unit(case: FixContext) -> FixStep | str:
    """FS-KUBELET-UNIT: remove the unit file. If a kubelet runs, do not remove it, because the node is in a cluster."""
    if "kubelet" in (case.facts.kubernetes_traces or ()):
        return _("a kubelet is running on this node. Find out which cluster the node belongs to (CAP-FRESH-ENV)")
    return FixStep(
        case.verdict.requirement,
        case.title,
        f"systemctl disable kubelet || true\nrm -f {_KUBELET}\nsystemctl daemon-reload",
        undo="systemctl daemon-reload",
        files=(_KUBELET, "/etc/systemd/system/multi-user.target.wants/kubelet.service"),
    )


def _folders(*processes: str) -> Recipe:
    """FS-DIR-*: remove folders. If one of `processes` runs and uses them, do not remove them."""

    def recipe(case: FixContext) -> FixStep | str:
        paths = trusted(case.verdict.names, r"(/[a-z]+){2,4}/?")
        if paths is None:
            return unexpected_names(case.verdict.names)
        running = [name for name in processes if name in (case.facts.kubernetes_traces or ())]
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
            preview=_SHOW_FOLDERS.format(paths=paths),
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


def leftovers(case: FixContext) -> FixStep | str:
    """PKG-LEFTOVER-BIN: move the files into the backup folder of this fix. The undo script restores them."""
    paths = case.verdict.names
    if trusted(paths, _BINARY) is None:
        return unexpected_names(paths)
    moved = [(quote(path), f'"$folder"/moved{quote(path)}') for path in paths]
    return FixStep(
        case.verdict.requirement,
        case.title,
        "\n".join(f"move_away {path}" for path, _place in moved),
        undo="\n".join(f"mv -n -T {place} {path}" for path, place in moved),
        applied_by_default=False,
        note=_("Check first which software each of these files belongs to."),
    )


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
    "FS-KUBELET-UNIT": kubelet_unit,
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
    "PKG-LEFTOVER-BIN": leftovers,
}
