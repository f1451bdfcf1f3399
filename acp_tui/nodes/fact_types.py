"""The types of the values in `facts.py`: one frozen class for each value that is more than a text or a number."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


@dataclass(frozen=True)
class Interface:
    """An address of a network interface, from `ip -o addr`."""

    nic: str
    address: str
    prefix: int


@dataclass(frozen=True)
class Route:
    destination: str
    """The destination of the route in CIDR notation, or `default`."""
    nic: str | None
    gateway: str | None


@dataclass(frozen=True)
class Listener:
    port: int
    process: str | None
    """The name of the process that owns the socket; None if it is unknown, for example without root."""


@dataclass(frozen=True)
class Unit:
    """A systemd unit with the output of `is-active` and `is-enabled`, such as `active`, `enabled` or `not-found`."""

    active: str
    enabled: str


@dataclass(frozen=True)
class BootEntry:
    """An entry of the boot loader: its kernel parameters, the file that contains them, and its title."""

    parameters: tuple[str, ...]
    source: str
    title: str = ""


@dataclass(frozen=True)
class AtBoot:
    """The value of a setting after the next boot. `source`: the file or unit that sets it."""

    value: str
    source: str = ""


@dataclass(frozen=True)
class SwapAtBoot:
    """A swap area that the next boot activates.

    `device`: the device or file, "" if unknown. `unit`: the systemd unit that activates it, "" if no unit does.
    `source`: the file, with its line, that requests it. `kind`: `fstab`, `unit`, `service`, `gpt`, `zram` or
    `script`."""

    device: str
    unit: str
    source: str
    kind: str


@dataclass(frozen=True)
class SshdSetting:
    """A setting of sshd. `explicit`: True if a file of sshd_config sets it.

    `effective`: its value at the next restart, from `sshd -T`; without this output, from the files. `running`: the
    value that the running sshd uses, if it can be observed. `doubt`: the reason why the running sshd possibly uses
    another value than `effective`; "" if it has read its files."""

    effective: str
    explicit: bool
    running: str | None = None
    doubt: str = ""


@dataclass(frozen=True)
class Directory:
    """A path that must not exist on a node. Sizes are in bytes; None means that the size was not measured."""

    exists: bool
    empty: bool = False
    mount_point: bool = False
    size: int | None = None
    newest: str | None = None


@dataclass(frozen=True)
class Filesystem:
    """One row of `df -P -B1`. Sizes are in bytes."""

    path: str
    device: str
    size: int
    available: int
    used: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class InstallFolder:
    """The install folder of the plan on the installer node."""

    path: str
    available: int
    """The free bytes on the file system of the folder; of its nearest existing parent, if it does not exist yet."""
    installer: bool = False
    """True if the folder contains an unpacked Core Package."""
    unpacked: frozenset[tuple[str, int]] | None = None
    """File name and size of each package that acp-tui unpacked into the folder.

    None if acp-tui unpacked no package into it, for example because the packages were unpacked with tar."""


@dataclass(frozen=True)
class Disk:
    """A disk that stores the files in `path`. `rotational` is None if the type of the disk is unknown.

    `combined`: True if a controller or a storage system provides the disk, so that its real disks are not visible."""

    path: str
    device: str
    rotational: bool | None
    combined: bool = False


@dataclass(frozen=True)
class DiskSpeed:
    """The result of the active disk test. A value is None if it was not measured; `missing_reason` has the cause."""

    folder: str
    method: str
    """The program of the test: `fio`, `python3` or `dd`. The results of the last two are estimates."""
    sync_p99: float | None = None
    """The 99th percentile of the duration of a small synced write, in seconds."""
    sync_rate: float | None = None
    """The number of small synced writes per second, one write after the other."""
    rate: float | None = None
    """The number of writes of 4 KiB per second, with many writes in parallel."""
    throughput: float | None = None
    """The speed of large writes that bypass the cache, in bytes per second."""
    missing_reason: str = ""

    @property
    def estimate(self) -> bool:
        return self.method != "fio"


@dataclass(frozen=True)
class Clock:
    """The offset of the node's clock from the clock of this host, in seconds.

    The true offset is between offset - uncertainty and offset + uncertainty."""

    offset: float
    uncertainty: float
    remote_time: datetime


class TcpResult(StrEnum):
    """The result of a TCP connect. `CONNECTED` and `REFUSED` both prove that packets pass in both directions."""

    CONNECTED = "connected"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    NO_ROUTE = "no route"
    FORBIDDEN = "blocked by the node itself"
    """The routes or the packet filter of the node itself block the packets."""
    UNRESOLVED = "name not resolved"
    UNKNOWN = "unknown"
    """The connect failed with an unknown message, or the output of the node has no result for it."""


class TcpPath(NamedTuple):
    """One TCP connect from this node.

    `host`: as in the plan. `seconds`: time until the reply, in steps of 1 ms. `detail`: the reason for `UNKNOWN`."""

    host: str
    port: int
    result: TcpResult
    seconds: float | None = None
    detail: str = ""

    @property
    def open(self) -> bool:
        return self.result is TcpResult.CONNECTED or self.result is TcpResult.REFUSED


class RoundTrips(NamedTuple):
    """Statistics of round trip times, in seconds."""

    low: float
    median: float
    mean: float
    high: float


@dataclass(frozen=True)
class Ping:
    """The result of pinging one address of another node.

    `sent` and `received`: packets of all bursts. A packet that could still be on its way when a burst ended does not
    count as sent. `times`: those of the burst with the lowest median; None without a reply. `size`: MTU of this node's
    link in bytes. `unfragmented`: True if a packet of that size passes without fragmentation; None if the test has no
    result."""

    host: str
    sent: int
    received: int
    times: RoundTrips | None = None
    size: int | None = None
    unfragmented: bool | None = None


@dataclass(frozen=True)
class Bandwidth:
    """The measured bandwidth of one TCP connection to a node, in bits per second. The value is a lower bound.

    If it is None, `reason` has the cause."""

    bits: float | None
    reason: str = ""


class EchoState(StrEnum):
    """The state of one test port on a node: open, in use by another program, or not permitted."""

    OPEN = "open"
    BUSY = "busy"
    DENIED = "denied"


class PathResult(StrEnum):
    """The result of a path that the path test did not find open."""

    SILENT = "silent"
    """No answer arrived, although acp-tui tried often enough for a line that loses many packets."""
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    FORBIDDEN = "forbidden"
    """The routes or the packet filter of the sending node reject the packets."""
    OTHER = "other"
    """A different node answered."""
    UNTESTED = "untested"


class PathFailure(NamedTuple):
    """A path that is not open. `spec`: `t443`, `u53`, `i4` (IP protocol 4), or `l1500` (unfragmented UDP packet)."""

    host: str
    spec: str
    result: PathResult


@dataclass(frozen=True)
class PathTest:
    """The results of the active path test on one node. Open paths are only counted."""

    ports: Mapping[str, EchoState] = field(default_factory=dict)
    """Spec, as in `PathFailure` → the state of the test port on this node; empty if `echo_problem` has a reason."""
    echo_problem: str = ""
    """The reason why this node could not answer to the other nodes."""
    problem: str = ""
    """The reason why this node could not send to the other nodes."""
    ignores_pings: bool = False
    """True if the kernel of this node ignores pings (`icmp_echo_ignore_all`)."""
    hosts: frozenset[str] = frozenset()
    """The addresses of all nodes in the test."""
    opened: Mapping[str, int] = field(default_factory=dict)
    """Kind, the first letter of a spec → the number of open paths from this node."""
    failures: tuple[PathFailure, ...] = ()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Source address that other nodes saw → some addresses of these nodes."""
    lost: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Host → the number of small packets sent to it, and how many got no answer. Hosts without loss are left out."""


class Trust(StrEnum):
    """Whether a node trusts the certificate of a server: `TRUSTED`, or the reason why the node does not trust it."""

    TRUSTED = "trusted"
    PLAIN = "no TLS"
    SELF_SIGNED = "self-signed"
    UNKNOWN_CA = "unknown CA"
    OTHER_NAME = "other name"
    EXPIRED = "expired"
    NOT_YET = "not yet valid"
    UNTRUSTED = "untrusted"


class Login(StrEnum):
    """The result of a login to an image registry."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    OPEN = "not required"
    UNSENT = "not sent: no trusted TLS"
    FAILED = "failed"


@dataclass(frozen=True)
class RegistryAnswer:
    """The response of an image registry to `GET /v2/`.

    `status`: the HTTP status; None if the registry sent no HTTP response. `detail` then has the reason. `login`: None
    if no login was tested. `login_detail`: the cause of a failed login."""

    status: int | None
    detail: str = ""
    trust: Trust = Trust.TRUSTED
    login: Login | None = None
    login_detail: str = ""
