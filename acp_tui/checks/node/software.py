"""Checks of software and files of one node: folders and packages that collide, and what they leave behind."""

from collections.abc import Callable, Mapping
from math import ceil

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.core.units import mebibytes


def folder_gone(s: NodeSubject) -> Finding:
    """FS-DIR-*: not there. An empty mount point is worth a look where the row allows it (OQ-CONTAINERD-MOUNT)."""
    seen = require_fact(s.facts.directories, "directories")
    paths = s.given.texts("paths")
    there = [path for path in paths if path in seen and seen[path].exists]
    if not there:
        missing = [path for path in paths if path not in seen]
        outcome = Outcome.UNKNOWN if missing else Outcome.PASS
        return Finding(outcome, _("not looked at") if missing else _("not there"))
    empty_mounts = all(seen[path].empty and seen[path].mount_point for path in there)
    outcome = Outcome.WARN if empty_mounts and s.given.texts("mount_allowed") else Outcome.FAIL
    return Finding(outcome, "; ".join(_described(s, path) for path in there), names=tuple(there))


def _described(s: NodeSubject, path: str) -> str:
    folder = require_fact(s.facts.directories, "directories")[path]
    notes = [_("mount point")] if folder.mount_point else []
    if folder.empty:
        notes.append(_("empty"))
    elif folder.size is not None:
        notes.append(_("{size} MiB").format(size=ceil(mebibytes(folder.size))))
    if folder.newest:
        notes.append(_("newest {time}").format(time=folder.newest))
    return f"{path} ({', '.join(notes)})" if notes else path


def conflicting_packages(s: NodeSubject) -> Finding:
    """PKG-CONFLICT-*: a listed name, or the same software by another, fails; a name that only contains one warns
    (OQ-PKG-SUBSTRING)."""
    fact = s.given.text("fact")
    installed: frozenset[str] = require_fact(getattr(s.facts, fact), fact)
    listed = set(s.given.texts("names"))
    families = s.given.texts("families")
    bad = sorted(name for name in installed if name in listed or any(_of_family(name, f) for f in families))
    if bad:
        return Finding(Outcome.FAIL, _("installed: {names}").format(names=", ".join(bad)), names=tuple(bad))
    alike = sorted(name for name in installed if any(word in name for word in listed))
    if alike:
        observed = _("possible conflict, the name contains a listed one: {names}").format(names=", ".join(alike))
        return Finding(Outcome.WARN, observed, names=tuple(alike))
    return Finding(Outcome.PASS, _("none installed"))


def _of_family(name: str, family: str) -> bool:
    return name == family or (family.endswith("*") and (name + "-").startswith(family.removesuffix("*") + "-"))


def nothing_left(s: NodeSubject) -> Finding:
    """PKG-LEFTOVER-BIN: binaries of removed software, which nobody but a person can clear."""
    seen = require_fact(s.facts.leftover_binaries, "leftover_binaries")
    left = tuple(path for path in seen if path.rpartition("/")[2] not in s.given.texts("allowed"))
    return Finding(Outcome.WARN if left else Outcome.PASS, ", ".join(left) or _("none"), names=left)


def fresh(s: NodeSubject) -> Finding:
    """CAP-FRESH-ENV: no sign of a Kubernetes that runs, or once ran, here."""
    traces = require_fact(s.facts.kubernetes_traces, "kubernetes_traces")
    left = tuple(trace for trace in traces if trace.startswith("/"))
    return Finding(Outcome.FAIL if traces else Outcome.PASS, ", ".join(traces) or _("none"), names=left)


SOFTWARE_CHECKS: Mapping[str, Callable[[NodeSubject], Finding]] = {
    "conflicting_packages": conflicting_packages,
    "folder_gone": folder_gone,
    "fresh": fresh,
    "nothing_left": nothing_left,
}
