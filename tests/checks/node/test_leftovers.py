"""Verdicts about leftovers: what fails, what only warns, and what another requirement or a package explains."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from pydantic import JsonValue

from acp_tui.checks.node.leftovers import belongs, table_text
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.nodes.fact_types import Interface
from acp_tui.nodes.leftovers import LEFTOVERS, Kind
from acp_tui.nodes.packet_filter.model import Chain, PacketFilter
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import FAIL, SECOND, WARN, cluster, planted, verdicts
from tests.support.recorded_facts import word_set

FAILS = sorted(
    word_set(
        "cni-config ovn-database service-interface kubelet-unit kubelet-drop-in kubelet-flags kubelet-state "
        "kubernetes-config kubernetes-certificates etcd-data etcd-config other-clusters units-at-boot pod-mounts "
        "containerd-unit"
    )
)
WARNS = sorted(
    word_set(
        "cni-files cni-state calico-state cilium-state network-state openvswitch-database network-interface "
        "openvswitch-interface docker-interface ipvs unused-clusters rook-data storage-data runtime-unit "
        "runtime-drop-in containerd-config docker-config runtime-state crictl-config programs system-programs "
        "cni-programs"
    )
)
REQUIREMENTS = {
    "kubelet-unit": "FS-KUBELET-UNIT",
    "kubelet-drop-in": "FS-KUBELET-UNIT",
    "programs": "PKG-LEFTOVER-BIN",
    "system-programs": "PKG-LEFTOVER-BIN",
    "cni-programs": "PKG-LEFTOVER-BIN",
}
"""The rows of other requirements than CAP-FRESH-ENV."""


@pytest.mark.parametrize("name", [*FAILS, *WARNS])
def test_outcome_of_each_leftover(name: str) -> None:
    expected = {(REQUIREMENTS.get(name, "CAP-FRESH-ENV"), FAIL if name in FAILS else WARN)}
    assert planted({"leftovers": {name: ("/x",)}}) == expected


def test_every_row_has_an_expected_outcome() -> None:
    others = {row.id for row in LEFTOVERS if row.kind in (Kind.PROCESS, Kind.CHAIN, Kind.TUNNEL)} | {"nerdctl-program"}
    assert {*FAILS, *WARNS} | others == {row.id for row in LEFTOVERS}


def verdict_on(requirement: str, changes: Mapping[str, object], **plan_keys: JsonValue) -> Verdict:
    plan = valid_plan(**plan_keys)
    facts = cluster(plan)
    facts[SECOND] = replace(facts[SECOND], **changes)  # type: ignore[arg-type]
    return next(v for v in verdicts(plan, facts) if (v.requirement, v.node) == (requirement, SECOND))


def test_data_of_rook_fails_only_if_rook_is_planned() -> None:
    changes = {"leftovers": {"rook-data": ("/var/lib/rook/mon-a",)}}
    assert verdict_on("CAP-FRESH-ENV", changes, local_storage="rook").outcome is FAIL
    assert verdict_on("CAP-FRESH-ENV", changes, local_storage="topolvm").outcome is WARN


def test_files_of_an_installed_package_are_not_leftovers() -> None:
    config = {"leftovers": {"containerd-config": ("/etc/containerd/config.toml",)}}
    assert planted(config) == {("CAP-FRESH-ENV", WARN)}
    with_package = {**config, "dpkg_packages": frozenset({"containerd.io"})}
    assert planted(with_package) == {("PKG-CONFLICT-DPKG", FAIL)}


def _docker0(address: str) -> dict[str, object]:
    interfaces = (*(healthy(SECOND).interfaces or ()), Interface("docker0", address, 24))
    return {"interfaces": interfaces, "leftovers": {"docker-interface": ("docker0",)}}


def test_bridge_in_the_reserved_range_is_reported_once() -> None:
    assert planted(_docker0("10.99.0.1")) == {("CAP-FRESH-ENV", WARN)}
    assert planted(_docker0("172.17.0.1")) == {("NET-172-FREE", FAIL), ("NETCFG-172", FAIL)}


def test_tunnel_counts_only_with_an_address() -> None:
    interfaces = healthy(SECOND).interfaces or ()
    assert planted({"interfaces": (*interfaces, Interface("tunl0", "fe80::1", 64))}) == set()
    assert planted({"interfaces": (*interfaces, Interface("tunl0", "10.99.1.1", 32))}) == {("CAP-FRESH-ENV", WARN)}


def test_after_the_start_of_the_installer_leftovers_are_not_reported() -> None:
    for name in ("cni-config", "kubelet-unit", "programs"):
        assert planted({"leftovers": {name: ("/x",)}, "installer_running": True}) == set()


def test_processes_are_reported_with_the_way_to_reset_the_node() -> None:
    verdict = verdict_on("CAP-FRESH-ENV", {"cluster_processes": ("k3s-server", "containerd")})
    assert verdict.outcome is FAIL
    assert verdict.observed == "running process: k3s-server, containerd"
    assert "kubeadm reset" in verdict.remedy


def test_finding_says_what_breaks_and_how_to_remove_it() -> None:
    changes = {
        "leftovers": {
            "cni-config": ("/etc/cni/net.d/10-calico.conflist",),
            "network-interface": ("cni0", "x; reboot"),
            "units-at-boot": ("/etc/systemd/system/multi-user.target.wants/docker.service",),
            "pod-mounts": ("/var/lib/kubelet/pods/a b",),
        }
    }
    verdict = verdict_on("CAP-FRESH-ENV", changes)
    assert "configuration of a network plugin: /etc/cni/net.d/10-calico.conflist" in verdict.observed
    lines = verdict.remedy.splitlines()
    assert any(line.startswith("# configuration of a network plugin: The container runtime uses") for line in lines)
    assert "mkdir -p /root/former && mv --backup=numbered -t /root/former /etc/cni/net.d/10-calico.conflist" in lines
    assert "for link in cni0 'x; reboot'; do ip link delete $link; done  # or restart the node" in lines
    assert "systemctl disable --now docker.service" in lines
    assert "umount '/var/lib/kubelet/pods/a b'" in lines
    assert "kubeadm reset" not in verdict.remedy


def test_old_unit_is_disabled_before_it_is_moved() -> None:
    unit = "/etc/systemd/system/kubelet.service"
    lines = verdict_on("FS-KUBELET-UNIT", {"leftovers": {"kubelet-unit": (unit,)}}).remedy.splitlines()
    assert lines[1:] == [
        "systemctl disable --now kubelet",
        f"mkdir -p /root/former && mv --backup=numbered -t /root/former {unit}",
        "systemctl daemon-reload",
    ]


def test_folders_that_cannot_be_read_give_no_pass() -> None:
    verdict = verdict_on("CAP-FRESH-ENV", {"unreadable_folders": ("/var/lib/etcd",)})
    assert (verdict.outcome, verdict.observed) == (Outcome.UNKNOWN, "only root can read these folders: /var/lib/etcd")
    found = {"unreadable_folders": ("/var/lib/etcd",), "leftovers": {"cni-config": ("/etc/cni/net.d/a.conf",)}}
    assert verdict_on("CAP-FRESH-ENV", found).outcome is FAIL
    assert verdict_on("CAP-FRESH-ENV", {"leftovers": None}).outcome is Outcome.UNKNOWN
    assert verdict_on("CAP-FRESH-ENV", {"cluster_processes": None}).outcome is Outcome.UNKNOWN
    assert verdict_on("CAP-FRESH-ENV", {"leftovers": None, "cluster_processes": ("kubelet",)}).outcome is FAIL


@pytest.mark.parametrize(
    ("name", "place", "expected"),
    [
        ("cni-config", "/etc/cni/net.d/10-calico.conflist", True),
        ("cni-config", "/etc/shadow", False),
        ("cni-state", "/var/lib/cni", True),
        ("cni-state", "/var/lib", False),
        ("programs", "/opt/bin/kubectl", True),
        ("programs", "/usr/bin/kubectl", False),
        ("programs", "/usr/local/bin/helm", False),
        ("units-at-boot", "/etc/systemd/system/multi-user.target.wants/etcd.service", True),
        ("units-at-boot", "/etc/systemd/system/multi-user.target.wants/sshd.service", False),
        ("network-interface", "cali0ef24b4e2b1", True),
        ("network-interface", "eth0", False),
        ("system-programs", "/usr/bin/kubelet", True),
        ("system-programs", "/usr/local/bin/kubelet", False),
    ],
)
def test_place_that_the_row_does_not_look_for(name: str, place: str, expected: bool) -> None:
    assert belongs(next(row for row in LEFTOVERS if row.id == name), place) is expected


def test_explain_lists_what_is_looked_for() -> None:
    text = table_text("CAP-FRESH-ENV")
    assert "/etc/cni/net.d/*.conflist" in text
    assert "The container runtime uses the first file" in text
    assert "from release 4.2 on" in table_text("PKG-LEFTOVER-BIN")
    assert table_text("SYS-SWAP") == ""


PACKAGES = "rpm_packages", "dpkg_packages", "snap_packages"


@pytest.mark.parametrize(
    ("fact", "names", "outcome"),
    [
        *(
            (fact, name, FAIL)
            for fact in PACKAGES[:2]
            for name in (
                "docker-ce", "docker-ce-cli", "docker-ee", "docker-engine", "docker-io", "docker-desktop", "lxc-docker",
                "lxc-docker-1.9.1", "moby-engine", "moby-cli", "moby-containerd", "moby-runc", "containerd.io",
                "kubelet", "kubeadm", "kubectl", "kubernetes-cni", "kubernetes-client", "kubernetes1.30", "cri-o",
                "cri-o1.24", "cri-dockerd", "rke2-server", "iSulad",
            )
        ),
        *((fact, name, WARN) for fact in PACKAGES[:2] for name in ("cri-tools", "moby-buildx", "nerdctl")),
        ("rpm_packages", "docker-latest", FAIL),
        ("rpm_packages", "podman", FAIL),
        ("rpm_packages", "python3-docker", WARN),
        ("rpm_packages", "docker-distribution", WARN),
        ("rpm_packages", "perl-Text-Truncate", None),
        ("rpm_packages", "container-selinux", None),
        ("rpm_packages", "skopeo", None),
        ("rpm_packages", "crun", None),
        ("dpkg_packages", "docker.io", FAIL),
        ("dpkg_packages", "docker", None),
        ("dpkg_packages", "docker-compose", None),
        ("dpkg_packages", "runc", None),
        ("dpkg_packages", "kubectx", None),
        ("dpkg_packages", "libkubelet-perl", None),
        ("dpkg_packages", "golang-github-containerd-dev", WARN),
        ("snap_packages", "microk8s", FAIL),
        ("snap_packages", "docker", FAIL),
        ("snap_packages", "k8s-tool", WARN),
        ("snap_packages", "lxd", None),
        ("snap_packages", "k9s", None),
    ],
)  # fmt: skip
def test_names_of_packages(fact: str, names: str, outcome: Outcome | None) -> None:
    """`outcome`: None for a package that does not conflict."""
    system, requirement = {
        "rpm_packages": ("centos-7.9", "PKG-CONFLICT-RPM"),
        "dpkg_packages": ("ubuntu-22.04", "PKG-CONFLICT-DPKG"),
        "snap_packages": ("ubuntu-22.04", "PKG-CONFLICT-SNAP"),
    }[fact]
    changes = {fact: frozenset({"bash", names})}
    assert planted(changes, distribution=system) == ({(requirement, outcome)} if outcome else set())


@pytest.mark.parametrize(
    ("chain", "outcome"), [("KUBE-SERVICES", WARN), ("cali-INPUT", WARN), ("f2b-sshd", None), ("INPUT", None)]
)
def test_chains_of_a_former_cluster(chain: str, outcome: Outcome | None) -> None:
    """The chains come from the packet filter of the node."""
    chains = (Chain("ip", "filter", chain), Chain("ip", "nat", chain))
    expected = set() if outcome is None else {("CAP-FRESH-ENV", outcome)}
    assert planted({"packet_filter": PacketFilter(chains=chains)}) == expected
