"""Values in packet filter rules: protocols, ports, addresses, ICMP types and TCP flags, as numbers."""

import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address, ip_network

from acp_tui.nodes.packet_filter.model import Ranges, number

PROTOCOLS: Mapping[str, int] = {
    "icmp": 1, "igmp": 2, "ipencap": 4, "ipv4": 4, "ipip": 4, "tcp": 6, "egp": 8, "udp": 17, "dccp": 33, "ipv6": 41,
    "gre": 47, "esp": 50, "ah": 51, "icmpv6": 58, "ipv6-icmp": 58, "ospf": 89, "ospfigp": 89, "pim": 103, "vrrp": 112,
    "sctp": 132, "udplite": 136,
}  # fmt: skip
_SERVICES: Mapping[str, int] = {
    "ssh": 22, "domain": 53, "http": 80, "ntp": 123, "bgp": 179, "https": 443, "etcd-client": 2379, "etcd-server": 2380,
    "vxlan": 4789, "geneve": 6081, "sun-sr-https": 6443, "http-alt": 8080, "webcache": 8080,
}  # fmt: skip
"""The names with which nft before 0.9.1 shows ports of the cluster. The ports of other names are not of the cluster."""

ICMP_TYPES: Mapping[str, int] = {
    "echo-reply": 0, "pong": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8,
    "ping": 8, "router-advertisement": 9, "router-solicitation": 10, "time-exceeded": 11, "ttl-exceeded": 11,
    "parameter-problem": 12, "timestamp-request": 13, "timestamp-reply": 14, "info-request": 15, "info-reply": 16,
    "address-mask-request": 17, "address-mask-reply": 18,
}  # fmt: skip
ICMPV6_TYPES: Mapping[str, int] = {
    "destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "ttl-exceeded": 3, "parameter-problem": 4,
    "echo-request": 128, "echo-reply": 129, "mld-listener-query": 130, "mld-listener-report": 131,
    "mld-listener-done": 132, "mld-listener-reduction": 132, "nd-router-solicit": 133, "router-solicitation": 133,
    "nd-router-advert": 134, "router-advertisement": 134, "nd-neighbor-solicit": 135, "neighbour-solicitation": 135,
    "neighbor-solicitation": 135, "nd-neighbor-advert": 136, "neighbour-advertisement": 136,
    "neighbor-advertisement": 136, "nd-redirect": 137, "redirect": 137, "router-renumbering": 138,
    "ind-neighbor-solicit": 141, "ind-neighbor-advert": 142, "mld2-listener-report": 143,
}  # fmt: skip
FLAGS: Mapping[str, int] = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "cwr": 128}

Parse = Callable[[str], tuple[int, int]]
"""Convert a token into a range of numbers. Raises ValueError."""


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Return sorted ranges that do not touch each other."""
    result: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return tuple(result)


def plain(text: str) -> int:
    """Return the number that `text` is, decimal or hexadecimal. Raises ValueError."""
    if re.fullmatch(r"[0-9]{1,20}|0x[0-9a-fA-F]{1,16}", text) is None:
        raise ValueError("not a number")
    return int(text, 0) if text.startswith("0x") else int(text)


def plain_range(text: str) -> tuple[int, int]:
    """Return the range of a number, or of two numbers with `-` between them. Raises ValueError."""
    first, dash, last = text.partition("-")
    return plain(first), plain(last if dash else first)


def numbers(names: Mapping[str, int], separator: str = "-") -> Parse:
    """Return a parser for a number, one of `names`, or two of them with `separator` between them."""

    def one(text: str) -> int:
        return names[text] if text in names else plain(text)

    def parse(text: str) -> tuple[int, int]:
        if text in names or separator not in text:
            found = one(text)
            return found, found
        first, _, last = text.partition(separator)
        return one(first) if first else 0, one(last) if last else 65535

    return parse


def port(text: str, separator: str = "-") -> tuple[int, int]:
    """Return the range of ports. The result is empty for the name of a service that is not of the cluster."""
    try:
        return numbers(_SERVICES, separator)(text)
    except ValueError:
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9_.+*/-]{0,40}", text) is None:
            raise
        return -1, -1


def colon_ports(text: str) -> tuple[int, int]:
    """Return the range of ports of iptables, such as `22` or `1000:2000`."""
    return port(text, ":")


def address(text: str) -> tuple[int, int]:
    """Return the range of an address, a network, or two addresses with `-` between them. Raises ValueError."""
    if len(text) > 100:
        raise ValueError("not an address")
    if "/" in text:
        network = ip_network(text, strict=False)
        return number(network.network_address), number(network.broadcast_address)
    first, dash, last = text.partition("-")
    begin = number(ip_address(first))
    return begin, number(ip_address(last)) if dash else begin


def icmp(types: Mapping[str, int]) -> Parse:
    """Return a parser for the type of ICMP, such as `8`, `3/4` or `echo-request`."""

    def parse(text: str) -> tuple[int, int]:
        kind, slash, code = text.partition("/")
        first, last = numbers(types)(kind)
        if slash:
            return first * 256 + plain(code), first * 256 + plain(code)
        return first * 256, last * 256 + 255

    return parse


def flags(tokens: Iterable[str]) -> int:
    """Return the TCP flags as one number. Raises ValueError for an unknown token."""
    result = 0
    for token in tokens:
        name = token.lower()
        if name == "all":
            result |= 63
        elif name != "none":
            result |= FLAGS[name] if name in FLAGS else plain(name)
    return result
