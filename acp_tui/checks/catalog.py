"""The requirement catalogue: each requirement of the vendor's manual is one validated row of data.

The files `assets/catalog/*.yaml` contain the rows of the oldest release. `assets/catalog/releases/<release>.yaml`
contains the keys that a later release changes, by requirement ID. A row uses one of the check types below, or names a
pure function of `acp_tui.checks`. There is no expression language. An invalid row is an error when the catalogue loads.
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
"""The facts that a check reads. node: one node. cluster: several nodes. plan: only the answers. package: the verified
package. site: the network and services around the cluster. install: the running or finished install."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AtLeast(_Row):
    """A numeric fact is at least `value` (in the unit of the fact)."""

    kind: Literal["at_least"]
    fact: str
    value: float
    unit: str = ""
    """The unit of the fact, for display."""


class OneOf(_Row):
    """A fact is one of `values`."""

    kind: Literal["one_of"]
    fact: str
    values: tuple[Scalar, ...]


class AllPresent(_Row):
    """A fact contains all `names`. The fact is a set, or a mapping that contains the names with the value true."""

    kind: Literal["present"]
    fact: str
    names: tuple[str, ...]


class AnyPresent(_Row):
    """A fact contains at least one of `names`; for sets and mappings as in `AllPresent`."""

    kind: Literal["any_present"]
    fact: str
    names: tuple[str, ...]


class AllAbsent(_Row):
    """A fact contains none of `names`; for sets and mappings as in `AllPresent`."""

    kind: Literal["absent"]
    fact: str
    names: tuple[str, ...]


class Distribution(_Row):
    """A line of the support table: an operating system with its versions, architectures and kernels."""

    name: str
    """The name in the manual."""
    os: str
    """`ID` of /etc/os-release."""
    versions: tuple[str, ...]
    arch: tuple[str, ...]
    kernels: tuple[str, ...]
    """Prefixes of `uname -r`: A.B.C, or A.B for any C."""
    build: int | None = None
    """The lowest build number (after the first hyphen) that passes without a warning."""


class Supported(_Row):
    """The operating system, or its kernel, is in the support table."""

    kind: Literal["supported"]
    aspect: Literal["distribution", "kernel"]
    table: tuple[Distribution, ...]


class _WithParams(_Row):
    """A check with parameters: numbers, texts or lists of them."""

    params: Mapping[str, Scalar | tuple[Scalar, ...]] = Field(default_factory=dict)

    def number(self, name: str) -> float:
        """Return a parameter as a number. Raises KeyError: the row does not have it; ValueError: it is not a number."""
        return float(self.text(name))

    def text(self, name: str) -> str:
        """Return a parameter as text. Raises KeyError: the row does not have it; ValueError: it is a list."""
        value = self.params[name]
        if isinstance(value, tuple):
            raise ValueError(f"{name} is a list")
        return str(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a parameter as a list of texts; () if the row does not have it."""
        value = self.params.get(name, ())
        return tuple(str(v) for v in value) if isinstance(value, tuple) else (str(value),)

    def numbers(self, name: str) -> tuple[float, ...]:
        """Return a parameter as a list of numbers; () if the row does not have it."""
        return tuple(float(text) for text in self.texts(name))


class FunctionCheck(_WithParams):
    """A call of a pure function of `acp_tui.checks`, by its name, with parameters."""

    kind: Literal["function"]
    name: str


class ManualCheck(_Row):
    """A requirement that only a person can check."""

    kind: Literal["manual"]


class Informational(_WithParams):
    """Information without a check: in `explain`, never in a report. Sizing reads its parameters."""

    kind: Literal["stated"]


class ProcessStep(_Row):
    """A step of package verification or of the install, which checks it. Never in a preflight report."""

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
    """A requirement of the manual. Texts are message IDs; translate them with `acp_tui.core.i18n._` for display."""

    id: str
    severity: Severity
    scope: Scope
    roles: tuple[Literal["all", "control-plane", "worker", "installer"], ...] = ("all",)
    when: tuple[str, ...] = ()
    """Conditions (`checks/conditions.py`). If one does not hold, the verdict is not-applicable."""
    title: str
    """The requirement as a demand, at most 60 characters: "Swap must be off"."""
    finding: str = ""
    """The fact when the requirement fails, at most 36 columns: "Swap is on". Empty: the title is shown instead."""
    why: str = ""
    """The consequence if the requirement is not fulfilled."""
    expected: str = ""
    """The expected value. Empty: it comes from the check."""
    remedy: str = ""
    """The description of the fix."""
    commands: str = ""
    """Shell commands of the fix, one a line. Never translated."""
    os_commands: Mapping[str, str] = Field(default_factory=dict)
    """Commands for one distribution instead of `commands`: os_id → commands."""
    how: str = ""
    """The command or method that reads the observed value."""
    check: Check
    facts_check: FunctionCheck | None = None
    """For scope plan: a cluster check that also runs when the facts are known and the plan check did not fail."""

    def remedy_text(self, os_id: str | None = None) -> str:
        """Return the translated fix with the commands for `os_id`; before commands, the description is a comment."""
        description, commands = _(self.remedy), self.os_commands.get(os_id or "", self.commands)
        if not commands:
            return description
        return "\n".join([*(f"# {line}" for line in description.splitlines()), commands])


def load_catalogue(folder: Path, release: Release) -> Mapping[str, Requirement]:
    """Return all requirements of `release` by ID, from the files in `folder`.

    Raises CatalogueError: a file is invalid."""
    return {name: row.build(name, Requirement) for name, row in read_rows(folder, release).items()}


@cache
def catalogue(release: str) -> Mapping[str, Requirement]:
    """Return all requirements of `release` by ID, in the order of the files.

    Raises ValueError: the release is not listed. Raises CatalogueError: a file is invalid.
    """
    if release not in RELEASES:
        raise ValueError(f"no catalogue for release {release}; known releases: {', '.join(RELEASES)}")
    return load_catalogue(asset_path("catalog"), Release(release))
