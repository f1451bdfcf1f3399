"""Replace the network addresses in texts, so that a record can be given to others.

Two addresses that share a prefix share a prefix of the same length after the replacement, so subnets, gateways and
overlaps of ranges stay the same. Addresses with a special meaning, the first part of each address (for 172.x and
192.168.x the first two) and the last part are kept. The key is random, so the replacement cannot be reversed.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Replace = Callable[[str], str]

_MAC = re.compile(r"(?<![0-9A-Fa-f:])[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}(?![0-9A-Fa-f:])")
_V4 = re.compile(r"(?<![0-9A-Za-z.-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?:/[0-9]{1,2})?(?![0-9A-Za-z]|\.[0-9])")
_V6 = re.compile(r"(?<![0-9A-Za-z:.])(?=[0-9A-Fa-f]*:[0-9A-Fa-f]*:)[0-9A-Fa-f:]{2,39}(?:/[0-9]{1,3})?(?![0-9A-Za-z:.])")
_TWO_PARTS = ("172.", "192.168.")


def replacer(key: bytes) -> Replace:
    """Return the function that replaces all addresses in a text. The same key gives the same replacements."""

    @lru_cache(maxsize=65536)
    def bit(prefix: str) -> int:
        return digest(key, prefix.encode(), sha256)[0] & 1

    def mapped(bits: str, kept: int, last: int) -> str:
        """Change the bits between the first `kept` and the last `last` ones; each change depends on the bits before."""
        middle = "".join(str(int(bits[at]) ^ bit(f"{len(bits)} {bits[:at]}")) for at in range(kept, len(bits) - last))
        return bits[:kept] + middle + bits[len(bits) - last :]

    @lru_cache(maxsize=65536)
    def address(text: str) -> str:
        one = ip_address(text)
        if _special(one):
            return text
        if isinstance(one, IPv4Address):
            kept = 16 if text.startswith(_TWO_PARTS) else 8
            return str(IPv4Address(int(mapped(f"{int(one):032b}", kept, 8), 2)))
        return str(IPv6Address(int(mapped(f"{int(one):0128b}", 16, 16), 2)))

    def replaced(match: re.Match[str]) -> str:
        text, slash, length = match[0].partition("/")
        try:
            new = address(text)
            if not slash or str(ip_network(match[0], strict=False).network_address) != str(ip_address(text)):
                return new + slash + length
            return str(ip_network(f"{new}/{length}", strict=False))
        except ValueError:
            return match[0]  # only the form of an address

    def mac(match: re.Match[str]) -> str:
        first, rest = match[0][:2], digest(key, match[0].lower().encode(), sha256).hex()
        return ":".join((first, *(rest[at : at + 2] for at in range(0, 10, 2))))

    def replace(text: str) -> str:
        return _V4.sub(replaced, _V6.sub(replaced, _MAC.sub(mac, text)))

    return replace


def _special(address: IPv4Address | IPv6Address) -> bool:
    """Return True for an address whose meaning the checks know, and for a netmask."""
    return (
        address.is_loopback
        or address.is_multicast
        or address.is_link_local
        or address.is_unspecified
        or address.is_reserved
        or (address.version == 4 and int(address) >> 24 in (0, 255))
    )
