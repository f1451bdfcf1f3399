"""What a practice node is: recorded answers with blanks, the settings that fill them, the commands that change those.

Profiles are data (`assets/demo/nodes`): a fault is a setting that differs from the healthy one, a remedy is the pattern
of a command and the settings it leaves behind. Nothing is ever executed on this machine.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from acp_tui.core.assets import asset_text
from acp_tui.core.files import write_atomically

NOT_SIMULATED = "practice node: command not simulated"


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(_Data):
    """What a snippet prints, as a template over the settings, and its exit status."""

    text: str = ""
    status: int = 0


class Remedy(_Data):
    """A command (a regular expression over the whole of it) and what it leaves behind.

    `sets`: setting → new value, where `\\g<name>` takes a group of the pattern. `prints`: what the command says."""

    command: str
    sets: Mapping[str, str] = Field(default_factory=dict)
    prints: str = ""


class Base(_Data):
    """A healthy machine. `installing`: settings that hold while the installer is there, on every node."""

    settings: Mapping[str, str]
    installing: Mapping[str, str]
    answers: Mapping[str, Answer]


class Machine(_Data):
    """One node of the practice cluster. `faults` names entries of `faults.yaml`."""

    address: str
    role: Literal["control-plane", "worker"]
    settings: Mapping[str, str] = Field(default_factory=dict)
    faults: tuple[str, ...] = ()


class Fault(_Data):
    """Something wrong, in one line, the requirement that must find it, and the settings that make it so."""

    title: str
    requirement: str
    settings: Mapping[str, str]


class Cluster(_Data):
    machines: tuple[Machine, ...]
    faults: Mapping[str, Fault]


def _load(name: str) -> object:
    return yaml.safe_load(asset_text(f"demo/nodes/{name}"))


@cache
def base() -> Base:
    return Base.model_validate(_load("base.yaml"))


@cache
def remedies() -> tuple[Remedy, ...]:
    return tuple(Remedy.model_validate(row) for row in yaml.safe_load(asset_text("demo/nodes/remedies.yaml")))


@cache
def cluster() -> Cluster:
    return Cluster.model_validate(_load("cluster.yaml"))


@dataclass
class Profile:
    """The present state of one practice node, kept in `file`; remedies change it."""

    settings: dict[str, str]
    file: Path
    installing: Callable[[], bool]
    """Whether the stand-in installer is there."""

    @classmethod
    def of(cls, machine: Machine, file: Path, *, faults: bool, installing: Callable[[], bool]) -> "Profile":
        """The node as it was left in `file`, else as it begins."""
        if file.exists():
            return cls(json.loads(file.read_bytes()), file, installing)
        settings = {**base().settings, **machine.settings, "address": machine.address}
        for name in machine.faults if faults else ():
            settings |= cluster().faults[name].settings
        return cls(settings, file, installing)

    def answer(self, snippet: str) -> Answer:
        """What the node prints for a snippet; status 127 where nothing was recorded."""
        recorded = base().answers.get(snippet)
        if recorded is None:
            return Answer(status=127)
        return Answer(text=self._filled(recorded.text), status=recorded.status)

    def run_all(self, commands: str) -> tuple[int, str]:
        """Lines one after another until one fails; its exit status, and all that was printed."""
        printed = ""
        for line in commands.splitlines():
            status, output = self.run(line)
            printed += output
            if status:
                return status, printed
        return 0, printed

    def run(self, line: str) -> tuple[int, str]:
        """Run one line of a remedy: exit status and output. Comments and empty lines do nothing."""
        line = re.sub(r"(^|\s)#\s.*$", "", line).strip()
        if not line or line == "#":
            return 0, ""
        if (output := self._apply(line)) is not None:
            return 0, output
        parts = [part.strip() for part in re.split(r"&&|;", line) if part.strip()]
        if len(parts) == 1:
            return 127, f"{NOT_SIMULATED}: {line}\n"
        printed = ""
        for part in parts:
            status, output = self.run(part)
            printed += output
            if status:
                return status, printed
        return 0, printed

    def _apply(self, command: str) -> str | None:
        command = command.removeprefix("sudo -n ").removeprefix("sudo ").strip()
        found = [(remedy, match) for remedy in remedies() if (match := re.fullmatch(remedy.command, command))]
        for remedy, match in found:
            self.settings.update({name: match.expand(value) for name, value in remedy.sets.items()})
        if any(remedy.sets for remedy, _match in found):
            write_atomically(self.file, json.dumps(self.settings))
        return "".join(self._filled(remedy.prints) for remedy, _match in found) if found else None

    def _filled(self, text: str) -> str:
        now = {"now": f"{time.time():.9f}", **(base().installing if self.installing() else {})}
        return Template(text).safe_substitute(self.settings, **now)
