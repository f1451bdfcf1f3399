"""Parsers with recorded output of real distributions (tests/recordings), and with arbitrary text."""

from collections.abc import Mapping
from dataclasses import fields
from typing import get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from acp_tui.nodes.active.disk import disk_speed_collector
from acp_tui.nodes.active.vrrp import vrrp_collector
from acp_tui.nodes.collectors import COLLECTORS, facts_from, read_clock
from acp_tui.nodes.collectors.connectivity import NodeTestSpec, collectors_for
from acp_tui.nodes.facts import (
    Clock,
    Directory,
    Disk,
    Facts,
    Filesystem,
    Interface,
    Listener,
    Route,
    SshdSetting,
    Unit,
)
from acp_tui.nodes.script import TIMED_OUT, CollectorOutput
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
        "resolv_exists": True,
        "nameservers": ("10.20.0.2", "10.20.0.3"),
        "search_domains": ("example.com", "lab.example.com"),
        "resolv_domain": "",
        "listeners": (Listener(22, "sshd"), Listener(25, "master")),
        "udp_ports": frozenset({0x143, 0x44}),
        "timezone": "Asia/Shanghai",
        "utc_offset": "+0800",
        "boot_tokens": word_set(
            "crashkernel=auto rd.lvm.lv=centos/root rhgb quiet transparent_hugepage=never "
            "cgroup.memory=nokmem root=/dev/mapper/centos-root ro LANG=en_US.UTF-8"
        ),
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
        "fstab_swaps": ("/dev/mapper/centos-swap", "dev-dm\\x2d1.swap"),
        "tasks_max": "18446744073709551615",
        "sshd": {"usedns": SshdSetting("no", True), "usepam": SshdSetting("yes", False)},
        "lvm2": True,
        "kubelet_unit": False,
        "tmp_options": ("rw", "relatime", "attr2", "inode64", "noquota"),
        "kubernetes_traces": (),
        "ntp": "chronyd, synchronised",
        "leftover_binaries": (),
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
        "boot_tokens": word_set("crashkernel=auto root=UUID=1f ro transparent_hugepage=never"),
        "listeners": (Listener(22, "sshd"), Listener(10313, "weird \\")),
        "modules_available": None,
        "timezone": "Europe/Moscow",
        "uid": 1001,
        "sudo": False,
        "sudo_message": "sudo: a password is required",
        "selinux": "permissive",
        "sshd": None,
        "fstab_swaps": (),
        "tmp_options": ("rw", "nosuid", "nodev", "noexec"),
        "kubernetes_traces": ("containerd", "/etc/kubernetes/admin.conf"),
        "ntp": "chronyd, not synchronised",
        "leftover_binaries": ("/usr/local/bin/kubectl", "/opt/cni/bin"),
        "kubelet_unit": True,
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
        "search_domains": (),
        "listeners": (Listener(22, None), Listener(53, None)),
        "timezone": "UTC",
        "boot_tokens": word_set("quiet splash transparent_hugepage=never root=UUID=2f ro console=ttyS0"),
        "uid": 1000,
        "sudo": True,
        "apparmor": True,
        "apparmor_profiles": 32,
        "ufw_enabled": False,
        "swaps": ("/swap.img",),
        "fstab_swaps": ("/swap.img",),
        "ntp": "systemd-timesyncd, synchronised",
        "dpkg_packages": frozenset({"adduser", "docker.io", "linux-generic"}),
        "snap_packages": frozenset({"core20", "lxd", "kubectl"}),
        "sshd": {"usedns": SshdSetting("no", False), "usepam": SshdSetting("yes", True)},
        "directories": None,
    },
    "ubuntu-22.04": {
        "etc_hostname": "",
        "resolv_exists": False,
        "nameservers": (),
        "timezone": "",
        "utc_offset": "+0000",
        "swaps": (),
        "units": None,
        "sshd": {"usedns": SshdSetting("no", True), "usepam": SshdSetting("no", True)},
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
        "rpm_packages": frozenset({"kylin-release", "lvm2", "containerd"}),
    },
}


@pytest.mark.parametrize(("distribution", "name"), [(d, name) for d, expected in EXPECTED.items() for name in expected])
def test_facts_parsed_from_the_recordings(distribution: str, name: str) -> None:
    assert getattr(facts_of(distribution), name) == EXPECTED[distribution][name]


