"""Subtle faults in the files of real nodes, and healthy settings that differ from them by little."""

from pathlib import Path

import pytest

from tests.lab.kit.check_run import as_planned, check, plan
from tests.lab.kit.nodes import Lab
from tests.lab.kit.profiles import Fault, NodeProfile, cpuinfo
from tests.lab.kit.shell import append, dpkg, listen, resolv_conf, unit, unload, write

pytestmark = pytest.mark.lab

SSHD = "/etc/ssh/sshd_config"


def _rpm(name: str) -> str:
    return append("/usr/lib/lab/rpms", f"{name} 1.0")


def _fault(name: str, shell: str, **expects: str) -> Fault:
    """`expects`: requirement IDs with `_` for `-`."""
    return Fault(name, shell, {rule.replace("_", "-"): outcome for rule, outcome in expects.items()})


UBUNTU = (
    _fault(
        "iptables runs and nftables comes back",
        f"{unit('iptables', 'active', 'static')}; {unit('nftables', 'inactive', 'enabled')}",
        SEC_FIREWALL="fail",
    ),
    _fault("swap in compressed memory", "echo '/dev/zram0 partition 8388604 0 100' >>/proc/swaps", SYS_SWAP="fail"),
    _fault(
        "UsePAM in an included file, which overrides the later setting",
        f"mkdir -p {SSHD}.d; echo 'usepam=yes' >{SSHD}.d/50-cloud.conf; sed -i '1i Include {SSHD}.d/*.conf' {SSHD}",
        USR_USEPAM="fail",
    ),
    _fault("localhost twice", append("/etc/hosts", "127.0.1.1\tnode localhost"), NET_HOSTS_LOCALHOST="fail"),
    _fault("the second name server in 172", append("/etc/resolv.conf", "nameserver 172.64.0.1"), NET_RESOLV_172="fail"),
    _fault("a route that leads nowhere", "ip route replace unreachable default", NET_ROUTE_DEFAULT="fail"),
    _fault("a port at the end of the range, for this machine alone", listen(10256), NET_PORTS_CP="fail"),
    _fault(
        "a route into Docker's range", "ip route add 172.20.0.0/16 dev eth0", NET_172_FREE="fail", NETCFG_172="fail"
    ),
    _fault("no swapoff", "rm -f /usr/sbin/swapoff /sbin/swapoff", SW_BINARIES="fail"),
    _fault("a link to nowhere as Docker's folder", "ln -s /nowhere /var/lib/docker", FS_DIR_DOCKER="fail"),
    _fault("an empty folder of containerd", "mkdir /var/lib/containerd", FS_DIR_CONTAINERD="fail"),
    _fault("containerd.io, on hold", dpkg("containerd.io", "hold ok installed"), PKG_CONFLICT_DPKG="fail"),
    _fault("kubectl from a snap", append("/usr/lib/lab/snaps", "kubectl"), PKG_CONFLICT_SNAP="fail"),
    _fault(
        "settings of a former cluster",
        "mkdir -p /etc/kubernetes; touch /etc/kubernetes/admin.conf",
        CAP_FRESH_ENV="fail",
    ),
    _fault("another name after the next boot", "echo other >/etc/hostname", NET_HOSTNAME_LEN="warn"),
    _fault(
        "a clock without a nominal figure",
        write("/proc/cpuinfo", cpuinfo(16).replace(" @ 3.00GHz", "").replace("2992.968", "2399.998")),
        HW_CPU_CLOCK="fail",
    ),
    _fault(
        "a filled folder of network plugins",
        "mkdir -p /opt/cni/bin; touch /opt/cni/bin/bridge",
        PKG_LEFTOVER_BIN="warn",
    ),
    _fault("a limit of 15 per cent", "echo 4915 >/usr/lib/lab/tasks-max", SYS_TASKSMAX="fail"),
    _fault(
        "a driver that gives memory back",
        "[ ! -e /proc/modules ] || echo 'virtio_balloon 1 0 - Live 0x0' >>/proc/modules",
    ),
)
CENTOS = (
    _fault(
        "CentOS 7.5",
        "sed -i 's/7.9.2009/7.5.1804/' /etc/centos-release /etc/redhat-release",
        OS_DISTRO="fail",
        OS_KERNEL="",
    ),
    _fault(
        "SELinux permissive, and to stay so",
        "mkdir /sys/fs/selinux; echo 0 >/sys/fs/selinux/enforce; "
        "sed -i s/^SELINUX=.*/SELINUX=permissive/ /etc/selinux/config",
        SEC_SELINUX="warn",
    ),
    _fault("docker-ce-cli", _rpm("docker-ce-cli"), PKG_CONFLICT_RPM="fail"),
    _fault("etcd's data", "mkdir -p /var/lib/etcd/member", CAP_FRESH_ENV="fail"),
    _fault("pod logs that are a file", "touch /var/log/pods", FS_DIR_PODLOGS="fail"),
    _fault("a kubelet unit", "touch /etc/systemd/system/kubelet.service", FS_KUBELET_UNIT="fail"),
    _fault("swap that systemd switches on", unit("dev-vdb.swap", "active", "static"), SYS_SWAP="warn"),
    _fault("localhost by IPv6 alone", "sed -i '/^127.0.0.1/d' /etc/hosts", NET_HOSTS_LOCALHOST="fail"),
    _fault("an address in 172.32", "ip addr add 172.32.0.1/24 dev eth0", NET_172_FREE="fail", NETCFG_172="fail"),
    _fault("no name server left", resolv_conf("nameserver\n# nameserver 198.51.100.250"), NET_RESOLV_NS="fail"),
    _fault("the first port of the range", listen(10249), NET_PORTS_CP="fail"),
    _fault(
        "a high steal time",
        "echo 'cpu  100 0 100 700 0 0 0 100 0 0' >/run/stat; mount --bind /run/stat /proc/stat",
        HW_CPU_NOOVER="warn",
    ),
)
KYLIN = (
    _fault(
        "SP2 by its code name alone",
        "echo 'Kylin (Sword)' >/etc/.productinfo; : >/etc/.kyinfo; sed -i 's/Lance/Sword/g' /etc/os-release; "
        "echo 4.19.90-24.4.v2101.ky10.x86_64 >/proc/sys/kernel/osrelease",
        OS_KYLIN_SP="warn",
        OS_DISTRO="fail",
    ),
    _fault("docker-engine", _rpm("docker-engine"), PKG_CONFLICT_KYLIN="fail"),
    _fault("a Go library of Docker", _rpm("golang-github-docker-go"), PKG_CONFLICT_KYLIN="fail"),
    _fault(
        "a hidden default route", "ip route replace 0.0.0.0/1 dev eth0; ip route del default", NET_ROUTE_DEFAULT="fail"
    ),
    _fault(
        "both modules gone",
        f"{unload('ip_vs_rr')}; {unload('openvswitch')}",
        KRN_IPVS="fail",
        KRN_OVN="fail",
    ),
)
HARMLESS = (
    _fault("swap that is not switched on by itself", append("/etc/fstab", "/dev/vdb none swap sw,noauto 0 0")),
    _fault("UsePAM for some users alone", append(SSHD, "Match User backup\n  PasswordAuthentication no")),
    _fault(
        "an IPv6 name server, and 172 as a middle part",
        append("/etc/resolv.conf", "nameserver 2001:db8::53\nnameserver 198.51.172.1"),
    ),
    _fault("a second default route", "ip route add default via 198.51.100.30 metric 500 onlink dev eth0 || :"),
    _fault(
        "the encryption key that a standby needs",
        "mkdir -p /etc/kubernetes; touch /etc/kubernetes/encryption-provider.conf",
    ),
    _fault(
        "an empty folder of plugins, and tools with similar names",
        "mkdir -p /opt/cni/bin; touch /usr/local/bin/kubectx /usr/local/bin/runcible",
    ),
    _fault(
        "localhost behind other names",
        "sed -i 's/^127.0.0.1.*/127.0.0.1\\tlocalhost4 loopback\\tlocalhost/' /etc/hosts",
    ),
    _fault("a comment above the name", "sed -i '1i # set by cloud-init' /etc/hostname"),
    _fault("ports next to the ranges", listen(2378, 2381, 6444, 6640, 6643, 8079, 12081)),
    _fault("folders with similar names", "mkdir -p /var/lib/kubelet/plugins /var/log/pods.old /var/lib/nerdctl"),
    _fault("a firewall that is masked", unit("firewalld", "inactive", "masked")),
    _fault("172 as the last part", "ip addr add 10.99.172.16/24 dev eth0"),
)
HARMLESS_RPM = (
    _fault(
        "nokmem together with another value",
        'line=$(</proc/cmdline); echo "${line/=nokmem/=nosocket,nokmem}" >/proc/cmdline',
    ),
    _fault(
        "SELinux off by the kernel's own parameter",
        "sed -i s/^SELINUX=.*/SELINUX=enforcing/ /etc/selinux/config; "
        'line=$(</proc/cmdline); echo "$line selinux=0" >/proc/cmdline; '
        "sed -i 's/^options.*/& selinux=0/' /boot/loader/entries/*.conf",
    ),
    _fault("old systemd's infinity", "echo 18446744073709551615 >/usr/lib/lab/tasks-max"),
)
HARMLESS_HWE = (
    _fault("HWE headers, and no kernel", dpkg("linux-headers-generic-hwe-22.04")),
    _fault("docker.io gone", dpkg("docker.io", "deinstall ok config-files")),
)


def test_subtle_faults_are_reported_and_similar_healthy_settings_are_not(lab: Lab, tmp_path: Path) -> None:
    faulty = lab.start(
        NodeProfile("ubuntu-22.04", UBUNTU), NodeProfile("centos-7.9", CENTOS), NodeProfile("kylin-v10-sp3", KYLIN)
    )
    healthy = lab.start(
        NodeProfile("ubuntu-22.04", (*HARMLESS, *HARMLESS_HWE)), NodeProfile("centos-7.9", (*HARMLESS, *HARMLESS_RPM))
    )
    checked = check(tmp_path, plan(as_planned((*faulty, *healthy)), lab.address(0)))
    assert set(checked.states.values()) == {"checked"}
    for node in (*faulty, *healthy):
        expected = {name: outcome for name, outcome in node.profile.expects.items() if outcome}
        if node is faulty[0]:
            expected["NET-PORTS-INST"] = "fail"  # two requirements concern the ports of the installer node
        assert checked.outcomes[node.address] == expected, node.profile.base
