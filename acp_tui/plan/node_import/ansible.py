"""Import nodes from a parsed Ansible inventory (INI or YAML): hosts, groups and their variables.

A variable of a host overrides the same variable of its groups. A variable of a group overrides the same variable of its
parent groups.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from acp_tui.core.i18n import _
from acp_tui.plan.field_types import is_domain
from acp_tui.plan.node_import.host import (
    MAX_HOSTS,
    Host,
    InvalidHostLine,
    LineNote,
    ListTooLarge,
    ParsedNodes,
    Role,
    addresses,
    bounded,
    checked,
    role_of,
)

VAULT = "$ANSIBLE_VAULT"
"""The start of a value that Ansible Vault has encrypted."""
_NAMES: Mapping[str, tuple[str, ...]] = {
    "address": ("ansible_host", "ansible_ssh_host", "ip", "access_ip"),
    "username": ("ansible_user", "ansible_ssh_user"),
    "port": ("ansible_port", "ansible_ssh_port"),
    "password": ("ansible_password", "ansible_ssh_pass", "ansible_ssh_password"),
    "key_file": ("ansible_ssh_private_key_file", "ansible_private_key_file"),
    "key_passphrase": ("ansible_ssh_private_key_passphrase", "ansible_private_key_passphrase"),
    "ipv6": ("ip6",),
}
_BECOME = ("ansible_become_pass", "ansible_become_password", "ansible_sudo_pass")
SECRETS = frozenset((*_NAMES["password"], *_NAMES["key_passphrase"], *_BECOME))
_MOST_ENTRIES = 20_000
"""Maximum number of host names in all groups. A host can be in several groups."""
_MOST_GROUPS = 1000
_WIDE = frozenset({"node", "nodes", "server", "compute", "computes"})
"""Ambiguous group names.

