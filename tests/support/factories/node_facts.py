"""Facts of healthy nodes of each supported distribution, for tests that plant faults."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from acp_tui.nodes.collectors.fstab import swap_unit
from acp_tui.nodes.fact_types import (
    AtBoot,
    BootEntry,
    Clock,
    Directory,
    Disk,
    Filesystem,
    InstallFolder,
    Interface,
    Route,
    SshdSetting,
    SwapAtBoot,
    Unit,
)
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.packet_filter.model import PacketFilter

DISTRIBUTIONS: Mapping[str, Mapping[str, object]] = {
    "ubuntu-20.04": {
        "os_id": "ubuntu",
        "os_version_id": "20.04",
        "os_version": "20.04.6 LTS (Focal Fossa)",
        "os_name": "Ubuntu 20.04.6 LTS",
        "kernel": "5.4.0-124-generic",
        "kernel_build": "#140-Ubuntu SMP Thu Aug 4 02:23:37 UTC 2022",
    },
    "ubuntu-22.04": {
        "os_id": "ubuntu",
        "os_version_id": "22.04",
        "os_version": "22.04.4 LTS (Jammy Jellyfish)",
        "os_name": "Ubuntu 22.04.4 LTS",
        "kernel": "5.15.0-56-generic",
        "kernel_build": "#62-Ubuntu SMP Tue Nov 22 19:54:14 UTC 2022",
    },
    "centos-7.9": {
        "os_id": "centos",
        "os_version_id": "7",
        "os_version": "7 (Core)",
        "os_name": "CentOS Linux 7 (Core)",
        "os_release_file": "CentOS Linux release 7.9.2009 (Core)",
        "kernel": "3.10.0-1160.el7.x86_64",
        "kernel_build": "#1 SMP Mon Oct 19 16:18:59 UTC 2020",
    },
    "rhel-7.8": {
        "os_id": "rhel",
        "os_version_id": "7.8",
        "os_version": "7.8 (Maipo)",
        "os_name": "Red Hat Enterprise Linux Server 7.8 (Maipo)",
        "os_release_file": "Red Hat Enterprise Linux Server release 7.8 (Maipo)",
        "kernel": "3.10.0-1127.el7.x86_64",
        "kernel_build": "#1 SMP Tue Feb 18 16:39:12 EST 2020",
    },
    "rhel-8.6": {
        "os_id": "rhel",
        "os_version_id": "8.6",
        "os_version": "8.6 (Ootpa)",
        "os_name": "Red Hat Enterprise Linux 8.6 (Ootpa)",
        "os_release_file": "Red Hat Enterprise Linux release 8.6 (Ootpa)",
        "kernel": "4.18.0-372.9.1.el8.x86_64",
        "kernel_build": "#1 SMP Fri Apr 15 22:12:19 EDT 2022",
    },
    "kylin-v10-sp3": {
        "os_id": "kylin",
        "os_version_id": "V10",
        "os_version": "V10 (Lance)",
        "os_name": "Kylin Linux Advanced Server V10 (Lance)",
        "kernel": "4.19.90-52.22.v2207.ky10.x86_64",
        "kernel_build": "#1 SMP Tue Mar 14 12:19:10 CST 2023",
        "kylin_info": "Kylin Linux Advanced Server\nrelease V10 (SP3) /(Lance)-x86_64-Build23/20230324",
    },
}

_TOOLS = ("ip", "ss", "tar", "swapoff", "modprobe", "sysctl", "md5sum", "scp", "sftp")
_MODULES = ("ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", "nf_conntrack", "geneve", "openvswitch", "virtio_net")
_FOLDERS = (
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/log/pods",
    "/var/lib/kubelet/pki",
    "/var/lib/nerdctl",
    "/opt/nerdctl",
)

MUST_MANUAL = frozenset(
    {
        "HW-CPU-NOOVER",
        "HW-CPU-POWER",
        "HW-DISK-IOPS",
        "HW-DISK-SSD",
        "HW-DISK-TPUT",
        "HW-MEM-NOOVER",
        "NETCFG-BW-INTER",
        "NETCFG-BW-INTRA",
        "NETCFG-LAT-INTER",
        "PRE-INIT",
    }
)
"""The `must` rules of release 4.0 that only a person can check: each blocks a cluster of healthy nodes."""


def boot_entry(*parameters: str, source: str = "/boot/grub/grub.cfg") -> tuple[BootEntry, ...]:
    """Return the fact `boot_entries` of a node whose next boot has these kernel parameters."""
    return (BootEntry(parameters, source),)


def fstab_swaps(*devices: str) -> tuple[SwapAtBoot, ...]:
    """Return the fact `boot_swaps` of a node with these swap lines in /etc/fstab."""
    return tuple(
        SwapAtBoot(device, swap_unit(device), f"/etc/fstab line {number}", "fstab")
        for number, device in enumerate(devices, 2)
    )


def unit_swaps(*units: str) -> tuple[SwapAtBoot, ...]:
    """Return the fact `boot_swaps` of a node with these swap units."""
    return tuple(SwapAtBoot("", unit, f"/etc/systemd/system/swap.target.wants/{unit}", "unit") for unit in units)


def healthy(address: str, distribution: str = "ubuntu-22.04", role: str = "control-plane", **changes: object) -> Facts:
    """Return facts of a virtual machine that fulfils every rule of 4.0, with `changes` to its fields."""
    system = DISTRIBUTIONS[distribution]
    rpm = system["os_id"] != "ubuntu"
    old_kernel = str(system["kernel"]).startswith("3.")
    four = "." in address
    cmdline = ["ro", "transparent_hugepage=never", *(["cgroup.memory=nokmem"] if old_kernel else [])]
    facts = Facts(
        address=address,
        hostname=f"node-{address.replace('.', '-').replace(':', '-')}",
        etc_hostname=f"node-{address.replace('.', '-').replace(':', '-')}",
        machine_id=address.encode().hex().zfill(32),
        product_uuid=f"4c4c4544-0042-3510-8052-{address.encode().hex()[-12:]:0>12}",
        boot_id=f"boot-{address}",
        macs=("52:54:" + ":".join(f"{byte:02x}" for byte in address.encode()[-4:]),),
        host_key=f"SHA256:{address:0>43}",
        arch="x86_64",
        os_release_file="",
        kylin_info="",
        cpu_count=16 if role == "control-plane" else 24,
        cpu_model="Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz",
        cpu_ghz=2.5,
        governor="",
        memory=33_500_000_000 if role == "control-plane" else 50_000_000_000,
        virtual=True,
        disks=(Disk("/", "/dev/vda", False), Disk("/var/lib", "/dev/vda", False)),
        filesystems=(Filesystem("/", "/dev/vda1", 500 * 10**9, 400 * 10**9),),
        install_folder=InstallFolder("/root/cpaas-install", 400 * 10**9),
        cmdline=tuple(cmdline),
        boot_entries=(BootEntry(tuple(cmdline), "/boot/grub/grub.cfg"),),
        grub_defaults=tuple(cmdline),
        modules=frozenset(_MODULES + (("nf_conntrack_ipv4", "nf_conntrack_ipv6") if old_kernel else ())),
        modules_available=frozenset(_MODULES),
        selinux="disabled",
        selinux_config="disabled" if rpm else "",
        apparmor=False,
        apparmor_profiles=0,
        units={
            name: Unit("inactive", "not-found")
            for name in ("firewalld", "ufw", "nftables", "iptables", "ip6tables", "netfilter-persistent", "apparmor")
        },
        ufw_enabled=False,
        packet_filter=PacketFilter(),
        swaps=(),
        boot_swaps=(),
        tasks_max="infinity",
        tasks_max_at_boot=AtBoot(""),
        uid=0,
        sudo=True,
        sudo_message="",
        sshd={"usedns": SshdSetting("no", True), "usepam": SshdSetting("no", True)},
        interfaces=(
            Interface("lo", "127.0.0.1", 8),
            Interface("eth0", address, 24 if four else 64),
        ),
        routes=(
            Route("default", "eth0", "10.20.0.1"),
            Route("10.20.0.0/24", "eth0", None),
        ),
        routes6=(Route("default", "eth0", "fd20::1"),),
        hosts_localhost=("127.0.0.1", "::1"),
        resolv_exists=True,
        nameservers=("10.20.0.2",),
        search_domains=(),
        resolv_domain="",
        listeners=(),
        udp_ports=frozenset({68, 323}),
        tools=dict.fromkeys(_TOOLS, True),
        lvm2=True,
        tmp_options=("rw", "relatime"),
        tmp_at_boot=AtBoot(""),
        directories={path: Directory(exists=False) for path in _FOLDERS},
        rpm_packages=frozenset({"bash", "openssh-server", "kernel"}) if rpm else None,
        dpkg_packages=None if rpm else frozenset({"bash", "openssh-server", "linux-generic", "python3-apt"}),
        snap_packages=None if rpm else frozenset({"core22", "snapd"}),
        package_tools=frozenset({"rpm"} if rpm else {"dpkg-query", "snap"}),
        leftovers={},
        unreadable_folders=(),
        cluster_processes=(),
        installer_running=False,
        timezone="Europe/Moscow",
        utc_offset="+0300",
        clock=Clock(offset=0.02, uncertainty=0.01, remote_time=datetime(2026, 1, 1, tzinfo=UTC)),
        ntp="chronyd, synchronised",
    )
    return replace(facts, **{**system, **changes})  # type: ignore[arg-type]
