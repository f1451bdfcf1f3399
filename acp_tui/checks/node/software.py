"""Check one node for conflicting folders and packages."""

import re
from fnmatch import fnmatchcase
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
    """PKG-CONFLICT-*: no package that the requirement lists may be installed.

    `names`: the packages that the manual lists. `same`: shell patterns for other names of the same software. `similar`:
    shell patterns for parts of it, which give only a warning. A name that contains a listed name as a word also gives a
    warning (OQ-PKG-SUBSTRING).
    """
    fact = subject.check.text("fact")
    installed: frozenset[str] = require_fact(getattr(subject.facts, fact), fact)
    listed = subject.check.texts("names")
    conflicts = sorted(name for name in installed if _is_one_of(name, (*listed, *subject.check.texts("same"))))
    if conflicts:
        return Finding(
            Outcome.FAIL,
            pgettext("observed value", "conflicting packages are installed: {names}").format(
                names=", ".join(conflicts)
            ),
            names=tuple(conflicts),
        )
    words = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(map(re.escape, listed))})(?![A-Za-z])")
    resembling = subject.check.texts("similar")
    similar = sorted(name for name in installed if words.search(name) or _is_one_of(name, resembling))
    if similar:
        observed = _(
            "these packages possibly conflict, because their names contain the name of a conflicting package: {names}"
        ).format(names=", ".join(similar))
        return Finding(Outcome.WARN, observed, names=tuple(similar))
    return Finding(Outcome.PASS, _("no conflicting package is installed"))


def _is_one_of(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
