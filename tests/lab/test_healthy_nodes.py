"""Twenty kinds of healthy nodes, as administrators set them up: no finding on any of them."""

import shutil
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.lab.kit.check_run import check, plan
from tests.lab.kit.nodes import OPERATOR, Lab
from tests.lab.kit.profiles import Fault, NodeProfile, cpuinfo
from tests.lab.kit.shell import append, dpkg, unit, write

pytestmark = pytest.mark.lab

_ADVICE = "CAP-ETCD-NVME"
"""Not compared: the physical machine has no separate NVMe disk for etcd, which is only recommended."""
_PHYSICAL = "rm /usr/lib/lab/virtual; " + write("/proc/cpuinfo", cpuinfo(16).replace(" hypervisor", ""))
_NFT_EMPTY = "nft add table inet filter; nft add chain inet filter input '{ type filter hook input priority 0; }'"
_FAIL2BAN = (
    "nft add table inet f2b; nft add chain inet f2b input '{ type filter hook input priority -1; policy accept; }'; "
    "nft add rule inet f2b input tcp dport 22 ip saddr { 203.0.113.7, 203.0.113.9 } reject"
)
_TABLES = (
    "nft add table ip mangle; nft add chain ip mangle out '{ type filter hook output priority 0; policy accept; }'"
)
_BOND = (
    "ip link add bond0 type veth peer name bond1; ip link set bond0 up; ip link set bond1 up; "
    "ip addr add 192.0.2.5/24 dev bond0"
)

KINDS = (
    ("ubuntu-22.04", "as installed", ":"),
    ("ubuntu-20.04", "as installed", ":"),
    ("centos-7.9", "as installed", ":"),
    ("rhel-8.6", "as installed", ":"),
    ("rhel-7.8", "as installed", ":"),
    ("kylin-v10-sp3", "as installed", ":"),
    ("kylin-v10-sp3-arm", "as installed", ":"),
    ("ubuntu-22.04", "a physical machine", _PHYSICAL),
    ("rhel-8.6", "a second network with its own address", _BOND),
    ("ubuntu-22.04", "an empty packet filter of nftables", f"{_NFT_EMPTY}; {unit('nftables', 'inactive', 'disabled')}"),
    ("rhel-8.6", "addresses that fail2ban has blocked", _FAIL2BAN),
    ("ubuntu-20.04", "tables that change no packet", _TABLES),
    ("centos-7.9", "comments in all files", "\n".join((
        append("/etc/hosts", "# 10.1.2.3 localhost"), append("/etc/resolv.conf", "# nameserver 172.16.0.1"),
        append("/etc/fstab", "#/dev/sdb1 none swap sw 0 0"), append("/etc/ssh/sshd_config", "# UsePAM yes")))),
    ("ubuntu-22.04", "a swap file that nothing activates", append("/etc/fstab", "/swapfile none swap noauto 0 0")),
    ("rhel-8.6", "a folder /tmp in memory", "mount -t tmpfs -o nosuid,nodev,size=64m lab /tmp; "
        + append("/etc/fstab", "tmpfs /tmp tmpfs nosuid,nodev 0 0")),
    ("ubuntu-22.04", "packages with similar names",
        f"{dpkg('docker-doc')}\n{dpkg('libpod-dev', 'deinstall ok config-files')}"),
    ("kylin-v10-sp3", "time from ntpd", "rm /usr/lib/lab/units/chronyd; " + unit("ntpd", "active", "enabled")),
    ("ubuntu-20.04", "three name servers and IPv6", "ip -6 addr add fd00:99::5/64 dev eth0 nodad; "
        + append("/etc/resolv.conf", "nameserver 198.51.100.251\nnameserver fd00:99::1")),
    ("rhel-7.8", "empty folders", "mkdir -p /etc/cni /var/lib/kubelet /opt/cni/bin /etc/kubernetes"),
    ("ubuntu-22.04", "a login with sudo", f"echo '{OPERATOR} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/{OPERATOR}"),
)  # fmt: skip


@pytest.mark.skipif(shutil.which("sudo") is None, reason="needs sudo")
@pytest.mark.parametrize("half", [0, 1])
def test_healthy_nodes_have_no_findings(lab: Lab, tmp_path: Path, half: int) -> None:
    kinds = KINDS[half::2]
    nodes = lab.start(*(NodeProfile(base, (Fault(name, shell),)) for base, name, shell in kinds))
    rows: list[dict[str, JsonValue]] = []
    for node, (_base, name, _shell) in zip(nodes, kinds, strict=True):
        user: dict[str, JsonValue] = {"username": OPERATOR} if name == "a login with sudo" else {}
        rows.append({"address": node.address, "role": "control-plane", "ssh": user})
    checked = check(tmp_path, plan(rows, lab.address(0)))
    names = {node.address: (base, name) for node, (base, name, _shell) in zip(nodes, kinds, strict=True)}
    findings = {names[address]: set(outcomes) - {_ADVICE} for address, outcomes in checked.outcomes.items()}
    assert set(checked.states.values()) == {"checked"}
    assert {name: found for name, found in findings.items() if found} == {}
