"""Check the software and files of one node: conflicting folders and packages, and their leftovers."""

from math import ceil

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.units import mebibytes


def folder_absent(s: NodeSubject) -> Finding:
    """FS-DIR-*: the folder is absent. An empty mount point only warns if the row allows it (OQ-CONTAINERD-MOUNT)."""
    folders = require_fact(s.facts.directories, "directories")
    paths = s.check.texts("paths")
    present = [path for path in paths if path in folders and folders[path].exists]
    if not present:
        missing = [path for path in paths if path not in folders]
        outcome = Outcome.UNKNOWN if missing else Outcome.PASS
        return Finding(outcome, _("not collected") if missing else pgettext("folder", "absent"))
    empty_mounts = all(folders[path].empty and folders[path].mount_point for path in present)
    outcome = Outcome.WARN if empty_mounts and s.check.texts("mount_allowed") else Outcome.FAIL
    return Finding(outcome, "; ".join(_described(s, path) for path in present), names=tuple(present))


def _described(s: NodeSubject, path: str) -> str:
    folder = require_fact(s.facts.directories, "directories")[path]
    notes = [pgettext("folder", "mount point")] if folder.mount_point else []
    if folder.empty:
        notes.append(pgettext("folder", "empty"))
    elif folder.size is not None:
        notes.append(_("{size} MiB").format(size=ceil(mebibytes(folder.size))))
    if folder.newest:
        notes.append(_("newest file {time}").format(time=folder.newest))
    return f"{path} ({', '.join(notes)})" if notes else path


def conflicting_packages(s: NodeSubject) -> Finding:
    """PKG-CONFLICT-*: a listed package, or one of the same family, fails; a name that only contains a listed one warns
    (OQ-PKG-SUBSTRING)."""
    fact = s.check.text("fact")
    installed: frozenset[str] = require_fact(getattr(s.facts, fact), fact)
    listed = set(s.check.texts("names"))
    families = s.check.texts("families")
    conflicts = sorted(name for name in installed if name in listed or any(_of_family(name, f) for f in families))
    if conflicts:
        return Finding(Outcome.FAIL, _("installed: {names}").format(names=", ".join(conflicts)), names=tuple(conflicts))
    similar = sorted(name for name in installed if any(part in name for part in listed))
    if similar:
        observed = _("possible conflict, similar to a listed name: {names}").format(names=", ".join(similar))
        return Finding(Outcome.WARN, observed, names=tuple(similar))
    return Finding(Outcome.PASS, _("no conflicting package installed"))


def _of_family(name: str, family: str) -> bool:
    return name == family or (family.endswith("*") and (name + "-").startswith(family.removesuffix("*") + "-"))


def no_leftover_binaries(s: NodeSubject) -> Finding:
    """PKG-LEFTOVER-BIN: no binaries of removed software; only a person can decide to delete them."""
    binaries = require_fact(s.facts.leftover_binaries, "leftover_binaries")
    left = tuple(path for path in binaries if path.rpartition("/")[2] not in s.check.texts("allowed"))
    return Finding(Outcome.WARN if left else Outcome.PASS, ", ".join(left) or _("no leftovers"), names=left)


def no_kubernetes_traces(s: NodeSubject) -> Finding:
    """CAP-FRESH-ENV: no trace of a running or former Kubernetes."""
    traces = require_fact(s.facts.kubernetes_traces, "kubernetes_traces")
    left = tuple(trace for trace in traces if trace.startswith("/"))
    return Finding(Outcome.FAIL if traces else Outcome.PASS, ", ".join(traces) or _("no traces"), names=left)
