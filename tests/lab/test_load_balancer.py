"""The load balancer in front of the cluster endpoint: missing, with a missing backend, or wrongly configured."""

import contextlib
import itertools
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.lab.kit.check_run import as_planned, check, check_nodes, of_cluster, plan
from tests.lab.kit.nodes import Lab, LabNode, changed

pytestmark = pytest.mark.lab

UNTESTED = {"X-FIREWALL": "warn"}
"""Without the active test, UDP between the nodes is not tested."""

_NAME = "acp.example.com"


def test_endpoint_without_a_load_balancer(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    """No load balancer is a warning. A self-built VIP must be free: neither another host nor a node may have it."""
    *cluster, other = nodes
    free = lab.address(20)
    quiet: dict[str, dict[str, str]] = {node.address: {} for node in nodes}

    unanswered = check_nodes(tmp_path, nodes, free)
    assert (unanswered.outcomes, of_cluster(unanswered)) == (
        quiet,
        dict.fromkeys(("X-FIREWALL", "LB-443", "LB-6443", "LB-11443"), "warn"),
    )

    own: dict[str, JsonValue] = {"cluster_endpoint": free, "self_built_vip": True}
    assert of_cluster(check_nodes(tmp_path, nodes, free, address=own)) == UNTESTED

    with changed(other, f"ip addr add {free}/27 dev eth0", f"ip addr del {free}/27 dev eth0"):
        on_another_host = check_nodes(tmp_path, cluster, free, address=own)
        on_a_node = check_nodes(tmp_path, nodes, free, address=own)
    assert of_cluster(on_another_host) == {"VIP-FREE": "fail", **UNTESTED}
    assert on_a_node.outcomes == {**quiet, other.address: {"VIP-FREE": "fail"}}
    neighbours = [node.sh(f"ip neigh show to {free}") for node in cluster]
    assert any("lladdr" in text for text in neighbours), "the kernel still has the other host's entry"
    assert of_cluster(check_nodes(tmp_path, cluster, free, address=own)) == UNTESTED


@contextmanager
def balancer(
    address: str, port: int, backends: list[LabNode], to_port: int | None = None, header: bytes = b""
) -> Iterator[None]:
    """A load balancer on layer 4: it passes each connection to the next backend.

    `to_port`: the port on the backends, if it differs. `header`: bytes sent before those of the client."""
    turn = itertools.cycle(backends)

    class Forward(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with (
                contextlib.suppress(OSError),
                socket.create_connection((next(turn).address, to_port or port), 1) as backend,
            ):
                backend.settimeout(2)
                backend.sendall(header)
                while data := backend.recv(4096):
                    self.request.sendall(data)

    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer((address, port), Forward) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def test_load_balancer_test_names_the_missing_backend(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    one, two, three = nodes
    endpoint = lab.address(0)
    three.sh(
        "setsid python3 -m http.server 11443 </dev/null >/dev/null 2>&1 & "
        "until ss -lnt | grep -q 11443; do sleep 0.1; done"
    )
    answers: dict[str, JsonValue] = {"cluster_endpoint": endpoint, "https_port": 7443}
    with balancer(endpoint, 7443, [one, two]), balancer(endpoint, 6443, nodes), balancer(endpoint, 11443, [one, two]):
        checked = check(tmp_path, plan(as_planned(nodes), endpoint, address=answers), "--also", "load-balancer")
    assert checked.outcomes == {
        one.address: {},
        two.address: {},
        three.address: {"LB-443": "fail", "LB-11443": "unknown"},
    }
    assert f"forwarded connections to {one.address}, {two.address}, but never to this node" in checked.observed(
        three.address, "LB-443"
    )
    assert "the port is in use on the node" in checked.observed(three.address, "LB-11443")


def test_load_balancer_with_wrong_port_or_proxy_protocol_fails(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    """With disaster recovery, ports 2379 and 80 are forwarded, too.

    Here 6443 leads to 443, 2379 leads to one node only, and 11443 sends the PROXY protocol."""
    endpoint = lab.address(0)
    answers = plan(
        as_planned(nodes),
        endpoint,
        address={"cluster_endpoint": endpoint, "platform": _NAME, "http_port": 80, "others": [endpoint]},
        disaster_recovery={"role": "primary"},
    )
    for node in nodes:
        node.sh(f"echo {endpoint} {_NAME} >>/etc/hosts")
    with ExitStack() as balancers:
        for port in (443, 80):
            balancers.enter_context(balancer(endpoint, port, nodes))
        header = b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 11443\r\n"
        balancers.enter_context(balancer(endpoint, 11443, nodes, header=header))
        balancers.enter_context(balancer(endpoint, 6443, nodes, 443))
        balancers.enter_context(balancer(endpoint, 2379, nodes[:1]))
        checked = check(tmp_path, answers, "--also", "load-balancer")
    assert of_cluster(checked) == {"LB-6443": "fail", "LB-11443": "fail", **UNTESTED}
    [verdict] = [v for v in checked.verdicts if v["requirement"] == "LB-6443"]
    assert (
        verdict["observed"]
        == f"the load balancer forwards {endpoint}:6443 to port 443 of the control plane nodes instead of port 6443"
    )
    assert checked.outcomes == {
        nodes[0].address: {},
        nodes[1].address: {"LB-DR-2379": "fail"},
        nodes[2].address: {"LB-DR-2379": "fail"},
    }
