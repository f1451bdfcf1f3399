"""The rules of the packet filter of a kernel, in one form for nftables and iptables.

The parsers `nft.py` and `iptables.py` produce these types, and `checks/packet_filter.py` evaluates them.
"""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

Ranges = tuple[tuple[int, int], ...]
"""Sorted ranges of numbers, both ends included, that do not overlap."""

_SIX = 1 << 128


def number(address: IPv4Address | IPv6Address) -> int:
    """Return a number for an address. The numbers of IPv4 and IPv6 addresses differ."""
    return int(address) + (_SIX if address.version == 6 else 0)


class What(StrEnum):
    """The property of a packet that a match compares."""

    FAMILY = "IP version"
    PROTOCOL = "protocol"
    SOURCE = "source address"
    DESTINATION = "destination address"
    SOURCE_TYPE = "type of the source address"
    DESTINATION_TYPE = "type of the destination address"
    SOURCE_PORT = "source port"
    DESTINATION_PORT = "destination port"
    IN = "input interface"
    OUT = "output interface"
    STATE = "connection state"
    FLAGS = "TCP flags"
    ICMP = "ICMP type and code"
    MARK = "mark"
    PACKET_TYPE = "unicast or broadcast"
    RATE = "rate limit"
    CONSTANT = "always"
    ANY = "one of several"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Match:
    """A condition of a rule. `negated`: the condition holds if the comparison does not."""

    what: What
    ranges: Ranges = ()
    """The accepted numbers: versions, protocols, ports, flags, marks, `number` of addresses, ICMP type * 256 + code."""
    names: tuple[str, ...] = ()
    """The accepted names: interfaces, where `*` at the end matches every rest; connection states; address types."""
    negated: bool = False
    mask: int = -1
    """For marks and TCP flags: the bits that are compared."""
    alternatives: "tuple[tuple[Match, ...], ...]" = ()
    """For `What.ANY`: groups of conditions, one of which must hold."""


class Action(StrEnum):
    """What a rule does with a packet that fulfils its conditions."""

    ACCEPT = "accept"
    DROP = "drop"
    REJECT = "reject"
    JUMP = "jump"
    GOTO = "goto"
    RETURN = "return"
    CONTINUE = "continue"
    MASQUERADE = "masquerade"
    SNAT = "snat"
    DNAT = "dnat"
    MARK = "mark"
    UNTRACK = "notrack"
    UNKNOWN = "unknown"
    """The rule can end the packet, but nothing in the list shows whether it does, such as a queue to a program."""


@dataclass(frozen=True, slots=True)
class Rule:
    matches: tuple[Match, ...]
    action: Action
    target: str = ""
    """The chain of a jump, or the new address of SNAT and DNAT."""
    text: str = ""
    """The rule as the tool lists it, without counters and shortened."""
    mark: tuple[int, int] = (0, 0)
    """For `Action.MARK`: a mark m becomes (m & ~mask) ^ value. The tuple has value and mask."""


class Hook(StrEnum):
    INGRESS = "ingress"
    PREROUTING = "prerouting"
    INPUT = "input"
    FORWARD = "forward"
    OUTPUT = "output"
    POSTROUTING = "postrouting"


@dataclass(frozen=True, slots=True)
class Chain:
    family: str
    """`ip`, `ip6`, `inet` or `netdev`."""
    table: str
    name: str
    rules: tuple[Rule, ...] = ()
    hook: Hook | None = None
    """Where the kernel starts the chain; None for a chain that only other chains start."""
    priority: int = 0
    policy: Action = Action.ACCEPT
    nat: bool = False
    """True if only the first packet of a connection passes through the chain."""
    devices: tuple[str, ...] = ()
    """For the hook `ingress`: the interfaces."""
    tool: str = "nft"
    """The command that lists and deletes the chain: `nft`, `iptables`, `ip6tables`, `iptables-legacy`..."""


@dataclass(frozen=True, slots=True)
class PacketFilter:
    """The packet filter of one node."""

    chains: tuple[Chain, ...] = ()
    """The chains of the tables that filter or translate IP packets. Empty tables and chains are included."""
    unread: tuple[str, ...] = ()
    """The reasons why a part of the rules was not read. If it is not empty, the node can have more rules."""
    chain_prefixes: tuple[str, ...] = ()
    """The first tokens of the chain names, with separator, sorted: `KUBE-`, `cali-`, `CILIUM_`, `DOCKER`, `f2b-`.

    The names of built-in and base chains are not included."""
    tables: tuple[str, ...] = ()
    """The tables that `nft` lists, with family, sorted, such as `inet filter` or `ip kube-proxy`."""
    boot_files: tuple[str, ...] = ()
    """Files that load rules at boot without a firewall unit, such as /etc/rc.local. Only read if the node has rules."""
    harmless_files: tuple[str, ...] = ()
    """The rule files of firewall units, such as /etc/nftables.conf, that contain no rule that drops or rejects.

    A file with chains is included only if the kernel has chains too, because else the unit has not loaded the file."""
