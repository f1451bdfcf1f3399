"""Find the addresses of this host, and decide whether an address belongs to this host.

The wizard uses the addresses to suggest this host as the installer node, because the Core Package is on this host.
"""

import fcntl
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from itertools import pairwise
from pathlib import Path

from acp_tui.core.virtual_interfaces import is_virtual_interface

_SIOCGIFADDR = 0x8915
_GLOBAL_SCOPE = "00"


@dataclass(frozen=True)
class LocalAddress:
    """An address of this host, and the network interface that has it."""

    nic: str
    address: str


def local_addresses(proc: Path = Path("/proc/net")) -> tuple[LocalAddress, ...]:
    """Return the addresses that other hosts can possibly reach. The interface of the default route comes first.

    The result has at most one IPv4 address and all global IPv6 addresses of each interface. `proc`: the folder with the
    kernel's network files; tests replace it."""
    names = [name for _index, name in socket.if_nameindex() if not is_virtual_interface(name)]
    first = _default_nic(proc)
    addresses = [LocalAddress(name, address) for name in names if (address := _ipv4(name))]
    addresses += [own for own in _ipv6(proc) if own.nic in names]
    return tuple(sorted(addresses, key=lambda own: own.nic != first))


def is_local_address(address: str, proc: Path = Path("/proc")) -> bool:
    """Return True if `address` belongs to this host.

    Binding a socket works only for a local address, unless a load balancer set `ip_nonlocal_bind` on this host. Then
    the tables of the kernel decide. `proc`: the folder of procfs; tests replace it."""
    family, name = (socket.AF_INET6, "ipv6") if ":" in address else (socket.AF_INET, "ipv4")
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    if _lines(proc / "sys/net" / name / "ip_nonlocal_bind") != ["1"]:
        return True
    own = ip_address(address)
    return own.is_loopback or str(own) in _kernel_addresses(proc / "net")


def _kernel_addresses(proc: Path) -> frozenset[str]:
    """Return all addresses of this host that the kernel lists."""
    trie = [line.split() for line in _lines(proc / "fib_trie")]
    four = (leaf[1] for leaf, kind in pairwise(trie) if leaf[:1] == ["|--"] and kind == ["/32", "host", "LOCAL"])
    six = (str(IPv6Address(int(row.split()[0], 16))) for row in _lines(proc / "if_inet6"))
    return frozenset((*four, *six))


def _ipv4(name: str) -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inet, suppress(OSError):
        request = fcntl.ioctl(inet.fileno(), _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
        return socket.inet_ntoa(request[20:24])
    return None


def _ipv6(proc: Path) -> list[LocalAddress]:
    rows = [line.split() for line in _lines(proc / "if_inet6")]
    return [LocalAddress(row[5], str(IPv6Address(int(row[0], 16)))) for row in rows if row[3] == _GLOBAL_SCOPE]


def _default_nic(proc: Path) -> str | None:
    rows = [line.split() for line in _lines(proc / "route")]
    return next((row[0] for row in rows if len(row) > 7 and row[1] == row[7] == "00000000"), None)


def _lines(path: Path) -> list[str]:
    """Return the lines of a file. The result is empty if the file is missing, for example on a kernel without IPv6."""
    try:
        return path.read_text(encoding="ascii").splitlines()
    except OSError:
        return []
