"""One fault at a time on one node of a healthy cluster: exactly its rules have a finding, on that node only."""

from collections.abc import Mapping

import pytest

from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.fact_types import Directory, Disk, Interface, Listener, Route, SshdSetting, Unit
from tests.support.factories.node_facts import boot_entry, fstab_swaps, healthy
from tests.support.factories.verdicts import FAIL, PENDING, SECOND, UNKNOWN, WARN, planted

TOOLS = ("ip", "ss", "tar", "swapoff", "modprobe", "sysctl", "md5sum")
KUBELET_UNIT = "/etc/systemd/system/kubelet.service"


def sshd(dns: str = "no", pam: str = "no", *, explicit: bool = True) -> dict[str, object]:
    return {"sshd": {"usedns": SshdSetting(dns, explicit), "usepam": SshdSetting(pam, True)}}


def running_sshd(usepam: SshdSetting) -> dict[str, object]:
    return {"sshd": {"usedns": SshdSetting("no", True), "usepam": usepam}}


def behind_stub(*servers: str, **changes: object) -> dict[str, object]:
    """Return the facts of a node with the local name server of systemd-resolved, which asks `servers`."""
    file = "/run/systemd/resolve/resolv.conf"
    return {"nameservers": ("127.0.0.53",), "pod_nameservers": servers, "pod_resolv": file, **changes}


def modules(*names: str) -> dict[str, object]:
    return {"modules": frozenset(names)}


