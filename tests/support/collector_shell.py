"""The shell code of a collector, run by bash on files and tools of a test."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from acp_tui.nodes.collectors import COLLECTORS, facts_from
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import Collector, Reader, build

MARKER = "0123456789abcdef"


def facts_of(
    name: str, root: Path, *folders: str, tools: dict[str, str] | None = None, hidden: str = "no-such-tool"
) -> Facts:
    """Return the facts of one collector, with its `folders` below `root` and `tools` (name → script) first in PATH.

    `hidden`: a tool that the collector must not find on this host.
    """
    [collector] = [s for s in COLLECTORS if s.name == name]
    shell = collector.shell
    for folder in folders:
        shell = shell.replace(folder, f"{root}{folder}")
    shell = shell.replace(f"tool {hidden};", "false;")
    return _run(replace(collector, shell=shell), root, tools or {})


def _run(collector: Collector, root: Path, tools: Mapping[str, str]) -> Facts:
    bin_folder = root / "bin"
    bin_folder.mkdir(exist_ok=True)
    for tool, script in tools.items():
        (bin_folder / tool).write_text(f"#!/bin/bash\n{script}\n")
        (bin_folder / tool).chmod(0o755)
    # The root check is removed, so that the tests are the same for any user.
    shell = collector.shell.replace("root || return", ":").replace('"$EUID" -eq 0', "0 -eq 0")
    program = f"PATH={bin_folder}:$PATH\n" + build([replace(collector, shell=shell)], MARKER)
    completed = subprocess.run(["bash", "-s"], input=program.encode(), capture_output=True, timeout=60, check=True)
    return facts_from("x", Reader(MARKER).feed(completed.stdout.replace(str(root).encode(), b"")))


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


_ABSOLUTE = re.compile(r"(?<!Path=)(?<![\w*.])/(?=(?:etc|usr|lib|run|proc|sys|boot|var)\b|\{)")


def facts_below(name: str, root: Path, files: Mapping[str, str], tools: dict[str, str] | None = None) -> Facts:
    """Return the facts of one collector that reads `files` (path → text) below `root` in place of this host's files.

    A text `-> TARGET` makes a link; `+x` at its start makes the file executable; `@ROOT@` in it becomes `root`.
    """
    for path, text in files.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            target = text.removeprefix("-> ")
            file.symlink_to(target if target == "/dev/null" else f"{root}{target}")
        else:
            file.write_bytes(text.removeprefix("+x").replace("@ROOT@", str(root)).encode())
            file.chmod(0o755 if text.startswith("+x") else 0o644)
    [collector] = [s for s in COLLECTORS if s.name == name]
    shell = _ABSOLUTE.sub(f"{root}/", collector.shell)
    return _run(replace(collector, shell=shell), root, tools or {})
