"""The expressions of nft rules that compare a property of a packet, such as `tcp dport` or `fib daddr type`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from acp_tui.nodes.packet_filter import values
from acp_tui.nodes.packet_filter.model import Match, What
from acp_tui.nodes.packet_filter.values import Parse

Words = Sequence[str]

_TRANSPORTS = {"tcp": 6, "udp": 17, "sctp": 132, "dccp": 33, "udplite": 136}
_ASSUMED = {
    ("ip", "ttl"): 64, ("ip6", "hoplimit"): 64, ("ip", "frag-off"): 0, ("ip", "version"): 4, ("ip6", "version"): 6,
    ("ip", "hdrlength"): 5,
}  # fmt: skip
"""The value of these fields in packets between nodes."""


@dataclass(frozen=True)
class Field:
    """A property of a packet. `needs`: conditions of every comparison, such as the protocol of a port."""

    what: What
    parse: Parse | None = None
    """The parser of one value; None if the values are names."""
    needs: tuple[Match, ...] = ()
    assumed: int | None = None
    """The value that packets between nodes have, for properties that acp-tui does not simulate."""


def protocol(value: int) -> Match:
    return Match(What.PROTOCOL, ((value, value),))


def family(version: int) -> Match:
    return Match(What.FAMILY, ((version, version),))


def constant(value: bool) -> Match:
    """Return a condition that always holds, or never."""
    return Match(What.CONSTANT, negated=not value)


def unknown(*tokens: str) -> Match:
    """Return a condition that acp-tui cannot evaluate."""
    return Match(What.UNKNOWN, names=(" ".join(tokens)[:80],))


_IN, _OUT = Field(What.IN), Field(What.OUT)
_FAMILIES = values.numbers({"ipv4": 4, "ip": 4, "ipv6": 6, "ip6": 6, "0x0800": 4, "0x86dd": 6, "2": 4, "10": 6})
_PROTOCOLS = values.numbers(values.PROTOCOLS)
_MARK = Field(What.MARK, values.plain_range)
_PLAIN: Mapping[tuple[str, ...], Field] = {
    ("iifname",): _IN, ("iif",): _IN, ("meta", "iifname"): _IN, ("meta", "iif"): _IN,
    ("oifname",): _OUT, ("oif",): _OUT, ("meta", "oifname"): _OUT, ("meta", "oif"): _OUT,
    ("meta", "nfproto"): Field(What.FAMILY, _FAMILIES),
    ("meta", "protocol"): Field(What.FAMILY, _FAMILIES),
    ("ether", "type"): Field(What.FAMILY, _FAMILIES),
    ("meta", "l4proto"): Field(What.PROTOCOL, _PROTOCOLS),
    ("ip", "protocol"): Field(What.PROTOCOL, _PROTOCOLS, (family(4),)),
    ("ip6", "nexthdr"): Field(What.PROTOCOL, _PROTOCOLS, (family(6),)),
    ("ip", "saddr"): Field(What.SOURCE, values.address, (family(4),)),
    ("ip", "daddr"): Field(What.DESTINATION, values.address, (family(4),)),
    ("ip6", "saddr"): Field(What.SOURCE, values.address, (family(6),)),
    ("ip6", "daddr"): Field(What.DESTINATION, values.address, (family(6),)),
    ("th", "sport"): Field(What.SOURCE_PORT, values.port),
    ("th", "dport"): Field(What.DESTINATION_PORT, values.port),
    ("ct", "state"): Field(What.STATE),
    ("ct", "status"): Field(What.UNKNOWN, values.numbers({"dnat": 1, "snat": 1}), assumed=0),
    ("mark",): _MARK, ("meta", "mark"): _MARK,
    ("icmp", "type"): Field(What.ICMP, values.icmp(values.ICMP_TYPES), (protocol(1),)),
    ("icmpv6", "type"): Field(What.ICMP, values.icmp(values.ICMPV6_TYPES), (protocol(58),)),
    ("tcp", "flags"): Field(What.FLAGS, None, (protocol(6),)),
    ("meta", "pkttype"): Field(What.PACKET_TYPE), ("pkttype",): Field(What.PACKET_TYPE),
    **{
        (name, side): Field(what, values.port, (protocol(number),))
        for name, number in _TRANSPORTS.items()
        for side, what in (("sport", What.SOURCE_PORT), ("dport", What.DESTINATION_PORT))
    },
    **{
        path: Field(What.UNKNOWN, values.plain_range, (family(6 if path[0] == "ip6" else 4),), assumed)
        for path, assumed in _ASSUMED.items()
    },
}  # fmt: skip
_UNKNOWN_STARTS = frozenset(
    ("meta", "ip", "ip6", "tcp", "udp", "sctp", "dccp", "udplite", "th", "ct", "icmp", "icmpv6", "ether", "arp", "vlan",
     "rt", "exthdr", "frag", "hbh", "mh", "dst", "srh", "ah", "esp", "comp", "socket", "ipsec", "osf", "numgen",
     "jhash", "symhash", "skuid", "skgid", "cgroup", "iiftype", "oiftype", "iifgroup", "oifgroup", "rtclassid", "cpu",
     "igmp", "gre", "vxlan", "geneve", "tunnel")
)  # fmt: skip
STARTS = _UNKNOWN_STARTS | {path[0] for path in _PLAIN} | {"fib"}
"""The tokens with which a comparison begins. A raw expression begins with `@`."""


def field(tokens: Words, at: int) -> tuple[Field | None, int]:
    """Return the field that begins at `tokens[at]`, and the index behind it. An unknown field is None."""
    if tokens[at] == "fib":
        return _fib(tokens, at)
    for length in (2, 1):
        found = _PLAIN.get(tuple(tokens[at : at + length]))
        if found is not None:
            return found, at + length
    return None, at + (1 if tokens[at].startswith("@") else 2)


def _fib(tokens: Words, at: int) -> tuple[Field | None, int]:
    """Parse `fib saddr . iif oif` and `fib daddr type`: a search in the routes of the node.

    A route to the source of every packet of the cluster exists, and leaves by the interface on which the packet came.
    """
    end = at + 1
    while end < min(len(tokens), at + 12) and tokens[end] not in ("type", "oif", "oifname"):
        end += 1
    if end >= min(len(tokens), at + 12):
        return None, at + 1
    if tokens[end] == "type":
        return Field(What.DESTINATION_TYPE if "daddr" in tokens[at:end] else What.SOURCE_TYPE), end + 1
    return Field(What.UNKNOWN, values.numbers({"missing": 0, "exists": 1}), assumed=1), end + 1


def match(found: Field, tokens: Sequence[str], *, negated: bool = False, mask: int | None = None) -> Match:
    """Return the condition that the field has one of the values `tokens`. Raises ValueError for an unknown value."""
    if found.what is What.FLAGS:
        return _flags(tokens, negated, mask)
    if found.parse is None:
        names = tuple(token.strip('"') for token in tokens)
        return Match(found.what, names=names, negated=negated)
    ranges = values.merged(found.parse(token) for token in tokens)
    if found.assumed is not None:
        value = found.assumed if mask is None else found.assumed & mask
        held = any(first <= value <= last for first, last in ranges)
        return constant(held != negated)
    if found.what is What.UNKNOWN:
        raise ValueError("acp-tui does not simulate the field")
    result = Match(found.what, ranges, negated=negated)
    return result if mask is None else replace(result, mask=mask)


def _flags(tokens: Sequence[str], negated: bool, mask: int | None) -> Match:
    """Return a condition on TCP flags.

    With a mask the masked flags must have one of the values; without one, a flag of `tokens` must be set."""
    if mask is not None:
        wanted = [values.flags(token.split("|")) for token in tokens]
        return Match(What.FLAGS, values.merged((value, value) for value in wanted), negated=negated, mask=mask)
    some = values.flags(part for token in tokens for part in token.split("|"))
    return Match(What.FLAGS, ((0, 0),), negated=not negated, mask=some)
