"""The result of reading a list of nodes in any format: hosts, errors and notes; and the parsers that formats share.

A list is untrusted text: it is limited and cleaned, and no message contains its secrets.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal

from pydantic import SecretStr

from acp_tui.core.errors import AcpError
from acp_tui.core.i18n import _, ngettext
from acp_tui.core.text import truncate
from acp_tui.plan.field_types import is_domain, is_ip
from acp_tui.plan.paths import InvalidValue, build

Role = Literal["control-plane", "worker"]

MAX_BYTES = 1 << 20
MAX_HOSTS = 1000
"""A cluster is smaller; a range that is mistyped is not."""
_SHOWN = 60
"""Columns of a list's own words in a message."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")

_RANGE = re.compile(r"\[([^\[\]]*)\]")
_MOST_RANGES = 4
"""In one name."""
_COMMENT = re.compile(r"""("[^"]*"|'[^']*')|(?:^|\s)#.*""")
_CONTROL_PLANE = re.compile(r"cp|server|((kube|k8s)_)?(masters?|control_?planes?|controllers?)")
_WORKER = re.compile(r"wk|agents?|computes?|((kube|k8s)_)?(nodes?|workers?)")


@dataclass(frozen=True)
class Host:
    """A node of a list. None: the list does not have the value."""

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
    """A message about a line; line 0: about the complete list."""

    line: int
    text: str

    def __str__(self) -> str:
        return _("line {number}: {text}").format(number=self.line, text=self.text) if self.line else self.text


@dataclass(frozen=True)
class ParsedNodes:
    hosts: tuple[Host, ...] = ()
    faults: tuple[LineNote, ...] = ()
    """Errors: lines that were not imported."""
    notes: tuple[LineNote, ...] = ()
    """Notes about imported nodes."""
    secrets: tuple[tuple[int, str], ...] = field(default=(), repr=False)
    """Line and value of every secret."""


class InvalidHostLine(AcpError, ValueError):
    """The line is not a node; the text has the reason."""


def cleaned(text: str) -> str:
    """Without what would reach the terminal, or hide in the text; lines and tabs stay."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def bounded(text: str) -> str:
    return truncate(text, _SHOWN)


def role_of(word: str) -> Role | None:
    """The role that a word or a group's name stands for; None: neither."""
    name = re.sub(r"[\s-]+", "_", word.strip().lower())
    if _CONTROL_PLANE.fullmatch(name):
        return "control-plane"
    return "worker" if _WORKER.fullmatch(name) else None


def addresses(text: str) -> tuple[str, ...]:
    """An address, or the addresses of a range: `10.20.0.11-13`, `10.20.0.11-10.20.0.13`, `10.20.0.[11:13]`.

    Refused: it is none, with what it seems to be."""
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
        raise InvalidHostLine(_("'{text}' is a network, not the address of a node").format(text=bounded(text)))
    if is_domain(bare):
        message = _("'{text}' is a host name: enter its address (find it with `getent hosts {text}`)")
        raise InvalidHostLine(message.format(text=bounded(bare)))
    raise InvalidHostLine(_("'{text}' is not an IPv4 or IPv6 address").format(text=bounded(text)))


def _range(first: str, last: str, text: str) -> tuple[str, ...]:
    start = ip_address(first)
    if not is_ip(last):
        separator = "." if start.version == 4 else ":"
        last = str(start).rpartition(separator)[0] + separator + last
    if not is_ip(last) or ip_address(last).version != start.version:
        raise InvalidHostLine(_("'{text}' is a range without a valid last address").format(text=bounded(text)))
    count = int(ip_address(last)) - int(start) + 1
    if count < 1:
        raise InvalidHostLine(_("'{text}' is a range that ends before its first address").format(text=bounded(text)))
    if count > MAX_HOSTS:
        raise InvalidHostLine(_("'{text}' is a range of {count} addresses").format(text=bounded(text), count=count))
    kind: type[IPv4Address] | type[IPv6Address] = type(start)
    return tuple(str(kind(int(start) + step)) for step in range(count))


