"""The result types of a node import (hosts, errors, notes), and the parsers that all list formats share.

A list of nodes is untrusted text. Its size is limited, control characters are removed, and messages contain no secrets.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal

from pydantic import SecretStr

from acp_tui.core.errors import AcpError
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.redaction import mask_user_info
from acp_tui.core.text import sanitize, truncate
from acp_tui.plan.field_types import is_domain, is_ip
from acp_tui.plan.node_import.passwords import password_message
from acp_tui.plan.paths import InvalidValue, build

Role = Literal["control-plane", "worker"]

MAX_BYTES = 1 << 20
MAX_LINES = 10_000
MAX_HOSTS = 1000
"""Maximum number of nodes in a list. The limit detects a mistyped range that contains too many addresses."""
_SHOWN = 60
"""A message quotes at most this number of characters from a list of nodes."""

_RANGE = re.compile(r"\[([^\[\]]*)\]")
_MOST_RANGES = 4
"""Maximum number of ranges in one host name."""
_COMMENT = re.compile(r"""("[^"]*"|'[^']*')|(?:^|\s)#.*""")
_CONTROL_PLANE = re.compile(r"cp|server|((kube|k8s)_)?(masters?|control_?planes?|controllers?)")
_WORKER = re.compile(r"wk|agents?|computes?|((kube|k8s)_)?(nodes?|workers?)")


@dataclass(frozen=True)
class Host:
    """A node in a list of nodes. A value is None if the list does not contain that value."""

    line: int
    address: str
    role: Role | None = None
    ipv6: str | None = None
    nic: str | None = None
    username: str | None = None
    port: str | None = None
    password: SecretStr | None = None
    key_file: str | None = None
    key_passphrase: SecretStr | None = None


@dataclass(frozen=True)
class LineNote:
    """A message about a line in a list of nodes. Line 0 means that the message is about the complete list."""

    line: int
    text: str

    def __str__(self) -> str:
        return (
            pgettext("error", "line {number}: {text}").format(number=self.line, text=self.text)
            if self.line
            else self.text
        )


@dataclass(frozen=True)
class ParsedNodes:
    """The result of reading a list of nodes."""

    hosts: tuple[Host, ...] = ()
    faults: tuple[LineNote, ...] = ()
    """Errors about lines that were not imported."""
    notes: tuple[LineNote, ...] = ()
    """Messages that are not errors, for example about columns that are not imported."""
    secrets: tuple[tuple[int, str], ...] = field(default=(), repr=False)
    """Line number and text of every secret in the list of nodes."""


class ListRejected(AcpError, ValueError):
    """A list from which no node can be read. The message has the reason.

    `line`: the line of the error; 0 means that the error is about the complete list."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class ListTooLarge(ListRejected):
    """A list of nodes exceeds a limit. The message has the reason."""


class InvalidHostLine(AcpError, ValueError):
    """A line in a list of nodes does not describe a node. The message has the reason."""


def cleaned(text: str) -> str:
    """Return the text without control characters and invisible characters. Newlines and tabs stay."""
    return sanitize(with_newlines(text), limit=None)


def with_newlines(text: str) -> str:
    """Return the text with a newline at the end of each line, and without a byte order mark at its start."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def size_problem(text: str) -> str:
    """Return the reason why a text is too large for a list of nodes; "" if its size is within the limits."""
    if len(text) > MAX_BYTES:
        return _("the text is larger than {limit} bytes, so it is not a list of nodes").format(limit=MAX_BYTES)
    if text.count("\n") >= MAX_LINES:
        return _("the text has more than {limit} lines, so it is not a list of nodes").format(limit=MAX_LINES)
    return ""


def bounded(text: str) -> str:
    """Return text from a list of nodes, shortened so that a message can quote it. A password before an @ is masked."""
    return truncate(mask_user_info(text), _SHOWN)


def role_of(label: str) -> Role | None:
    """Return the role that a group name such as `masters` or `kube_node` indicates; None if it indicates no role."""
    name = re.sub(r"[\s-]+", "_", label.strip().lower())
    if _CONTROL_PLANE.fullmatch(name):
        return "control-plane"
    return "worker" if _WORKER.fullmatch(name) else None


def addresses(text: str) -> tuple[str, ...]:
    """Return the addresses in the text, which must be one address or one range of addresses.

    A range has the form `10.20.0.11-13`, `10.20.0.11-10.20.0.13` or `10.20.0.[11:13]`. Raises InvalidHostLine for other
    text; the message explains the probable mistake."""
    text = text.strip()
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if is_ip(bare):
        return (str(ip_address(bare)),)
    if _RANGE.search(bare):
        return tuple(address for name in names(bare) for address in addresses(name))
    first, dash, last = (part.strip() for part in bare.rpartition("-"))
    if dash and is_ip(first):
        return _range(first, last, text)
    if "/" in bare and is_ip(bare.partition("/")[0]):
        raise InvalidHostLine(_("'{text}' is a network. Enter the address of a node.").format(text=bounded(text)))
    if is_domain(bare):
        message = _("'{text}' is a host name. Enter its address, which the command `getent hosts {text}` shows.")
        raise InvalidHostLine(message.format(text=bounded(bare)))
    raise InvalidHostLine(_("'{text}' is not an IPv4 or IPv6 address").format(text=bounded(text)))