FAULTS: list[tuple[str, dict[str, object], set[tuple[str, Outcome]]]] = [
    # machine
    ("six cores", {"cpu_count": 6}, {("HW-CPU-CORES", FAIL), ("CAP-SC-REC-CP", FAIL)}),
    ("eight cores", {"cpu_count": 8}, {("CAP-SC-REC-CP", WARN)}),
    ("8 GB", {"memory": 8_200_000_000}, {("HW-MEM-SIZE", FAIL), ("CAP-SC-REC-CP", FAIL)}),
    ("16 GiB", {"memory": 16_400_000_000}, {("CAP-SC-REC-CP", WARN)}),
    ("slow clock", {"cpu_ghz": 2.2}, {("HW-CPU-CLOCK", FAIL)}),
    ("only the boost clock, and even that is slow", {"cpu_ghz": None, "cpu_ghz_limit": 2.4}, {("HW-CPU-CLOCK", FAIL)}),
    ("only the boost clock", {"cpu_ghz": None, "cpu_ghz_limit": 3.7}, {("HW-CPU-CLOCK", UNKNOWN)}),
    ("one CPU saves power", {"governor": "performance, powersave"}, {("HW-CPU-POWER", WARN)}),
    ("powersave", {"governor": "powersave"}, {("HW-CPU-POWER", WARN)}),
    ("virtual spinning disk", {"disks": (Disk("/", "/dev/sda", True),)}, {("HW-DISK-SSD", WARN)}),
    (
        "spinning disk on bare metal",
        {"virtual": False, "disks": (Disk("/", "/dev/sda", True),)},
        {("HW-DISK-SSD", FAIL), ("CAP-ETCD-NVME", WARN)},
    ),
    (
        "spinning disk behind a controller",
        {"virtual": False, "disks": (Disk("/", "/dev/sda", True, True),)},
        {("HW-DISK-SSD", WARN), ("CAP-ETCD-NVME", WARN)},
    ),
    (
        "spinning disk beside one behind a controller",
        {"virtual": False, "disks": (Disk("/", "/dev/sda", True, True), Disk("/var/lib", "/dev/sdb", True))},
        {("HW-DISK-SSD", FAIL), ("CAP-ETCD-NVME", WARN)},
    ),
    # system
    ("Debian", {"os_id": "debian", "os_version_id": "12"}, {("OS-DISTRO", FAIL)}),
    ("Ubuntu 24.04", {"os_version_id": "24.04"}, {("OS-DISTRO", FAIL)}),
    ("another kernel", {"kernel": "5.10.0-25-generic"}, {("OS-KERNEL", FAIL)}),
    ("longer patch number", {"kernel": "5.15.01-generic"}, {("OS-KERNEL", FAIL)}),
    (
        "HWE kernel",
        {"kernel": "6.5.0-35-generic", "kernel_build": "#35~22.04.1-Ubuntu SMP"},
        {("OS-KERNEL", FAIL), ("OS-UBUNTU-HWE", FAIL)},
    ),
    (
        "HWE kernel waiting",
        {"dpkg_packages": frozenset({"linux-image-generic-hwe-22.04"})},
        {("OS-UBUNTU-HWE", WARN)},
    ),
    ("riscv64", {"arch": "riscv64"}, {("OS-ARCH", FAIL), ("BND-NODE-ARCH", FAIL)}),
    # boot and modules
    ("no THP", {"cmdline": ("ro",), "boot_entries": boot_entry("ro"), "grub_defaults": ()}, {("KRN-THP", FAIL)}),
    ("THP after reboot", {"cmdline": ("ro", "quiet")}, {("KRN-THP", PENDING)}),
    (
        "THP overridden",
        {"cmdline": ("transparent_hugepage=never", "transparent_hugepage=always")},
        {("KRN-THP", PENDING)},
    ),
    (
        "THP for init",
        {"cmdline": ("ro", "--", "transparent_hugepage=never"), "boot_entries": None, "grub_defaults": None},
        {("KRN-THP", FAIL)},
    ),
    (
        "THP madvise",
        {"cmdline": ("transparent_hugepage=madvise",), "boot_entries": None, "grub_defaults": None},
        {("KRN-THP", FAIL)},
    ),
    (
        "no ip_vs_sh",
        modules("ip_vs", "ip_vs_rr", "ip_vs_wrr", "geneve", "openvswitch"),
        {("KRN-IPVS", FAIL)},
    ),
    (
        "no geneve",
        modules("ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", "openvswitch"),
        {("KRN-OVN", FAIL)},
    ),
    # security
    ("AppArmor", {"apparmor": True, "apparmor_profiles": 31}, {("SEC-APPARMOR", FAIL)}),
    ("AppArmor without profiles", {"apparmor": True, "apparmor_profiles": 0}, {("SEC-APPARMOR", WARN)}),
    (
        "AppArmor off after reboot",
        {
            "apparmor": True,
            "apparmor_profiles": 31,
            "boot_entries": boot_entry("transparent_hugepage=never", "apparmor=0"),
        },
        {("SEC-APPARMOR", PENDING)},
    ),
    ("enforcing", {"selinux": "enforcing", "selinux_config": "enforcing"}, {("SEC-SELINUX", FAIL)}),
    ("permissive", {"selinux": "permissive", "selinux_config": "permissive"}, {("SEC-SELINUX", WARN)}),
    ("disabled after reboot", {"selinux": "permissive", "selinux_config": "disabled"}, {("SEC-SELINUX", PENDING)}),
    ("enforcing after reboot", {"selinux_config": "enforcing"}, {("SEC-SELINUX", WARN)}),
    ("firewalld", {"units": {"firewalld": Unit("active", "enabled")}}, {("SEC-FIREWALL", FAIL)}),
    ("firewalld starting", {"units": {"firewalld": Unit("activating", "enabled")}}, {("SEC-FIREWALL", FAIL)}),
    ("nftables enabled", {"units": {"nftables": Unit("inactive", "enabled")}}, {("SEC-FIREWALL", WARN)}),
    ("ufw enabled in its file", {"ufw_enabled": True}, {("SEC-FIREWALL", FAIL)}),
    (
        "ufw with an active unit",
        {"ufw_enabled": None, "units": {"ufw": Unit("active", "enabled")}},
        {("SEC-FIREWALL", FAIL)},
    ),
    ("an inactive ufw", {"units": {"ufw": Unit("active", "enabled")}}, {("SEC-FIREWALL", WARN)}),
    ("ufw on a system without systemctl", {"ufw_enabled": True, "units": None}, {("SEC-FIREWALL", FAIL)}),
    ("swap", {"swaps": ("/dev/vda2",), "boot_swaps": fstab_swaps("/dev/vda2")}, {("SYS-SWAP", FAIL)}),
    ("swap after reboot", {"boot_swaps": fstab_swaps("/swap.img")}, {("SYS-SWAP", WARN)}),
    ("few tasks", {"tasks_max": "512"}, {("SYS-TASKSMAX", FAIL)}),
    ("a share of the tasks", {"tasks_max": "15%"}, {("SYS-TASKSMAX", FAIL)}),
    ("many tasks", {"tasks_max": "128000"}, {("SYS-TASKSMAX", WARN)}),
    ("tasks not set", {"tasks_max": "[not set]"}, {("SYS-TASKSMAX", UNKNOWN)}),
    # users
    ("no sudo", {"uid": 1000, "sudo": False}, {("USR-ROOT", FAIL), ("USR-SUDO", FAIL)}),
    (
        "UseDNS",
        sshd(dns="yes"),
        {("USR-USEDNS", FAIL)},
    ),
    (
        "UseDNS by default",
        sshd(explicit=False),
        {("USR-USEDNS", WARN)},
    ),
    (
        "UsePAM",
        sshd(pam="yes"),
        {("USR-USEPAM", FAIL)},
    ),
    ("UsePAM missing", {"sshd": {"usedns": SshdSetting("no", True)}}, {("USR-USEPAM", UNKNOWN)}),
    ("UsePAM no in the file alone", running_sshd(SshdSetting("no", True, "yes")), {("USR-USEPAM", FAIL)}),
    ("UsePAM yes in the file alone", running_sshd(SshdSetting("yes", True, "no")), {("USR-USEPAM", FAIL)}),
    (
        "an sshd that has not read its files",
        running_sshd(SshdSetting("no", True, doubt="d")),
        {("USR-USEPAM", UNKNOWN)},
    ),
    (
        "a default of files that sshd has not read",
        running_sshd(SshdSetting("no", False, doubt="d")),
        {("USR-USEPAM", UNKNOWN)},
    ),
    (
        "a broken sshd_config",
        {"sshd_error": "line 3: Bad configuration option: X"},
        {("USR-USEPAM", FAIL), ("USR-USEDNS", FAIL)},
    ),
    # name and resolver
    ("37 characters", {"hostname": "a" * 37, "etc_hostname": "a" * 37}, {("NET-HOSTNAME-LEN", FAIL)}),
    ("other stored name", {"etc_hostname": "old-name"}, {("NET-HOSTNAME-LEN", WARN)}),
    ("upper case", {"hostname": "Node1", "etc_hostname": "Node1"}, {("NET-HOSTNAME-CHARS", FAIL)}),
    ("underscore", {"hostname": "a_b", "etc_hostname": "a_b"}, {("NET-HOSTNAME-CHARS", FAIL)}),
    ("leading hyphen", {"hostname": "-a", "etc_hostname": "-a"}, {("NET-HOSTNAME-EDGE", FAIL)}),
    ("trailing hyphen", {"hostname": "a-", "etc_hostname": "a-"}, {("NET-HOSTNAME-EDGE", FAIL)}),
    ("two dots", {"hostname": "a..b", "etc_hostname": "a..b"}, {("NET-HOSTNAME-SEQ", FAIL)}),
    ("dot hyphen", {"hostname": "a.-b", "etc_hostname": "a.-b"}, {("NET-HOSTNAME-SEQ", FAIL)}),
    ("hyphen dot", {"hostname": "a-.b", "etc_hostname": "a-.b"}, {("NET-HOSTNAME-SEQ", FAIL)}),
    (
        "localhost",
        {"hostname": "localhost", "etc_hostname": ""},
        {("NET-HOSTNAME-LEN", FAIL), ("X-HOSTNAME-UNIQUE", FAIL)},
    ),
    ("no localhost", {"hosts_localhost": ()}, {("NET-HOSTS-LOCALHOST", FAIL)}),
    ("localhost on ::1 alone", {"hosts_localhost": ("::1",)}, {("NET-HOSTS-LOCALHOST", FAIL)}),
    ("localhost elsewhere", {"hosts_localhost": ("127.0.0.1", "10.0.0.9")}, {("NET-HOSTS-LOCALHOST", FAIL)}),
    (
        "no resolv.conf",
        {"resolv_exists": False, "nameservers": (), "search_domains": ()},
        {("NET-RESOLV-EXISTS", FAIL)},
    ),
    ("no name server", {"nameservers": ()}, {("NET-RESOLV-NS", FAIL)}),
    ("name server on 172", {"nameservers": ("10.20.0.2", "172.40.1.1")}, {("NET-RESOLV-172", FAIL)}),
    ("stub resolver", {"nameservers": ("127.0.0.53",)}, {("NET-RESOLV-172", WARN)}),
    ("a stub with an IPv6 address", {"nameservers": ("::1",)}, {("NET-RESOLV-172", WARN)}),
    ("the node itself as 0.0.0.0", {"nameservers": ("0.0.0.0",)}, {("NET-RESOLV-172", WARN)}),  # noqa: S104
    (
        "a name server with a carriage return",
        {"nameservers": (), "ignored_nameservers": ("nameserver 10.0.0.53\\r",)},
        {("NET-RESOLV-NS", FAIL)},
    ),
    ("172.20 behind the stub", behind_stub("172.20.1.10"), {("NET-RESOLV-172", FAIL), ("NET-172-FREE", FAIL)}),
    ("172.40 behind the stub", behind_stub("10.20.0.2", "172.40.1.10"), {("NET-RESOLV-172", FAIL)}),
    ("a good name server behind the stub", behind_stub("10.20.0.2"), {("NET-RESOLV-172", WARN)}),
    ("no name server behind the stub", behind_stub(), {("NET-RESOLV-172", WARN), ("NET-RESOLV-NS", FAIL)}),
    (
        "172.20 for Pods alone",
        behind_stub("172.20.1.10", nameservers=("10.20.0.2",)),
        {("NET-RESOLV-172", FAIL), ("NET-172-FREE", FAIL)},
    ),
    (
        "172.18 behind dnsmasq",
        {"nameservers": ("127.0.0.1",), "upstream_nameservers": ("172.18.0.2",)},
        {("NET-RESOLV-172", WARN), ("NET-172-FREE", FAIL)},
    ),
    (
        "a name server in the Service range behind the stub",
        behind_stub("10.4.0.10"),
        {("NET-RESOLV-172", WARN), ("XR-CIDR-HOST", FAIL)},
    ),
    ("/etc/hosts not used", {"hosts_sources": ("dns",)}, {("NET-HOSTS-LOCALHOST", FAIL)}),
    ("a search domain", {"search_domains": ("example.com",)}, {("NET-RESOLV-SEARCH", WARN)}),
    ("a domain line", {"resolv_domain": "example.com"}, {("NET-RESOLV-SEARCH", WARN)}),
    (
        "29 search domains",
        {"search_domains": tuple(f"d{n}.com" for n in range(29))},
        {("NET-RESOLV-SEARCH", FAIL), ("NET-SEARCH-COUNT", FAIL)},
    ),
    (
        "a long search domain",
        {"search_domains": ("a" * 254,)},
        {("NET-RESOLV-SEARCH", FAIL), ("NET-SEARCH-LEN", FAIL)},
    ),
    (
        "2049 characters of search domains",
        {"search_domains": (*(["a" * 204] * 9), "b" * 204)},
        {("NET-RESOLV-SEARCH", FAIL), ("NET-SEARCH-TOTAL", FAIL)},
    ),
    # address, routes, ports
    ("address not on the node", {"interfaces": (Interface("eth0", "10.20.0.99", 24),)}, {("NET-IP-VALID", FAIL)}),
    ("no default route", {"routes": (Route("10.20.0.0/24", "eth0", None),)}, {("NET-ROUTE-DEFAULT", FAIL)}),
    ("API port", {"listeners": (Listener(6443, "haproxy"),)}, {("NET-PORTS-CP", FAIL)}),
    ("first of the range", {"listeners": (Listener(10249, None),)}, {("NET-PORTS-CP", FAIL)}),
    ("last of the range", {"listeners": (Listener(10256, None),)}, {("NET-PORTS-CP", FAIL)}),
    ("OVN port", {"listeners": (Listener(6641, "ovsdb-server"),)}, {("NET-PORTS-OVN", FAIL)}),
    ("UDP on a port", {"udp_ports": frozenset({10250})}, {("NET-PORTS-CP", WARN)}),
    (
        "docker0",
        {"interfaces": (Interface("eth0", SECOND, 24), Interface("docker0", "172.17.0.1", 16))},
        {("NET-172-FREE", FAIL), ("NETCFG-172", FAIL)},
    ),
    ("name server in the range", {"nameservers": ("172.32.0.1",)}, {("NET-172-FREE", FAIL), ("NET-RESOLV-172", FAIL)}),
    (
        "route into the range",
        {"routes": (Route("default", "eth0", "10.20.0.1"), Route("172.0.0.0/8", "eth0", "10.20.0.1"))},
        {("NET-172-FREE", FAIL), ("NETCFG-172", FAIL)},
    ),
    # software
    (
        "no md5sum",
        {
            "tools": {
                **dict.fromkeys(("ip", "ss", "tar", "swapoff", "modprobe", "sysctl", "scp"), True),
                "md5sum": False,
            }
        },
        {("SW-BINARIES", FAIL)},
    ),
    (
        "neither scp nor sftp",
        {"tools": dict.fromkeys(TOOLS, True)},
        {("SW-SCP-SFTP", FAIL)},
    ),
    ("kubelet unit", {"leftovers": {"kubelet-unit": (KUBELET_UNIT,)}}, {("FS-KUBELET-UNIT", FAIL)}),
    ("noexec", {"tmp_options": ("rw", "nosuid", "noexec")}, {("FS-TMP-NOEXEC", FAIL)}),
    ("kubelet runs", {"cluster_processes": ("kubelet",)}, {("CAP-FRESH-ENV", FAIL)}),
    ("leftover binaries", {"leftovers": {"programs": ("/usr/local/bin/runc",)}}, {("PKG-LEFTOVER-BIN", WARN)}),
    ("containerd package", {"dpkg_packages": frozenset({"containerd", "bash"})}, {("PKG-CONFLICT-DPKG", FAIL)}),
    ("docker-ce package", {"dpkg_packages": frozenset({"docker-ce-cli"})}, {("PKG-CONFLICT-DPKG", FAIL)}),
    ("containerd.io package", {"dpkg_packages": frozenset({"containerd.io"})}, {("PKG-CONFLICT-DPKG", FAIL)}),
    ("similar package", {"dpkg_packages": frozenset({"python3-kubernetes"})}, {("PKG-CONFLICT-DPKG", WARN)}),
    ("microk8s snap", {"snap_packages": frozenset({"microk8s"})}, {("PKG-CONFLICT-SNAP", FAIL)}),
    # nodes against each other
    ("another zone", {"timezone": "UTC", "utc_offset": "+0000"}, {("X-TIMEZONE", FAIL)}),
    ("another name of the zone", {"timezone": "Asia/Riyadh"}, {("X-TIMEZONE", WARN)}),
]


