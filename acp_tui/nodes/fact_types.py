"""The types of the values in `facts.py`: one frozen class for each value that is more than a text or a number."""

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
class SshdSetting:
    """A setting of sshd. `explicit`: True if a file of sshd_config sets it.

    `effective`: its value from `sshd -T`; without this output, from the files or the defaults of OpenSSH."""

    effective: str
    explicit: bool


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
    """A disk that stores the files in `path`. `rotational` is None if the type of the disk is unknown."""

    path: str
    device: str
    rotational: bool | None


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

    `host`: as in the plan. `seconds`: time until the reply, in steps of 1 ms. `detail`: the reason for `UNKNOWN`. The
    class is a tuple to save memory, because a plan with a hundred nodes has ninety thousand TCP connects."""

    host: str
    port: int
    result: TcpResult
    seconds: float | None = None
    detail: str = ""

    @property
    def open(self) -> bool:
        return self.result is TcpResult.CONNECTED or self.result is TcpResult.REFUSED


@dataclass(frozen=True)
class Ping:
    """The result of pinging one other node.

    `average`: round-trip time in seconds, None without a reply. `size`: MTU of this node's link in bytes.
    `unfragmented`: True if a packet of that size passes without fragmentation; None if the test has no result."""

    host: str
    sent: int
    received: int
    average: float | None
    size: int | None = None
    unfragmented: bool | None = None


@dataclass(frozen=True)
class Bandwidth:
    """The measured bandwidth of one TCP connection to a node, in bits per second. The value is a lower bound.

    If it is None, `reason` has the cause."""

    bits: float | None
    reason: str = ""


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
