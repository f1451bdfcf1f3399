"""When a rule applies: it depends on the role of the node, the release, the scenario and other plan keys."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from pydantic import JsonValue

from acp_tui.nodes.fact_types import Directory, Interface, Listener
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import dual_nodes, nodes, valid_plan
from tests.support.factories.verdicts import FAIL, FIRST, SECOND, WARN, WORKER, cluster, findings, planted, verdicts


def test_nerdctl_folders_count_from_release_4_2() -> None:
    folders = {**(healthy(SECOND).directories or {}), "/opt/nerdctl": Directory(True)}
    plan = valid_plan(release="4.2")
    assert planted({"directories": folders}, plan=plan) == {("FS-DIR-NERDCTL", FAIL)}


def test_leftover_nerdctl_is_reported_from_release_4_2() -> None:
    leftover: Mapping[str, object] = {"leftovers": {"nerdctl-program": ("/usr/local/bin/nerdctl",)}}
    assert planted(leftover, plan=valid_plan(release="4.1")) == set()
    assert planted(leftover, plan=valid_plan(release="4.2")) == {("PKG-LEFTOVER-BIN", WARN)}


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


def test_worker_size_of_multi_cluster_replaces_the_advice() -> None:
    small: Mapping[str, object] = {"cpu_count": 6}
    multi, single = valid_plan(scenario="multi-cluster"), valid_plan(scenario="single-cluster")
    assert planted(small, WORKER, plan=multi) == {("CAP-MC-WK-SIZE", FAIL)}
    assert planted(small, WORKER, plan=single) == {("HW-CPU-CORES", WARN)}


def test_required_sizes_depend_on_the_release() -> None:
    address: dict[str, JsonValue] = {"cluster_endpoint": FIRST, "platform": None}
    old = valid_plan(release="4.0", scenario="single-node", nodes=nodes(1, 0, deployable=True), address=address)
    new = valid_plan(release="4.1", scenario="single-node", nodes=nodes(1, 0, deployable=True), address=address)
    small: Mapping[str, object] = {"cpu_count": 12, "memory": 25 * 10**9, "tasks_max": "4194304"}
    assert planted(small, FIRST, plan=old) == {("CAP-SN-CPU", FAIL), ("CAP-SN-MEM", FAIL)}
    assert planted(small, FIRST, plan=new) == {("SYS-TASKSMAX", FAIL)}


def test_recommended_size_of_4_0_is_not_checked_in_4_1() -> None:
    small: Mapping[str, object] = {"cpu_count": 8, "memory": 17 * 10**9}
    assert planted(small, plan=valid_plan(release="4.0")) == {("CAP-SC-REC-CP", WARN)}
    assert planted(small, plan=valid_plan(release="4.1")) == set()


def test_control_plane_size_grows_with_workload_clusters_from_4_1() -> None:
    plan = valid_plan(release="4.1", scenario="multi-cluster", workload={"clusters": 60})
    results = [v for v in verdicts(plan, cluster(plan)) if v.requirement == "CAP-MC-CP-SIZE"]
    assert {v.outcome for v in results} == {FAIL}
    assert {v.expected for v in results} == {"at least 24 cores, 48 GB"}


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


def test_lvm2_is_required_only_for_local_storage() -> None:
    assert planted({"lvm2": False}) == set()
    assert planted({"lvm2": False}, plan=valid_plan(local_storage="topolvm")) == {("SW-LVM2", FAIL)}
