"""Fixes for leftovers: they move files into the backup folder, and never touch a cluster that may be needed."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from acp_tui.preflight.fixes.select import AvailableFixes, available_fixes
from acp_tui.preflight.fixes.step import FixStep
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import SECOND, cluster, verdicts

PLAN = valid_plan()
NODE = next(node for node in PLAN.nodes if node.address == SECOND)
CONFIG = "/etc/cni/net.d/10-calico.conflist"
DROP_IN = "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf"


def fixes(changes: Mapping[str, object]) -> AvailableFixes:
    facts = cluster(PLAN)
    facts[SECOND] = replace(facts[SECOND], **changes)  # type: ignore[arg-type]
    return available_fixes(PLAN, NODE, facts[SECOND], verdicts(PLAN, facts))


def step_for(**leftovers: tuple[str, ...]) -> FixStep:
    [step] = fixes({"leftovers": {name.replace("_", "-"): places for name, places in leftovers.items()}}).steps
    return step


def test_files_are_shown_before_they_are_moved_and_undo_moves_them_back() -> None:
    step = step_for(cni_config=(CONFIG,), cni_state=("/var/lib/cni",))
    assert (step.requirement, step.applied_by_default, step.destructive, step.can_be_undone) == (
        "CAP-FRESH-ENV", False, False, True,
    )  # fmt: skip
    assert step.commands.splitlines()[0].startswith("not_running kubelet ")
    assert step.commands.splitlines()[1:] == [f"move_away {CONFIG}", "move_away /var/lib/cni"]
    assert f"for path in {CONFIG} /var/lib/cni;" in (step.preview or "")
    assert "newest file" in (step.preview or "")
    assert f'mv -n -T "$folder"/moved{CONFIG} {CONFIG}' in (step.undo or "").splitlines()


def test_interfaces_units_and_mounts_have_commands_of_their_own() -> None:
    step = step_for(
        network_interface=("cni0", "flannel.1"),
        pod_mounts=("/var/lib/kubelet/pods/1/x",),
        units_at_boot=("/etc/systemd/system/multi-user.target.wants/docker.service",),
        ipvs=("/proc/net/ip_vs",),
    )
    commands = step.commands.splitlines()
    assert {"delete_links cni0 flannel.1", "umount /var/lib/kubelet/pods/1/x", "systemctl disable docker.service",
            "ipvsadm --clear"} <= set(commands)  # fmt: skip
    assert "systemctl enable docker.service" in (step.undo or "")
    assert step.preview is None


def test_drop_in_of_a_removed_kubelet_is_moved_by_default() -> None:
    step = step_for(kubelet_drop_in=(DROP_IN,))
    assert step.applied_by_default
    assert step.can_be_undone
    assert step.commands.splitlines()[1:] == [f"move_away {DROP_IN}", "systemctl daemon-reload"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"leftovers": {"cni-config": (CONFIG,)}, "cluster_processes": ("kubelet",)}, "these processes run"),
        ({"leftovers": {"cni-config": (CONFIG,), "etcd-data": ("/var/lib/etcd/member",)}}, "data of a cluster"),
        ({"leftovers": {"other-clusters": ("/var/lib/rancher/k3s",)}}, "data of a cluster"),
        ({"leftovers": {"cni-config": ("/etc/cni/net.d/x; reboot.conf",)}}, "does not accept"),
        ({"leftovers": {"cni-config": ("/etc/cni/net.d/../../passwd.conf",)}}, "does not accept"),
        ({"leftovers": {"kubernetes-config": ("/etc/kubernetes/kubelet.conf",)}}, "data of a cluster"),
        ({"leftovers": {"ovn-database": ("/root/.ssh",)}}, "does not accept"),
        ({"leftovers": {"service-interface": ("eth0",)}}, "does not accept"),
    ],
)
def test_nothing_is_removed_from_a_cluster_or_by_a_name_that_does_not_fit(
    changes: Mapping[str, object], reason: str
) -> None:
    available = fixes(changes)
    assert available.steps == ()
    assert {m.requirement: reason in m.reason for m in available.manual} == {"CAP-FRESH-ENV": True}