@pytest.mark.parametrize("distribution", EXPECTED)
def test_every_recording_has_each_collector_once_at_most_and_gives_the_declared_types(distribution: str) -> None:
    names = [output.name for output in recorded(distribution)]
    assert len(names) == len(set(names))
    assert set(names) <= {collector.name for collector in COLLECTORS}, "a recording has output of a removed collector"
    assert_types(facts_of(distribution))


def test_every_collector_is_in_a_recording() -> None:
    names = {output.name for distribution in recordings() for output in recorded(distribution)}
    assert names == {collector.name for collector in COLLECTORS}
    assert set(recordings()) == set(EXPECTED)


@pytest.mark.parametrize("distribution", EXPECTED)
def test_every_missing_fact_has_a_reason(distribution: str) -> None:
    facts = facts_of(distribution)
    for collector in COLLECTORS:
        for name in collector.fields:
            assert (getattr(facts, name) is None) == bool(facts.missing.get(name)), name


@pytest.mark.parametrize(
    ("distribution", "name", "reason"),
    [
        ("rhel-8.6", "rpm_packages", "timed out after 15 s"),
        ("rhel-8.6", "sshd", "reading the value requires root"),
        ("rhel-8.6", "snap_packages", "the command that reads the value is not installed on the node"),
        ("ubuntu-22.04", "snap_packages", "exit status 1"),
    ],
)
def test_reason_of_a_missing_fact(distribution: str, name: str, reason: str) -> None:
    assert reason in facts_of(distribution).missing_reason(name)


def test_service_pack_of_kylin() -> None:
    assert "(SP3)" in (facts_of("kylin-v10-sp3").kylin_info or "")


def test_units_and_directories_of_rhel() -> None:
    facts = facts_of("rhel-8.6")
    assert facts.units is not None
    assert facts.units["firewalld"] == Unit("active", "enabled")
    assert facts.units["ufw"] == Unit("inactive", "not-found")
    assert facts.directories is not None
    assert facts.directories["/var/log/pods"] == Directory(exists=False)
    assert facts.directories["/var/lib/docker"] == Directory(True, False, False, 1073741824, "2023-11-14 22:13")
    assert facts.directories["/var/lib/containerd"] == Directory(True, True, True, 4096, "2023-11-14 22:13")
    assert facts.directories["/opt/nerdctl"].size is None
    assert facts.tools is not None
    assert [tool for tool, present in facts.tools.items() if not present] == ["swapoff"]


def test_disk_of_a_linked_folder_is_that_of_its_target() -> None:
    [disks] = [collector for collector in COLLECTORS if collector.name == "disks"]
    text = """path / /
path /var/lib/etcd /data/etcd
mount 8:1 / /dev/sda1
mount 8:16 /data /dev/sdb
block sda 8:0 0 -
part sda sda1 8:1
block sdb 8:16 1 -
"""
    facts = disks.parse(CollectorOutput("disks", 0, text))
    assert facts == {"disks": (Disk("/", "sda", False), Disk("/var/lib/etcd", "sdb", True))}


def test_the_collectors_cover_every_fact() -> None:
    all_tests = NodeTestSpec((("10.0.0.1", 22),), ("10.0.0.1",), ("a.example",), "10.0.0.9", ("10.0.0.8", 443))
    on_request = (disk_speed_collector(), vrrp_collector("10.0.0.1"))
    collected = [
        name for collector in (*COLLECTORS, *collectors_for(all_tests), *on_request) for name in collector.fields
    ]
    assert len(collected) == len(set(collected))
    from_connection = {"address", "missing", "host_key", "clock", "sudo_terminal"}
    between_nodes = {
        "listener_results",
        "backends_reached",
        "wrong_ports_reached",
        "proxy_protocol_ports",
        "bandwidths",
    }
    assert {f.name for f in fields(Facts)} - set(collected) == from_connection | between_nodes


def test_without_output_all_facts_are_missing() -> None:
    facts = facts_from("10.0.0.1", [], "the SSH connection to a node broke during the bandwidth test")
    assert {facts.missing_reason(name) for s in COLLECTORS for name in s.fields} == {
        "the SSH connection to a node broke during the bandwidth test"
    }
    early = facts_from("10.0.0.1", [])
    assert early.missing == {}
    assert early.missing_reason("swaps") == "the value was not collected"


