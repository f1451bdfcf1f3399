"""The facts in the recordings of real distributions (tests/recordings), and the facts that a test expects there."""

from collections.abc import Mapping
from typing import get_type_hints

from pydantic import TypeAdapter

from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.fact_types import (
    AtBoot,
    BootEntry,
    Disk,
    Filesystem,
    Interface,
    Listener,
    Route,
    SshdSetting,
    SwapAtBoot,
)
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import CollectorOutput
from tests.support.record import parse_recording, recordings

HINTS = get_type_hints(Facts)


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def recorded(distribution: str) -> list[CollectorOutput]:
    return parse_recording(recordings()[distribution].read_bytes())


def facts_of(distribution: str) -> Facts:
    return facts_from("10.20.0.11", recorded(distribution), "not collected")


def assert_types(facts: Facts) -> None:
    """Assert that each fact has the type that `Facts` declares."""
    for name, hint in HINTS.items():
        value = getattr(facts, name)
        if isinstance(value, Mapping):
            value = dict(value)
        TypeAdapter(hint).validate_python(value, strict=not isinstance(value, dict))


EXPECTED: dict[str, dict[str, object]] = {
    "centos-7.9": {
        "hostname": "cp-1.example.com",
        "etc_hostname": "cp-1.example.com",
        "arch": "x86_64",
        "kernel": "3.10.0-1160.el7.x86_64",
        "kernel_build": "#1 SMP Mon Oct 19 16:18:59 UTC 2020",
        "os_id": "centos",
        "os_version_id": "7",
        "os_version": "7 (Core)",
        "os_name": "CentOS Linux 7 (Core)",
        "os_release_file": "CentOS Linux release 7.9.2009 (Core)",
        "kylin_info": "",
        "machine_id": "6f1b2c3d4e5f60718293a4b5c6d7e8f9",
        "macs": ("24:6e:96:5a:10:04", "24:6e:96:5a:10:05"),
        "cpu_count": 4,
        "cpu_ghz": 2.6,
        "virtual": False,
        "governor": "performance",
        "memory": 65769964 * 1024,
        "disks": (Disk("/", "sda", False), Disk("/var/lib", "sda", False)),
        "filesystems": (
            Filesystem("/", "/dev/mapper/centos-root", 479554170880, 470430748672),
            Filesystem("/var/lib", "/dev/mapper/centos-root", 479554170880, 470430748672),
        ),
        "interfaces": (
            Interface("lo", "127.0.0.1", 8),
            Interface("lo", "::1", 128),
            Interface("em1", "10.20.0.11", 24),
            Interface("em1", "fe80::266e:96ff:fe5a:1004", 64),
            Interface("em1.100", "10.30.0.11", 16),
        ),
        "routes": (
            Route("default", "em1", "10.20.0.1"),
            Route("10.20.0.0/24", "em1", None),
            Route("10.30.0.0/16", "em1.100", None),
            Route("192.168.77.5/32", "em1", "10.20.0.2"),
        ),
        "routes6": (Route("fe80::/64", "em1", None),),
        "hosts_localhost": ("127.0.0.1", "::1"),
        "hosts_sources": ("files", "dns", "myhostname"),
        "ignored_nameservers": (),
        "pod_resolv": "/etc/resolv.conf",
        "pod_nameservers": ("10.20.0.2", "10.20.0.3"),
        "upstream_nameservers": (),
        "timezone_rule": "CST-8",
        "resolv_exists": True,
        "nameservers": ("10.20.0.2", "10.20.0.3"),
        "search_domains": ("example.com", "lab.example.com"),
        "resolv_domain": "",
        "listeners": (Listener(22, "sshd"), Listener(25, "master")),
        "udp_ports": frozenset({0x143, 0x44}),
        "timezone": "Asia/Shanghai",
        "utc_offset": "+0800",
        "boot_entries": (
            BootEntry(
                (
                    "root=/dev/mapper/centos-root",
                    "ro",
                    "crashkernel=auto",
                    "rd.lvm.lv=centos/root",
                    "rhgb",
                    "quiet",
                    "transparent_hugepage=never",
                    "LANG=en_US.UTF-8",
                ),
                "/boot/grub2/grub.cfg",
                "CentOS Linux (3.10.0-1160.el7.x86_64) 7 (Core)",
            ),
        ),
        "grub_defaults": (
            "crashkernel=auto",
            "rd.lvm.lv=centos/root",
            "rhgb",
            "quiet",
            "transparent_hugepage=never",
            "cgroup.memory=nokmem",
        ),
        "modules_at_boot": word_set("ip_vs ip_vs_rr"),
        "blocked_modules": {"ipip": "/etc/modprobe.d/CIS.conf"},
        "modules": word_set("ip_vs_sh ip_vs_wrr ip_vs_rr ip_vs nf_conntrack_ipv4 nf_conntrack ipmi_si"),
        "modules_available": word_set(
            "ip_vs_sh ip_vs_wrr ip_vs_rr ip_vs nf_conntrack_ipv4 nf_conntrack_ipv6 geneve openvswitch ipip"
        ),
        "uid": 0,
        "sudo": True,
        "selinux": "disabled",
        "selinux_config": "disabled",
        "apparmor": False,
        "apparmor_profiles": 0,
        "ufw_enabled": None,
        "swaps": ("/dev/dm-1",),
        "boot_swaps": (
            SwapAtBoot("/dev/mapper/centos-swap", "dev-mapper-centos\\x2dswap.swap", "/etc/fstab line 11", "fstab"),
            SwapAtBoot("", "dev-dm\\x2d1.swap", "systemd", "unit"),
        ),
        "tasks_max": "18446744073709551615",
        "sshd": {"usedns": SshdSetting("no", True), "usepam": SshdSetting("yes", False, "yes")},
        "lvm2": True,
        "tmp_options": ("rw", "relatime", "attr2", "inode64", "noquota"),
        "cluster_processes": (),
        "ntp": "chronyd, synchronised",
        "leftovers": {},
        "unreadable_folders": (),
        "package_tools": frozenset({"rpm"}),
        "installer_running": False,
        "dpkg_packages": None,
    },
    "rhel-8.6": {
        "cpu_ghz": 2.4,
        "virtual": True,
        "governor": "",
        "disks": (
            Disk("/", "nvme0n1", False),
            Disk("/var/lib", "nvme0n1", False),
            Disk("/var/lib/etcd", "nvme1n1", False),
        ),
        "routes": (Route("default", "ens192", "10.20.0.1"), Route("10.20.0.0/24", "ens192", None)),
        "routes6": (
            Route("::1/128", "lo", None),
            Route("2001:db8::/64", "ens192", None),
            Route("default", "ens192", "fe80::1"),
        ),
        "hosts_localhost": ("127.0.0.1",),
        "nameservers": ("172.20.0.10",),
        "search_domains": (),
        "resolv_domain": "corp.example.com",
        "boot_entries": (
            BootEntry(
                ("root=UUID=1f", "ro", "crashkernel=auto", "transparent_hugepage=never"),
                "/boot/grub2/grub.cfg",
                "Red Hat Enterprise Linux (4.18.0-372.9.1.el8.x86_64) 8.6 (Ootpa)",
            ),
        ),
        "tmp_at_boot": AtBoot("nosuid,nodev,noexec", "/etc/fstab line 12"),
        "listeners": (Listener(22, "sshd"), Listener(10313, "weird \\")),
        "modules_available": None,
        "timezone": "Europe/Moscow",
        "uid": 1001,
        "sudo": False,
        "sudo_message": "sudo: a password is required",
        "selinux": "permissive",
        "sshd": None,
        "boot_swaps": (),
        "tmp_options": ("rw", "nosuid", "nodev", "noexec"),
        "cluster_processes": ("containerd",),
        "ntp": "chronyd, not synchronised",
        "leftovers": {
            "kubelet-unit": ("/etc/systemd/system/kubelet.service",),
            "kubernetes-config": ("/etc/kubernetes/admin.conf",),
            "programs": ("/usr/local/bin/kubectl",),
            "cni-programs": ("/opt/cni/bin",),
        },
        "installer_running": True,
        "rpm_packages": None,
    },
    "ubuntu-20.04": {
        "hostname": "Node_A",
        "etc_hostname": "node-a",
        "os_version_id": "20.04",
        "macs": ("02:fc:00:00:00:01",),
        "cpu_ghz": 2.89456,
        "disks": (Disk("/", "overlay", None), Disk("/var/lib", "overlay", None)),
        "product_uuid": None,
        "routes6": (),
        "hosts_localhost": ("127.0.0.1",),
        "nameservers": ("127.0.0.53",),
        "pod_resolv": "/run/systemd/resolve/resolv.conf",
        "pod_nameservers": ("10.20.0.2",),
        "search_domains": (),
        "listeners": (Listener(22, None), Listener(53, None)),
        "timezone": "UTC",
        "boot_entries": (BootEntry(("root=UUID=2f", "ro", "console=ttyS0"), "/boot/grub/grub.cfg", "Ubuntu"),),
        "grub_defaults": ("quiet", "splash", "transparent_hugepage=never"),
        "uid": 1000,
        "sudo": True,
        "apparmor": True,
        "apparmor_profiles": 32,
        "ufw_enabled": False,
        "swaps": ("/swap.img",),
        "boot_swaps": (SwapAtBoot("/swap.img", "swap.img.swap", "/etc/fstab line 12", "fstab"),),
        "ntp": "systemd-timesyncd, synchronised",
        "unreadable_folders": ("/var/lib/etcd",),
        "dpkg_packages": frozenset({"adduser", "docker.io", "linux-generic"}),
        "snap_packages": frozenset({"core20", "lxd", "kubectl"}),
        "sshd": {"usedns": SshdSetting("no", False), "usepam": SshdSetting("yes", True, "yes")},
        "directories": None,
    },
    "ubuntu-22.04": {
        "etc_hostname": "",
        "resolv_exists": False,
        "nameservers": (),
        "timezone": "UTC",
        "utc_offset": "+0000",
        "swaps": (),
        "units": None,
        "sshd": {"usedns": SshdSetting("no", True), "usepam": SshdSetting("no", True, "no")},
        "snap_packages": None,
        "interfaces": (
            Interface("lo", "127.0.0.1", 8),
            Interface("eth0", "192.168.1.5", 24),
            Interface("lo", "::1", 128),
            Interface("eth0", "fe80::5054:ff:fe00:1", 64),
        ),
        "routes": (Route("default", "eth0", "192.168.1.1"), Route("192.168.1.0/24", "eth0", None)),
        "routes6": (Route("fe80::/64", "eth0", None), Route("default", "eth0", "fe80::1")),
    },
    "kylin-v10-sp3": {
        "arch": "aarch64",
        "os_id": "kylin",
        "os_version": "V10 (Lance)",
        "cpu_count": 4,
        "cpu_implementer": "0x48",
        "cpu_part": "0xd01",
        "cpu_ghz": 2.6,
        "virtual": False,
        "tasks_max": "infinity",
        "tasks_max_at_boot": AtBoot("infinity", "/etc/systemd/system.conf"),
        "rpm_packages": frozenset({"kylin-release", "lvm2", "containerd"}),
    },
}
