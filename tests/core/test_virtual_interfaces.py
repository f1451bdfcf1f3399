"""Virtual interfaces are never suggested, for nodes or for this host."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from acp_tui.checks.suggestions import suggest
from acp_tui.core.local_host import LocalAddress, local_addresses
from acp_tui.core.virtual_interfaces import is_virtual_interface
from acp_tui.nodes.fact_types import Interface
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Plan
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import nodes, valid_plan

VIRTUAL = (
    "lo", "vxlan.calico", "tap0", "tun0", "tunl0", "nerdctl0", "genev_sys_6081", "dummy0", "docker0", "podman0", "cni0",
    "veth1a2b", "virbr0", "br-3f2a", "flannel.1", "cali12ab", "ovn0", "ovs-system", "kube-ipvs0", "nodelocaldns",
)  # fmt: skip
PHYSICAL = ("eth0", "ens1f0", "enp3s0", "bond0", "team0", "br0", "em1")


def facts_with(plan: Plan, nic: str) -> dict[str, Facts]:
    """Return facts in which every node has its address on `nic`."""
    return {
        node.address: replace(healthy(node.address, role=node.role), interfaces=(Interface(nic, node.address, 24),))
        for node in plan.nodes
    }


@pytest.mark.parametrize("nic", [*VIRTUAL, *PHYSICAL])
def test_only_physical_interfaces_of_nodes_are_suggested(nic: str) -> None:
    plan = valid_plan(nodes=nodes(1, 1), network={"nic": None})
    suggestion = suggest(plan, facts_with(plan, nic), "network.nic")
    assert (suggestion is not None) == (nic in PHYSICAL)
    assert is_virtual_interface(nic) == (nic in VIRTUAL)


def test_only_physical_interfaces_of_this_host_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = (*VIRTUAL, *PHYSICAL)
    monkeypatch.setattr(socket, "if_nameindex", lambda: list(enumerate(names)))
    rows = [f"fd00{number:028x} 02 40 00 80 {name}" for number, name in enumerate(names)]
    (tmp_path / "if_inet6").write_text("\n".join(rows))
    physical = [own for own in local_addresses(tmp_path) if ":" in own.address]
    assert [own.nic for own in physical] == list(PHYSICAL)
    assert all(isinstance(own, LocalAddress) for own in physical)
