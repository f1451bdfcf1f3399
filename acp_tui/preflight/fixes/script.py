"""The steps for one node as one bash script: copies first, then the commands, an undo script, and marks to read it by.

Whoever reads it can run it by hand as well; run again it finds everything done. The practice nodes read it back.
"""

import re
from collections.abc import Sequence
from textwrap import indent

from acp_tui.core.assets import asset_text
from acp_tui.preflight.fixes.step import FixStep

BACKUPS = "/var/backups/acp-tui"
"""Below it each fix has a folder of its own on the node: copies, logs, undo.sh."""
SECOND_LOGIN = "second_login"
"""Name under which the script tells how the reload of sshd went."""
NOTHING_CHANGED = 3
"""Status of SECOND_LOGIN when sshd has nothing new to be tried."""
GUARD = 60
"""Seconds after which sshd's settings are put back when no second login has confirmed them."""

_SSHD = "/etc/ssh/sshd_config"
_FOLDER = re.compile(re.escape(BACKUPS) + r"/[0-9A-Za-z-]{1,40}")
_MARKER = re.compile(r"^marker=([0-9a-z]+)$", re.MULTILINE)
_STEP = re.compile(r"^do_([a-z0-9_]+)\(\) \{\n(.*?)^\}$", re.MULTILINE | re.DOTALL)


def script(steps: Sequence[FixStep], folder: str, marker: str = "acp") -> str:
    """The script. `folder`: where copies and undo.sh go on the node, below BACKUPS. `marker`: lower-case letters and
    digits that stand before the name of each step in its output. ValueError: `folder` is elsewhere, or no steps."""
    if not steps or _FOLDER.fullmatch(folder) is None:
        raise ValueError("no steps, or not a folder for copies")
    login = any(step.second_login for step in steps)
    head = [
        "#!/bin/bash",
        "# Made by acp-tui fix. Each file is copied before it is touched; undo.sh beside the copies puts all back.",
        f"folder={folder}",
        f"marker={marker}",
        f"steps='{' '.join(step.name for step in steps)}'",
        f"sshd_file={_SSHD if login else ''}",
        f"patience={GUARD}",
    ]
    return "\n\n".join(
        ["\n".join(head), *(_functions(step) for step in steps), asset_text("remedy/frame.sh").strip(), "main\n"]
    )


def _functions(step: FixStep) -> str:
    saved = f"save {' '.join(step.files)}\n" if step.files else ""
    told = f"# {', '.join(step.requirements)}: {' '.join(step.title.split())}"
    text = f"{told}\ndo_{step.name}() {{\n{indent(saved + step.commands, '  ')}\n}}"
    if step.undo is not None:
        text += f"\nundo_{step.name}() {{\n{indent(step.undo, '  ')}\n}}"
    return text


def split(text: str) -> tuple[str, dict[str, str]]:
    """Marker, and step name → its commands without the copying, of a script made here. ValueError: it is none."""
    marker = _MARKER.search(text)
    found: dict[str, str] = dict(_STEP.findall(text))
    if marker is None or not found:
        raise ValueError("not a script of acp-tui fix")
    lines = {
        name: [line.strip() for line in body.splitlines() if not line.strip().startswith("save ")]
        for name, body in found.items()
    }
    return marker[1], {name: "\n".join(body) for name, body in lines.items()}
