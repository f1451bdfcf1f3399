"""Read an Ansible inventory in INI form: groups in brackets, `:vars`, `:children`, and hosts with variables."""

import re
import shlex

from acp_tui.core.i18n import _
from acp_tui.plan.node_import.ansible import Inventory, Variables, unquoted
from acp_tui.plan.node_import.host import InvalidHostLine, LineNote, ListTooLarge, bounded, endpoint, lines_of, names

_SECTION = re.compile(r"\[([^\]:]+)(?::(\w+))?\]")
_UNGROUPED = "ungrouped"
_MAX_LINE = 10_000
"""Maximum number of characters of a line with a host. shlex needs the square of the length of a word as time."""


def is_ini(text: str) -> bool:
    """Return True if the text contains a group in brackets or Ansible variables."""
    return (
        re.search(r"^[^\S\n]*\[[A-Za-z_][^\]\s]*\][^\S\n]*([#;].*)?$|\bansible_\w+\s*=", text, re.MULTILINE) is not None
    )


def read_ini(text: str) -> Inventory:
    """Read an inventory in INI form. The result lists all errors in `faults`. Raises ListTooLarge."""
    inventory = Inventory()
    group, kind = _UNGROUPED, None
    for number, line in lines_of(text):
        section = _SECTION.fullmatch(line)
        try:
            if section is not None:
                group, kind = section[1].strip(), section[2]
                if kind not in (None, "vars", "children", "hosts"):
                    raise InvalidHostLine(
                        _("'[{name}]' is not a valid section of an Ansible inventory").format(
                            name=bounded(line.strip("[]"))
                        )
                    )
            elif kind == "vars":
                _variable(inventory, group, number, line)
            elif kind == "children":
                inventory.children.setdefault(group, set()).add(line.split()[0])
            elif kind in (None, "hosts"):
                _host(inventory, group, number, line)
        except InvalidHostLine as invalid:
            inventory.faults.append(LineNote(number, str(invalid)))
    return inventory


def _variable(inventory: Inventory, group: str, number: int, line: str) -> None:
    name, equals, value = line.partition("=")
    if not equals:
        raise InvalidHostLine(
            _("'{line}' is not a variable. A variable must have the form name=value.").format(line=bounded(name))
        )
    inventory.shared.setdefault(group, Variables()).put(name.strip(), number, unquoted(value))


def _host(inventory: Inventory, group: str, number: int, line: str) -> None:
    if len(line) > _MAX_LINE:
        raise ListTooLarge(_("a line of the inventory is longer than {limit} characters").format(limit=_MAX_LINE))
    try:
        pattern, *variables = shlex.split(line)
    except ValueError:
        raise InvalidHostLine(_("the line has an opening quote, but no closing quote")) from None
    user, host, port = endpoint(pattern)
    for name in names(host):
        own = inventory.add(group, name, number)
        for key, value in (("ansible_user", user), ("ansible_port", port)):
            if value:
                own.put(key, number, value)
        for variable in variables:
            key, equals, value = variable.partition("=")
            if not equals:
                text = _("'{text}' after '{host}' is not a variable. A variable must have the form name=value.")
                raise InvalidHostLine(text.format(text=bounded(variable), host=bounded(name)))
            own.put(key, number, value)
