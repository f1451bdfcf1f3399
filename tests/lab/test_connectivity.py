"""Connectivity checks with real network faults: each fault is reported once, on the node that causes it."""

import base64
import contextlib
import itertools
import json
import re
import shlex
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.lab.kit.check_run import Checked, as_planned, check, command_lines, plan, started
from tests.lab.kit.nodes import Lab, LabNode
from tests.lab.kit.profiles import Fault, NodeProfile
from tests.support.fake_registry import CA_PEM, PASSWORD, USER, small_registry

pytestmark = pytest.mark.lab

_NAME = "acp.example.com"
SLOW_LINK = Path(__file__).parent / "kit/slow_link.py"


@pytest.fixture
def nodes(lab: Lab) -> list[LabNode]:
    return lab.start(*[NodeProfile()] * 3)


@contextmanager
def changed(node: LabNode, change: str, undo: str) -> Iterator[None]:
    """Run `change` on the node, and `undo` at the end of the block."""
    node.sh(change)
    yield
    node.sh(undo)


def check_nodes(folder: Path, nodes: list[LabNode], endpoint: str, **more: JsonValue) -> Checked:
    return check(folder, plan(as_planned(nodes), endpoint, **more))


def of_cluster(checked: Checked) -> dict[str, str]:
    """Requirement → outcome of the verdicts that concern no single node."""
    reported = ("fail", "warn", "unknown")
    return {
        v["requirement"] or "": v["verdict"] or ""
        for v in checked.verdicts
        if v["node"] is None and v["verdict"] in reported and (v["requirement"] or "").startswith(("X-", "LB-", "VIP-"))
    }


