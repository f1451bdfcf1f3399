"""The shell code of a collector, run by bash on files and tools of a test."""

import subprocess
from dataclasses import replace
from pathlib import Path

from acp_tui.nodes.collectors import COLLECTORS, facts_from
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import Reader, build

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
    bin_folder = root / "bin"
    bin_folder.mkdir(exist_ok=True)
    for tool, script in (tools or {}).items():
        (bin_folder / tool).write_text(f"#!/bin/bash\n{script}\n")
        (bin_folder / tool).chmod(0o755)
    shell = shell.replace(f"tool {hidden};", "false;") if hidden else shell
    # The root check is removed, so that the tests are the same for any user.
    shell = shell.replace("root || return", ":").replace('"$EUID" -eq 0', "0 -eq 0")
    program = f"PATH={bin_folder}:$PATH\n" + build([replace(collector, shell=shell)], MARKER)
    completed = subprocess.run(["bash", "-s"], input=program.encode(), capture_output=True, timeout=60, check=True)
    return facts_from("x", Reader(MARKER).feed(completed.stdout.replace(str(root).encode(), b"")))


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
