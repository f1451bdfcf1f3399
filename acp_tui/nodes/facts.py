"""The facts of a node, with one field for each value that the collectors read. The package `checks` evaluates them.

A field is None until its value is read. If the value cannot be read, the field stays None, and `missing` has the reason
under the name of the field. None never means "absent" or "empty": a node without swap has `swaps == ()`. Text from the
node is not trusted, so its length is limited and control characters are removed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from acp_tui.core.i18n import pgettext
from acp_tui.nodes.fact_types import (
    AtBoot,
    Bandwidth,
    BootEntry,
    Clock,
    Directory,
    Disk,
    DiskSpeed,
    Filesystem,
    InstallFolder,
    Interface,
    Listener,
    PathTest,
    RegistryAnswer,
    Route,
    SshdSetting,
    SwapAtBoot,
    Unit,
)
from acp_tui.nodes.packet_filter.model import PacketFilter
from acp_tui.nodes.path_summary import PathSummary, PingSummary


@dataclass(frozen=True)
class Facts:
    """All facts of the node whose plan address is `address`."""

    address: str
    missing: Mapping[str, str] = field(default_factory=dict)
    """Name of a field → the reason why its value is missing."""

    # identity
    hostname: str | None = None
    """The host name in effect, from `uname -n`."""
    etc_hostname: str | None = None
    """The first line of /etc/hostname; "" if the file is missing."""
    machine_id: str | None = None
    product_uuid: str | None = None
    boot_id: str | None = None
    macs: tuple[str, ...] | None = None
    host_key: str | None = None
    """The SHA256 fingerprint of the SSH host key."""

    # operating system
    arch: str | None = None
    """The architecture from `uname -m`, such as `x86_64` or `aarch64`."""
    kernel: str | None = None
    """The kernel release from `uname -r`."""
    kernel_build: str | None = None
    """The kernel version from `uname -v`."""
    os_id: str | None = None
    """The value `ID` of /etc/os-release, in lower case."""
    os_version_id: str | None = None
    os_version: str | None = None
    """The value `VERSION` of /etc/os-release, in which Kylin puts the code name."""
    os_name: str | None = None
    """The value `PRETTY_NAME` of /etc/os-release."""
    os_release_file: str | None = None
    """The first line of /etc/centos-release or /etc/redhat-release; "" if both files are missing.

    On CentOS, this line contains the minor version."""
    kylin_info: str | None = None
    """The content of /etc/.productinfo and /etc/.kyinfo, joined by newlines; "" if both files are missing."""

    # hardware
    cpu_count: int | None = None
    """The number of logical CPUs."""
    cpu_threads: int | None = None
    """The number of logical CPUs that share a physical core; 1 without SMT."""
    cpu_model: str | None = None
    cpu_ghz: float | None = None
    """The nominal clock of the CPU in GHz. Boost clocks, momentary clocks and numbers of a hypervisor do not count."""
    cpu_ghz_limit: float | None = None
    """The highest possible nominal clock in GHz. If the nominal clock is unknown, this is the boost clock."""
    cpu_implementer: str | None = None
    """On ARM: the value `CPU implementer`, such as `0x48`."""
    cpu_part: str | None = None
    governor: str | None = None
    """The `scaling_governor` of all CPUs, such as `performance`; "" if the files are missing, as on virtual machines.

    If the CPUs differ, the value lists all their governors."""
    memory: int | None = None
    """The memory in bytes: MemTotal of /proc/meminfo, and the memory that the kernel reserves for a crash kernel."""
    virtual: bool | None = None
    """True if the hypervisor flag of the CPU or systemd-detect-virt shows that the node is a virtual machine."""
    steal: float | None = None
    """The share of the CPU time since boot that the hypervisor gave to other virtual machines, 0 to 1."""
    disks: tuple[Disk, ...] | None = None
    """The disks that store the files in / and /var/lib, and in /var/lib/etcd and /cpaas if these folders exist."""
    filesystems: tuple[Filesystem, ...] | None = None
    """The file system of each path. For a missing path, it is the file system of its nearest existing parent folder."""
    install_folder: InstallFolder | None = None
    """The install folder. Only the installer node has this fact."""
    disk_speed: DiskSpeed | None = None
    """The write speed of the disk. Only the active disk test measures it, because the test writes to the disk."""

    # kernel and boot
    cmdline: tuple[str, ...] | None = None
    """The kernel parameters in effect, from /proc/cmdline."""
    boot_entries: tuple[BootEntry, ...] | None = None
    """The entry that the boot loader starts at the next boot; () if the node has no known boot loader.

    Several entries mean that the files do not show which of them will boot."""
    grub_defaults: tuple[str, ...] | None = None
    """The kernel parameters in /etc/default/grub. They have no effect until grub.cfg is generated again."""
    modules: frozenset[str] | None = None
    """The kernel modules that are loaded or built in."""
    modules_at_boot: frozenset[str] | None = None
    """The modules that a file of modules-load.d(5) names. They are loaded at each boot."""
    blocked_modules: Mapping[str, str] | None = None
    """Module → the file of modprobe.d(5) with an `install` command that prevents loading it."""
    modules_available: frozenset[str] | None = None
    """The modules that ACP requires and that `modprobe -n` can load."""

    # security and system settings
    selinux: str | None = None
    """The SELinux mode in effect: `disabled`, `permissive` or `enforcing`."""
    selinux_config: str | None = None
    """The mode that /etc/selinux/config sets; "" if the file sets none."""
    apparmor: bool | None = None
    """True if AppArmor is enabled in the kernel."""
    apparmor_profiles: int | None = None
    """The number of loaded AppArmor profiles."""
    units: Mapping[str, Unit] | None = None
    """The units of firewalls and AppArmor, by unit name without `.service`."""
    ufw_enabled: bool | None = None
    """True if /etc/ufw/ufw.conf has ENABLED=yes; None if the file is missing."""
    packet_filter: PacketFilter | None = None
    """The rules of nftables and iptables in the kernel."""
    swaps: tuple[str, ...] | None = None
    """The swap areas in use."""
    boot_swaps: tuple[SwapAtBoot, ...] | None = None
    """The swap areas that the next boot activates."""
    tasks_max: str | None = None
    """DefaultTasksMax, as systemd prints it."""
    tasks_max_at_boot: AtBoot | None = None
    """DefaultTasksMax in the files of systemd-system.conf(5); the value is "" if no file sets it."""

    # users
    uid: int | None = None
    sudo: bool | None = None
    """True if sudo works without a password. It is always True for the user root."""
    sudo_message: str | None = None
    """The end of the error message of sudo; "" on success."""
    sudo_terminal: bool | None = None
    """True if sudo works only on a terminal (`requiretty`), and all collectors therefore ran again on a terminal."""
    sshd: Mapping[str, SshdSetting] | None = None
    """The sshd settings `usedns` and `usepam`."""
    sshd_error: str | None = None
    """The first error that sshd finds in its configuration; "" if there is none."""

    # network
    interfaces: tuple[Interface, ...] | None = None
    routes: tuple[Route, ...] | None = None
    """The IPv4 routes."""
    routes6: tuple[Route, ...] | None = None
    hosts_localhost: tuple[str, ...] | None = None
    """The addresses of `localhost` in /etc/hosts, in the order of the file."""
    hosts_sources: tuple[str, ...] | None = None
    """The sources of host names that nsswitch.conf names, such as `files`; () if it names none."""
    resolv_exists: bool | None = None
    nameservers: tuple[str, ...] | None = None
    """The name servers in /etc/resolv.conf that glibc accepts."""
    ignored_nameservers: tuple[str, ...] | None = None
    """The lines of /etc/resolv.conf that look like name servers, but that glibc ignores."""
    pod_resolv: str | None = None
    """The file whose name servers and search domains Pods get; kubeadm chooses it."""
    pod_nameservers: tuple[str, ...] | None = None
    """The name servers in `pod_resolv`. They can be invalid addresses."""
    upstream_nameservers: tuple[str, ...] | None = None
    """The name servers that a local name server of the node asks, from the file of NetworkManager or dnsmasq."""
    search_domains: tuple[str, ...] | None = None
    """The domains in the last `search` line of `pod_resolv`."""
    resolv_domain: str | None = None
    """The value of the `domain` line of resolv.conf; "" if the line is missing."""
    listeners: tuple[Listener, ...] | None = None
    """The TCP sockets in the state LISTEN."""
    udp_ports: frozenset[int] | None = None

    # software and files
    tools: Mapping[str, bool] | None = None
    """Required command → True if it is in PATH or in an sbin folder."""
    lvm2: bool | None = None
    tmp_options: tuple[str, ...] | None = None
    """The mount options in effect for /tmp."""
    tmp_at_boot: AtBoot | None = None
    """The mount options of /tmp after the next boot; the value is "" if nothing is mounted on /tmp."""
    directories: Mapping[str, Directory] | None = None
    rpm_packages: frozenset[str] | None = None
    """The names of installed RPM packages; None on systems without rpm, see `package_tools`."""
    dpkg_packages: frozenset[str] | None = None
    snap_packages: frozenset[str] | None = None
    package_tools: frozenset[str] | None = None
    """The installed package tools, which can be rpm, dpkg-query and snap."""
    leftovers: Mapping[str, tuple[str, ...]] | None = None
    """ID of a row of `nodes/leftovers` → the files, interfaces, units or mount points that the node has of it."""
    unreadable_folders: tuple[str, ...] | None = None
    """The folders that can contain leftovers, but that only root can read; () if the script ran as root."""
    cluster_processes: tuple[str, ...] | None = None
    """The names of running processes of Kubernetes and container runtimes, at most 15 characters of each name."""
    installer_running: bool | None = None
    """True if the container `minialauda-control-plane` runs on the node. The installer starts this container."""

    # time
    timezone: str | None = None
    """The name of the time zone, such as `Europe/Moscow`; "" if /etc/localtime has no name."""
    timezone_digest: str | None = None
    """A checksum of /etc/localtime. Equal files have equal rules; different files can have equal rules, too."""
    timezone_rule: str | None = None
    """The present rule of the time zone in the form of TZ, such as `CST-8`; "" if /etc/localtime does not show it."""
    utc_offset: str | None = None
    """The offset from UTC, from `date +%z`."""
    clock: Clock | None = None
    ntp: str | None = None
    """A text that names the running time daemon and its synchronisation state."""

    # connectivity
    paths: PathSummary | None = None
    """The TCP connects to the other nodes, the cluster endpoint and the external registry."""
    pings: PingSummary | None = None
    """The results of pinging the other nodes."""
    link_speeds: Mapping[str, int] | None = None
    """Interface → speed in Mbit/s, if the driver reports it. Drivers of virtual machines rarely report it."""
    link_devices: frozenset[str] | None = None
    """The interfaces that are devices of the machine or are built on one, such as a bond. Others are only software."""
    names: Mapping[str, tuple[str, ...] | None] | None = None
    """Name in the plan → the addresses that the node finds for this name.

    () means that the name does not exist. None means that no name server replied."""
    names_by_servers: Mapping[str, tuple[str, ...] | None] | None = None
    """Each name of `names` that is also in /etc/hosts → its addresses from the name servers; None without a reply."""
    vip_owner: str | None = None
    """The MAC address of the host that replies at the address of a future VIP; "" if no host replies.

    The value is `answers` if a host replies, but its MAC address is unknown."""
    registry_answer: RegistryAnswer | None = None

    # active tests
    listener_results: Mapping[int, str] | None = None
    """TCP port → "" if the temporary listener worked, else the reason why it failed."""
    backends_reached: Mapping[tuple[str, int], frozenset[str]] | None = None
    """Host and port → plan addresses of the nodes whose temporary listeners replied."""
    wrong_ports_reached: Mapping[tuple[str, int], frozenset[int]] | None = None
    """Host and port of a connect → the wrong ports to which the connect was forwarded."""
    proxy_protocol_ports: frozenset[int] | None = None
    """The ports on which a temporary listener received a PROXY protocol header."""
    vrids_seen: frozenset[int] | None = None
    """The virtual router IDs in the received VRRP advertisements."""
    bandwidths: Mapping[str, Bandwidth] | None = None
    """Plan address of each other node → bandwidth to that node."""
    path_test: PathTest | None = None
    """The results of the path test: TCP, UDP, IP-in-IP and source addresses between the nodes."""

    def missing_reason(self, name: str) -> str:
        """Return the reason why the fact `name` is missing. If no reason is known: "the value was not collected"."""
        return self.missing.get(name) or pgettext("reason", "the value was not collected")
