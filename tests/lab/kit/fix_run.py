"""Run `acp-tui fix` on lab nodes: a plan file on disk, and a process of its own."""

import os
import pty
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import JsonValue

from tests.lab.kit.check_run import as_planned, plan
from tests.lab.kit.nodes import LabNode

_SELECTED = (
    "find etc boot usr/local usr/lib/lab/units var/lib/docker var/lib/containerd "
    "-not -path 'etc/ssh/ssh_host*' -not -path usr/lib/lab/units/kubelet"
)
_FILES = (
    f"cd /; {{ {_SELECTED} -type f -print0 | xargs -0 md5sum; "
    f"{_SELECTED} \\( -type f -o -type l \\) -printf '%p %l %m %u\\n'; }} 2>/dev/null | sort"
)


@dataclass(frozen=True)
class Fixed:
    """The exit status, the standard output and the standard error of a run."""

    status: int
    output: str
    errors: str


def command(folder: Path, answers: Mapping[str, JsonValue], options: Sequence[str]) -> list[str]:
    file = folder / "plan.yaml"
    file.write_text(yaml.safe_dump(dict(answers)), encoding="utf-8")
    return [sys.executable, "-m", "acp_tui", "fix", str(file), "--accept-new", *options]


def fix(folder: Path, answers: Mapping[str, JsonValue], *options: str, typed: str | None = None) -> Fixed:
    """Run `fix` to its end. With `typed`, it runs in a terminal that receives this input."""
    stdin = subprocess.DEVNULL
    if typed is not None:
        ours, stdin = pty.openpty()
        os.write(ours, typed.encode())
    done = subprocess.run(
        command(folder, answers, options),
        capture_output=True,
        text=True,
        env=environment(folder),
        stdin=stdin,
        check=False,
    )
    return Fixed(done.returncode, done.stdout, done.stderr)


def running(folder: Path, answers: Mapping[str, JsonValue], *options: str) -> "subprocess.Popen[str]":
    """Start `fix` and return its process."""
    return subprocess.Popen(
        command(folder, answers, options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment(folder),
    )


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}


def files(node: LabNode) -> str:
    """Return names, links, modes, owners and checksums of all files that a fix may change."""
    return node.sh(_FILES)


def single(node: LabNode, **more: JsonValue) -> dict[str, JsonValue]:
    """Return a plan for a cluster of this node alone."""
    return plan(as_planned([node]), node.address, scenario="single-node", **more)
