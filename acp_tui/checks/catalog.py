"""The requirements of the manual as rows of data: numbers, names, roles, severity and words in one place.

`assets/catalog/*.yaml` hold the rows of the oldest release (4.0); `assets/catalog/releases/<release>.yaml` hold, per
requirement ID, only the keys that a later release changes. There is no expression language: a row uses one of a few
typed check shapes, or names a pure function of `acp_tui.checks`. A malformed row stops the program at load.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from acp_tui.checks.catalog_files import read_rows
from acp_tui.checks.verdict import Severity
from acp_tui.core.assets import asset_path
from acp_tui.core.i18n import _
from acp_tui.plan.release import RELEASES, Release

Scalar = str | int | float | bool
Scope = Literal["node", "cluster", "plan", "package", "site", "install"]
"""node: one node's facts. cluster: nodes against each other. plan: answers alone. package: the verified package.
site: the surroundings. install: during or after the install."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AtLeast(_Row):
    """A number in facts reaches `value` (in the fact's own unit)."""

    kind: Literal["at_least"]
    fact: str
    value: float
    unit: str = ""
    """Of the fact, as people write it."""


class OneOf(_Row):
    """A fact is one of `values`."""

    kind: Literal["one_of"]
    fact: str
    values: tuple[Scalar, ...]


class AllPresent(_Row):
    """Every one of `names` is in a fact that is a set (or a mapping whose value is true)."""

    kind: Literal["present"]
    fact: str
    names: tuple[str, ...]


class AnyPresent(_Row):
    """At least one of `names` is in a fact that is a set (or a mapping whose value is true)."""

    kind: Literal["any_present"]
    fact: str
    names: tuple[str, ...]


class AllAbsent(_Row):
    """None of `names` is in a fact that is a set (or a mapping whose value is true)."""

    kind: Literal["absent"]
    fact: str
    names: tuple[str, ...]


class Distribution(_Row):
    """A line of the support table: this system, in these versions, on these machines, with these kernels."""

    name: str
    """As the manual calls it."""
    os: str
    """`ID` of /etc/os-release."""
    versions: tuple[str, ...]
    arch: tuple[str, ...]
    kernels: tuple[str, ...]
    """What `uname -r` starts with: A.B.C, or A.B where C is free."""
    build: int | None = None
    """A lower build number (the one behind the first hyphen) is accepted with a warning."""


class Supported(_Row):
    """The system, or its kernel, is in the support table."""

    kind: Literal["supported"]
    aspect: Literal["distribution", "kernel"]
    table: tuple[Distribution, ...]


class _Figures(_Row):
    """A check with numbers and names of its row."""

    params: Mapping[str, Scalar | tuple[Scalar, ...]] = Field(default_factory=dict)

    def number(self, name: str) -> float:
        """The parameter `name` as a number. KeyError, ValueError: the row does not give one."""
        return float(self.word(name))

    def word(self, name: str) -> str:
        value = self.params[name]
        if isinstance(value, tuple):
            raise ValueError(f"{name} is a list")
        return str(value)

    def words(self, name: str) -> tuple[str, ...]:
        """The list `name`; () where the row has none."""
        value = self.params.get(name, ())
        return tuple(str(v) for v in value) if isinstance(value, tuple) else (str(value),)

    def numbers(self, name: str) -> tuple[float, ...]:
        return tuple(float(word) for word in self.words(name))


class FunctionCheck(_Figures):
    """A pure function of `acp_tui.checks`, by name, with the row's numbers and names."""

    kind: Literal["function"]
    name: str


class ManualCheck(_Row):
    """Only a person can tell."""

    kind: Literal["manual"]


class Informational(_Figures):
    """Context to be known; nothing to observe. It is explained, and never in a report; sizing reads its numbers."""

    kind: Literal["stated"]


class ProcessStep(_Row):
    """Proved by doing it: the package's verification, or the install itself. Never in a preflight report."""

    kind: Literal["step"]


Check = Annotated[
    AtLeast
    | OneOf
    | AllPresent
    | AnyPresent
    | AllAbsent
    | Supported
    | FunctionCheck
    | ManualCheck
    | Informational
    | ProcessStep,
    Field(discriminator="kind"),
]


class Requirement(_Row):
    """One rule of the manual. Texts are message IDs: show them through `acp_tui.core.i18n._`."""

    id: str
    severity: Severity
    scope: Scope
    roles: tuple[Literal["all", "control-plane", "worker", "installer"], ...] = ("all",)
    when: tuple[str, ...] = ()
    """Names of conditions (`checks/conditions.py`) that must all hold; otherwise the verdict is not-applicable."""
    title: str
    """The rule as a demand, 60 characters at most: "Swap must be off"."""
    finding: str = ""
    """The fact when the rule is broken, 36 columns at most: "Swap is on". Empty: the title is shown instead."""
    why: str = ""
    """What goes wrong when it is not met."""
    expected: str = ""
    """What is wanted, where the check does not say it better."""
    remedy: str = ""
    """How to fix it, in words."""
    commands: str = ""
    """Shell commands that fix it, one a line. Never translated."""
    os_commands: Mapping[str, str] = Field(default_factory=dict)
    """Commands that differ by distribution: os_id → commands."""
    how: str = ""
    """How it is observed."""
    check: Check
    facts_check: FunctionCheck | None = None
    """Plan rules: a cluster check that looks again once the nodes are known, where the plan alone did not fail."""

    def remedy_text(self, os_id: str | None = None) -> str:
        """The fix in the user's language, with the commands of `os_id`. Words before commands become shell comments."""
        words, commands = _(self.remedy), self.os_commands.get(os_id or "", self.commands)
        if not commands:
            return words
        return "\n".join([*(f"# {line}" for line in words.splitlines()), commands])


def load_catalogue(folder: Path, release: Release) -> Mapping[str, Requirement]:
    """All requirements of `release` by ID, from the files in `folder`. Raises CatalogueError: a file is invalid."""
    return {name: row.build(name, Requirement) for name, row in read_rows(folder, release).items()}


@cache
def catalogue(release: str) -> Mapping[str, Requirement]:
    """All requirements of `release` by ID, in the order of the files.

    Raises ValueError: the release is not listed. Raises CatalogueError: a file is invalid.
    """
    if release not in RELEASES:
        raise ValueError(f"no catalogue for release {release}; known releases: {', '.join(RELEASES)}")
    return load_catalogue(asset_path("catalog"), Release(release))