def test_partial_output_after_a_timeout_is_not_used() -> None:
    facts = facts_from("10.0.0.1", [CollectorOutput("swaps", TIMED_OUT, "Filename Type\n")])
    assert facts.swaps is None
    assert "timed out after 10 s" in facts.missing_reason("swaps")


@pytest.mark.parametrize(
    ("text", "before", "after", "offset", "uncertainty"),
    [
        ("1000.500000000\n", 1000.0, 1001.0, 0.0, 0.5),
        ("1012.500000000\n", 1000.0, 1001.0, 12.0, 0.5),
        ("990.500000000\n", 1000.0, 1001.0, -10.0, 0.5),
        ("1000.N\n", 1000.0, 1001.0, 0.0, 1.0),
        ("1000.%N\n", 1000.0, 1001.0, 0.0, 1.0),
    ],
)
def test_clock_offset_is_measured_from_the_middle_of_the_round_trip(
    text: str, before: float, after: float, offset: float, uncertainty: float
) -> None:
    clock = read_clock(CollectorOutput("clock", 0, text), before, after)
    assert (round(clock.offset, 6), round(clock.uncertainty, 6)) == (offset, uncertainty)


@pytest.mark.parametrize(
    "output", [CollectorOutput("clock", 1, ""), CollectorOutput("clock", 0, "soon"), CollectorOutput("clock", 0, "")]
)
def test_output_without_a_time_gives_no_clock(output: CollectorOutput) -> None:
    with pytest.raises(ValueError, match="did not return its current time"):
        read_clock(output, 0, 1)


@given(st.floats(0, 4e9), st.floats(0, 100))
def test_any_time_of_a_node_is_accepted(before: float, duration: float) -> None:
    clock = read_clock(CollectorOutput("clock", 0, "99999999999.999999999\n"), before, before + duration)
    assert isinstance(clock, Clock)


WORDS = [w for d in EXPECTED for r in recorded(d) for w in r.text.split()]
SEPARATORS = ["\n", "\t", ":", "=", "9" * 5000, "²", "-", '"', "\\"]
HOSTILE = st.lists(st.sampled_from(WORDS) | st.sampled_from(SEPARATORS) | st.text(max_size=9)).map(" ".join)
NAMES = [collector.name for collector in COLLECTORS]


@settings(max_examples=300, deadline=None)
@given(answers=st.lists(st.tuples(st.sampled_from(NAMES), HOSTILE, st.sampled_from([0, 0, 0, 1, 66]))))
def test_any_output_gives_facts_of_the_declared_types(answers: list[tuple[str, str, int]]) -> None:
    outputs = [CollectorOutput(name, status, text) for name, text, status in answers]
    assert_types(facts_from("10.0.0.1", outputs, "not collected"))


@pytest.mark.parametrize("distribution", EXPECTED)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_broken_recording_never_fails(distribution: str, data: st.DataObject) -> None:
    outputs = []
    for output in recorded(distribution):
        rows = output.text.split("\n")
        row = data.draw(st.integers(0, len(rows) - 1))
        cut = data.draw(st.integers(0, 40))
        rows[row] = rows[row][cut:]
        outputs.append(CollectorOutput(output.name, output.status, "\n".join(rows)))
    assert_types(facts_from("10.0.0.1", outputs, "not collected"))


@pytest.mark.parametrize(
    ("text", "sudo", "message"),
    [
        ("0 0\n", True, ""),
        ("1000 0\nsudo: unable to resolve host a: Name or service not known", True, ""),
        ("1000 1\nWe trust you have received the usual lecture.\n\nsudo: a password is required", False, "is required"),
        ("1000 127\nsh: 1: sudo: not found", False, "sudo is not installed on the node"),
        ("1000 124\n", None, "name server"),
    ],
)
def test_messages_of_sudo(text: str, sudo: bool | None, message: str) -> None:
    facts = facts_from("x", [CollectorOutput("login", 0, text)])
    assert facts.sudo is sudo
    assert message in (facts.missing_reason("sudo") if sudo is None else facts.sudo_message or "")
    assert facts.uid == int(text.split()[0])


def test_cpu_steal_since_boot() -> None:
    assert facts_from("x", [CollectorOutput("steal", 0, "cpu  70 0 10 10 0 0 0 10 0 0\n")]).steal == 0.1
    assert facts_from("x", [CollectorOutput("steal", 0, "cpu  70 0 10\n")]).steal is None
