"""Import nodes from free text, with one or more nodes on each line.

An example of a line is `worker 10.20.0.21-23 admin 2222`. The words can be in any order. A word without a dot is the
user, and a word of digits is the port. A line that does not describe a node is an error, unless it is a heading such as
`workers:`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pydantic import SecretStr

from acp_tui.core.i18n import _
from acp_tui.plan.field_types import is_domain, is_ip
from acp_tui.plan.node_import.host import (
    MAX_HOSTS,
    Host,
    InvalidHostLine,
    LineNote,
    ParsedNodes,
    Role,
    addresses,
    bounded,
    checked,
    endpoint,
    lines_of,
    role_of,
    split_endpoint,
)
from acp_tui.plan.node_import.passwords import has_secret, login_secret, password_message

_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\$?")
_KEYS = {
    "user": "username", "username": "username", "login": "username", "ansible_user": "username",
    "port": "port", "ansible_port": "port",
    "key": "key_file", "key_file": "key_file", "ansible_ssh_private_key_file": "key_file",
    "password": "password", "pass": "password", "ansible_password": "password", "ansible_ssh_pass": "password",
    "nic": "nic", "ipv6": "ipv6", "role": "role", "address": "address", "ip": "address", "ansible_host": "address",
}  # fmt: skip
_SECRET = re.compile(r"(?:\w*pass(?:word|phrase|wd)?[=:]|(?:\w*user(?:name)?|login)=[^:]*:)(.*)", re.IGNORECASE)
"""A password, or a user name that is followed by a password."""


@dataclass
class _Record:
    """The content of one line: one or more addresses, and the values that apply to all of them."""

    hosts: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    """Address, user and port of each node, parsed from `user@address:port`. User and port can be None."""
    values: dict[str, str] = field(default_factory=dict)
    label: str | None = None
    """A word without a dot. It is the user or the name of the node."""
    name: str | None = None
    """A host name with dots. It is ignored if the line also has an address."""


def read_lines(content: str) -> ParsedNodes:
    """Read each line as one or more nodes, as a heading such as `workers:`, or as an error."""
    hosts: list[tuple[Host, str | None]] = []
    faults: list[LineNote] = []
    secrets: list[tuple[int, str]] = []
    heading: Role | None = None
    for number, line in lines_of(content):
        if line.endswith(":") and (role := role_of(line[:-1])):
            heading = role
            continue
        for part in _parts(re.sub(r"^[-*]\s+", "", line)):
            secrets += [(number, match[1]) for token in part.split() if (match := _SECRET.match(token)) and match[1]]
            if len(hosts) > MAX_HOSTS:  # `checked` rejects the list; only its other secrets are needed
                continue
            try:
                if login_secret(part):
                    raise InvalidHostLine(password_message())
                record = _record(part)
            except InvalidHostLine as invalid:
                faults.append(LineNote(number, str(invalid)))
                continue
            hosts += [(host, record.label) for host in _hosts(number, record, heading)]
    labels = [label for _host, label in hosts if label is not None]
    are_names = len(labels) > 1 and len(set(labels)) == len(labels)
    text = _(
        "each node has a different word next to its address, so the words are read as node names, not as user names"
    )
    users = tuple(replace(host, username=label) if label and not are_names else host for host, label in hosts)
    notes = (LineNote(0, text),) if are_names else ()
    return checked(ParsedNodes(users, tuple(faults), notes, tuple(secrets)))


def _parts(line: str) -> Sequence[str]:
    """Split a line at commas and semicolons, if each part has an address. Otherwise the line is one part."""
    parts = [part.strip() for part in re.split(r"[,;]", line) if part.strip()]
    return parts if len(parts) > 1 and all(map(_has_address, parts)) else (" ".join(parts),)


def _has_address(part: str) -> bool:
    return any(_is_address(token) for token in part.split())


def _is_address(token: str) -> bool:
    host = split_endpoint(_value(token))[1]
    start = re.split(r"[-/]", host.strip("[]"))[0]
    return is_ip(host.strip("[]")) or is_ip(start) or re.match(r"\d+\.\d+\.", host) is not None


def _value(token: str) -> str:
    key, equals, value = token.partition("=")
    return value if equals and _KEYS.get(key.lower()) == "address" else token


def _record(part: str) -> _Record:
    """Parse the text of one node or range. Raises InvalidHostLine if a part of the text is not recognised."""
    record = _Record()
    for token in (re.sub(r"^(['\"])(.*)\1$", r"\2", token) for token in part.split()):
        key, equals, value = token.partition("=")
        if equals and key.lower() in _KEYS and _KEYS[key.lower()] != "address":
            _set_value(record, _KEYS[key.lower()], value)
        elif _is_address(token):
            user, host, port = endpoint(_value(token))
            record.hosts += [(address, user, port) for address in addresses(host)]
        elif key.lower() not in _KEYS and has_secret(token):
            raise InvalidHostLine(password_message())
        elif role := role_of(token.rstrip(":")):
            _set_value(record, "role", role)
        elif re.fullmatch(r"[0-9]+", token):
            _set_value(record, "port", token)
        elif equals:
            # The value is not shown, because it is possibly a secret.
            raise InvalidHostLine(_("the key '{key}=' is unknown").format(key=bounded(key)))
        elif "@" in token or ":" in token or ("." in token and not is_domain(token)):
            addresses(endpoint(token)[1])
        elif "." in token:
            record.name = token
        elif record.label is None and _USER.fullmatch(token):
            record.label = token
        else:
            raise InvalidHostLine(
                _(
                    "'{text}' on this line is not recognised. A line can have an address, a user, a port and a role."
                ).format(text=bounded(token))
            )
    if not record.hosts and record.name:
        addresses(record.name)
    if not record.hosts:
        visible = " ".join(token for token in part.split() if "=" not in token)
        raise InvalidHostLine(
            _("'{line}' has no address. Enter a line such as: worker admin@10.20.0.11:22").format(line=bounded(visible))
        )
    return record


def _set_value(record: _Record, name: str, value: str) -> None:
    if name == "role" and role_of(value) is None:
        raise InvalidHostLine(
            _("'{text}' is not a role. The role must be control-plane or worker.").format(text=bounded(value))
        )
    if record.values.setdefault(name, value) != value:
        raise InvalidHostLine(_("the line has two different values for {name}").format(name=name))


def _hosts(number: int, record: _Record, heading: Role | None) -> list[Host]:
    values = record.values
    password = values.get("password")
    role = role_of(values["role"]) if "role" in values else heading
    return [
        Host(
            line=number,
            address=address,
            role=role,
            ipv6=values.get("ipv6"),
            nic=values.get("nic"),
            username=user or values.get("username"),
            port=port or values.get("port"),
            password=SecretStr(password) if password else None,
            key_file=values.get("key_file"),
        )
        for address, user, port in record.hosts
    ]