def names(pattern: str) -> tuple[str, ...]:
    """Names of an Ansible pattern: `node[01:03].lab` is three, `node[a:c]` as well. Refused: it is no such pattern."""
    found = _RANGE.search(pattern)
    if found is None:
        return (pattern,)
    if pattern.count("[") > _MOST_RANGES:
        raise InvalidHostLine(_("'{text}' is not a range like [01:20]").format(text=bounded(pattern)))
    parts = re.fullmatch(r"(\d+|[a-zA-Z])[:-](\d+|[a-zA-Z])(?::(\d+))?", found[1])
    if parts is None or parts[1].isdigit() != parts[2].isdigit() or parts[3] == "0":
        raise InvalidHostLine(_("'{text}' is not a range like [01:20]").format(text=bounded(pattern)))
    first, last, step = parts[1], parts[2], int((parts[3] or "1")[:9])
    to_number: Callable[[str], int] = int if first.isdigit() else ord
    to_text: Callable[[int], str] = partial(_padded, len(first)) if first.isdigit() else chr
    if len(first) > 9 or len(last) > 9 or not 0 <= to_number(last) - to_number(first) < MAX_HOSTS:
        raise InvalidHostLine(_("'{text}' is a range that is empty or too long").format(text=bounded(pattern)))
    before, after = pattern[: found.start()], names(pattern[found.end() :])
    steps = range(to_number(first), to_number(last) + 1, step)
    if len(steps) * len(after) > MAX_HOSTS:
        raise InvalidHostLine(_("'{text}' is a range that is empty or too long").format(text=bounded(pattern)))
    return tuple(f"{before}{to_text(number)}{rest}" for number in steps for rest in after)


def _padded(width: int, number: int) -> str:
    return f"{number:0{width}}"


def endpoint(text: str) -> tuple[str | None, str, str | None]:
    """User, host and port of `[user@]host[:port]`; the host may be a name, a range, an IPv6 address in brackets."""
    user, at, rest = text.rpartition("@")
    # Not the colons of an IPv6 address, nor that of a range.
    found = re.fullmatch(r"((?:[^:\[\]]|\[[^\[\]]*\])+):([0-9]+)", rest)
    host, port = (found[1], found[2]) if found else (rest, None)
    return (user if at else None), host, port


def checked(reading: ParsedNodes) -> ParsedNodes:
    """The reading with the hosts left out that the plan's own fields refuse; why stands with the faults."""
    try:
        build({"nodes": [as_node(host, "worker") for host in reading.hosts]})
    except InvalidValue as invalid:
        bad: dict[int, str] = {}
        for wrong in invalid.errors:
            if len(wrong.steps) > 1 and isinstance(wrong.steps[1], int):
                bad.setdefault(wrong.steps[1], f"{wrong.steps[-1]}: {bounded(wrong.message)}")
        hosts = tuple(host for index, host in enumerate(reading.hosts) if index not in bad)
        faults = dict.fromkeys(LineNote(reading.hosts[index].line, why) for index, why in bad.items())
        reading = replace(reading, hosts=hosts, faults=(*reading.faults, *faults))
    if len(reading.hosts) > MAX_HOSTS:
        count = len(reading.hosts)
        text = ngettext("{count} node is too many", "{count} nodes are too many", count).format(count=count)
        return replace(reading, hosts=(), faults=(LineNote(0, text),))
    return replace(reading, faults=tuple(sorted(reading.faults, key=lambda fault: fault.line)))


def as_node(host: Host, role: Role) -> Mapping[str, object]:
    """Plain data of a node in the plan."""
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
    """Yield the lines with their numbers, without blank lines and comments."""
    for number, line in enumerate(text.split("\n"), 1):
        values = _COMMENT.sub(lambda found: found[1] or "", line).strip()
        if values and not values.startswith(";"):
            yield number, values