def _range(first: str, last: str, text: str) -> tuple[str, ...]:
    start = ip_address(first)
    if not is_ip(last):
        separator = "." if start.version == 4 else ":"
        last = str(start).rpartition(separator)[0] + separator + last
    if not is_ip(last) or ip_address(last).version != start.version:
        raise InvalidHostLine(_("the range '{text}' has no valid last address").format(text=bounded(text)))
    count = int(ip_address(last)) - int(start) + 1
    if count < 1:
        raise InvalidHostLine(
            _("the last address of the range '{text}' is lower than its first address").format(text=bounded(text))
        )
    if count > MAX_HOSTS:
        raise InvalidHostLine(
            _("the range '{text}' has {count} addresses, which is too many").format(text=bounded(text), count=count)
        )
    kind: type[IPv4Address] | type[IPv6Address] = type(start)
    return tuple(str(kind(int(start) + step)) for step in range(count))


def names(pattern: str) -> tuple[str, ...]:
    """Return the host names that an Ansible pattern describes.

    For example, `node[01:03].lab` and `node[a:c]` describe three names each. Raises InvalidHostLine if a range is
    invalid, empty or too long."""
    match = _RANGE.search(pattern)
    if match is None:
        return (pattern,)
    if pattern.count("[") > _MOST_RANGES:
        raise InvalidHostLine(
            _("'{text}' does not contain a valid range. Enter a range such as [01:20].").format(text=bounded(pattern))
        )
    parts = re.fullmatch(r"(\d+|[a-zA-Z])[:-](\d+|[a-zA-Z])(?::(\d+))?", match[1])
    if parts is None or parts[1].isdigit() != parts[2].isdigit() or parts[3] == "0":
        raise InvalidHostLine(
            _("'{text}' does not contain a valid range. Enter a range such as [01:20].").format(text=bounded(pattern))
        )
    first, last, step = parts[1], parts[2], int((parts[3] or "1")[:9])
    to_number: Callable[[str], int] = int if first.isdigit() else ord
    to_text: Callable[[int], str] = partial(_padded, len(first)) if first.isdigit() else chr
    if len(first) > 9 or len(last) > 9 or not 0 <= to_number(last) - to_number(first) < MAX_HOSTS:
        raise InvalidHostLine(_("the range in '{text}' is empty or too long").format(text=bounded(pattern)))
    before, after = pattern[: match.start()], names(pattern[match.end() :])
    steps = range(to_number(first), to_number(last) + 1, step)
    if len(steps) * len(after) > MAX_HOSTS:
        raise InvalidHostLine(_("the range in '{text}' is empty or too long").format(text=bounded(pattern)))
    return tuple(f"{before}{to_text(number)}{rest}" for number in steps for rest in after)


def _padded(width: int, number: int) -> str:
    return f"{number:0{width}}"


def endpoint(text: str) -> tuple[str | None, str, str | None]:
    """Return user, host and port of `[user@]host[:port]`. The host is a name, a range or an address.

    Raises InvalidHostLine for `user:password@host`; the message does not contain the password."""
    user, host, port = split_endpoint(text)
    if user is not None and ":" in user:
        raise InvalidHostLine(password_message())
    return user, host, port


def split_endpoint(text: str) -> tuple[str | None, str, str | None]:
    """Return user, host and port as `endpoint`, but without a check of the user."""
    user, at, rest = text.rpartition("@")
    # A colon in an IPv6 address or in a range does not separate a port.
    match = re.fullmatch(r"((?:[^:\[\]]|\[[^\[\]]*\])+):([0-9]+)", rest)
    host, port = (match[1], match[2]) if match else (rest, None)
    return (user if at else None), host, port


def checked(reading: ParsedNodes) -> ParsedNodes:
    """Return the list without the hosts that a plan would reject. `faults` has an error for each of these hosts.

    If the list has more than MAX_HOSTS hosts, the result has none of them, and one error."""
    if len(reading.hosts) > MAX_HOSTS:
        text = _("the list has more than {limit} nodes, which is too many").format(limit=MAX_HOSTS)
        return replace(reading, hosts=(), faults=(LineNote(0, text),))
    try:
        build({"nodes": [as_node(host, "worker") for host in reading.hosts]})
    except InvalidValue as invalid:
        messages: dict[int, str] = {}
        for error in invalid.errors:
            if len(error.steps) > 1 and isinstance(error.steps[1], int):
                messages.setdefault(error.steps[1], f"{error.steps[-1]}: {bounded(error.message)}")
        hosts = tuple(host for index, host in enumerate(reading.hosts) if index not in messages)
        faults = dict.fromkeys(LineNote(reading.hosts[index].line, message) for index, message in messages.items())
        reading = replace(reading, hosts=hosts, faults=(*reading.faults, *faults))
    return replace(reading, faults=tuple(sorted(reading.faults, key=lambda fault: fault.line)))


def as_node(host: Host, role: Role) -> Mapping[str, object]:
    """Return the plan data of a node: the values of `host`, and the role `role` if `host` has none."""
    own = ("username", "port", "password", "key_file", "key_passphrase")
    ssh = {name: value for name in own if (value := getattr(host, name)) is not None}
    return {
        "address": host.address,
        "role": host.role or role,
        "ipv6": host.ipv6,
        "nic": host.nic,
        "ssh": ssh,
    }


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and text of each line that is not blank and not a comment."""
    for number, line in enumerate(text.split("\n"), 1):
        values = _COMMENT.sub(lambda match: match[1] or "", line).strip()
        if values and not values.startswith(";"):
            yield number, values
