"""Evaluation: healthy nodes, roles, conditions, releases, missing facts, and waivers."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from pydantic import JsonValue

from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.topology import topology_of
from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.facts import Clock, Directory, Facts, Interface, Listener
from acp_tui.nodes.state import NodeState
from acp_tui.plan.release import RELEASES
from tests.support.factories.node_facts import DISTRIBUTIONS, MUST_MANUAL, healthy
from tests.support.factories.plans import dual_nodes, nodes, valid_plan
from tests.support.factories.verdicts import (
    FAIL,
    FIRST,
    SECOND,
    TODAY,
    UNKNOWN,
    WARN,
    WORKER,
    cluster,
    findings,
    planted,
    verdicts,
)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("scenario", ["single-cluster", "multi-cluster"])
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_healthy_nodes_have_no_findings(distribution: str, scenario: str, release: str) -> None:
    plan = valid_plan(release=release, scenario=scenario)
    assert findings(verdicts(plan, cluster(plan, distribution))) == set()


@pytest.mark.parametrize("scenario", ["single-cluster", "multi-cluster"])
def test_healthy_nodes_are_blocked_by_manual_checks_only(scenario: str) -> None:
    plan = valid_plan(scenario=scenario)
    blocking = {v.requirement for v in verdicts(plan, cluster(plan)) if v.blocks}
    assert blocking == MUST_MANUAL - (set() if scenario == "multi-cluster" else {"NETCFG-BW-INTER", "NETCFG-LAT-INTER"})


def test_healthy_single_node_has_no_network_checks_between_nodes() -> None:
    address: dict[str, JsonValue] = {"cluster_endpoint": FIRST, "platform": None}
    plan = valid_plan(scenario="single-node", nodes=nodes(1, 0, deployable=True), address=address)
    results = verdicts(plan, cluster(plan))
    assert findings(results) == set()
    blocking = {v.requirement for v in results if v.blocks}
    assert blocking == {"HW-CPU-NOOVER", "HW-CPU-POWER", "HW-DISK-IOPS", "HW-DISK-TPUT", "HW-MEM-NOOVER", "PRE-INIT"}


@pytest.mark.parametrize(
    ("distribution", "changes", "expected"),
    [
        ("centos-7.9", {"os_release_file": "CentOS Linux release 7.5.1804 (Core)"}, {("OS-DISTRO", FAIL)}),
        ("centos-7.9", {"kernel": "3.10.0-957.el7.x86_64"}, {("OS-KERNEL", WARN)}),
        ("centos-7.9", {"kernel": "3.11.0-1.el7.x86_64"}, {("OS-KERNEL", FAIL)}),
        ("centos-7.9", {"cmdline": ("transparent_hugepage=never",), "boot_tokens": None}, {("KRN-NOKMEM", FAIL)}),
        ("rhel-7.8", {"cmdline": ("transparent_hugepage=never",), "boot_tokens": None}, {("KRN-NOKMEM", WARN)}),
        ("centos-7.9", {"modules": healthy(SECOND).modules}, {("KRN-CT4", FAIL)}),
        ("rhel-8.6", {"os_version_id": "8.7"}, {("OS-DISTRO", FAIL)}),
        ("rhel-8.6", {"kernel": "5.4.17-2136.el8uek.x86_64"}, {("OS-KERNEL", FAIL)}),
        ("rhel-8.6", {"rpm_packages": frozenset({"podman", "bash"})}, {("PKG-CONFLICT-RPM", FAIL)}),
        ("rhel-8.6", {"rpm_packages": frozenset({"podman-catatonit"})}, {("PKG-CONFLICT-RPM", WARN)}),
        ("rhel-8.6", {"rpm_packages": frozenset({"containerd"})}, set()),
        ("kylin-v10-sp3", {"rpm_packages": frozenset({"docker-engine"})}, {("PKG-CONFLICT-KYLIN", FAIL)}),
        ("kylin-v10-sp3", {"rpm_packages": frozenset({"containerd"})}, {("PKG-CONFLICT-KYLIN", FAIL)}),
        ("kylin-v10-sp3", {"kylin_info": "release V10 (SP1) /(Tercel)-x86_64-Build20"}, {("OS-KYLIN-SP", WARN)}),
        ("kylin-v10-sp3", {"kylin_info": "", "os_version": "V10 (Sword)"}, {("OS-KYLIN-SP", WARN)}),
        ("kylin-v10-sp3", {"kylin_info": "", "os_version": "V10"}, set()),
        (
            "kylin-v10-sp3",
            {"kylin_info": "", "os_version": "V10", "kernel": "4.19.90-24.4.v2101.ky10.x86_64"},
            {("OS-KYLIN-SP", UNKNOWN)},
        ),
    ],
)
def test_rules_depend_on_the_distribution(
    distribution: str, changes: Mapping[str, object], expected: set[tuple[str, Outcome]]
) -> None:
    assert planted(changes, distribution=distribution) == expected


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


def test_nerdctl_folders_count_from_release_4_2() -> None:
    folders = {**(healthy(SECOND).directories or {}), "/opt/nerdctl": Directory(True)}
    plan = valid_plan(release="4.2")
    assert planted({"directories": folders}, plan=plan) == {("FS-DIR-NERDCTL", FAIL)}


@pytest.mark.parametrize(
    ("port", "node", "cni", "expected"),
    [
        (8080, FIRST, "kube-ovn", {"NET-PORTS-INST"}),
        (16443, FIRST, "kube-ovn", {"NET-PORTS-INST"}),
        (2379, FIRST, "kube-ovn", {"NET-PORTS-INST", "NET-PORTS-CP"}),
        (8080, SECOND, "kube-ovn", set()),
        (6443, WORKER, "kube-ovn", set()),
        (10250, WORKER, "kube-ovn", {"NET-PORTS-WK"}),
        (179, WORKER, "calico", {"NET-PORTS-CALICO"}),
        (6642, WORKER, "calico", set()),
        (6642, WORKER, "kube-ovn", {"NET-PORTS-OVN"}),
    ],
)
def test_checked_ports_depend_on_role_and_cni(port: int, node: str, cni: str, expected: set[str]) -> None:
    plan = valid_plan(network={"cni": cni})
    results = planted({"listeners": (Listener(port, "nginx"),)}, node, plan=plan)
    assert results == {(name, FAIL) for name in expected}


def test_port_in_use_is_shown_with_its_process_and_in_the_fix() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    facts[SECOND] = replace(facts[SECOND], listeners=(Listener(2380, "etcd"), Listener(6443, None)))
    verdict = next(v for v in verdicts(plan, facts) if v.requirement == "NET-PORTS-CP" and v.node == SECOND)
    assert verdict.observed == "these TCP ports are in use: 2380 (etcd), 6443"
    assert "2380 6443" in verdict.remedy


def test_ports_and_folders_of_a_running_installer_are_not_reported() -> None:
    folders = {**(healthy(FIRST).directories or {}), "/var/lib/docker": Directory(True)}
    changes = {"installer_running": True, "listeners": (Listener(8080, "docker-proxy"),), "directories": folders}
    assert planted(changes, FIRST) == set()


def test_small_worker_fails_only_in_multi_cluster() -> None:
    changes: Mapping[str, object] = {"cpu_count": 4, "memory": 8 * 10**9}
    assert planted(changes, WORKER) == {("HW-CPU-CORES", WARN), ("HW-MEM-SIZE", WARN)}
    plan = valid_plan(scenario="multi-cluster")
    assert planted({"cpu_count": 8}, WORKER, plan=plan) == {("CAP-MC-WK-SIZE", FAIL)}
    assert planted({"cpu_count": 12}, WORKER, plan=plan) == {("CAP-MC-WK-SIZE", WARN)}


ARM = {"arch": "aarch64", "cpu_implementer": "0x48", "cpu_part": "0xd01", "cpu_model": "Kunpeng-920"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"cpu_count": 16}, set()),
        ({"cpu_count": 12}, {("HW-ARM-FACTOR", WARN)}),
        ({"cpu_count": 11}, {("HW-ARM-FACTOR", FAIL)}),
        ({"cpu_model": None, "cpu_part": "0xd0c"}, {("OS-ARM-CPU", FAIL)}),
        ({"cpu_model": None, "cpu_implementer": ""}, {("OS-ARM-CPU", UNKNOWN)}),
        ({"cpu_model": "Kunpeng 920", "cpu_part": None}, set()),
    ],
)
def test_arm_nodes_need_a_supported_processor_and_more_cores(
    changes: Mapping[str, object], expected: set[tuple[str, Outcome]]
) -> None:
    assert planted({**ARM, **changes}, distribution="kylin-v10-sp3") == expected


def test_arm_is_supported_on_kylin_only() -> None:
    assert planted(ARM) == {("OS-DISTRO", FAIL)}


def test_package_must_contain_images_for_the_architecture_of_each_node() -> None:
    x86 = valid_plan(package={"core": "/root/installer-core-v4.0.3-x86.tar"})
    hybrid = valid_plan(package={"core": "/root/installer-core-v4.0.3-hybrid.tar"})
    assert planted(ARM, distribution="kylin-v10-sp3", plan=x86) == {("BND-NODE-ARCH", FAIL)}
    assert planted(ARM, distribution="kylin-v10-sp3", plan=hybrid) == set()


def test_dual_stack_needs_an_ipv6_route_and_address_on_each_node() -> None:
    plan = valid_plan(network={"ip_family": "dual"}, nodes=dual_nodes())
    facts = cluster(plan)
    for n in plan.nodes:
        own = (Interface("eth0", n.address, 24), Interface("eth0", n.ipv6 or "", 64))
        facts[n.address] = replace(facts[n.address], interfaces=own)
    assert findings(verdicts(plan, facts)) == set()
    facts[SECOND] = replace(facts[SECOND], routes6=(), interfaces=healthy(SECOND).interfaces)
    assert findings(verdicts(plan, facts)) == {
        ("NET-ROUTE-DEFAULT", SECOND, FAIL),
        ("NET-IP-VALID", SECOND, FAIL),
        ("XR-DUAL-NODES", SECOND, FAIL),
    }


@pytest.mark.parametrize(
    ("distribution", "outcome"), [("centos-7.9", FAIL), ("rhel-7.8", FAIL), ("rhel-8.6", Outcome.PASS)]
)
def test_calico_with_ipv6_depends_on_the_distribution(distribution: str, outcome: Outcome) -> None:
    plan = valid_plan(network={"cni": "calico", "ip_family": "dual"}, nodes=dual_nodes())
    results = verdicts(plan, cluster(plan, distribution))
    assert {v.outcome for v in results if v.requirement == "OS-CALICO-VXLAN6"} == {outcome}


def test_lvm2_is_required_only_for_local_storage() -> None:
    assert planted({"lvm2": False}) == set()
    assert planted({"lvm2": False}, plan=valid_plan(local_storage="topolvm")) == {("SW-LVM2", FAIL)}


def test_missing_fact_is_unknown_with_its_reason() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    facts[SECOND] = replace(facts[SECOND], swaps=None, missing={"swaps": "timed out after 10 s"})
    results = [v for v in verdicts(plan, facts) if v.outcome is UNKNOWN]
    assert [(v.requirement, v.node) for v in results] == [("SYS-SWAP", SECOND)]
    assert "timed out after 10 s" in results[0].observed
    assert results[0].blocks


@pytest.mark.parametrize("facts", [None, Facts("10.20.0.12")])
def test_node_without_facts_passes_no_check(facts: Facts | None) -> None:
    plan = valid_plan()
    all_facts = cluster(plan)
    del all_facts[SECOND]
    if facts:
        all_facts[SECOND] = facts
    states = {**dict.fromkeys(all_facts, NodeState.CHECKED), SECOND: NodeState.UNREACHABLE}
    mine = [v for v in evaluate(plan, all_facts, states, topology=topology_of(plan), today=TODAY) if v.node == SECOND]
    assert {v.outcome for v in mine} <= {UNKNOWN, Outcome.NOT_APPLICABLE, Outcome.MANUAL}
    swap = next(v for v in mine if v.requirement == "SYS-SWAP")
    assert swap.observed == "the node is unreachable"


def test_waivers_cover_one_rule_on_one_node_until_their_date() -> None:
    def waiver(node: str, until: str | None) -> JsonValue:
        return {"requirement": "SYS-SWAP", "node": node, "reason": "on purpose", "by": "me", "until": until}

    def waived(node: str, until: str | None) -> str | None:
        plan = valid_plan(waivers=[waiver(node, until)])
        facts = {**cluster(plan), SECOND: replace(cluster(plan)[SECOND], swaps=("/dev/vda2",))}
        results = [v for v in verdicts(plan, facts) if v.requirement == "SYS-SWAP"]
        assert all(v.waived is None for v in results if v.node != SECOND)
        return next(v.waived for v in results if v.node == SECOND)

    assert waived(SECOND, None) == "on purpose"
    assert waived("*", "2026-03-01") == "on purpose"
    assert waived("*", "2026-02-28") is None
    assert waived("*", "next week") is None
    assert waived(FIRST, None) is None


def test_only_selects_requirements() -> None:
    plan = valid_plan()
    states = dict.fromkeys((n.address for n in plan.nodes), NodeState.CHECKED)
    only = frozenset({"SYS-SWAP", "XR-CP-COUNT"})
    results = evaluate(plan, cluster(plan), states, topology=topology_of(plan), today=TODAY, only=only)
    assert {v.requirement for v in results} == only


def test_fix_depends_on_the_distribution_and_quotes_names_from_the_node() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    facts[SECOND] = replace(
        facts[SECOND], snap_packages=frozenset({"kubelet; rm -rf /"}), cmdline=("ro",), boot_tokens=None
    )
    by_id = {v.requirement: v for v in verdicts(plan, facts) if v.node == SECOND}
    assert by_id["PKG-CONFLICT-SNAP"].remedy.splitlines()[-1] == "snap remove --purge 'kubelet; rm -rf /'"
    assert "update-grub" in by_id["KRN-THP"].remedy


def test_fix_has_no_command_without_names() -> None:
    plan = valid_plan()
    facts = cluster(plan)
    facts[FIRST] = replace(facts[FIRST], kubernetes_traces=("kubelet runs",))
    facts[SECOND] = replace(facts[SECOND], kubernetes_traces=("kubelet runs", "/etc/kubernetes/admin.conf"))
    shown = {v.node: v.remedy for v in verdicts(plan, facts) if v.requirement == "CAP-FRESH-ENV"}
    assert "former" not in shown[FIRST]
    assert "disable --now" in shown[FIRST]
    assert "for path in /etc/kubernetes/admin.conf;" in shown[SECOND]


def test_required_sizes_depend_on_the_release() -> None:
    address: dict[str, JsonValue] = {"cluster_endpoint": FIRST, "platform": None}
    old = valid_plan(release="4.0", scenario="single-node", nodes=nodes(1, 0, deployable=True), address=address)
    new = valid_plan(release="4.1", scenario="single-node", nodes=nodes(1, 0, deployable=True), address=address)
    small: Mapping[str, object] = {"cpu_count": 12, "memory": 25 * 10**9, "tasks_max": "4194304"}
    assert planted(small, FIRST, plan=old) == {("CAP-SN-CPU", FAIL), ("CAP-SN-MEM", FAIL)}
    assert planted(small, FIRST, plan=new) == {("SYS-TASKSMAX", FAIL)}


def test_worker_size_of_multi_cluster_replaces_the_advice() -> None:
    small: Mapping[str, object] = {"cpu_count": 6}
    multi, single = valid_plan(scenario="multi-cluster"), valid_plan(scenario="single-cluster")
    assert planted(small, WORKER, plan=multi) == {("CAP-MC-WK-SIZE", FAIL)}
    assert planted(small, WORKER, plan=single) == {("HW-CPU-CORES", WARN)}


def test_recommended_size_of_4_0_is_not_checked_in_4_1() -> None:
    small: Mapping[str, object] = {"cpu_count": 8, "memory": 17 * 10**9}
    assert planted(small, plan=valid_plan(release="4.0")) == {("CAP-SC-REC-CP", WARN)}
    assert planted(small, plan=valid_plan(release="4.1")) == set()


def test_leftover_nerdctl_is_reported_from_release_4_2() -> None:
    leftover: Mapping[str, object] = {"leftover_binaries": ("/usr/local/bin/nerdctl",)}
    assert planted(leftover, plan=valid_plan(release="4.1")) == set()
    assert planted(leftover, plan=valid_plan(release="4.2")) == {("PKG-LEFTOVER-BIN", WARN)}


def test_rebuild_of_rhel_fails_without_findings_on_modules() -> None:
    rocky: Mapping[str, object] = {"os_id": "rocky", "rpm_packages": frozenset({"podman"})}
    expected = {("OS-DISTRO", FAIL), ("PKG-CONFLICT-RPM", FAIL)}
    assert planted(rocky, distribution="rhel-8.6") == expected


def test_vip_in_the_range_of_the_container_runtime_fails() -> None:
    plan = valid_plan(address={"cluster_endpoint": "172.20.0.9"})
    results = {(v.requirement, v.outcome) for v in verdicts(plan, cluster(plan)) if v.node == SECOND}
    assert {("NET-172-FREE", FAIL), ("NETCFG-172", FAIL)} <= results


def test_physical_cores_are_shown_if_threads_share_them() -> None:
    plan = valid_plan()

    def observed(**changes: object) -> str:
        facts = cluster(plan)
        facts[SECOND] = replace(facts[SECOND], **changes)  # type: ignore[arg-type]
        return next(v.observed for v in verdicts(plan, facts) if (v.requirement, v.node) == ("HW-CPU-CORES", SECOND))

    assert observed(virtual=False, cpu_threads=2) == "16 cores (8 physical cores)"
    assert observed(virtual=True, cpu_threads=2) == observed(virtual=False, cpu_threads=1) == "16 cores"


def test_control_plane_size_grows_with_workload_clusters_from_4_1() -> None:
    plan = valid_plan(release="4.1", scenario="multi-cluster", workload={"clusters": 60})
    results = [v for v in verdicts(plan, cluster(plan)) if v.requirement == "CAP-MC-CP-SIZE"]
    assert {v.outcome for v in results} == {FAIL}
    assert {v.expected for v in results} == {"at least 24 cores, 48 GB"}


def clock(offset: float, uncertainty: float = 0.05) -> dict[str, object]:
    default = healthy(SECOND).clock
    assert default is not None
    return {"clock": Clock(offset, uncertainty, default.remote_time)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (clock(60), {("X-CLOCK-SKEW", FAIL)}),
        (clock(-10.3), {("X-CLOCK-SKEW", FAIL)}),
        (clock(9), set()),
        (clock(9.5, 2), {("X-CLOCK-SKEW", WARN)}),
        (clock(10.5, 2), {("X-CLOCK-SKEW", WARN)}),
    ],
)
def test_clock_offset_is_reported(changes: Mapping[str, object], expected: set[tuple[str, Outcome]]) -> None:
    assert planted(changes) == expected
