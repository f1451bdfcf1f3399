"""What a node is, as far as it told us. One field per thing known; judging happens elsewhere.

Every field is None until it is learned, and stays None when it could not be: `gaps` then says why, under the field's
name. None is therefore never "absent" or "empty": a node without swap has `swaps == ()`.
Strings come from a node and are hostile: `probe` has cut them to size and taken control characters out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from acp_tui.core.i18n import _


@dataclass(frozen=True)
class Interface:
    """An address on a network interface, from `ip -o addr`."""

    nic: str
    address: str
    prefix: int


@dataclass(frozen=True)
class Route:
    destination: str
    """CIDR, or `default`."""
    nic: str | None
    gateway: str | None


@dataclass(frozen=True)
class Listener:
    port: int
    process: str | None
    """Name of the owning process; None where root was not there to see it."""


@dataclass(frozen=True)
class Unit:
    """A systemd unit: words of `is-active` and `is-enabled`, e.g. `active`, `inactive`, `enabled`, `not-found`."""

    active: str
    enabled: str


@dataclass(frozen=True)
class SshdSetting:
    """A value of sshd: `effective` from `sshd -T` (or the parsed file), `explicit` where a file sets it."""

    effective: str
    explicit: bool


@dataclass(frozen=True)
class Directory:
    """A path that must not be there. Sizes in bytes; None: not measured."""

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
    """The disk behind a path. `rotational` None: not learned."""

    path: str
    device: str
    rotational: bool | None


@dataclass(frozen=True)
class DiskSpeed:
    """What a disk did when it was asked to write, on request only. None: this was not measured, `missed` says why."""

    folder: str
    method: str
    """`fio`, `python3` or `dd`; the latter two only estimate."""
    sync_p99: float | None = None
    """Seconds that 99 % of small synced writes take at most."""
    sync_rate: float | None = None
    """Small synced writes a second, one after another."""
    rate: float | None = None
    """Writes of 4 KiB a second, many at a time."""
    throughput: float | None = None
    """Bytes a second, in large writes past the cache."""
    missed: str = ""

    @property
    def estimate(self) -> bool:
        return self.method != "fio"


@dataclass(frozen=True)
class Clock:
    """The node's clock against ours. Seconds; the true offset lies within offset ± uncertainty."""

    offset: float
    uncertainty: float
    remote_time: datetime


class TcpResult(StrEnum):
    """What became of a TCP connect. `CONNECTED` and `REFUSED` both tell that the way there and back is open."""

    CONNECTED = "connected"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    NO_ROUTE = "no route"
    FORBIDDEN = "forbidden here"
    """The node's own routes or packet filter do not let it out."""
    UNRESOLVED = "name not resolved"
    UNTOLD = "not told"
    """It could not be tried, or the node has not told what became of it."""


class TcpPath(NamedTuple):
    """One TCP connect from this node. `host` as in the plan; `seconds` until the answer, to the millisecond; `words`
    why it is `UNTOLD`. A tuple, as a hundred nodes tell of ninety thousand."""

    host: str
    port: int
    reach: TcpResult
    seconds: float | None = None
    words: str = ""

    @property
    def open(self) -> bool:
        return self.reach is TcpResult.CONNECTED or self.reach is TcpResult.REFUSED


@dataclass(frozen=True)
class Ping:
    """Echoes of another node. `average` round trip in seconds, None without an answer; `size` of a whole packet of
    this node's link in bytes, `whole` whether one passes unfragmented (None: not learned)."""

    host: str
    sent: int
    received: int
    average: float | None
    size: int | None = None
    whole: bool | None = None


@dataclass(frozen=True)
class Bandwidth:
    """What went over one TCP connection to another node: bits a second at least. None: not measured, and `why`."""

    bits: float | None
    why: str = ""


