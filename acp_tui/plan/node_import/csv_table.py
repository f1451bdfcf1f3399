"""Import nodes from CSV with a heading line.

The columns can be in any order. A column can have any of several headings, such as `address`, `ip` or `host`.
"""

import csv
import re
from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from acp_tui.core.i18n import _, pgettext
from acp_tui.core.text import truncate
from acp_tui.plan.node_import.host import (
    MAX_HOSTS,
    Host,
    InvalidHostLine,
    LineNote,
    ListRejected,
    ParsedNodes,
    addresses,
    bounded,
    checked,
    lines_of,
    role_of,
)

_COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(("address", "ip", "ipv4", "ip_address", "host", "ansible_host", "node"), "address"),
    **dict.fromkeys(("role", "group", "type"), "role"),
    **dict.fromkeys(("user", "username", "login", "ssh_user", "ansible_user"), "username"),
    **dict.fromkeys(("port", "ssh_port", "ansible_port"), "port"),
    **dict.fromkeys(("password", "pass", "ssh_password", "ansible_password", "ansible_ssh_pass"), "password"),
    **dict.fromkeys(("key", "key_file", "ssh_key", "identity_file", "ansible_ssh_private_key_file"), "key_file"),
    **dict.fromkeys(("passphrase", "key_passphrase"), "key_passphrase"),
    **dict.fromkeys(("ipv6", "ipv6_address"), "ipv6"),
    **dict.fromkeys(("nic", "interface", "device"), "nic"),
    **dict.fromkeys(("name", "hostname", "host_name", "fqdn", "comment"), "name"),
}
_QUOTED = 300
"""The note about unknown headings quotes at most this number of characters."""
_SECRET = ("password", "key_passphrase")


def delimiter(text: str) -> str | None:
    """Return the character that separates the cells of a CSV text.

    Return None if the first line is not the heading of a table of nodes."""
    first = next((line for _number, line in lines_of(text)), "")
    for sign in ",;\t|":
        cells = [_column_field(cell) for cell in first.split(sign)]
        if len(cells) > 1 and "address" in cells:
            return sign
    return "," if _column_field(first) == "address" else None


def read_table(text: str, sign: str) -> ParsedNodes:
    """Read each row as a node. A row whose address is a range gives several nodes.

    `sign`: the cell separator. Raises ListRejected."""
    hosts: list[Host] = []
    faults: list[LineNote] = []
    notes: list[LineNote] = []
    secrets: list[tuple[int, str]] = []
    columns: Sequence[str] = ()
    hidden: Sequence[int] = ()
    lines, last = text.split("\n"), 0
    table = csv.reader(lines, delimiter=sign, skipinitialspace=True)
    try:
        for row in table:
            first, last = last + 1, table.line_num
            cells = [cell.strip() for cell in row]
            if table.line_num > first:  # the row can contain other rows and their passwords
                raise ListRejected(_("the line has an opening quote, but no closing quote"), first)
            if not any(cells) or cells[0].startswith("#"):
                continue
            if not columns:
                columns = [_column_field(cell) for cell in cells]
                hidden = [at for at, cell in enumerate(cells) if columns[at] in _SECRET or "pass" in cell.lower()]
                unknown = [bounded(cell) for cell, column in zip(cells, columns, strict=True) if not column]
                if unknown:
                    notes.append(
                        LineNote(
                            table.line_num,
                            _("columns with an unknown heading are not imported: {names}").format(
                                names=truncate(", ".join(unknown), _QUOTED)
                            ),
                        )
                    )
                continue
            values = {column: cell for column, cell in zip(columns, cells, strict=False) if column and cell}
            secrets += [(table.line_num, cells[at]) for at in hidden if at < len(cells) and cells[at]]
            secrets += [
                (table.line_num, secret) for secret in (values.get("username", "").partition(":")[2],) if secret
            ]
            if len(hosts) > MAX_HOSTS:  # `checked` rejects the list; only its other secrets are needed
                continue
            try:
                if len(cells) > len(columns):
                    secrets.append((first, lines[first - 1]))  # the password is in a wrong column
                    raise InvalidHostLine(_("the row has more cells than the heading"))
                hosts += _hosts(table.line_num, values)
            except InvalidHostLine as invalid:
                faults.append(LineNote(table.line_num, str(invalid)))
    except csv.Error as error:
        reason = pgettext("error", "invalid CSV: {reason}").format(reason=error)
        raise ListRejected(reason, table.line_num) from None
    return checked(ParsedNodes(tuple(hosts), tuple(faults), tuple(notes), tuple(secrets)))


def _hosts(line: int, values: Mapping[str, str]) -> list[Host]:
    role = role_of(values["role"]) if "role" in values else None
    if "role" in values and role is None:
        raise InvalidHostLine(
            _("'{text}' is not a role. The role must be control-plane or worker.").format(text=bounded(values["role"]))
        )
    if "address" not in values:
        raise InvalidHostLine(_("the row has no address"))
    password, passphrase = values.get("password"), values.get("key_passphrase")
    return [
        Host(
            line=line,
            address=address,
            role=role,
            ipv6=values.get("ipv6"),
            nic=values.get("nic"),
            username=values.get("username"),
            port=values.get("port"),
            password=SecretStr(password) if password else None,
            key_file=values.get("key_file"),
            key_passphrase=SecretStr(passphrase) if passphrase else None,
        )
        for address in addresses(values["address"])
    ]


def _column_field(head: str) -> str:
    """Return the node field for a column with this heading; "" if the heading is unknown."""
    return _COLUMNS.get(re.sub(r"[\s-]+", "_", head.strip().strip("\"'").lower()), "")
