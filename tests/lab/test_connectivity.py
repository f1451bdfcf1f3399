"""Real faults of the network between real nodes: found at the node at fault, and nothing else is reported."""

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
def done(node: LabNode, change: str, undo: str) -> Iterator[None]:
    node.sh(change)
    yield
    node.sh(undo)


def looked(folder: Path, nodes: list[LabNode], endpoint: str, **more: JsonValue) -> Checked:
    return check(folder, plan(as_planned(nodes), endpoint, **more))


def of_cluster(checked: Checked) -> dict[str, str]:
    """Requirement → outcome, of what is said of no single node."""
    loud = ("fail", "warn", "unknown")
    return {
        v["requirement"] or "": v["verdict"] or ""
        for v in checked.verdicts
        if v["node"] is None and v["verdict"] in loud and (v["requirement"] or "").startswith(("X-", "LB-", "VIP-"))
    }


def test_paths_that_do_not_exist(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    one, two, three = nodes
    endpoint = lab.address(0)
    quiet: dict[str, dict[str, str]] = {node.address: {} for node in nodes}

    healthy = looked(tmp_path, nodes, endpoint)
    assert (healthy.found, of_cluster(healthy)) == (quiet, {})

    for kind in ("blackhole", "prohibit", "unreachable"):
        with done(two, f"ip route add {kind} {three.address}", f"ip route del {kind} {three.address}"):
            found = looked(tmp_path, nodes, endpoint)
        assert found.found == {**quiet, two.address: {"X-FIREWALL": "fail"}}, kind
        assert f"{two.address} → {three.address}: 22, 443, 6443" in found.observed(two.address, "X-FIREWALL")

    both = f"blackhole {one.address}", f"blackhole {two.address}"
    with done(three, "; ".join(f"ip route add {way}" for way in both), "; ".join(f"ip route del {w}" for w in both)):
        found = looked(tmp_path, nodes, endpoint)
    assert found.found == {**quiet, three.address: {"X-FIREWALL": "fail"}}


def test_a_small_packet_limit_on_the_way(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    one, two, _three = nodes
    if not one.sh("type -P ping || true").strip():
        pytest.skip("needs ping")
    with done(two, "ip link set eth0 mtu 1400", "ip link set eth0 mtu 1500"):
        found = looked(tmp_path, nodes, lab.address(0))
    assert found.found[two.address] == {"X-FIREWALL": "warn"}
    assert "1500 bytes" in found.observed(two.address, "X-FIREWALL")


@contextmanager
def worse(lab: Lab, number: int, milliseconds: int, lost: int) -> Iterator[None]:
    """The link of the node with this number takes so long, there and back, and loses so many of a hundred frames."""
    words = (sys.executable, str(SLOW_LINK), f"node{number}", str(milliseconds), str(lost))
    command = ("nsenter", "--target", str(lab.hub), "--net", *words)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
        process.communicate()


def test_a_long_way_and_a_lossy_one(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    one, two, three = nodes
    if not one.sh("type -P ping || true").strip() or not Path("/dev/net/tun").exists():
        pytest.skip("needs ping and a tap")
    with worse(lab, 2, 60, 0):
        far = looked(tmp_path, nodes, lab.address(0))
    assert (far.found[two.address], "X-FIREWALL" in far.found[three.address]) == ({"NETCFG-LAT-INTRA": "fail"}, False)
    observed = far.observed(two.address, "NETCFG-LAT-INTRA")
    told = re.search(rf"{one.address} → {two.address}: ([0-9.]+) ms \(average of ping\)", observed)
    assert told is not None, observed
    assert float(told[1]) >= 60
    with worse(lab, 2, 0, 20):
        lossy = looked(tmp_path, nodes, lab.address(0))
    assert "packets lost" in lossy.observed(two.address, "NETCFG-LAT-INTRA")


def test_the_endpoint(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    """A balancer that is not there, a VIP that is free, one that a stranger has, one that a node has."""
    *cluster, stranger = nodes
    free = lab.address(20)
    quiet: dict[str, dict[str, str]] = {node.address: {} for node in nodes}

    nobody = looked(tmp_path, nodes, free)
    assert (nobody.found, of_cluster(nobody)) == (quiet, dict.fromkeys(("LB-443", "LB-6443", "LB-11443"), "warn"))

    own: dict[str, JsonValue] = {"cluster_endpoint": free, "self_built_vip": True}
    assert of_cluster(looked(tmp_path, nodes, free, address=own)) == {}

    with done(stranger, f"ip addr add {free}/27 dev eth0", f"ip addr del {free}/27 dev eth0"):
        at_a_stranger = looked(tmp_path, cluster, free, address=own)
        at_a_node = looked(tmp_path, nodes, free, address=own)
    assert of_cluster(at_a_stranger) == {"VIP-FREE": "fail"}
    assert at_a_node.found == {**quiet, stranger.address: {"VIP-FREE": "fail"}}
    known = [node.sh(f"ip neigh show to {free}") for node in cluster]
    assert any("lladdr" in text for text in known), "the kernel still remembers the stranger"
    assert of_cluster(looked(tmp_path, cluster, free, address=own)) == {}


def test_names_and_a_registry(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    one, two, three = nodes
    answers: dict[str, JsonValue] = {"cluster_endpoint": lab.address(0), "platform": _NAME}
    registry: dict[str, JsonValue] = {"mode": "external", "address": f"{one.address}:5000"}
    for node, address in ((one, "10.1.1.1"), (two, "10.1.1.1"), (three, "10.1.1.2")):
        node.sh(f"echo {address} {_NAME} >>/etc/hosts")
    found = looked(tmp_path, nodes, lab.address(0), address=answers, registry=registry)
    assert found.found == {
        one.address: {"XR-REG-EXT": "fail"},
        two.address: {"XR-REG-EXT": "fail"},
        three.address: {"XR-REG-EXT": "fail", "NETRES-DOMAIN": "fail"},
    }
    outcomes = [v["verdict"] for v in found.verdicts if v["node"] is None and v["requirement"] == "NETRES-DOMAIN"]
    assert outcomes == ["warn"]
    assert "10.1.1.2 here, and 10.1.1.1 elsewhere" in found.observed(three.address, "NETRES-DOMAIN")


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_a_registry_with_tls_and_a_login(lab: Lab, nodes: list[LabNode], tmp_path: Path, kind: str) -> None:
    """One node lacks the CA, one has no tool; the password is never seen in the process list."""
    one, two, three = nodes
    store = "/etc/ssl/certs/ca-certificates.crt"
    one.sh(f"cat {store} >/run/store; rm -f {store}; cat /run/store - >{store} <<<{shlex.quote(CA_PEM)}")
    three.sh("rm -f $(type -aP curl python3)")
    endpoint = lab.address(0)
    seen: set[bytes] = set()
    with small_registry(tmp_path, endpoint, login=kind) as registry:

        def looked_at(password: str) -> Checked:
            given: dict[str, JsonValue] = {"mode": "external", "address": f"{endpoint}:{registry.port}"}
            answers = plan(as_planned(nodes), endpoint, registry={**given, "username": USER, "password": password})
            over = threading.Event()

            def watch() -> None:
                while not over.is_set():
                    seen.update(command_lines())

            watcher = threading.Thread(target=watch)
            watcher.start()
            try:
                return check(tmp_path, answers)
            finally:
                over.set()
                watcher.join()

        right, wrong = looked_at(PASSWORD), looked_at("wrong")
    assert right.found[one.address] == {}
    assert right.found[two.address] == {"XR-REG-EXT": "warn", "XR-REG-AUTH": "unknown"}
    assert "CA of its certificate" in right.observed(two.address, "XR-REG-EXT")
    assert right.found[three.address].keys() >= {"XR-REG-EXT", "XR-REG-AUTH"}
    assert right.found[three.address]["XR-REG-AUTH"] == "unknown"
    assert wrong.found[one.address] == {"XR-REG-AUTH": "fail"}
    assert any(b"curl" in line for line in seen)
    secrets = (PASSWORD.encode(), base64.b64encode(f"{USER}:{PASSWORD}".encode()))
    assert not any(secret in line for line in seen for secret in secrets)


@contextmanager
def balancer(
    address: str, port: int, backends: list[LabNode], to_port: int | None = None, header: bytes = b""
) -> Iterator[None]:
    """Hands each connection to the next backend, as a load balancer on layer 4 does.

    `to_port`: another one there. `header`: what it puts before what the client says."""
    turn = itertools.cycle(backends)

    class Hand(socketserver.BaseRequestHandler):
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
    with socketserver.ThreadingTCPServer((address, port), Hand) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def test_a_rehearsal_shows_whom_the_load_balancer_forgets(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    one, two, three = nodes
    endpoint = lab.address(0)
    three.sh(
        "setsid python3 -m http.server 11443 </dev/null >/dev/null 2>&1 & "
        "until ss -lnt | grep -q 11443; do sleep 0.1; done"
    )
    answers: dict[str, JsonValue] = {"cluster_endpoint": endpoint, "https_port": 7443}
    with balancer(endpoint, 7443, [one, two]), balancer(endpoint, 6443, nodes), balancer(endpoint, 11443, [one, two]):
        found = check(tmp_path, plan(as_planned(nodes), endpoint, address=answers), "--also", "load-balancer")
    assert found.found == {one.address: {}, two.address: {}, three.address: {"LB-443": "fail", "LB-11443": "unknown"}}
    assert f"it reached {one.address}, {two.address}" in found.observed(three.address, "LB-443")
    assert "the port is in use" in found.observed(three.address, "LB-11443")


def test_a_load_balancer_that_leads_to_another_port(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    """With disaster recovery 2379 and 80 are forwarded too. 6443 leads to 443, and 2379 to one node alone; 11443 speaks
    the PROXY protocol."""
    endpoint = lab.address(0)
    answers = plan(
        as_planned(nodes),
        endpoint,
        address={"cluster_endpoint": endpoint, "platform": _NAME, "http_port": 80, "others": [endpoint]},
        disaster_recovery={"role": "primary"},
    )
    for node in nodes:
        node.sh(f"echo {endpoint} {_NAME} >>/etc/hosts")
    with ExitStack() as stands:
        for port in (443, 80):
            stands.enter_context(balancer(endpoint, port, nodes))
        header = b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 11443\r\n"
        stands.enter_context(balancer(endpoint, 11443, nodes, header=header))
        stands.enter_context(balancer(endpoint, 6443, nodes, 443))
        stands.enter_context(balancer(endpoint, 2379, nodes[:1]))
        found = check(tmp_path, answers, "--also", "load-balancer")
    assert of_cluster(found) == {"LB-6443": "fail", "LB-11443": "fail"}
    [verdict] = [v for v in found.verdicts if v["requirement"] == "LB-6443"]
    assert verdict["observed"] == f"{endpoint}:6443 is forwarded to port 443 of the control plane nodes instead of 6443"
    assert found.found == {
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


def test_one_closed_direction_among_five_nodes(lab: Lab, five: list[LabNode], tmp_path: Path) -> None:
    """The third node drops what comes from the second, on two ports, and nobody else notices."""
    _one, two, three, *_rest = five
    three.sh(_TABLE + f"nft add rule inet f i ip saddr {two.address} tcp dport '{{ 2379, 2380 }}' drop")
    found = looked(tmp_path, five, lab.address(0))
    assert found.found == {n.address: {} for n in five} | {three.address: {"X-FIREWALL": "fail"}}
    assert found.observed(three.address, "X-FIREWALL") == f"{two.address} → {three.address}: 2379, 2380 timed out"


def test_what_only_looks_closed_among_five_nodes(lab: Lab, five: list[LabNode], tmp_path: Path) -> None:
    """No echo, no fragment, a filter for others, a service that resets: the ways between the nodes are open."""
    one, two, three, four, five_ = five
    one.sh(_TABLE + "nft add rule inet f i icmp type echo-request drop")
    two.sh(_TABLE + "nft add rule inet f i icmp type echo-request reject with icmp type admin-prohibited")
    three.sh(_TABLE + "nft add rule inet f i ip saddr 203.0.113.0/24 drop")
    four.sh(_TABLE + "nft add rule inet f i tcp dport 2379 reject with tcp reset")
    five_.sh(_TABLE + "nft add rule inet f i tcp dport 9 drop")
    found = looked(tmp_path, five, lab.address(0))
    assert found.found == {n.address: {} for n in five}


def test_a_filter_that_refuses_is_found_by_listeners(lab: Lab, five: list[LabNode], tmp_path: Path) -> None:
    """Before the install a refusal is an open path; a listener that nobody reaches tells it from a filter."""
    two = five[1]
    two.sh(_TABLE + "nft add rule inet f i tcp dport 10250 reject")
    found = check(tmp_path, plan(as_planned(five), lab.address(0)), "--also", "paths")
    assert found.found == {n.address: {} for n in five} | {two.address: {"X-FIREWALL": "fail"}}
    assert of_cluster(found) == {}  # nobody has dialled the endpoint
    assert "10250 does not reach the listener there" in found.observed(two.address, "X-FIREWALL")


def test_a_filter_that_says_no_is_no_dead_host(lab: Lab, five: list[LabNode], tmp_path: Path) -> None:
    """What iptables of CentOS says by default: host prohibited, of a node that is there."""
    two = five[1]
    two.sh(_TABLE + "nft add rule inet f i tcp dport 6443 reject with icmp type host-prohibited")
    found = looked(tmp_path, five, lab.address(0))
    assert found.found == {n.address: {} for n in five} | {two.address: {"X-FIREWALL": "fail"}}


def test_a_node_whose_own_rules_let_nothing_out(lab: Lab, five: list[LabNode], tmp_path: Path) -> None:
    two, others = five[1], [n.address for n in five if n is not five[1]]
    chain = "nft add table inet f; nft add chain inet f o '{ type filter hook output priority 0; }'; "
    two.sh(chain + f"nft add rule inet f o ip daddr '{{ {', '.join(others)} }}' tcp dport != 22 drop")
    found = looked(tmp_path, five, lab.address(0))
    assert found.found == {n.address: {} for n in five} | {two.address: {"X-FIREWALL": "fail"}}


def test_listeners_of_a_rehearsal_end_with_whoever_began_them(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    def standing() -> bool:
        return any(":6443 " in node.sh("ss -lnt") for node in nodes)

    with started(tmp_path, plan(as_planned(nodes), lab.address(0)), "--also", "load-balancer") as process:
        deadline = time.monotonic() + 30
        while not standing():
            assert time.monotonic() < deadline
        process.kill()
    deadline = time.monotonic() + 10
    while standing():
        assert time.monotonic() < deadline


def test_a_node_that_is_lost_among_its_listeners_is_no_firewall(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    with started(tmp_path, plan(as_planned(nodes), lab.address(0)), "--also", "paths") as process:
        deadline = time.monotonic() + 30
        while ":6443 " not in nodes[2].sh("ss -lnt"):
            assert time.monotonic() < deadline
        nodes[2].sh("ip link set eth0 down")
        report = json.loads(process.communicate()[0])
    found = [v for v in report["verdicts"] if v["requirement"] == "X-FIREWALL" and v["verdict"] in ("fail", "warn")]
    assert found == []


def test_a_dead_node_is_a_state_and_no_firewall(lab: Lab, nodes: list[LabNode], tmp_path: Path) -> None:
    dead: dict[str, JsonValue] = {"address": lab.address(25), "role": "worker"}
    found = check(tmp_path, plan([*as_planned(nodes), dead], lab.address(0)))
    assert {address: state for address, state in found.states.items() if state != "checked"} == {
        lab.address(25): "unreachable"
    }
    assert {node.address: found.found[node.address] for node in nodes} == {node.address: {} for node in nodes}
    assert found.found[lab.address(25)]["X-FIREWALL"] == "unknown"


def test_clones_and_one_node_by_two_addresses(lab: Lab, tmp_path: Path) -> None:
    copied = Fault("a cloned disk", "echo 0123456789abcdef0123456789abcdef >/etc/machine-id")
    one, two, three = lab.start(NodeProfile(), NodeProfile(faults=(copied,)), NodeProfile(faults=(copied,)))
    second = lab.address(20)
    with done(one, f"ip addr add {second}/27 dev eth0", f"ip addr del {second}/27 dev eth0"):
        again: dict[str, JsonValue] = {"address": second, "role": "worker"}
        found = check(tmp_path, plan([*as_planned([one, two, three]), again], lab.address(0)))
    assert found.found[one.address].keys() <= {"X-HOSTNAME-UNIQUE", "X-FIREWALL"}
    assert found.observed(second, "XR-NODE-UNIQUE") == f"the same machine as {one.address}"
    for node, other in ((two, three), (three, two)):
        assert found.found[node.address] == {"XR-NODE-UNIQUE": "fail"}
        assert found.observed(node.address, "XR-NODE-UNIQUE") == (
            f"machine-id 0123456789abcdef0123456789abcdef, as on {other.address}"
        )


def test_bandwidth_finds_the_slow_link_and_leaves_nothing_behind(lab: Lab, tmp_path: Path) -> None:
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
    found = check(tmp_path, answers, "--also", "bandwidth", "--only", "NETCFG-BW-INTRA")
    assert found.found == {
        one.address: {"NETCFG-BW-INTRA": "unknown"},
        two.address: {"NETCFG-BW-INTRA": "fail"},
        three.address: {"NETCFG-BW-INTRA": "unknown"},
        bare.address: {},
    }
    assert f"{two.address} → {one.address}: " in found.observed(two.address, "NETCFG-BW-INTRA")
    assert "Mbit/s measured" in found.observed(two.address, "NETCFG-BW-INTRA")
    assert f"→ {bare.address}: python not found on the node" in found.observed(one.address, "NETCFG-BW-INTRA")
    for node in nodes:
        ports = node.sh("ss -lntH")
        assert ":6443" in ports if node is one else ":22" in ports
        assert not any(f":{port} " in ports for port in (2379, 2380, 10250, 11443, 6641, 6642))
