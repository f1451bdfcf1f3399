"""What a node is, as far as it told us. One field per thing known; judging happens elsewhere.

Every field is None until it is learned, and stays None when it could not be: `gaps` then says why, under the field's
name. None is therefore never "absent" or "empty": a node without swap has `swaps == ()`.
Strings come from a node and are hostile: `probe` has cut them to size and taken control characters out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


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


@dataclass(frozen=True)
class Disk:
    """The disk behind a path. `rotational` None: not learned."""

    path: str
    device: str
    rotational: bool | None


@dataclass(frozen=True)
class Clock:
    """The node's clock against ours. Seconds; the true offset lies within offset ± uncertainty."""

    offset: float
    uncertainty: float
    remote_time: datetime


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
    disks: tuple[Disk, ...] | None = None
    """The disks behind /, /var/lib and, where present, /var/lib/etcd."""
    filesystems: tuple[Filesystem, ...] | None = None

    # kernel and boot
    cmdline: tuple[str, ...] | None = None
    """Tokens of /proc/cmdline: what is in effect."""
    boot_tokens: frozenset[str] | None = None
    """Kernel parameters found in the boot loader's configuration: in effect from the next boot."""
    modules: frozenset[str] | None = None
    """Modules loaded or built in."""
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
    """ENABLED=yes in /etc/ufw/ufw.conf."""
    swaps: tuple[str, ...] | None = None
    """Swap areas in use."""
    fstab_swaps: tuple[str, ...] | None = None
    """Swap entries of /etc/fstab and active systemd swap units: they return at the next boot."""
    tasks_max: str | None = None
    """DefaultTasksMax as systemd prints it."""

    # users
    uid: int | None = None
    sudo: bool | None = None
    """`sudo -n true` works; for uid 0 always True."""
    sudo_message: str | None = None
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

    def gap(self, name: str) -> str:
        """Why the field `name` is None; a field nobody asked for says so."""
        return self.gaps.get(name, "not observed")