class Trust(StrEnum):
    """What a node makes of a server's certificate."""

    TRUSTED = "trusted"
    PLAIN = "no TLS"
    SELF_SIGNED = "self-signed"
    UNKNOWN_CA = "unknown CA"
    OTHER_NAME = "other name"
    EXPIRED = "expired"
    NOT_YET = "not yet valid"
    UNTRUSTED = "untrusted"


class Login(StrEnum):
    """What became of a login."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    OPEN = "nobody is asked for one"
    UNSENT = "not sent: no trusted TLS"
    FAILED = "failed"


@dataclass(frozen=True)
class RegistryAnswer:
    """What an image registry said to `GET /v2/`. `status` is HTTP's; None: no HTTP answer, and `words` say why.

    `login` None: none was tried; `login_words` say more of one that failed."""

    status: int | None
    words: str = ""
    trust: Trust = Trust.TRUSTED
    login: Login | None = None
    login_words: str = ""


@dataclass(frozen=True)
class Facts:
    address: str
    gaps: Mapping[str, str] = field(default_factory=dict)
    """Field name → why it was not learned."""

    # identity
    hostname: str | None = None
    """`uname -n`."""
    etc_hostname: str | None = None
    """First line of /etc/hostname; "" when the file is not there."""
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
    """First line of /etc/centos-release or /etc/redhat-release, which alone tell CentOS's minor version; "" if none."""
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
    """`scaling_governor` of cpu0; "" when the file is not there (virtual machines)."""
    memory: int | None = None
    """MemTotal in bytes."""
    virtual: bool | None = None
    """A virtual machine (hypervisor flag or systemd-detect-virt)."""
    steal: float | None = None
    """Share of the CPU time since the boot that the hypervisor gave to others, 0 to 1."""
    disks: tuple[Disk, ...] | None = None
    """The disks behind /, /var/lib and, where present, /var/lib/etcd and /cpaas."""
    filesystems: tuple[Filesystem, ...] | None = None
    """What a path lies on, or would lie on where it is not there yet."""
    disk_speed: DiskSpeed | None = None
    """Measured on request alone, because it writes."""

    # kernel and boot
    cmdline: tuple[str, ...] | None = None
    """Tokens of /proc/cmdline: what is in effect."""
    boot_tokens: frozenset[str] | None = None
    """Kernel parameters found in the boot loader's configuration: in effect from the next boot."""
    modules: frozenset[str] | None = None
    """Modules loaded or built in."""
    modules_at_boot: frozenset[str] | None = None
    """Modules that /etc/modules or a modules-load.d folder names: loaded again at each boot."""
    modules_available: frozenset[str] | None = None
    """Of the modules ACP wants: those `modprobe -n` could load."""

    # security and system settings
    selinux: str | None = None
    """`disabled`, `permissive` or `enforcing`, as it runs now."""
    selinux_config: str | None = None
    """SELINUX= of /etc/selinux/config; "" when there is none."""
    apparmor: bool | None = None
    """Enabled in the kernel."""
    apparmor_profiles: int | None = None
    """Loaded profiles."""
    units: Mapping[str, Unit] | None = None
    """Firewall and AppArmor units, by name without `.service`."""
    ufw_enabled: bool | None = None
    """ENABLED=yes in /etc/ufw/ufw.conf; None where there is no such file."""
    swaps: tuple[str, ...] | None = None
    """Swap areas in use."""
    fstab_swaps: tuple[str, ...] | None = None
    """Swap entries of /etc/fstab and active systemd swap units: they return at the next boot."""
    tasks_max: str | None = None
    """DefaultTasksMax as systemd prints it."""

    # users
    uid: int | None = None
    sudo: bool | None = None
    """sudo asks for no password; for uid 0 always True."""
    sudo_message: str | None = None
    """The end of what sudo said where it refused; "" where it did not."""
    sudo_terminal: bool | None = None
    """sudo works on a terminal alone (`requiretty`); what needs root was asked on one."""
    sshd: Mapping[str, SshdSetting] | None = None
    """`usedns`, `usepam`."""

    # network
    interfaces: tuple[Interface, ...] | None = None
    routes: tuple[Route, ...] | None = None
    """IPv4 routes."""
    routes6: tuple[Route, ...] | None = None
    hosts_localhost: tuple[str, ...] | None = None
    """Addresses that /etc/hosts gives to `localhost`, in the file's order."""
    resolv_exists: bool | None = None
    nameservers: tuple[str, ...] | None = None
    search_domains: tuple[str, ...] | None = None
    """The last `search` line of resolv.conf."""
    resolv_domain: str | None = None
    """A `domain` line of resolv.conf; "" if none."""
    listeners: tuple[Listener, ...] | None = None
    """TCP sockets in LISTEN."""
    udp_ports: frozenset[int] | None = None

    # software and files
    tools: Mapping[str, bool] | None = None
    """Wanted command → found in PATH (sbin included)."""
    lvm2: bool | None = None
    kubelet_unit: bool | None = None
    """/etc/systemd/system/kubelet.service exists, a dangling link included."""
    tmp_options: tuple[str, ...] | None = None
    """Mount options in force for /tmp."""
    directories: Mapping[str, Directory] | None = None
    rpm_packages: frozenset[str] | None = None
    """Installed names; None with a gap `no rpm` on other systems, see `package_tools`."""
    dpkg_packages: frozenset[str] | None = None
    snap_packages: frozenset[str] | None = None
    package_tools: frozenset[str] | None = None
    """Which of rpm, dpkg-query, snap the node has."""
    leftover_binaries: tuple[str, ...] | None = None
    """Container and Kubernetes binaries in /usr/local/{bin,sbin}, and a filled /opt/cni/bin."""
    kubernetes_traces: tuple[str, ...] | None = None
    """Signs of an existing Kubernetes: running kubelet, dockerd, containerd; /etc/kubernetes/*.conf; etcd data."""
    installer_running: bool | None = None
    """A `minialauda-control-plane` container runs here: the installer has been started."""

    # time
    timezone: str | None = None
    """Zone name, e.g. `Europe/Moscow`; "" when /etc/localtime names none."""
    utc_offset: str | None = None
    """`date +%z`."""
    clock: Clock | None = None
    ntp: str | None = None
    """Which time daemon runs and whether it is synchronised, in words."""

    # around it
    paths: tuple[TcpPath, ...] | None = None
    """To the other nodes, the cluster endpoint and the external registry."""
    pings: tuple[Ping, ...] | None = None
    """Of the other nodes."""
    link_speeds: Mapping[str, int] | None = None
    """Interface → Mbit/s, where the driver tells it; virtual machines rarely do."""
    names: Mapping[str, tuple[str, ...] | None] | None = None
    """Names that the plan uses → their addresses here; () does not exist, None: no name server answered."""
    names_by_servers: Mapping[str, tuple[str, ...] | None] | None = None
    """Of those, the ones that /etc/hosts names → what the name servers say of them; None: no answer."""
    vip_owner: str | None = None
    """Who answers at a VIP that is to be made: a MAC address, or words; "" nobody."""
    registry_answer: RegistryAnswer | None = None

    # learned only on request
    listened: Mapping[int, str] | None = None
    """TCP port → "" where a temporary listener stood, else why there was none."""
    backends: Mapping[tuple[str, int], frozenset[str]] | None = None
    """Host and port → the nodes whose temporary listeners answered there, by their plan addresses."""
    strayed: Mapping[tuple[str, int], frozenset[int]] | None = None
    """Host and port → other ports of nodes to which that led instead."""
    proxied: frozenset[int] | None = None
    """Ports at which a temporary listener was told who connects, by a header of the PROXY protocol."""
    vrids: frozenset[int] | None = None
    """Virtual router IDs whose VRRP adverts were heard."""
    bandwidths: Mapping[str, Bandwidth] | None = None
    """Plan address of another node → what went there."""

    def gap(self, name: str) -> str:
        """Why the field `name` is None; a field nobody asked for says so."""
        return self.gaps.get(name) or _("not observed")