Such a name indicates a role only if another group of the inventory indicates the other role."""


@dataclass
class Variables:
    """The variables of a host or group: variable name → line number and value."""

    values: dict[str, tuple[int, str]] = field(default_factory=dict)

    def put(self, name: str, line: int, value: str) -> None:
        self.values[name] = (line, value)


@dataclass
class Inventory:
    """The content of an inventory file, before the variables of groups and hosts are combined."""

    faults: list[LineNote] = field(default_factory=list)
    hosts: dict[str, int] = field(default_factory=dict)
    """Host name → number of the first line with this host."""
    own: dict[str, Variables] = field(default_factory=dict)
    """Host name → variables of the host."""
    members: dict[str, set[str]] = field(default_factory=dict)
    """Group name → names of its hosts."""
    children: dict[str, set[str]] = field(default_factory=dict)
    shared: dict[str, Variables] = field(default_factory=dict)
    """Group name → variables of the group."""
    more_secrets: list[tuple[int, str]] = field(default_factory=list)
    """Line number and text of each secret on another line than its name."""

    _added: int = 0

    def add(self, group: str, host: str, line: int) -> Variables:
        """Add a host to a group, and return the variables of that host. Raises ListTooLarge."""
        self._added += 1
        if self._added > _MOST_ENTRIES:
            raise ListTooLarge(_("the inventory has too many keys and items"))
        self.hosts.setdefault(host, line)
        self.members.setdefault(group, set()).add(host)
        return self.own.setdefault(host, Variables())

    def groups(self) -> dict[str, list[str]]:
        """Return host name → its groups: `all` first, then each parent group before its child groups.

        Raises ListTooLarge if the inventory has too many groups."""
        if len(self.members.keys() | self.children.keys()) > _MOST_GROUPS:
            raise ListTooLarge(_("the inventory has more than {limit} groups").format(limit=_MOST_GROUPS))
        parents: dict[str, set[str]] = {}
        for group, inner in self.children.items():
            for name in inner:
                parents.setdefault(name, set()).add(group)
        direct: dict[str, set[str]] = {}
        for group, hosts in self.members.items():
            for host in hosts:
                direct.setdefault(host, set()).add(group)
        return {host: _with_parents(direct[host], parents) for host in self.hosts}


def _with_parents(direct: set[str], parents: Mapping[str, set[str]]) -> list[str]:
    """Return the groups `direct` and all groups above them: `all` first, then each parent group before its children."""
    level, seen, levels = direct, set(direct), [sorted(direct)]
    while level := {above for group in level for above in parents.get(group, ())} - seen:
        seen |= level
        levels.append(sorted(level))
    return ["all", *(group for groups in reversed(levels) for group in groups if group != "all")]


def hosts_of(inventory: Inventory) -> ParsedNodes:
    """Return the nodes of the inventory. Raises ListTooLarge.

    If the name of at least one group indicates a role, hosts outside such groups are not imported. The result then
    contains a note for each of these hosts."""
    if len(inventory.hosts) > MAX_HOSTS:
        named = tuple(Host(line, name) for name, line in inventory.hosts.items())
        return checked(ParsedNodes(named, secrets=tuple(_secrets(inventory))))
    groups = inventory.groups()
    group_roles = _group_roles({group for names in groups.values() for group in names})
    hosts: list[Host] = []
    faults, notes = list(inventory.faults), []
    for name, line in inventory.hosts.items():
        role = _role(groups[name], group_roles)
        if group_roles and role is None:
            text = _("'{name}' is not imported, because it is not in a group of control plane nodes or workers")
            notes.append(LineNote(line, text.format(name=bounded(name))))
            continue
        values = _values(inventory, name, groups[name])
        notes += _unreadable(values)
        try:
            hosts.append(_host(name, line, role, values))
        except InvalidHostLine as invalid:
            faults.append(LineNote(line, str(invalid)))
    secrets = tuple(_secrets(inventory))
    return checked(ParsedNodes(tuple(hosts), tuple(faults), (*dict.fromkeys(notes), *_become(inventory)), secrets))


def _group_roles(groups: set[str]) -> Mapping[str, Role]:
    """Return group name → role for the groups whose names indicate a role."""
    roles = {group: role for group in groups if (role := role_of(group))}
    certain = {role for group, role in roles.items() if group.lower() not in _WIDE}
    return {g: role for g, role in roles.items() if g.lower() not in _WIDE or certain - {role}}


def _role(groups: list[str], group_roles: Mapping[str, Role]) -> Role | None:
    """Return the role of a host in these groups; None if no group indicates a role.

    A host in groups of both roles is a control plane node."""
    roles = {group_roles[group] for group in groups if group in group_roles}
    return "control-plane" if "control-plane" in roles else "worker" if roles else None


def _values(inventory: Inventory, host: str, groups: list[str]) -> Mapping[str, tuple[int, str]]:
    values: dict[str, tuple[int, str]] = {}
    for group in groups:
        values |= inventory.shared.get(group, Variables()).values
    return values | inventory.own[host].values


def _host(name: str, line: int, role: Role | None, values: Mapping[str, tuple[int, str]]) -> Host:
    known = {field: value for field, names in _NAMES.items() if (value := _first(values, names))}
    address = known.get("address", name)
    try:
        [address] = addresses(address)
    except InvalidHostLine as invalid:
        if not is_domain(address):
            raise InvalidHostLine(f"'{bounded(name)}': {invalid}") from None
        text = _(
            "'{name}' is a host name, not an address. Add ansible_host=ADDRESS; the command `getent "
            "hosts {name}` shows the address."
        )
        raise InvalidHostLine(text.format(name=bounded(address))) from None
    except ValueError:
        raise InvalidHostLine(
            _("'{name}' has a range of addresses instead of one address").format(name=bounded(name))
        ) from None
    password, passphrase = known.get("password"), known.get("key_passphrase")
    return Host(
        line=line,
        address=address,
        role=role,
        ipv6=known.get("ipv6"),
        username=known.get("username"),
        port=known.get("port"),
        password=SecretStr(password) if password else None,
        key_file=known.get("key_file"),
        key_passphrase=SecretStr(passphrase) if passphrase else None,
    )


def _first(values: Mapping[str, tuple[int, str]], names: tuple[str, ...]) -> str | None:
    """Return the first readable value among the variables with these names; None if no value is readable."""
    return next((values[name][1] for name in names if name in values and _readable(values[name][1])), None)


def _readable(value: str) -> bool:
    return bool(value) and "{{" not in value and not value.startswith(VAULT)


def _unreadable(values: Mapping[str, tuple[int, str]]) -> Iterator[LineNote]:
    """Yield a note for each value that only Ansible can resolve: a template, or an encrypted value."""
    for names in _NAMES.values():
        for name in names:
            line, value = values.get(name, (0, ""))
            if value and not _readable(value):
                yield LineNote(
                    line,
                    _("only Ansible can read the value of {name}. Enter the value in the wizard.").format(name=name),
                )


def _become(inventory: Inventory) -> Iterator[LineNote]:
    lines = [line for name, (line, _value) in _every(inventory) if name in _BECOME]
    if lines:
        yield LineNote(
            min(lines), _("the sudo password is not imported, because sudo must work without a password (USR-SUDO)")
        )


def _secrets(inventory: Inventory) -> Iterator[tuple[int, str]]:
    for name, (line, value) in _every(inventory):
        secret = value.partition(":")[2] if name in _NAMES["username"] else value if name in SECRETS else ""
        if secret:
            yield line, secret
    yield from inventory.more_secrets


def _every(inventory: Inventory) -> Iterator[tuple[str, tuple[int, str]]]:
    for variables in (*inventory.shared.values(), *inventory.own.values()):
        yield from variables.values.items()


def unquoted(value: str) -> str:
    """Return the value without surrounding quotes."""
    return re.sub(r"^(['\"])(.*)\1$", r"\2", value.strip())
