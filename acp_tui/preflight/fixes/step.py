"""The words of mending: a step on one node, what it is made from, and the vendor's init.sh as a step of its own.

A recipe is a pure function from a case to a step, or to the reason why this cannot be mended from here.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from shlex import quote

from acp_tui.checks.verdict import Verdict
from acp_tui.core.i18n import _
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Node, Plan


@dataclass(frozen=True)
class FixStep:
    """What would be done on one node to meet a requirement. Its files are copied before anything of it runs."""

    requirement: str
    title: str
    commands: str
    """Shell, a command a line; run in turn until one fails. May call the functions of `assets/remedy/frame.sh`."""
    undo: str | None = None
    """Shell that takes back what is not in `files`; runs after the files were put back."""
    files: tuple[str, ...] = ()
    """Paths that are touched; shell patterns stand for what they match."""
    reboot_needed: bool = False
    """In effect only after a reboot, which is left to the operator."""
    destructive: bool = False
    """Removes what no undo brings back: never part of "all"."""
    applied_by_default: bool = True
    """Part of "all"; a step that is not has to be named."""
    also: tuple[str, ...] = ()
    """Other requirements that the same commands meet."""
    look: str | None = None
    """Shell that only reads, and shows what would go."""
    second_login: bool = False
    """Could lock the operator out: kept only when a second login has worked."""
    note: str = ""
    """What a person should know before saying yes."""

    @property
    def name(self) -> str:
        """The step's name in scripts: lower-case letters, digits and underscores."""
        return self.requirement.lower().replace("-", "_")

    @property
    def requirements(self) -> tuple[str, ...]:
        return (self.requirement, *self.also)

    @property
    def can_be_undone(self) -> bool:
        return not self.destructive and (bool(self.files) or self.undo is not None)


@dataclass(frozen=True)
class InitScript:
    """The vendor's preparation script as it was found in the unpacked package (PRE-INIT)."""

    path: str
    content: bytes
    sha256: str


@dataclass(frozen=True)
class FixContext:
    """A finding on a node that somebody might mend."""

    plan: Plan
    node: Node
    facts: Facts
    verdict: Verdict
    title: str
    """The requirement in one line."""
    hostname: str | None = None
    """The name that the operator gave this node."""


Recipe = Callable[[FixContext], FixStep | str]


def trusted(names: Iterable[str], pattern: str) -> str | None:
    """Names that a node told, quoted for a shell line; None when one of them is not of the shape it should have."""
    names = tuple(names)
    if not names or not all(re.fullmatch(pattern, name) for name in names):
        return None
    return " ".join(map(quote, names))


def odd_names(names: Iterable[str]) -> str:
    return _("the node tells names that are not usual: {names}").format(names=", ".join(names) or "-")
