"""Read an Ansible inventory in YAML form: the group `all` with hosts, vars and children. JSON is accepted, too."""

import re
from collections.abc import Iterator

import yaml

from acp_tui.core.i18n import _, pgettext
from acp_tui.plan.node_import.ansible import SECRETS, VAULT, Inventory, Variables
from acp_tui.plan.node_import.host import InvalidHostLine, LineNote, ListRejected, ListTooLarge, bounded, names
from acp_tui.plan.yaml_nodes import TooManyNodes, compose

_MOST_PARTS = 50_000
"""Maximum number of keys and items in an inventory.

A short file with nested YAML aliases can create millions of them."""
_MOST_NODES = 2 * _MOST_PARTS
"""Maximum number of YAML nodes in an inventory. A value is a node, too."""
_MOST_DEEP = 20
_PLAIN_TAGS = frozenset(
    {"!unsafe", *(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp"))}
)
"""The tags of values that are used as they are in the file. Only Ansible can read a value with another tag."""


def is_yaml(text: str) -> bool:
    """Return True if the text has a key of a YAML inventory, or starts like JSON."""
    key = re.search(r"^[^\S\n]*(hosts|children|vars)\s*:", text, re.MULTILINE)
    return key is not None or text.lstrip().startswith("{")


def read_yaml(text: str) -> Inventory:
    """Read an inventory in YAML form. Errors of single entries are in `faults`. Raises ListRejected."""
    inventory = Inventory()
    try:
        _Walk(inventory).groups(compose(text, _MOST_NODES)[0], 0)
    except TooManyNodes:
        raise ListTooLarge(_("the inventory has too many keys and items")) from None
    except RecursionError:
        raise ListRejected(_("the YAML values are nested too deeply or refer to themselves")) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        reason = pgettext("error", "invalid YAML: {reason}").format(reason=bounded(error.problem or ""))
        raise ListRejected(reason, mark.line + 1 if mark else 0) from None
    except yaml.YAMLError as error:
        reason = bounded(str(error).splitlines()[0])
        raise ListRejected(pgettext("error", "invalid YAML: {reason}").format(reason=reason)) from None
    return inventory


class _Walk:
    """Copies groups and hosts of a YAML document into `inventory`. Rejects a document that is too deep or large."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._parts = 0
        self._located: set[int] = set()
        """The `id` of each value of a secret whose lines are known. Many aliases can refer to one value."""

    def groups(self, node: yaml.Node | None, depth: int, above: str | None = None) -> None:
        for name, line, body in self._entries(node):
            if depth > _MOST_DEEP:
                raise ListRejected(_("the YAML values are nested too deeply or refer to themselves"))
            if above is not None:
                self._inventory.children.setdefault(above, set()).add(name)
            if name != "_meta":
                self._group(name, line, body, depth)

    def _group(self, name: str, line: int, body: yaml.Node, depth: int) -> None:
        for key, at, value in self._entries(body):
            if key == "hosts":
                self._hosts(name, value)
            elif key == "children":
                self.groups(value, depth + 1, name)
            elif key == "vars":
                variables = self._inventory.shared.setdefault(name, Variables())
                self._variables(variables, value)
            else:
                text = _(
                    "the key '{key}' in group '{group}' is unknown. A group can contain only hosts, children and vars."
                )
                self._inventory.faults.append(LineNote(at, text.format(key=bounded(key), group=bounded(name))))

    def _hosts(self, group: str, node: yaml.Node) -> None:
        for pattern, line, body in self._entries(node):
            try:
                for name in names(pattern):
                    self._variables(self._inventory.add(group, name, line), body)
            except InvalidHostLine as invalid:
                self._inventory.faults.append(LineNote(line, str(invalid)))

    def _variables(self, variables: Variables, node: yaml.Node | None) -> None:
        for name, line, value in self._entries(node):
            if isinstance(value, yaml.ScalarNode):
                variables.put(name, line, str(value.value) if value.tag in _PLAIN_TAGS else VAULT)
            if name in SECRETS and value.start_mark and id(value) not in self._located:
                self._located.add(id(value))
                self._inventory.more_secrets += _on_other_lines(value, line)

    def _entries(self, node: yaml.Node | None) -> Iterator[tuple[str, int, yaml.Node]]:
        """Yield key, line number and value of each entry of a mapping.

        `node` can also be a list. Each item of the list is then yielded as a key with an empty value."""
        pairs: list[tuple[yaml.Node, yaml.Node]] = []
        if isinstance(node, yaml.MappingNode):
            pairs = node.value
        elif isinstance(node, yaml.SequenceNode):
            pairs = [(item, yaml.ScalarNode("tag:yaml.org,2002:null", "")) for item in node.value]
        for key, value in pairs:
            self._parts += 1
            if self._parts > _MOST_PARTS:
                raise ListTooLarge(_("the inventory has too many keys and items"))
            if isinstance(key, yaml.ScalarNode):
                yield str(key.value), key.start_mark.line + 1, value


def _on_other_lines(value: yaml.Node, line: int) -> Iterator[tuple[int, str]]:
    """Yield line number and text of a secret for each line of its value, except for the line with its name, `line`.

    The value can be a text of several lines, a list, or an alias of a value on another line."""
    text = str(value.value) if isinstance(value, yaml.ScalarNode) else ""
    end = value.end_mark
    for number in range(value.start_mark.line + 1, end.line + (1 if end.column else 0) + 1):
        if number != line:
            yield number, text
