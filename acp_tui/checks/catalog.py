"""The requirement catalogue: each requirement of the vendor's manual is one validated row of data.

The files `assets/catalog/*.yaml` contain the rows of the oldest release. `assets/catalog/releases/<release>.yaml`
contains the keys that a later release changes, by requirement ID. The check of a row has one of the check
classes of this module. `FunctionCheck` names a pure function of `acp_tui.checks`. An invalid row raises an error when
the catalogue loads.
"""

from collections.abc import Collection, Mapping
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
"""What a requirement concerns. node: one node. cluster: all nodes together. plan: the plan alone.

package: the verified package. site: the network and the services outside the nodes. install: the running or finished
install.
"""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AtLeast(_Row):
    """A check that passes if a numeric fact is `value` or more. The fact and `value` have the same unit."""

    kind: Literal["at_least"]
    fact: str
    value: float
    unit: str = ""
    """The unit of the fact. It is only for display; no value is converted."""


class OneOf(_Row):
    """A check that passes if the fact is one of `values`."""

    kind: Literal["one_of"]
    fact: str
    values: tuple[Scalar, ...]


class AllPresent(_Row):
    """A check that passes if the fact contains all `names`.

    The fact is a set of names, or a mapping from names to True or False. In a mapping, only names with the value True
    count.
    """

    kind: Literal["present"]
    fact: str
    names: tuple[str, ...]


class AnyPresent(_Row):
    """A check that passes if the fact contains at least one of `names`.

    The fact is a set or a mapping, as in `AllPresent`.
    """

    kind: Literal["any_present"]
    fact: str
    names: tuple[str, ...]


class AllAbsent(_Row):
    """A check that passes if the fact contains none of `names`.

    The fact is a set or a mapping, as in `AllPresent`.
    """

    kind: Literal["absent"]
    fact: str
    names: tuple[str, ...]


class Distribution(_Row):
    """A row of the table of supported systems: an operating system with its versions, architectures and kernels."""

    name: str
    """The name of the operating system in the manual."""
    os: str
    """The value of `ID` in /etc/os-release."""
    versions: tuple[str, ...]
    arch: tuple[str, ...]
    kernels: tuple[str, ...]
    """The beginnings of supported `uname -r` values: 4.18.0 allows only kernel 4.18.0, and 4.18 allows every 4.18.x."""
    build: int | None = None
    """The lowest kernel build number that passes without a warning.

    The build number is the number after the first hyphen of `uname -r`.
    """
    service_pack: int | None = None
    """The lowest supported service pack, for a system whose service packs have the same version."""


class Supported(_Row):
    """A check that compares a node with the table of supported systems.

    `aspect` selects what is compared: the distribution or the kernel.
    """

    kind: Literal["supported"]
    aspect: Literal["distribution", "kernel"]
    table: tuple[Distribution, ...]


class _WithParams(_Row):
    """Base class of checks with parameters. A parameter is a number, a text, or a list of numbers or texts."""

    params: Mapping[str, Scalar | tuple[Scalar, ...]] = Field(default_factory=dict)

    def number(self, name: str) -> float:
        """Return a parameter as a number.

        Raises KeyError: the row does not have the parameter. Raises ValueError: the parameter is not a number.
        """
        return float(self.text(name))

    def text(self, name: str) -> str:
        """Return a parameter as text.

        Raises KeyError: the row does not have the parameter. Raises ValueError: the parameter is a list.
        """
        value = self.params[name]
        if isinstance(value, tuple):
            raise ValueError(f"{name} is a list")
        return str(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a parameter as a tuple of texts; () if the row does not have the parameter."""
        value = self.params.get(name, ())
        return tuple(str(v) for v in value) if isinstance(value, tuple) else (str(value),)

    def numbers(self, name: str) -> tuple[float, ...]:
        """Return a parameter as a tuple of numbers; () if the row does not have the parameter."""
        return tuple(float(text) for text in self.texts(name))


class FunctionCheck(_WithParams):
    """A check that calls a pure function of `acp_tui.checks` by its name, with the parameters of the row."""

    kind: Literal["function"]
    name: str


class ManualCheck(_Row):
    """A requirement that only a person can check."""

    kind: Literal["manual"]


class Informational(_WithParams):
    """A row for information only. Its verdict is not-applicable. The sizing calculator reads its parameters."""

    kind: Literal["stated"]


class ProcessStep(_Row):
    """A requirement that package verification or the install itself checks.

    In a preflight, the verdict of a row of scope `install` is not-applicable. `acp_tui.package.checks` has the verdicts
    of the rows of scope `package`.
    """

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
    """A requirement of the manual. Its texts are message IDs; translate them with `acp_tui.core.i18n._` for display."""

    id: str
    severity: Severity
    scope: Scope
    roles: tuple[Literal["all", "control-plane", "worker", "installer"], ...] = ("all",)
    when: tuple[str, ...] = ()
    """Names of conditions in `checks/conditions.py`. If one condition is false, the verdict is not-applicable."""
    title: str
    """The requirement as a demand, in at most 60 characters, such as "Swap must be off"."""
    finding: str = ""
    """The finding if the requirement failed, in at most 36 columns, such as "Swap is on".

    If it is empty, the title is shown.
    """
    why: str = ""
    """The reason for the requirement, usually what happens if it is not fulfilled."""
    expected: str = ""
    """The expected value. An expected value that the check returns replaces it.

    If both are missing, the title is shown.
    """
    remedy: str = ""
    """The text that describes the fix."""
    commands: str = ""
    """The shell commands of the fix, one per line. They are never translated."""
    os_commands: Mapping[str, str] = Field(default_factory=dict)
    """For some distributions: the commands that replace `commands`. The key is the ID in /etc/os-release."""
    how: str = ""
    """How acp-tui reads the observed value, or how a person can check the requirement."""
    judged_by: tuple[str, ...] = ()
    """The IDs of the requirements under which this requirement is judged. A row with such IDs has no verdict."""
    check: Check
    facts_check: FunctionCheck | None = None
    """The cluster check that a plan requirement runs in addition to its plan check.

    It runs only if the outcome of the plan check is `PASS`, `WARN` or `MANUAL`.
    """

    def remedy_text(self, os_id: str | None = None) -> str:
        """Return the translated fix with its commands for the distribution `os_id`.

        If the fix has commands, the description is a comment above them.
        """
        description, commands = _(self.remedy), self.os_commands.get(os_id or "", self.commands)
        if not commands:
            return description
        return "\n".join([*(f"# {line}" for line in description.splitlines()), commands])


def load_catalogue(folder: Path, release: Release) -> Mapping[str, Requirement]:
    """Return all requirements of `release` by ID, from the files in `folder`.

    Raises CatalogueError: a file is invalid."""
    return {name: row.build(name, Requirement) for name, row in read_rows(folder, release).items()}


def with_judges(rules: Mapping[str, Requirement], names: Collection[str]) -> frozenset[str]:
    """Return `names`, and the IDs of the requirements under which these are judged."""
    return frozenset(names).union(*(rules[name].judged_by for name in names if name in rules))


@cache
def catalogue(release: str) -> Mapping[str, Requirement]:
    """Return all requirements of `release` by ID, in the order of the files.

    Raises ValueError: `release` is not in `RELEASES`. Raises CatalogueError: a file is invalid.
    """
    if release not in RELEASES:
        raise ValueError(f"no catalogue for release {release}; known releases: {', '.join(RELEASES)}")
    return load_catalogue(asset_path("catalog"), Release(release))