def test_missing_route_fails_on_the_node_that_lacks_it(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    one, two, three = nodes
    endpoint = lab.address(0)
    quiet: dict[str, dict[str, str]] = {node.address: {} for node in nodes}

    healthy = check_nodes(tmp_path, nodes, endpoint)
    assert (healthy.outcomes, of_cluster(healthy)) == (quiet, {})

    for kind in ("blackhole", "prohibit", "unreachable"):
        with changed(two, f"ip route add {kind} {three.address}", f"ip route del {kind} {three.address}"):
            checked = check_nodes(tmp_path, nodes, endpoint)
        assert checked.outcomes == {**quiet, two.address: {"X-FIREWALL": "fail"}}, kind
        assert f"{two.address} → {three.address}: 22, 443, 6443" in checked.observed(two.address, "X-FIREWALL")

    both = f"blackhole {one.address}", f"blackhole {two.address}"
    with changed(
        three,
        "; ".join(f"ip route add {route}" for route in both),
        "; ".join(f"ip route del {route}" for route in both),
    ):
        checked = check_nodes(tmp_path, nodes, endpoint)
    assert checked.outcomes == {**quiet, three.address: {"X-FIREWALL": "fail"}}


def test_small_mtu_is_a_warning(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    one, two, _three = nodes
    if not one.sh("type -P ping || true").strip():
        pytest.skip("needs ping")
    with changed(two, "ip link set eth0 mtu 1400", "ip link set eth0 mtu 1500"):
        checked = check_nodes(tmp_path, nodes, lab.address(0))
    assert checked.outcomes[two.address] == {"X-FIREWALL": "warn"}
    assert "1500 bytes" in checked.observed(two.address, "X-FIREWALL")


@contextmanager
def slow_link(lab: Lab, number: int, milliseconds: int, lost: int) -> Iterator[None]:
    """Give the link of this node a round-trip time of `milliseconds`, and drop `lost` of a hundred frames."""
    script = (sys.executable, str(SLOW_LINK), f"node{number}", str(milliseconds), str(lost))
    command = ("nsenter", "--target", str(lab.hub), "--net", *script)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
        process.communicate()


def test_latency_and_packet_loss_are_reported(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    one, two, three = nodes
    if not one.sh("type -P ping || true").strip() or not Path("/dev/net/tun").exists():
        pytest.skip("needs ping and a tap")
    with slow_link(lab, 2, 60, 0):
        far = check_nodes(tmp_path, nodes, lab.address(0))
    assert (far.outcomes[two.address], "X-FIREWALL" in far.outcomes[three.address]) == (
        {"NETCFG-LAT-INTRA": "fail"},
        False,
    )
    observed = far.observed(two.address, "NETCFG-LAT-INTRA")
    average = re.search(rf"{one.address} → {two.address}: ([0-9.]+) ms \(average of ping\)", observed)
    assert average is not None, observed
    assert float(average[1]) >= 60
    with slow_link(lab, 2, 0, 20):
        lossy = check_nodes(tmp_path, nodes, lab.address(0))
    assert "packets were lost" in lossy.observed(two.address, "NETCFG-LAT-INTRA")


def test_endpoint_without_a_load_balancer(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    """No load balancer is a warning. A self-built VIP must be free: neither another host nor a node may have it."""
    *cluster, other = nodes
    free = lab.address(20)
    quiet: dict[str, dict[str, str]] = {node.address: {} for node in nodes}

    unanswered = check_nodes(tmp_path, nodes, free)
    assert (unanswered.outcomes, of_cluster(unanswered)) == (
        quiet,
        dict.fromkeys(("LB-443", "LB-6443", "LB-11443"), "warn"),
    )

    own: dict[str, JsonValue] = {"cluster_endpoint": free, "self_built_vip": True}
    assert of_cluster(check_nodes(tmp_path, nodes, free, address=own)) == {}

    with changed(other, f"ip addr add {free}/27 dev eth0", f"ip addr del {free}/27 dev eth0"):
        on_another_host = check_nodes(tmp_path, cluster, free, address=own)
        on_a_node = check_nodes(tmp_path, nodes, free, address=own)
    assert of_cluster(on_another_host) == {"VIP-FREE": "fail"}
    assert on_a_node.outcomes == {**quiet, other.address: {"VIP-FREE": "fail"}}
    neighbours = [node.sh(f"ip neigh show to {free}") for node in cluster]
    assert any("lladdr" in text for text in neighbours), "the kernel still has the other host's entry"
    assert of_cluster(check_nodes(tmp_path, cluster, free, address=own)) == {}


def test_domain_that_resolves_differently_and_unreachable_registry_fail(
    lab: Lab, nodes: list[LabNode], tmp_path: Path
) -> None:
    one, two, three = nodes
    answers: dict[str, JsonValue] = {"cluster_endpoint": lab.address(0), "platform": _NAME}
    registry: dict[str, JsonValue] = {"mode": "external", "address": f"{one.address}:5000"}
    for node, address in ((one, "10.1.1.1"), (two, "10.1.1.1"), (three, "10.1.1.2")):
        node.sh(f"echo {address} {_NAME} >>/etc/hosts")
    checked = check_nodes(tmp_path, nodes, lab.address(0), address=answers, registry=registry)
    assert checked.outcomes == {
        one.address: {"XR-REG-EXT": "fail"},
        two.address: {"XR-REG-EXT": "fail"},
        three.address: {"XR-REG-EXT": "fail", "NETRES-DOMAIN": "fail"},
    }
    outcomes = [v["verdict"] for v in checked.verdicts if v["node"] is None and v["requirement"] == "NETRES-DOMAIN"]
    assert outcomes == ["warn"]
    assert f"{_NAME} resolves to 10.1.1.2 on this node, but to 10.1.1.1 on other nodes" in checked.observed(
        three.address, "NETRES-DOMAIN"
    )


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_registry_login_over_tls_is_tested_without_exposing_the_password(
    lab: Lab, nodes: list[LabNode], tmp_path: Path, kind: str
) -> None:
    """One node lacks the CA, and one has no tool for the test. The password is never in the process list."""
    one, two, three = nodes
    store = "/etc/ssl/certs/ca-certificates.crt"
    one.sh(f"cat {store} >/run/store; rm -f {store}; cat /run/store - >{store} <<<{shlex.quote(CA_PEM)}")
    three.sh("rm -f $(type -aP curl python3)")
    endpoint = lab.address(0)
    lines: set[bytes] = set()
    with small_registry(tmp_path, endpoint, login=kind) as registry:

        def check_with(password: str) -> Checked:
            external: dict[str, JsonValue] = {"mode": "external", "address": f"{endpoint}:{registry.port}"}
            answers = plan(as_planned(nodes), endpoint, registry={**external, "username": USER, "password": password})
            done = threading.Event()

            def watch() -> None:
                while not done.is_set():
                    lines.update(command_lines())

            watcher = threading.Thread(target=watch)
            watcher.start()
            try:
                return check(tmp_path, answers)
            finally:
                done.set()
                watcher.join()

        right, wrong = check_with(PASSWORD), check_with("wrong")
    assert right.outcomes[one.address] == {}
    assert right.outcomes[two.address] == {"XR-REG-EXT": "warn", "XR-REG-AUTH": "unknown"}
    assert "does not trust the CA of the registry's certificate" in right.observed(two.address, "XR-REG-EXT")
    assert right.outcomes[three.address].keys() >= {"XR-REG-EXT", "XR-REG-AUTH"}
    assert right.outcomes[three.address]["XR-REG-AUTH"] == "unknown"
    assert wrong.outcomes[one.address] == {"XR-REG-AUTH": "fail"}
    assert any(b"curl" in line for line in lines)
    secrets = (PASSWORD.encode(), base64.b64encode(f"{USER}:{PASSWORD}".encode()))
    assert not any(secret in line for line in lines for secret in secrets)


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
    assert f"reached {one.address}, {two.address}, but never this node" in checked.observed(three.address, "LB-443")
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
    assert of_cluster(checked) == {"LB-6443": "fail", "LB-11443": "fail"}
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


_TABLE = "nft add table inet f; nft add chain inet f i '{ type filter hook input priority 0; }'; "


@pytest.fixture
def five(lab: Lab) -> list[LabNode]:
    nodes = lab.start(*[NodeProfile()] * 5)
    try:
        nodes[0].sh("nft list ruleset")
    except subprocess.CalledProcessError:
        pytest.skip("needs nft")
    return nodes


def test_port_closed_in_one_direction_fails_on_the_target(lab: Lab, five: list[LabNode], tmp_path: Path) -> None:
    """The third node drops connections from the second on two ports; all other paths are open."""
    _one, two, three, *_rest = five
    three.sh(_TABLE + f"nft add rule inet f i ip saddr {two.address} tcp dport '{{ 2379, 2380 }}' drop")
    checked = check_nodes(tmp_path, five, lab.address(0))
    assert checked.outcomes == {n.address: {} for n in five} | {three.address: {"X-FIREWALL": "fail"}}
    assert checked.observed(three.address, "X-FIREWALL") == f"{two.address} → {three.address}: 2379, 2380 timed out"


def test_harmless_filters_are_not_reported(lab: Lab, five: list[LabNode], tmp_path: Path) -> None:
    """No echo replies, filters for other sources and ports, a service that resets: the paths between nodes are open."""
    one, two, three, four, five_ = five
    one.sh(_TABLE + "nft add rule inet f i icmp type echo-request drop")
    two.sh(_TABLE + "nft add rule inet f i icmp type echo-request reject with icmp type admin-prohibited")
    three.sh(_TABLE + "nft add rule inet f i ip saddr 203.0.113.0/24 drop")
    four.sh(_TABLE + "nft add rule inet f i tcp dport 2379 reject with tcp reset")
    five_.sh(_TABLE + "nft add rule inet f i tcp dport 9 drop")
    checked = check_nodes(tmp_path, five, lab.address(0))
    assert checked.outcomes == {n.address: {} for n in five}


def test_rejecting_filter_is_found_by_temporary_listeners(lab: Lab, five: list[LabNode], tmp_path: Path) -> None:
    """Before the install a refused connection means an open path. Only a listener shows that a filter rejects it."""
    two = five[1]
    two.sh(_TABLE + "nft add rule inet f i tcp dport 10250 reject")
    checked = check(tmp_path, plan(as_planned(five), lab.address(0)), "--also", "paths")
    assert checked.outcomes == {n.address: {} for n in five} | {two.address: {"X-FIREWALL": "fail"}}
    assert of_cluster(checked) == {}  # the endpoint was not tested
    assert "10250 no connection to the temporary test port" in checked.observed(two.address, "X-FIREWALL")


def test_host_prohibited_is_a_firewall_and_not_an_unreachable_node(
    lab: Lab, five: list[LabNode], tmp_path: Path
) -> None:
    """By default, iptables on CentOS rejects with "host prohibited", although the node is reachable."""
    two = five[1]
    two.sh(_TABLE + "nft add rule inet f i tcp dport 6443 reject with icmp type host-prohibited")
    checked = check_nodes(tmp_path, five, lab.address(0))
    assert checked.outcomes == {n.address: {} for n in five} | {two.address: {"X-FIREWALL": "fail"}}


def test_node_that_drops_its_own_outgoing_connections_fails(lab: Lab, five: list[LabNode], tmp_path: Path) -> None:
    two, others = five[1], [n.address for n in five if n is not five[1]]
    chain = "nft add table inet f; nft add chain inet f o '{ type filter hook output priority 0; }'; "
    two.sh(chain + f"nft add rule inet f o ip daddr '{{ {', '.join(others)} }}' tcp dport != 22 drop")
    checked = check_nodes(tmp_path, five, lab.address(0))
    assert checked.outcomes == {n.address: {} for n in five} | {two.address: {"X-FIREWALL": "fail"}}


def test_temporary_listeners_end_when_acp_tui_is_killed(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    def listening() -> bool:
        return any(":6443 " in node.sh("ss -lnt") for node in nodes)

    with started(tmp_path, plan(as_planned(nodes), lab.address(0)), "--also", "load-balancer") as process:
        deadline = time.monotonic() + 30
        while not listening():
            assert time.monotonic() < deadline
        process.kill()
    deadline = time.monotonic() + 10
    while listening():
        assert time.monotonic() < deadline


def test_node_lost_during_the_paths_test_is_not_reported_as_a_firewall(
    lab: Lab, nodes: list[LabNode], tmp_path: Path
) -> None:
    with started(tmp_path, plan(as_planned(nodes), lab.address(0)), "--also", "paths") as process:
        deadline = time.monotonic() + 30
        while ":6443 " not in nodes[2].sh("ss -lnt"):
            assert time.monotonic() < deadline
        nodes[2].sh("ip link set eth0 down")
        report = json.loads(process.communicate()[0])
    verdicts = [v for v in report["verdicts"] if v["requirement"] == "X-FIREWALL" and v["verdict"] in ("fail", "warn")]
    assert verdicts == []


def test_unreachable_node_is_not_reported_as_a_firewall(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    dead: dict[str, JsonValue] = {"address": lab.address(25), "role": "worker"}
    checked = check(tmp_path, plan([*as_planned(nodes), dead], lab.address(0)))
    assert {address: state for address, state in checked.states.items() if state != "checked"} == {
        lab.address(25): "unreachable"
    }
    assert {node.address: checked.outcomes[node.address] for node in nodes} == {node.address: {} for node in nodes}
    assert checked.outcomes[lab.address(25)]["X-FIREWALL"] == "unknown"


def test_clones_and_duplicate_entries_fail(lab: Lab, tmp_path: Path) -> None:
    copied = Fault("a cloned disk", "echo 0123456789abcdef0123456789abcdef >/etc/machine-id")
    one, two, three = lab.start(NodeProfile(), NodeProfile(faults=(copied,)), NodeProfile(faults=(copied,)))
    second = lab.address(20)
    with changed(one, f"ip addr add {second}/27 dev eth0", f"ip addr del {second}/27 dev eth0"):
        duplicate: dict[str, JsonValue] = {"address": second, "role": "worker"}
        checked = check(tmp_path, plan([*as_planned([one, two, three]), duplicate], lab.address(0)))
    assert checked.outcomes[one.address].keys() <= {"X-HOSTNAME-UNIQUE", "X-FIREWALL"}
    assert checked.observed(second, "XR-NODE-UNIQUE") == f"this node is the same machine as {one.address}"
    for node, other in ((two, three), (three, two)):
        assert checked.outcomes[node.address] == {"XR-NODE-UNIQUE": "fail"}
        assert checked.observed(node.address, "XR-NODE-UNIQUE") == (
            f"the machine-id 0123456789abcdef0123456789abcdef is also used on {other.address}"
        )


def test_bandwidth_test_names_the_slow_link_and_leaves_no_listeners(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*[NodeProfile()] * 4)
    one, two, three, bare = nodes
    one.sh(
        "setsid python3 -m http.server 6443 </dev/null >/dev/null 2>&1 & "
        "until ss -lnt | grep -q 6443; do sleep 0.1; done"
    )
    slow = "tc qdisc add dev eth0 root tbf rate 90mbit burst 32k latency 50ms"
    try:
        two.sh(slow)
    except subprocess.CalledProcessError:
        pytest.skip("this kernel has no tbf")
    bare.sh("rm -f $(type -aP python3 python2 python)")
    answers = plan(as_planned(nodes), lab.address(0))
    checked = check(tmp_path, answers, "--also", "bandwidth", "--only", "NETCFG-BW-INTRA")
    assert checked.outcomes == {
        one.address: {"NETCFG-BW-INTRA": "unknown"},
        two.address: {"NETCFG-BW-INTRA": "fail"},
        three.address: {"NETCFG-BW-INTRA": "unknown"},
        bare.address: {},
    }
    assert f"{two.address} → {one.address}: " in checked.observed(two.address, "NETCFG-BW-INTRA")
    assert "the measured bandwidth is" in checked.observed(two.address, "NETCFG-BW-INTRA")
    assert f"→ {bare.address}: python is not installed on the receiving node" in checked.observed(
        one.address, "NETCFG-BW-INTRA"
    )
    for node in nodes:
        ports = node.sh("ss -lntH")
        assert ":6443" in ports if node is one else ":22" in ports
        assert not any(f":{port} " in ports for port in (2379, 2380, 10250, 11443, 6641, 6642))
