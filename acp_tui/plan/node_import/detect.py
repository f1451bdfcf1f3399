"""Detect the format of a list of nodes from its content, and mask the secrets in the list."""

from collections import defaultdict
from dataclasses import replace

from pydantic import SecretStr

from acp_tui.core.i18n import _
from acp_tui.core.redaction import mask_lines
from acp_tui.plan.node_import.ansible import hosts_of
from acp_tui.plan.node_import.ansible_ini import is_ini, read_ini
from acp_tui.plan.node_import.ansible_yaml import is_yaml, read_yaml
from acp_tui.plan.node_import.csv_table import delimiter, read_table
from acp_tui.plan.node_import.host import LineNote, ListRejected, ParsedNodes, cleaned, size_problem, with_newlines
from acp_tui.plan.node_import.passwords import has_other_secret, login_secret
from acp_tui.plan.node_import.text_lines import read_lines


def read_list(text: str) -> ParsedNodes:
    """Read a list of nodes. It can be CSV, an Ansible inventory (YAML or INI) or free text. No exception is raised."""
    lines = cleaned(text)
    if problem := size_problem(lines):
        return _rejected(lines, problem)
    try:
        return _checked_secrets(_parsed(lines), text)
    except ListRejected as error:
        return _rejected(lines, str(error), error.line)


def _parsed(text: str) -> ParsedNodes:
    """Read a list of nodes in the format of its content. Raises ListRejected."""
    sign = delimiter(text)
    if sign is not None:
        return read_table(text, sign)
    if is_yaml(text):
        return hosts_of(read_yaml(text))
    if is_ini(text):
        return hosts_of(read_ini(text))
    return read_lines(text)


def _checked_secrets(reading: ParsedNodes, text: str) -> ParsedNodes:
    """Return the list with all its secrets, and without hosts whose secrets contain invisible characters.

    Invisible characters are removed from the list, but a secret must not change. `text`: the list as it was given."""
    raw, lines = with_newlines(text).split("\n"), cleaned(text).split("\n")
    given, on_line = [*reading.secrets], defaultdict[int, set[str]](set)
    for number, secret in reading.secrets:
        on_line[number].add(secret)
    for number, line in enumerate(lines, 1):
        if secret := login_secret(line):
            given.append((number, secret))
        if has_other_secret(line, on_line[number]):  # it was not read, for example because of an error on the line
            given.append((number, line))
    changed = {number for number, _secret in given if raw[number - 1] != lines[number - 1]}
    values = {secret for number, secret in reading.secrets if number in changed}
    message = _("the password or passphrase on this line contains control characters or invisible characters")
    return replace(
        reading,
        hosts=tuple(
            host for host in reading.hosts if not {_value(host.password), _value(host.key_passphrase)} & values
        ),
        faults=(*reading.faults, *(LineNote(number, message) for number in sorted(changed))),
        secrets=tuple((number, raw[number - 1] if number in changed else secret) for number, secret in given),
    )


def _value(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _rejected(text: str, reason: str, line: int = 0) -> ParsedNodes:
    """Return the result for a list that is not read. Each line counts as a secret, because it can contain one."""
    lines = ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())
    return ParsedNodes(faults=(LineNote(line, reason),), secrets=tuple(lines))


def mask_nodes(text: str, reading: ParsedNodes) -> tuple[str, dict[str, str]]:
    """Replace the secrets in `text` with numbered masks. `core.redaction.unmask` restores the secrets.

    Invisible characters are removed, except on a line that is masked completely because of them."""
    raw, lines = with_newlines(text).split("\n"), cleaned(text).split("\n")
    masked = {number for number, secret in reading.secrets if secret == raw[number - 1]}
    shown = [raw[number - 1] if number in masked else line for number, line in enumerate(lines, 1)]
    return mask_lines("\n".join(shown), reading.secrets)
