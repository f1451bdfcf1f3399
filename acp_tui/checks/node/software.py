"""Check one node for conflicting folders and packages, and for files that removed software left behind."""

from math import ceil

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.units import mebibytes


def folder_absent(subject: NodeSubject) -> Finding:
    """FS-DIR-*: the folder must be absent.

    If the requirement has the key `mount_allowed`, an empty mount point gives only a warning (OQ-CONTAINERD-MOUNT).
    """
    folders = require_fact(subject.facts.directories, "directories")
    paths = subject.check.texts("paths")
    present = [path for path in paths if path in folders and folders[path].exists]
    if not present:
        missing = [path for path in paths if path not in folders]
        outcome = Outcome.UNKNOWN if missing else Outcome.PASS
        return Finding(
            outcome,
            pgettext("observed value", "the state of the folder was not collected")
            if missing
            else pgettext("folder", "absent"),
        )
    empty_mounts = all(folders[path].empty and folders[path].mount_point for path in present)
    outcome = Outcome.WARN if empty_mounts and subject.check.texts("mount_allowed") else Outcome.FAIL
    return Finding(outcome, "; ".join(_described(subject, path) for path in present), names=tuple(present))


def _described(subject: NodeSubject, path: str) -> str:
    folder = require_fact(subject.facts.directories, "directories")[path]
    notes = [pgettext("folder", "mount point")] if folder.mount_point else []
    if folder.empty:
        notes.append(pgettext("folder", "empty"))
    elif folder.size is not None:
        notes.append(pgettext("unit", "{size} MiB").format(size=ceil(mebibytes(folder.size))))
    if folder.newest:
        notes.append(pgettext("observed value", "the newest file is from {time}").format(time=folder.newest))
    return f"{path} ({', '.join(notes)})" if notes else path


def conflicting_packages(subject: NodeSubject) -> Finding:
    """PKG-CONFLICT-*: no package that the requirement lists by name or by family may be installed.

    Another package whose name contains a listed name gives only a warning (OQ-PKG-SUBSTRING).
    """
    fact = subject.check.text("fact")
    installed: frozenset[str] = require_fact(getattr(subject.facts, fact), fact)
    listed = set(subject.check.texts("names"))
    families = subject.check.texts("families")
    conflicts = sorted(name for name in installed if name in listed or any(_of_family(name, f) for f in families))
    if conflicts:
        return Finding(
            Outcome.FAIL,
            pgettext("observed value", "conflicting packages are installed: {names}").format(
                names=", ".join(conflicts)
            ),
            names=tuple(conflicts),
        )
    similar = sorted(name for name in installed if any(part in name for part in listed))
    if similar:
        observed = _(
            "these packages possibly conflict, because their names contain the name of a conflicting package: {names}"
        ).format(names=", ".join(similar))
        return Finding(Outcome.WARN, observed, names=tuple(similar))
    return Finding(Outcome.PASS, _("no conflicting package is installed"))


def _of_family(name: str, family: str) -> bool:
    return name == family or (family.endswith("*") and (name + "-").startswith(family.removesuffix("*") + "-"))


def no_leftover_binaries(subject: NodeSubject) -> Finding:
    """PKG-LEFTOVER-BIN: no binaries of removed software may remain.

    A remaining binary gives only a warning, because a person must decide whether to delete it.
    """
    binaries = require_fact(subject.facts.leftover_binaries, "leftover_binaries")
    leftovers = tuple(path for path in binaries if path.rpartition("/")[2] not in subject.check.texts("allowed"))
    return Finding(
        Outcome.WARN if leftovers else Outcome.PASS,
        ", ".join(leftovers) or pgettext("observed value", "no files of removed software remain"),
        names=leftovers,
    )


def no_kubernetes_traces(subject: NodeSubject) -> Finding:
    """CAP-FRESH-ENV: the node must have no traces of a running or removed Kubernetes."""
    traces = require_fact(subject.facts.kubernetes_traces, "kubernetes_traces")
    paths = tuple(trace for trace in traces if trace.startswith("/"))
    return Finding(
        Outcome.FAIL if traces else Outcome.PASS,
        ", ".join(traces) or pgettext("observed value", "the node has no traces of Kubernetes"),
        names=paths,
    )
