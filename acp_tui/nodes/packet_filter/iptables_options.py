"""The options of iptables rules that compare a property of a packet."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_network

from acp_tui.nodes.packet_filter import values
from acp_tui.nodes.packet_filter.model import Match, What, number
from acp_tui.nodes.packet_filter.nft_fields import constant, unknown

Sets = Mapping[str, tuple[str, tuple[str, ...]]]
"""The ipsets by name: their type, and their elements."""

Option = Callable[[Sequence[str], bool], Match]
"""Convert the arguments of an option into a condition; True means negated. Raises ValueError."""

NO_ARGUMENTS = frozenset(
    ("--syn", "-f", "--fragment", "--loose", "--validmark", "--accept-local", "--invert", "--physdev-is-bridged",
     "--physdev-is-in", "--physdev-is-out", "--set", "--update", "--rcheck", "--remove", "--rsource", "--rdest",
     "--transparent", "--nowildcard", "--limit-iface-in", "--limit-iface-out", "--connlimit-saddr",
     "--connlimit-daddr", "--strict", "--kerneltz", "--rttl", "--reap", "--return-nomatch", "--update-counters",
     "--socket-exists", "--icase", "--hashlimit-rate-match", "--notrack", "--random", "--random-fully",
     "--persistent", "--clamp-mss-to-pmtu", "--save-mark", "--restore-mark", "--queue-bypass", "--queue-cpu-fanout",
     "--contiguous", "--every-pass", "--log-uid", "--log-ip-options", "--log-tcp-options", "--log-tcp-sequence")
)  # fmt: skip
"""Options without an argument."""


def _ranges(what: What, parse: values.Parse) -> Option:
    return lambda tokens, negated: Match(
        what, values.merged(parse(part) for part in tokens[0].split(",")), negated=negated
    )


def _names(what: What, change: Callable[[str], str]) -> Option:
    return lambda tokens, negated: Match(
        what, names=tuple(change(part) for part in tokens[0].split(",")), negated=negated
    )


def _network(text: str) -> tuple[int, int]:
    """Return the range of an address, also with a mask such as 10.0.0.0/255.0.0.0. Raises ValueError."""
    network = ip_network(text[:100], strict=False)
    return number(network.network_address), number(network.broadcast_address)


def _flags(tokens: Sequence[str], negated: bool) -> Match:
    mask, wanted = (values.flags(token.split(",")) for token in tokens[:2])
    return Match(What.FLAGS, ((wanted, wanted),), negated=negated, mask=mask)


def _mark(tokens: Sequence[str], negated: bool) -> Match:
    value, slash, mask = tokens[0].partition("/")
    wanted = values.plain(value)
    return Match(What.MARK, ((wanted, wanted),), negated=negated, mask=values.plain(mask) if slash else 0xFFFFFFFF)


def _icmp(types: Mapping[str, int]) -> Option:
    def option(tokens: Sequence[str], negated: bool) -> Match:
        every = tokens[0] in ("any", "255")
        return Match(What.ICMP, ((0, 65535),) if every else (values.icmp(types)(tokens[0]),), negated=negated)

    return option


def _assumed(value: int) -> Option:
    """Return an option for a property that is the same in every packet between nodes."""

    def option(tokens: Sequence[str], negated: bool) -> Match:
        first, last = values.numbers({}, ":")(tokens[0].partition("/")[0])
        return constant((first <= value <= last) != negated)

    return option


def _either(tokens: Sequence[str], negated: bool) -> Match:
    """Parse `--ports`: source or destination has one of the ports."""
    ports = values.merged(values.colon_ports(part) for part in tokens[0].split(","))
    groups = ((Match(What.SOURCE_PORT, ports),), (Match(What.DESTINATION_PORT, ports),))
    return Match(What.ANY, negated=negated, alternatives=groups)


def _status(tokens: Sequence[str], negated: bool) -> Match:
    """Parse `--ctstatus`: packets of the simulation are not translated."""
    if not set(tokens[0].split(",")) <= {"DNAT", "SNAT"}:
        raise ValueError("unknown status")
    return constant(negated)


def _always(_tokens: Sequence[str], negated: bool) -> Match:
    return constant(not negated)


def _never(_tokens: Sequence[str], negated: bool) -> Match:
    return constant(negated)


def _rate(over: bool) -> Option:
    return lambda _tokens, negated: Match(What.RATE, negated=over != negated)


def _nic(text: str) -> str:
    return text[:-1] + "*" if text.endswith("+") else text


_PROTOCOL = {**values.PROTOCOLS, "all": -1}
_STATES = _names(What.STATE, str.lower)
_ANY_PROTOCOL = ((0, 255),)


def _protocol(tokens: Sequence[str], negated: bool) -> Match:
    if tokens[0] in ("all", "0"):
        return Match(What.PROTOCOL, _ANY_PROTOCOL, negated=negated)
    return Match(What.PROTOCOL, (values.numbers(_PROTOCOL)(tokens[0]),), negated=negated)


OPTIONS: Mapping[str, Option] = {
    "-p": _protocol, "--protocol": _protocol,
    "-s": _ranges(What.SOURCE, _network), "--source": _ranges(What.SOURCE, _network),
    "-d": _ranges(What.DESTINATION, _network), "--destination": _ranges(What.DESTINATION, _network),
    "-i": _names(What.IN, _nic), "--in-interface": _names(What.IN, _nic),
    "-o": _names(What.OUT, _nic), "--out-interface": _names(What.OUT, _nic),
    "-f": _never, "--fragment": _never,
    "--sport": _ranges(What.SOURCE_PORT, values.colon_ports), "--sports": _ranges(What.SOURCE_PORT, values.colon_ports),
    "--source-port": _ranges(What.SOURCE_PORT, values.colon_ports),
    "--dport": _ranges(What.DESTINATION_PORT, values.colon_ports),
    "--dports": _ranges(What.DESTINATION_PORT, values.colon_ports),
    "--destination-port": _ranges(What.DESTINATION_PORT, values.colon_ports),
    "--ports": _either,
    "--tcp-flags": _flags,
    "--syn": lambda _tokens, negated: Match(What.FLAGS, ((2, 2),), negated=negated, mask=23),
    "--icmp-type": _icmp(values.ICMP_TYPES), "--icmpv6-type": _icmp(values.ICMPV6_TYPES),
    "--state": _STATES, "--ctstate": _STATES, "--ctstatus": _status,
    "--mark": _mark,
    "--src-type": _names(What.SOURCE_TYPE, str.lower), "--dst-type": _names(What.DESTINATION_TYPE, str.lower),
    "--src-range": _ranges(What.SOURCE, values.address), "--dst-range": _ranges(What.DESTINATION, values.address),
    "--pkt-type": _names(What.PACKET_TYPE, str.lower),
    "--limit": _rate(over=False), "--hashlimit-upto": _rate(over=False), "--hashlimit": _rate(over=False),
    "--hashlimit-above": _rate(over=True), "--connlimit-above": _rate(over=True), "--connlimit-upto": _rate(over=False),
    "--update": _rate(over=True), "--rcheck": _rate(over=True), "--remove": _rate(over=True), "--set": _always,
    "--comment": _always,
    "--ttl-eq": _assumed(64), "--hl-eq": _assumed(64),
    "--ttl-lt": lambda tokens, negated: constant((values.plain(tokens[0]) > 64) != negated),
    "--ttl-gt": lambda tokens, negated: constant((values.plain(tokens[0]) < 64) != negated),
    "--tos": _assumed(0), "--dscp": _assumed(0),
    "--physdev-in": _never, "--physdev-out": _never, "--physdev-is-bridged": _never, "--physdev-is-in": _never,
    "--physdev-is-out": _never,
    "--helper": _never,
    "--pol": lambda tokens, negated: constant((tokens[0] == "none") != negated),
}  # fmt: skip
"""The conditions that acp-tui can evaluate, by option."""

SILENT = frozenset(
    ("--limit-burst", "--hashlimit-burst", "--hashlimit-mode", "--hashlimit-name", "--hashlimit-htable-size",
     "--hashlimit-htable-max", "--hashlimit-htable-expire", "--hashlimit-htable-gcinterval", "--hashlimit-srcmask",
     "--hashlimit-dstmask", "--hashlimit-rate-match", "--hashlimit-rate-interval", "--connlimit-mask",
     "--connlimit-saddr", "--connlimit-daddr", "--seconds", "--hitcount", "--name", "--mask", "--rsource", "--rdest",
     "--rttl", "--reap", "--loose", "--validmark", "--accept-local", "--invert", "--limit-iface-in",
     "--limit-iface-out", "--dir", "--strict", "--return-nomatch", "--nowildcard")
)  # fmt: skip
"""Options that only refine another option of their match."""


def condition(option: str, tokens: Sequence[str], negated: bool, sets: Sets) -> Match:
    """Return the condition of an option; `What.UNKNOWN` if acp-tui cannot evaluate it."""
    try:
        if option == "--match-set":
            return _set(tokens, negated, sets)
        parse = OPTIONS.get(option)
        if parse is not None:
            return parse(tokens, negated)
    except (ValueError, IndexError):
        pass
    return unknown(*(("!",) if negated else ()), option, *tokens)


def _set(tokens: Sequence[str], negated: bool, sets: Sets) -> Match:
    """Parse `--match-set NAME src`. Raises ValueError for a set that is not known, or not a list of addresses."""
    kind, elements = sets.get(tokens[0], ("", ()))
    what = {"src": What.SOURCE, "dst": What.DESTINATION}.get(tokens[1])
    if kind not in ("hash:ip", "hash:net", "bitmap:ip") or what is None:
        raise ValueError("unknown set")
    ranges = values.merged(values.address(element) for element in elements)
    return replace(Match(what, ranges), negated=negated)
