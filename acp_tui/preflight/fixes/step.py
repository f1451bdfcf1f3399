"""The types of fixes: a step on one node, the context of a fix function, and the vendor's init.sh.

A fix function (`Recipe`) is pure. It returns a step, or the reason why acp-tui cannot fix the finding.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from shlex import quote

from acp_tui.checks.verdict import Verdict
from acp_tui.core.i18n import _
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node


@dataclass(frozen=True)
class FixStep:
    """A change that makes a requirement pass on one node. Its files are backed up before its commands run."""

    requirement: str
    title: str
    commands: str
    """Shell commands, one per line.

    They run in order until one fails, and can call functions of `assets/fixes/frame.sh`.
    """
    undo: str | None = None
    """Shell commands that undo changes outside `files`. They run after the files were restored."""
    files: tuple[str, ...] = ()
    """The paths that the step can change. Shell patterns are allowed."""
    reboot_needed: bool = False
    """True if the step takes effect only after a reboot, which the operator starts."""
    destructive: bool = False
    """True if undo cannot restore what the step removes. Such a step is never applied by default."""
    applied_by_default: bool = True
    """True if the step runs by default. False if the operator must name it."""
    also: tuple[str, ...] = ()
    """Other requirements that the same commands fix."""
    preview: str | None = None
    """Read-only shell commands that list what the step would remove."""
    second_login: bool = False
    """True if the step could lock the operator out. Its changes are kept only if a second login succeeds."""
    note: str = ""
    """A warning that the operator reads before the confirmation."""

    @property
    def name(self) -> str:
        """The name of the step in scripts: lower-case letters, digits and underscores."""
        return self.requirement.lower().replace("-", "_")

    @property
    def requirements(self) -> tuple[str, ...]:
        return (self.requirement, *self.also)

    @property
    def can_be_undone(self) -> bool:
        return not self.destructive and (bool(self.files) or self.undo is not None)


@dataclass(frozen=True)
class InitScript:
    """The vendor's preparation script from the unpacked package (PRE-INIT)."""

    path: str
    content: bytes
    sha256: str


@dataclass(frozen=True)
class FixContext:
    """The argument of a fix function: the finding to fix, and the node that has it."""

    plan: Plan
    node: Node
    facts: Facts
    verdict: Verdict
    title: str
    """The requirement in one line."""
    hostname: str | None = None
    """The host name that the operator chose for this node."""


Recipe = Callable[[FixContext], FixStep | str]


def trusted(names: Iterable[str], pattern: str) -> str | None:
    """Return `names` from a node, quoted for a shell line.

    Return None if a name does not match `pattern`, or if `names` is empty.
    """
    names = tuple(names)
    if not names or not all(re.fullmatch(pattern, name) for name in names):
        return None
    return " ".join(map(quote, names))


def unexpected_names(names: Iterable[str]) -> str:
    return _("the node reported names that acp-tui does not accept in a command: {names}").format(
        names=", ".join(names) or "-"
    )
