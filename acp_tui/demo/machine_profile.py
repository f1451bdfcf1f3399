"""Profiles of practice nodes: settings of nodes, templates of collector output, and commands that change settings.

Profiles are data in `assets/demo/nodes`. A fault is a setting that differs from the setting of a healthy node. A
`Remedy` is a simulated command: its pattern, and the new values of the settings that it changes. Collectors without a
template return output that was recorded on a real node. No command is executed on this host.
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
from acp_tui.nodes.script import Reader

NOT_SIMULATED = "practice node: command not simulated"
_DISTRIBUTION = "ubuntu-22.04"


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(_Data):
    """The output and the exit status of a collector. The output can have placeholders for settings of the node."""

    text: str = ""
    status: int = 0


class Remedy(_Data):
    """A simulated command and its effects. `command`: a regular expression for the complete command.

    `sets`: setting → new value; `\\g<name>` inserts a group of `command`. `prints`: the output of the command."""

    command: str
    sets: Mapping[str, str] = Field(default_factory=dict)
    prints: str = ""


class Base(_Data):
    """A healthy node. `installing`: settings that every node has while the installer runs."""

    settings: Mapping[str, str]
    installing: Mapping[str, str]
    answers: Mapping[str, Answer]


class Machine(_Data):
    """One node of the practice cluster. `faults`: keys of `faults` in `cluster.yaml`."""

    address: str
    role: Literal["control-plane", "worker"]
    settings: Mapping[str, str] = Field(default_factory=dict)
    faults: tuple[str, ...] = ()


class Fault(_Data):
    """A simulated fault: its title, the requirement that finds it, and the settings that cause it."""

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
def recording() -> Mapping[str, Answer]:
    """Return collector name → recorded output, for collectors whose output does not depend on settings."""
    stream = asset_text(f"demo/nodes/{_DISTRIBUTION}.txt").encode()
    outputs = Reader(stream.split(b" ", 1)[0].decode()).feed(stream)
    return {output.name: Answer(text=output.text, status=output.status) for output in outputs}


@cache
def remedies() -> tuple[Remedy, ...]:
    return tuple(Remedy.model_validate(row) for row in yaml.safe_load(asset_text("demo/nodes/remedies.yaml")))


@cache
def cluster() -> Cluster:
    return Cluster.model_validate(_load("cluster.yaml"))


@dataclass
class Profile:
    """The state of one practice node. Remedies change the state, and `file` stores it."""

    settings: dict[str, str]
    file: Path
    installing: Callable[[], bool]
    """Returns True while the practice installer runs."""

    @classmethod
    def of(cls, machine: Machine, file: Path, *, faults: bool, installing: Callable[[], bool]) -> "Profile":
        """Load the state of the node from `file`. If the file does not exist, return the initial state."""
        if file.exists():
            return cls(json.loads(file.read_bytes()), file, installing)
        settings = {**base().settings, **machine.settings, "address": machine.address}
        for name in machine.faults if faults else ():
            settings |= cluster().faults[name].settings
        return cls(settings, file, installing)

    def answer(self, collector: str) -> Answer:
        """Return the output of a collector from its template or from the recording.

        The exit status is 127 if the collector has no template and no recording."""
        template = base().answers.get(collector)
        if template is None:
            return recording().get(collector, Answer(status=127))
        return Answer(text=self._filled(template.text), status=template.status)

    def run_all(self, commands: str) -> tuple[int, str]:
        """Simulate command lines until one fails. Return the last exit status and all output."""
        printed = ""
        for line in commands.splitlines():
            status, output = self.run(line)
            printed += output
            if status:
                return status, printed
        return 0, printed

    def run(self, line: str) -> tuple[int, str]:
        """Simulate one line of a fix. Return exit status and output. Comments and empty lines have no effect."""
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
