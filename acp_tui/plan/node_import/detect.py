"""Detect the format of a list of nodes from its content, and mask the secrets in it."""

import re
from collections.abc import Mapping
from itertools import count

from acp_tui.core.i18n import _
from acp_tui.plan.node_import.ansible import hosts_of
from acp_tui.plan.node_import.ansible_ini import is_ini, read_ini
from acp_tui.plan.node_import.ansible_yaml import is_yaml, read_yaml
from acp_tui.plan.node_import.csv_table import delimiter, read_table
from acp_tui.plan.node_import.host import MAX_BYTES, LineNote, ParsedNodes, cleaned
from acp_tui.plan.node_import.text_lines import read_lines

MASK = "•••"
_SHORTEST = 4
"""Characters of a secret that can be looked for on its line; what is shorter stands everywhere."""


def read_list(text: str) -> ParsedNodes:
    """Nodes of a CSV, an Ansible inventory in YAML or INI, or of lines as people write them. Never raises."""
    if len(text) > MAX_BYTES:
        return ParsedNodes(
            faults=(LineNote(0, _("larger than {limit} bytes: this is not a list of nodes").format(limit=MAX_BYTES)),)
        )
    text = cleaned(text)
    sign = delimiter(text)
    if sign is not None:
        return read_table(text, sign)
    if is_yaml(text):
        return hosts_of(read_yaml(text))
    if is_ini(text):
        return hosts_of(read_ini(text))
    return read_lines(text)


def masked(text: str, reading: ParsedNodes) -> tuple[str, dict[str, str]]:
    """Return the text with its secrets masked, and the secrets by mask.

    If a secret cannot be located exactly, the complete line is masked."""
    text = cleaned(text)
    lines, hidden = text.split("\n"), dict[str, str]()
    on_line: dict[int, set[str]] = {}
    for line, secret in reading.secrets:
        on_line.setdefault(line, set()).add(secret)
    for line, secrets in on_line.items():
        shown, secret = lines[line - 1], max(secrets)
        exact = len(secrets) == 1 and len(secret) >= _SHORTEST and secret in shown
        part = secret if exact else shown
        mask = next((mask for mask, value in hidden.items() if value == part), None) or _mask(text, len(hidden))
        hidden[mask] = part
        lines[line - 1] = shown.replace(part, mask)
    return "\n".join(lines), hidden


def unmasked(text: str, hidden: Mapping[str, str]) -> str:
    """Return the text with the secrets instead of their masks."""
    return re.sub(rf"{MASK}\d+{MASK}", lambda found: hidden.get(found[0], found[0]), text)


def _mask(text: str, number: int) -> str:
    """One that does not stand in the text by itself."""
    return next(mask for n in count(number + 1) if (mask := f"{MASK}{n}{MASK}") not in text)
