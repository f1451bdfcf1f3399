"""Write the fix steps for one node as one bash script: backups, commands, an undo script, and marks in the output.

A person can also read and run the script. A second run changes nothing. The practice nodes parse it with `split`.
"""

import re
from collections.abc import Sequence
from textwrap import indent

from acp_tui.core.assets import asset_text
from acp_tui.preflight.fixes.step import FixStep

BACKUPS = "/var/backups/acp-tui"
"""The folder on the node that contains one folder for each fix, with backups, logs and undo.sh."""
SECOND_LOGIN = "second_login"
"""The name under which the script reports whether it reloaded sshd."""
NOTHING_CHANGED = 3
"""The exit status that the script reports under SECOND_LOGIN if it did not change the settings of sshd."""
GUARD = 60
"""Time in seconds after which the guard restores the settings of sshd, unless a second login has confirmed them."""

_SSHD = "/etc/ssh/sshd_config"
_FOLDER = re.compile(re.escape(BACKUPS) + r"/[0-9A-Za-z-]{1,40}")
_MARKER = re.compile(r"^marker=([0-9a-z]+)$", re.MULTILINE)
_STEP = re.compile(r"^do_([a-z0-9_]+)\(\) \{\n(.*?)^\}$", re.MULTILINE | re.DOTALL)


def script(steps: Sequence[FixStep], folder: str, marker: str = "acp") -> str:
    """Return the bash script for the fix steps.

    `folder`: the folder on the node for backups and undo.sh, below BACKUPS. `marker`: lower-case letters and digits
    before the name of each step in the output. Raises ValueError if `folder` is not below BACKUPS, or if `steps` is
    empty.
    """
    if not steps or _FOLDER.fullmatch(folder) is None:
        raise ValueError("no steps, or not a folder for backups")
    login = any(step.second_login for step in steps)
    head = [
        "#!/bin/bash",
        "# Made by acp-tui fix. It backs up each file before it changes it; undo.sh next to the backups restores them.",
        f"folder={folder}",
        f"marker={marker}",
        f"steps='{' '.join(step.name for step in steps)}'",
        f"sshd_file={_SSHD if login else ''}",
        f"patience={GUARD}",
    ]
    return "\n\n".join(
        ["\n".join(head), *(_functions(step) for step in steps), asset_text("fixes/frame.sh").strip(), "main\n"]
    )


def _functions(step: FixStep) -> str:
    saved = f"save {' '.join(step.files)}\n" if step.files else ""
    comment = f"# {', '.join(step.requirements)}: {' '.join(step.title.split())}"
    text = f"{comment}\ndo_{step.name}() {{\n{indent(saved + step.commands, '  ')}\n}}"
    if step.undo is not None:
        text += f"\nundo_{step.name}() {{\n{indent(step.undo, '  ')}\n}}"
    return text


def split(text: str) -> tuple[str, dict[str, str]]:
    """Return the marker of a script, and the commands of each step. The commands that make backups are left out.

    Raises ValueError if `text` is not a script of acp-tui fix.
    """
    marker = _MARKER.search(text)
    found: dict[str, str] = dict(_STEP.findall(text))
    if marker is None or not found:
        raise ValueError("not a script of acp-tui fix")
    lines = {
        name: [line.strip() for line in body.splitlines() if not line.strip().startswith("save ")]
        for name, body in found.items()
    }
    return marker[1], {name: "\n".join(body) for name, body in lines.items()}