@pytest.mark.parametrize("name", ["localhost.localdomain", "localhost4", "localhost6.localdomain6", "ip6-localhost"])
def test_names_of_the_loopback_interface_are_no_host_names(name: str) -> None:
    expected = {("NET-HOSTNAME-LEN", FAIL), ("X-HOSTNAME-UNIQUE", FAIL)}
    assert planted({"hostname": name, "etc_hostname": name}) == expected


@pytest.mark.parametrize(("changes", "expected"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_fault_is_reported_by_its_rules_only(changes: Mapping[str, object], expected: set[tuple[str, Outcome]]) -> None:
    assert planted(changes) == expected


HEALTHY: list[tuple[str, dict[str, object]]] = [
    ("two hyphens in a name", {"hostname": "a--b", "etc_hostname": "a--b"}),
    ("a name of digits and letters", {"hostname": "1a.b", "etc_hostname": "1a.b"}),
    ("36 characters", {"hostname": "a" * 36, "etc_hostname": "a" * 36}),
    ("no /etc/hostname", {"etc_hostname": ""}),
    ("names that resemble localhost", {"hostname": "localhost-1", "etc_hostname": "localhost-1"}),
    ("a name in a domain like localhost", {"hostname": "localhost5.local", "etc_hostname": "localhost5.local"}),
    ("an sshd without PAM", running_sshd(SshdSetting("no", True, "no"))),
    ("a name server ignored besides a good one", {"ignored_nameservers": ("nameserver dns.example",)}),
    ("Pods and node with different good name servers", behind_stub("10.20.0.3", nameservers=("10.20.0.2",))),
    ("localhost from systemd", {"hosts_sources": ("mymachines", "resolve", "dns")}),
    ("no sources of host names", {"hosts_sources": ()}),
    ("another name of Moscow", {"timezone": "W-SU"}),
    ("a copy of Moscow without a name", {"timezone": "", "timezone_rule": "MSK-3", "timezone_digest": "1 2"}),
    ("localhost without ::1", {"hosts_localhost": ("127.0.0.1",)}),
    ("an empty search list", {"search_domains": (".",)}),
    ("a name server on 17.2", {"nameservers": ("17.2.0.1", "10.172.0.1")}),
    (
        "172.15 and 172.33 are outside",
        {
            "interfaces": (
                Interface("e", SECOND, 24),
                Interface("x", "172.15.0.1", 24),
                Interface("y", "172.33.0.1", 24),
            )
        },
    ),
    (
        "half of all addresses through a tunnel",
        {"routes": (Route("default", "eth0", "g"), Route("128.0.0.0/1", "tun0", "g"))},
    ),
    ("default route by its numbers", {"routes": (Route("0.0.0.0", "eth0", "10.20.0.1"),)}),  # noqa: S104
    (
        "ports next to the ranges",
        {"listeners": tuple(Listener(p, None) for p in (22, 179, 2378, 2381, 6444, 8080, 10248, 10257))},
    ),
    (
        "packages with similar names",
        {"dpkg_packages": frozenset({"linux-generic", "docker-compose", "kubectx"})},
    ),
    ("sftp alone", {"tools": dict.fromkeys((*TOOLS, "sftp"), True)}),
    ("old systemd's infinity", {"tasks_max": "18446744073709551615"}),
    ("the highest pid_max", {"tasks_max": "4194304"}),
    ("a unit that is masked", {"units": {"firewalld": Unit("inactive", "masked"), "ufw": Unit("failed", "disabled")}}),
    ("no SELinux configuration", {"selinux_config": ""}),
    ("2.5 GHz as a virtual machine measures it", {"cpu_ghz": 2.49414}),
    ("sudo in place of root", {"uid": 1000, "sudo": True}),
    ("another build of the kernel", {"kernel": "5.15.0-113-generic"}),
    ("a cloud build of the kernel", {"kernel": "5.15.0-1051-azure", "kernel_build": "#59-Ubuntu SMP"}),
    (
        "no list of rpm packages on Ubuntu",
        {"rpm_packages": None, "package_tools": frozenset({"dpkg-query", "snap", "rpm"})},
    ),
    ("leftover nerdctl in release 4.0", {"leftovers": {"nerdctl-program": ("/usr/local/bin/nerdctl",)}}),
    ("no snap", {"snap_packages": None, "package_tools": frozenset({"dpkg-query"})}),
    ("a tmpfs for /tmp", {"tmp_options": ("rw", "nosuid", "nodev", "size=1g")}),
]


@pytest.mark.parametrize("changes", [d[1] for d in HEALTHY], ids=[d[0] for d in HEALTHY])
def test_healthy_setting_that_resembles_a_fault_has_no_finding(changes: Mapping[str, object]) -> None:
    assert planted(changes) == set()


FOLDER = "/var/lib/containerd"


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        ("/var/lib/docker", Directory(True, size=5), {("FS-DIR-DOCKER", FAIL)}),
        (FOLDER, Directory(True), {("FS-DIR-CONTAINERD", FAIL)}),
        (FOLDER, Directory(True, empty=True), {("FS-DIR-CONTAINERD", FAIL)}),
        (FOLDER, Directory(True, empty=True, mount_point=True), {("FS-DIR-CONTAINERD", WARN)}),
        (FOLDER, Directory(True, mount_point=True), {("FS-DIR-CONTAINERD", FAIL)}),
        ("/var/log/pods", Directory(True, empty=True, mount_point=True), {("FS-DIR-PODLOGS", FAIL)}),
        ("/var/lib/kubelet/pki", Directory(True), {("FS-DIR-KUBELETPKI", FAIL)}),
        ("/var/lib/nerdctl", Directory(True), set()),
    ],
)
def test_leftover_folders_are_reported(path: str, folder: Directory, expected: set[tuple[str, Outcome]]) -> None:
    folders = {**(healthy(SECOND).directories or {}), path: folder}
    assert planted({"directories": folders}) == expected
