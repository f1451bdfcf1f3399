"""The facts of a node: one field for each value that the collectors read. `checks` evaluates them.

A field is None until its value is read. If it cannot be read, it stays None and `missing` has the reason under the
name of the field. None never means "absent" or "empty": a node without swap has `swaps == ()`.
Strings come from the node and are not trusted: the reader has limited their length and removed control characters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from acp_tui.core.i18n import pgettext


@dataclass(frozen=True)
class Interface:
    """An address on a network interface, from `ip -o addr`."""

    nic: str
    address: str
    prefix: int


@dataclass(frozen=True)
class Route:
    destination: str
    """CIDR range, or `default`."""
    nic: str | None
    gateway: str | None


@dataclass(frozen=True)
class Listener:
    port: int
    process: str | None
    """Name of the owning process; None: reading it requires root."""


@dataclass(frozen=True)
class Unit:
    """A systemd unit: output of `is-active` and `is-enabled`, e.g. `active`, `inactive`, `enabled`, `not-found`."""

    active: str
    enabled: str


@dataclass(frozen=True)
class SshdSetting:
    """A setting of sshd: `effective` from `sshd -T` (or the parsed file), `explicit` if a file sets it."""

    effective: str
    explicit: bool


@dataclass(frozen=True)
class Directory:
    """A path that must not exist. Sizes in bytes; None: not measured."""

    exists: bool
    empty: bool = False
    mount_point: bool = False
    size: int | None = None
    newest: str | None = None


@dataclass(frozen=True)
class Filesystem:
    """One `df -P -B1` row. Bytes."""

    path: str
    device: str
    size: int
    available: int
    used: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Disk:
    """The disk below a path. `rotational` is None if it is unknown."""

    path: str
    device: str
    rotational: bool | None


@dataclass(frozen=True)
class DiskSpeed:
    """Result of the active disk test. A value is None if it was not measured; `missing_reason` has the cause."""

    folder: str
    method: str
    """`fio`, `python3` or `dd`; the results of the last two are estimates."""
    sync_p99: float | None = None
    """99th percentile of the duration of a small synced write, in seconds."""
    sync_rate: float | None = None
    """Small synced writes per second, one after another."""
    rate: float | None = None
    """Writes of 4 KiB per second, many in parallel."""
    throughput: float | None = None
    """Bytes per second, in large writes that bypass the cache."""
    missing_reason: str = ""

    @property
    def estimate(self) -> bool:
        return self.method != "fio"


@dataclass(frozen=True)
class Clock:
    """Offset of the node's clock from this host's clock, in seconds. The true offset is within offset ± uncertainty."""

    offset: float
    uncertainty: float
    remote_time: datetime


class TcpResult(StrEnum):
    """Result of a TCP connect. `CONNECTED` and `REFUSED` both prove that packets pass in both directions."""

    CONNECTED = "connected"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    NO_ROUTE = "no route"
    FORBIDDEN = "blocked by the node itself"
    """The node's own routes or packet filter block the packets."""
    UNRESOLVED = "name not resolved"
    UNKNOWN = "unknown"
    """The connect could not be tried, or the output of the node has no result for it."""


class TcpPath(NamedTuple):
    """One TCP connect from this node. `host` as in the plan; `seconds` until the reply, to the millisecond; `detail`:
    the reason for `UNKNOWN`. A tuple, because a hundred nodes have ninety thousand of them."""

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
    """Ping of another node. `average`: round trip in seconds, None without a reply. `size`: MTU of this node's link
    in bytes. `unfragmented`: whether a packet of that size passes in one piece (None: not known)."""

    host: str
    sent: int
    received: int
    average: float | None
    size: int | None = None
    unfragmented: bool | None = None


@dataclass(frozen=True)
class Bandwidth:
    """Measured throughput of one TCP connection to another node: bits per second at least. None: see `reason`."""

    bits: float | None
    reason: str = ""


class Trust(StrEnum):
    """Whether a node trusts a server's certificate, or the reason why not."""

    TRUSTED = "trusted"
    PLAIN = "no TLS"
    SELF_SIGNED = "self-signed"
    UNKNOWN_CA = "unknown CA"
    OTHER_NAME = "other name"
    EXPIRED = "expired"
    NOT_YET = "not yet valid"
    UNTRUSTED = "untrusted"


