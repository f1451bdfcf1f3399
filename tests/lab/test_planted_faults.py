"""Faults planted on real sshd nodes: each is reported on its node, and healthy nodes have no findings."""

from pathlib import Path

import pytest

from tests.lab.kit import faults as f
from tests.lab.kit.check_run import as_planned, check, plan
from tests.lab.kit.nodes import Lab
from tests.lab.kit.profiles import BASES, NodeProfile

pytestmark = pytest.mark.lab


def test_healthy_nodes_of_every_distribution_have_no_findings(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(base) for base in BASES))
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(0)))
    assert set(checked.states.values()) == {"checked"}
    assert checked.outcomes == {node.address: {} for node in nodes}


CONTROL_PLANES = (
    NodeProfile(
        "ubuntu-22.04",
        (f.FEW_CPUS, f.SWAP_ON, f.FIREWALLD, f.NO_GENEVE, f.INSTALLER_PORT_BUSY, f.DOCKER_FOLDER, f.NAMESERVER_172),
    ),
    NodeProfile(
        "centos-7.9",
        (
            f.SELINUX_ENFORCING,
            f.KMEM_ON,
            f.NO_CONNTRACK4,
            f.DOCKER_RPM,
            f.API_PORT_BUSY,
            f.LITTLE_MEMORY,
            f.NO_RESOLV,
            f.USE_DNS,  # here, where sshd finds no name server to wait for
        ),
    ),
    NodeProfile(
        "ubuntu-22.04",
        (
            f.THP_PENDING,
            f.FSTAB_SWAP,
            f.UFW,
            f.APPARMOR,
            f.FEW_TASKS,
            f.CONTAINERD_DPKG,
            f.MICROK8S,
            f.SLOW_CPU,
            f.NO_NAMESERVER,
        ),
    ),
)
WORKERS = (
    NodeProfile(
        "ubuntu-22.04",
        (f.THP_ON, f.NO_IPVS_SH, f.TMP_NOEXEC, f.KUBELET_PORT_BUSY, f.POD_LOGS, f.NO_SS, f.NAMESERVER_STUB),
    ),
    NodeProfile(
        "rhel-8.6",
        (f.SELINUX_PENDING, f.LOCALHOST_ELSEWHERE, f.NO_DEFAULT_ROUTE, f.OVN_PORT_BUSY, f.LONG_SEARCH_DOMAIN),
    ),
    NodeProfile("kylin-v10-sp3", (f.PODMAN_KYLIN, f.USE_PAM, f.KUBELET_PKI, f.MANY_SEARCH_DOMAINS)),
    NodeProfile(
        "ubuntu-22.04",
        (f.HWE_KERNEL, f.KUBELET_UNIT, f.LEFTOVER_BINARY, f.NO_COPY_TOOL, f.LONG_SEARCH_LIST),
    ),
    NodeProfile("ubuntu-22.04", (f.UNKNOWN_RELEASE, f.TIME_ZONE)),
    NodeProfile("kylin-v10-sp3", (f.KYLIN_SP1,)),
    NodeProfile("ubuntu-20.04", (f.KUBELET_RUNS, f.CONTAINERD_FOLDER, f.ADDRESS_172, f.CLOCK_AHEAD)),
)


def test_planted_faults_are_reported_and_nothing_else(lab: Lab, tmp_path: Path) -> None:
    faulty = lab.start(*CONTROL_PLANES, *WORKERS)
    checked = check(tmp_path, plan(as_planned(faulty), lab.address(0)))
    assert set(checked.states.values()) == {"checked"}
    for node in faulty:
        assert (node.profile, checked.outcomes[node.address]) == (node.profile, node.profile.expects)
    assert checked.status == 1
    assert not checked.ready


NAMES = {
    "Node1": {"NET-HOSTNAME-CHARS": "fail"},
    "-a": {"NET-HOSTNAME-EDGE": "fail"},
    "a..b": {"NET-HOSTNAME-SEQ": "fail"},
    "a_b": {"NET-HOSTNAME-CHARS": "fail"},
    "a" * 37: {"NET-HOSTNAME-LEN": "fail"},
    "a" * 36: {},
    "a--b": {},
    "1a.b2": {},
}


def test_invalid_and_duplicate_host_names_fail(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(hostname=name) for name in NAMES), *(NodeProfile(hostname="duplicate"),) * 2)
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(0)))
    expected = [*NAMES.values(), {"X-HOSTNAME-UNIQUE": "fail"}, {"X-HOSTNAME-UNIQUE": "fail"}]
    assert list(checked.outcomes.values()) == expected


def test_settings_that_only_resemble_a_fault_are_not_reported(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(
        NodeProfile("ubuntu-22.04", (*f.HARMLESS, *f.HARMLESS_DPKG)),
        NodeProfile("centos-7.9", f.HARMLESS),
        NodeProfile("ubuntu-20.04", (f.HARMLESS_SEARCH,)),
    )
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(0)))
    assert checked.outcomes == {node.address: node.profile.expects for node in nodes}


def test_minor_faults_are_warnings(lab: Lab, tmp_path: Path) -> None:
    bases = dict.fromkeys(base for base, _ in f.WARNINGS)
    nodes = lab.start(*(NodeProfile(base, tuple(x for at, x in f.WARNINGS if at == base)) for base in bases))
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(0)))
    for node in nodes:
        assert (node.profile, checked.outcomes[node.address]) == (node.profile, node.profile.expects)


def test_required_ports_and_modules_depend_on_the_cni(lab: Lab, tmp_path: Path) -> None:
    ovn, calico, no_geneve = lab.start(
        NodeProfile(faults=(f.OVN_PORT_BUSY,)),
        NodeProfile(faults=(f.CALICO_PORT_BUSY,)),
        NodeProfile(faults=(f.NO_GENEVE,)),
    )
    nodes = as_planned((ovn, calico, no_geneve))
    with_calico = check(tmp_path, plan(nodes, lab.address(0), network={"cni": "calico"}))
    assert with_calico.outcomes == {
        ovn.address: {},
        calico.address: {"NET-PORTS-CALICO": "fail"},
        no_geneve.address: {},
    }
    with_ovn = check(tmp_path, plan(nodes, lab.address(0), network={"cni": "kube-ovn"}))
    assert with_ovn.outcomes == {
        ovn.address: {"NET-PORTS-OVN": "fail"},
        calico.address: {},
        no_geneve.address: {"KRN-OVN": "fail"},
    }


def test_inactive_ufw_is_a_warning(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile("ubuntu-22.04", (f.UFW_IDLE,)))
    checked = check(tmp_path, plan(as_planned([node]), node.address, scenario="single-node"), "--only", "SEC-FIREWALL")
    assert checked.outcomes == {node.address: {"SEC-FIREWALL": "warn"}}
