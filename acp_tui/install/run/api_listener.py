"""Decide whether the listener of an open connection to the installer's API may receive the configuration.

The configuration has all passwords. Any user of this host can listen at the port of the API while the installer does
not. So acp-tui sends the configuration only to this host, and only to a listener of root or of its own user. If no
socket of this host serves the port, a packet filter redirects it. The container tool must then report that the
installer's container publishes the port.

The decision is about an open connection. So no other program can take over the port between decision and POST.
"""

import os
import struct
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import chain
from pathlib import Path

from acp_tui.core.i18n import _, pgettext
from acp_tui.core.local_host import is_local_address
from acp_tui.core.ownership import user_name
from acp_tui.core.text import sanitize
from acp_tui.install.run.state import CONTAINER, container_tool

Address = tuple[IPv4Address | IPv6Address, int]
"""IP address and TCP port. An IPv4 address in the IPv6 format is converted to IPv4."""

_LISTEN = "0A"
_TOOL_TIMEOUT = 10.0  # seconds; the installer waits for the request during this time


@dataclass(frozen=True)
class Connection:
    """An open TCP connection to the installer's API. `client`: the end of this process."""

    client: Address
    server: Address

    @property
    def shown_server(self) -> str:
        host, port = self.server
        return f"[{host}]:{port}" if host.version == 6 else f"{host}:{port}"


@dataclass(frozen=True)
class Socket:
    """A row of /proc/net/tcp or /proc/net/tcp6. `uid`: the user who owns the socket. `inode` 0: no process has it."""

    local: Address
    remote: Address
    state: str
    uid: int
    inode: int


class UntrustedListener(Exception):
    """The configuration must not be sent over this connection without the consent of the operator.

    `listener`: a text that identifies the listener. It is equal if the same listener is found again."""

    def __init__(self, listener: str, message: str) -> None:
        super().__init__(message)
        self.listener = listener


def connection(client: Sequence[object], server: Sequence[object]) -> Connection:
    """Return the connection between two socket addresses, as `socket.getsockname` and `getpeername` return them."""
    return Connection(_from_python(client), _from_python(server))


def require_trusted_listener(opened: Connection, release: str, proc: Path = Path("/proc")) -> None:
    """Raise `UntrustedListener` if the other end of `opened` must not receive the configuration.

    `release`: the release to install, which decides the container tool. `proc`: the /proc folder; tests replace it.
    The function blocks for up to 10 s."""
    where = opened.shown_server
    rule = _("acp-tui sends the configuration, which has all passwords, only to a program of root on this host.")
    if not is_local_address(str(opened.server[0])):
        reason = _("The API's address {address} belongs to another host.").format(address=where)
        way_out = _(
            "To use the installer on this host: acp-tui attach --give-up. Then start the install again without "
            "INSTALLER_ENDPOINT."
        )
        raise UntrustedListener(f"{where} other host", f"{reason} {rule} {way_out}")
    try:
        sockets = serving_sockets(_all_sockets(proc), opened)
    except OSError as error:
        reason = _("acp-tui cannot check who listens at the API's address {address}: {reason}.").format(
            address=where, reason=error
        )
        raise UntrustedListener(f"{where} not checked", f"{reason} {rule}") from error
    foreign = next((found for found in sockets if found.uid not in (0, os.geteuid())), None)
    if foreign is not None:
        reason = _("A program of the user {user} listens at the API's address {address}{program}.").format(
            user=user_name(foreign.uid), address=where, program=_program(foreign.inode, proc)
        )
        raise UntrustedListener(f"{where} uid {foreign.uid}", f"{reason} {rule}")
    if not sockets and not is_published(_published_ports(release), opened.server):
        reason = _(
            "acp-tui cannot find the program that listens at the API's address {address}. The container {container} "
            "does not publish this port, according to {tool}."
        ).format(address=where, container=CONTAINER, tool=container_tool(release))
        raise UntrustedListener(f"{where} unknown", f"{reason} {rule}")


def parse_sockets(table: str) -> Iterator[Socket]:
    """Yield the rows of a text in the format of /proc/net/tcp."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        yield Socket(_from_kernel(fields[1]), _from_kernel(fields[2]), fields[3], int(fields[7]), int(fields[9]))


def serving_sockets(sockets: Iterator[Socket], opened: Connection) -> tuple[Socket, ...]:
    """Return the sockets that serve the connection: the listeners at its address, and its other end."""
    return tuple(found for found in sockets if _listens(found, opened.server) or _is_other_end(found, opened))


def is_published(ports: str, server: Address) -> bool:
    """Return True if a container publishes the address `server`. `ports`: the output of `docker port CONTAINER`."""
    for line in ports.splitlines():
        host, _colon, port = line.partition(" -> ")[2].strip().rpartition(":")
        with suppress(ValueError):
            address = ip_address(host.strip("[]"))
            if int(port) == server[1] and (address == server[0] or _is_wildcard_for(address, server)):
                return True
    return False


def _listens(found: Socket, server: Address) -> bool:
    host, port = found.local
    return found.state == _LISTEN and port == server[1] and (host == server[0] or _is_wildcard_for(host, server))


def _is_wildcard_for(host: IPv4Address | IPv6Address, server: Address) -> bool:
    """Return True if `host` stands for all addresses. The IPv6 wildcard also stands for IPv4 addresses."""
    return host.is_unspecified and host.version >= server[0].version


def _is_other_end(found: Socket, opened: Connection) -> bool:
    """Return True for the accepted socket of the connection. Before a process accepts it, it has no owner."""
    return found.inode != 0 and (found.local, found.remote) == (opened.server, opened.client)


def _all_sockets(proc: Path) -> Iterator[Socket]:
    tables = [proc / "net" / "tcp", proc / "net" / "tcp6"]
    # A kernel without IPv6 has only the first table.
    return chain.from_iterable(
        parse_sockets(table.read_text(encoding="ascii")) for table in tables if table == tables[0] or table.exists()
    )


def _from_kernel(text: str) -> Address:
    """Parse an address of /proc/net/tcp: words of 32 bits in the byte order of the CPU, as hexadecimal digits."""
    digits, port = text.split(":")
    count = len(digits) // 8
    packed = struct.pack(f"={count}I", *struct.unpack(f">{count}I", bytes.fromhex(digits)))
    return _as_ipv4(ip_address(packed)), int(port, 16)


def _from_python(address: Sequence[object]) -> Address:
    return _as_ipv4(ip_address(str(address[0]).partition("%")[0])), int(str(address[1]))


def _as_ipv4(host: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    return host.ipv4_mapped or host if isinstance(host, IPv6Address) else host


def _published_ports(release: str) -> str:
    """Return the ports that the installer's container publishes; "" if the container tool does not report them."""
    try:
        command = [container_tool(release), "port", CONTAINER]
        done = subprocess.run(command, capture_output=True, timeout=_TOOL_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def _program(inode: int, proc: Path) -> str:
    """Return the name and the PID of a process that has the socket `inode`, as the end of a sentence; "" if unknown."""
    for folder in proc.glob("[0-9]*"):
        with suppress(OSError):  # the process has ended, or belongs to another user
            if any(_link(handle) == f"socket:[{inode}]" for handle in (folder / "fd").iterdir()):
                name = sanitize((folder / "comm").read_text(encoding="utf-8", errors="replace")).strip()
                return ": " + pgettext("process", "{name}, PID {pid}").format(name=name, pid=folder.name)
    return ""


def _link(handle: Path) -> str:
    try:
        return str(handle.readlink())
    except OSError:
        return ""