class Login(StrEnum):
    """Result of a login to an image registry."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    OPEN = "not required"
    UNSENT = "not sent: no trusted TLS"
    FAILED = "failed"


@dataclass(frozen=True)
class RegistryAnswer:
    """Response of an image registry to `GET /v2/`. `status`: HTTP status; None: no HTTP response, reason in `detail`.

    `login` None: no login was tried. `login_detail`: the cause of a failed login."""

    status: int | None
    detail: str = ""
    trust: Trust = Trust.TRUSTED
    login: Login | None = None
    login_detail: str = ""


@dataclass(frozen=True)
class Facts:
    """All facts of the node at `address`, its address in the plan."""

    address: str
    missing: Mapping[str, str] = field(default_factory=dict)
    """Name of a field → reason why it is missing."""

    # identity
    hostname: str | None = None
    """`uname -n`."""
    etc_hostname: str | None = None
    """First line of /etc/hostname; "" without the file."""
    machine_id: str | None = None
    product_uuid: str | None = None
    boot_id: str | None = None
    macs: tuple[str, ...] | None = None
    host_key: str | None = None
    """SHA256 fingerprint of the SSH host key."""

    # operating system
    arch: str | None = None
    """`uname -m`, e.g. `x86_64`, `aarch64`."""
    kernel: str | None = None
    """`uname -r`."""
    kernel_build: str | None = None
    """`uname -v`."""
    os_id: str | None = None
    """`ID` of /etc/os-release, lower case."""
    os_version_id: str | None = None
    os_version: str | None = None
    """`VERSION` of /etc/os-release (Kylin puts the code name there)."""
    os_name: str | None = None
    """`PRETTY_NAME`."""
    os_release_file: str | None = None
    """First line of /etc/centos-release or /etc/redhat-release, which have CentOS's minor version; "" if none."""
    kylin_info: str | None = None
    """/etc/.productinfo and /etc/.kyinfo, joined by newlines; "" if none."""

    # hardware
    cpu_count: int | None = None
    """Logical CPUs."""
    cpu_threads: int | None = None
    """Logical CPUs that share a physical core; 1 without SMT."""
    cpu_model: str | None = None
    cpu_ghz: float | None = None
    """Nominal clock, GHz."""
    cpu_implementer: str | None = None
    """ARM: `CPU implementer`, e.g. `0x48`."""
    cpu_part: str | None = None
    governor: str | None = None
    """`scaling_governor` of cpu0; "" without the file (virtual machines)."""
    memory: int | None = None
    """MemTotal in bytes."""
    virtual: bool | None = None
    """A virtual machine (hypervisor flag or systemd-detect-virt)."""
    steal: float | None = None
    """Share of the CPU time since boot that the hypervisor gave to other machines, 0 to 1."""
    disks: tuple[Disk, ...] | None = None
    """The disks below /, /var/lib and, if present, /var/lib/etcd and /cpaas."""
    filesystems: tuple[Filesystem, ...] | None = None
    """The file system of each path; for a missing path that of its nearest existing parent."""
    disk_speed: DiskSpeed | None = None
    """Measured only by the active disk test, because it writes."""

    # kernel and boot
    cmdline: tuple[str, ...] | None = None
    """Tokens of /proc/cmdline: the parameters in effect."""
    boot_tokens: frozenset[str] | None = None
    """Kernel parameters found in the boot loader's configuration: in effect from the next boot."""
    modules: frozenset[str] | None = None
    """Modules loaded or built in."""
    modules_at_boot: frozenset[str] | None = None
    """Modules named in /etc/modules or a modules-load.d folder: loaded at each boot."""
    modules_available: frozenset[str] | None = None
    """Modules required by ACP that `modprobe -n` can load."""

    # security and system settings
    selinux: str | None = None
    """`disabled`, `permissive` or `enforcing`: the mode in effect."""
    selinux_config: str | None = None
    """SELINUX= of /etc/selinux/config; "" if not set."""
    apparmor: bool | None = None
    """Enabled in the kernel."""
    apparmor_profiles: int | None = None
    """Loaded profiles."""
    units: Mapping[str, Unit] | None = None
    """Firewall and AppArmor units, by name without `.service`."""
    ufw_enabled: bool | None = None
    """ENABLED=yes in /etc/ufw/ufw.conf; None without the file."""
    swaps: tuple[str, ...] | None = None
    """Swap areas in use."""
    fstab_swaps: tuple[str, ...] | None = None
    """Swap entries of /etc/fstab and active systemd swap units: active again after the next boot."""
    tasks_max: str | None = None
    """DefaultTasksMax as systemd prints it."""

    # users
    uid: int | None = None
    sudo: bool | None = None
    """Passwordless sudo works; always True for uid 0."""
    sudo_message: str | None = None
    """The end of sudo's error message; "" on success."""
    sudo_terminal: bool | None = None
    """sudo works only on a terminal (`requiretty`); collectors that need root ran on one."""
    sshd: Mapping[str, SshdSetting] | None = None
    """`usedns`, `usepam`."""

    # network
    interfaces: tuple[Interface, ...] | None = None
    routes: tuple[Route, ...] | None = None
    """IPv4 routes."""
    routes6: tuple[Route, ...] | None = None
    hosts_localhost: tuple[str, ...] | None = None
    """Addresses of `localhost` in /etc/hosts, in the order of the file."""
    resolv_exists: bool | None = None
    nameservers: tuple[str, ...] | None = None
    search_domains: tuple[str, ...] | None = None
    """Domains of the last `search` line of resolv.conf."""
    resolv_domain: str | None = None
    """Value of the `domain` line of resolv.conf; "" if none."""
    listeners: tuple[Listener, ...] | None = None
    """TCP sockets in LISTEN."""
    udp_ports: frozenset[int] | None = None

    # software and files
    tools: Mapping[str, bool] | None = None
    """Required command → whether it is in PATH (including sbin)."""
    lvm2: bool | None = None
    kubelet_unit: bool | None = None
    """Whether /etc/systemd/system/kubelet.service exists, even as a dangling link."""
    tmp_options: tuple[str, ...] | None = None
    """Mount options in effect for /tmp."""
    directories: Mapping[str, Directory] | None = None
    rpm_packages: frozenset[str] | None = None
    """Names of installed packages; missing on systems without rpm, see `package_tools`."""
    dpkg_packages: frozenset[str] | None = None
    snap_packages: frozenset[str] | None = None
    package_tools: frozenset[str] | None = None
    """Those of rpm, dpkg-query and snap that are installed."""
    leftover_binaries: tuple[str, ...] | None = None
    """Container and Kubernetes binaries in /usr/local/{bin,sbin}, and /opt/cni/bin if it is not empty."""
    kubernetes_traces: tuple[str, ...] | None = None
    """Signs of an existing Kubernetes: running kubelet, dockerd, containerd; /etc/kubernetes/*.conf; etcd data."""
    installer_running: bool | None = None
    """A `minialauda-control-plane` container runs on the node: the installer was started."""

    # time
    timezone: str | None = None
    """Zone name, e.g. `Europe/Moscow`; "" if /etc/localtime has none."""
    utc_offset: str | None = None
    """`date +%z`."""
    clock: Clock | None = None
    ntp: str | None = None
    """The running time daemon and whether it is synchronised, as text."""

    # connectivity
    paths: tuple[TcpPath, ...] | None = None
    """TCP connects to the other nodes, the cluster endpoint and the external registry."""
    pings: tuple[Ping, ...] | None = None
    """Pings of the other nodes."""
    link_speeds: Mapping[str, int] | None = None
    """Interface → Mbit/s, if the driver reports it; drivers of virtual machines rarely do."""
    names: Mapping[str, tuple[str, ...] | None] | None = None
    """Names in the plan → their addresses on this node; (): the name does not exist, None: no name server replied."""
    names_by_servers: Mapping[str, tuple[str, ...] | None] | None = None
    """Those of `names` that are in /etc/hosts → their addresses from the name servers; None: no reply."""
    vip_owner: str | None = None
    """The host that replies on the address of a future VIP: a MAC address, or text; "" if no host replies."""
    registry_answer: RegistryAnswer | None = None

    # active tests
    listener_results: Mapping[int, str] | None = None
    """TCP port → "" if the temporary listener worked, else the reason why not."""
    backends_reached: Mapping[tuple[str, int], frozenset[str]] | None = None
    """Host and port → plan addresses of the nodes whose temporary listeners replied there."""
    wrong_ports_reached: Mapping[tuple[str, int], frozenset[int]] | None = None
    """Host and port → different ports of nodes that replied there."""
    proxy_protocol_ports: frozenset[int] | None = None
    """Ports on which a temporary listener received a PROXY protocol header."""
    vrids_seen: frozenset[int] | None = None
    """Virtual router IDs of the VRRP advertisements received."""
    bandwidths: Mapping[str, Bandwidth] | None = None
    """Plan address of another node → bandwidth to it."""

    def missing_reason(self, name: str) -> str:
        """Reason why the fact `name` is missing; "not observed" if it was not collected."""
        return self.missing.get(name) or pgettext("reason", "not observed")
