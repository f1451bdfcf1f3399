"""Detect the format of a list of nodes from its content, and mask the secrets in the list."""

from acp_tui.core.redaction import mask_lines
from acp_tui.plan.node_import.ansible import hosts_of
from acp_tui.plan.node_import.ansible_ini import is_ini, read_ini
from acp_tui.plan.node_import.ansible_yaml import is_yaml, read_yaml
from acp_tui.plan.node_import.csv_table import delimiter, read_table
from acp_tui.plan.node_import.host import LineNote, ListTooLarge, ParsedNodes, cleaned, size_problem
from acp_tui.plan.node_import.text_lines import read_lines


def read_list(text: str) -> ParsedNodes:
    """Read a list of nodes. It can be CSV, an Ansible inventory (YAML or INI) or free text. No exception is raised."""
    text = cleaned(text)
    if problem := size_problem(text):
        return _rejected(text, problem)
    sign = delimiter(text)
    if sign is not None:
        return read_table(text, sign)
    try:
        if is_yaml(text):
            return hosts_of(read_yaml(text))
        if is_ini(text):
            return hosts_of(read_ini(text))
    except ListTooLarge as error:
        return _rejected(text, str(error))
    return read_lines(text)


def _rejected(text: str, reason: str) -> ParsedNodes:
    """Return the result for a list that is not read. Each line counts as a secret, because it can contain one."""
    lines = ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())
    return ParsedNodes(faults=(LineNote(0, reason),), secrets=tuple(lines))


def mask_nodes(text: str, reading: ParsedNodes) -> tuple[str, dict[str, str]]:
    """Replace the secrets in `text` with numbered masks. `core.redaction.unmask` restores the secrets."""
    return mask_lines(cleaned(text), reading.secrets)
