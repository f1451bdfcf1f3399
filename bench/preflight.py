"""Cost of the preflight, compared with the lowest possible cost and with similar tools, all in one run.

`make bench` (root, for the lab of real sshd nodes). Nodes, client and relay share the cores of this machine, so only
the ratios are meaningful. `--peers` installs Ansible and pyinfra into a temporary folder (needs a package index).
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml
from pydantic import JsonValue

from acp_tui.nodes.collectors import COLLECTORS
from acp_tui.nodes.script import LAUNCH, CollectorOutput, Reader, build
from acp_tui.nodes.ssh.connect import connect
from acp_tui.nodes.ssh.target import Target
from acp_tui.plan.known_hosts import confirmed
from bench import stubs
from bench.measure import Cost, Variant, goal, helper, in_turns, machine, median, table, timed
from bench.peers import peers
from tests.lab.kit import nodes as lab_nodes
from tests.lab.kit.check_run import plan
from tests.lab.kit.nodes import Lab, LabNode
from tests.lab.kit.profiles import NodeProfile

HERE = Path(__file__).parent
ROUND_TRIP = 20
"""Round-trip time of the slow line in milliseconds."""
UNUSED = 28
"""Number of a lab address without a node."""
AddressMap = Mapping[str, tuple[str, int]]


@dataclass(frozen=True)
class Bench:
    """Folder of the benchmark's files, and number of rounds."""

    folder: Path
    rounds: int

    def plan_file(self, name: str, answers: Mapping[str, JsonValue]) -> Path:
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(dict(answers)), encoding="utf-8")
        return file

    def child(self, variant: str, name: str, plan_file: Path, dial: AddressMap) -> Variant:
        """Return a variant that runs `child.py`; `name` is that of its order file."""
        order = self.folder / f"{name}.json"
        order.write_text(json.dumps({"plan": str(plan_file), "dial": dial}), encoding="utf-8")

        def run() -> Cost:
            process, output = timed((sys.executable, str(HERE / "child.py"), variant, str(order)))
            inside = json.loads(output)
            return Cost(process.total, process.cpu, inside["wall"], inside["cpu"], inside["grown"], inside["ends"])

        return run

    def command(self, plan_file: Path) -> Variant:
        """Return a variant that runs `acp-tui check`."""
        environment = {"XDG_STATE_HOME": str(self.folder / "state")}
        command = (sys.executable, "-m", "acp_tui", "check", str(plan_file), "--json", "--accept-new")
        return lambda: timed(command, environment=environment, good=(0, 1))[0]


def ssh_true(nodes: Sequence[LabNode]) -> Variant:
    """Return the lower limit: one `ssh NODE true` for each node, all concurrently."""
    options = "-F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
    lines = [f"ssh {options} -i {node.key_file} root@{node.address} true &" for node in nodes]
    return lambda: timed(("bash", "-c", " ".join(lines) + " wait"))[0]


def answers_of(addresses: Sequence[str], endpoint: str, **login: JsonValue) -> Mapping[str, JsonValue]:
    """Return a plan; the first three nodes are the control plane."""
    rows = [{"address": a, "role": "control-plane" if n < 3 else "worker"} for n, a in enumerate(addresses)]
    return {**plan(rows, endpoint), "ssh": {"username": "root", **login}}


async def recorded(node: LabNode) -> list[CollectorOutput]:
    """Return the output of the collectors on a node."""
    marker = "0123456789abcdef"
    login = Target(node.address, node.address, node.port, "root", key_file=node.key_file)
    reader, readings = Reader(marker), []
    connection = await connect(login, confirmed(node.host_key), lambda stage: None)
    try:
        async for block in connection.run(LAUNCH, build(COLLECTORS, marker), lambda stage: None, 30):
            readings += reader.feed(block)
    finally:
        await connection.close()
    return readings


def three_nodes(
    bench: Bench, nodes: Sequence[LabNode], balancer: str, silent: str, more: Mapping[str, Variant]
) -> None:
    """Compare the preflight with the plain script, ssh and the peers, directly and over the slow line.

    `balancer`: an endpoint that answers. `silent`: one without a host, so that connections time out."""
    key = str(nodes[0].key_file)
    addresses = [node.address for node in nodes]
    near: AddressMap = {node.address: (node.address, node.port) for node in nodes}
    file = bench.plan_file("three", answers_of(addresses, balancer, key_file=key))
    unanswered = bench.plan_file("silent", answers_of(addresses, silent, key_file=key))
    with helper("relay.py", str(ROUND_TRIP), *(f"{node.address}:{node.port}" for node in nodes)) as (ports, _):
        far: AddressMap = {node.address: ("127.0.0.1", port) for node, port in zip(nodes, ports, strict=True)}
        slow = f"{ROUND_TRIP} ms"
        costs = in_turns(
            {
                "preflight": bench.child("engine", "near", file, near),
                "plain script": bench.child("plain", "near", file, near),
                f"preflight, {slow}": bench.child("engine", "far", file, far),
                f"plain script, {slow}": bench.child("plain", "far", file, far),
                "preflight, silent endpoint": bench.child("engine", "silent", unanswered, near),
                "acp-tui check --json": bench.command(file),
                "ssh NODE true": ssh_true(nodes),
            },
            bench.rounds,
        )
    if more:
        costs |= in_turns(more, 2)
    print(f"\n## {len(nodes)} lab nodes\n\n{table(costs, 'plain script')}\n")
    inside = {name: median(rows, lambda c: c.inside) for name, rows in costs.items() if rows[0].inside is not None}
    print(goal("preflight against the plain script", inside["preflight"] / inside["plain script"], 1, "x"))
    waited = inside["preflight, silent endpoint"] / inside["plain script"]
    print(goal("the same with a silent endpoint", waited, 2, "x"))
    far_near = inside[f"preflight, {slow}"] / inside["preflight"]
    print(goal(f"preflight at {slow} against itself at 0 ms", far_near, 1.5, "x"))


def many_nodes(bench: Bench, readings: Sequence[CollectorOutput], endpoint: str) -> None:
    """Measure the client alone: the nodes are stubs that replay the output of a lab node without delay."""
    recording = bench.folder / "recording.json"
    recording.write_text(json.dumps([list(asdict(reading).values()) for reading in readings]), encoding="utf-8")
    print("\n## Many nodes (stubs in one other process)\n")
    print("| nodes | inside s | CPU ms a node | plain asyncssh CPU ms a node | KiB a node | channels | concurrent |")
    print("|---|---|---|---|---|---|---|")
    memory: dict[int, float] = {}
    per_node: dict[int, float] = {}
    opened = concurrent = 0.0
    for count in (3, 30, 100, 300):
        addresses = [stubs.address(number) for number in range(1, count + 1)]
        file = bench.plan_file(f"many{count}", answers_of(addresses, endpoint, password=stubs.PASSWORD))
        with helper("stubs.py", str(count), str(recording)) as (ports, process):
            dial: AddressMap = {a: (a, port) for a, port in zip(addresses, ports, strict=True)}
            costs = in_turns({"engine": bench.child("engine", f"many{count}", file, dial)}, max(3, bench.rounds // 2))
            channels, _ = process.communicate()
            opened, concurrent = json.loads(channels)
        with helper("stubs.py", str(count), str(recording)) as (ports, _):
            dial = {a: (a, port) for a, port in zip(addresses, ports, strict=True)}
            costs |= in_turns({"plain": bench.child("plain", f"many{count}", file, dial)}, 3)
        mine = costs["engine"]
        memory[count] = median(mine, lambda c: c.grown)
        per_node[count] = median(mine, lambda c: c.inside_cpu) / count * 1000
        plain = median(costs["plain"], lambda c: c.inside_cpu) / count * 1000
        more = (memory[count] - memory[3]) / (count - 3) if count > 3 else memory[3] / 3
        inside = median(mine, lambda c: c.inside)
        print(
            f"| {count} | {inside:.2f} | {per_node[count]:.1f} | {plain:.1f} | {more:.0f} | {opened} | {concurrent} |"
        )
    print()
    for count in (100, 300):
        print(goal(f"client CPU a node at {count} nodes", per_node[count], 10, " ms"))
        more = (memory[count] - memory[3]) / (count - 3) / 1024
        print(goal(f"memory a node at {count} nodes", more, 0.5, " MiB"))
    print(goal("channels a node", opened, 2))
    print(goal("concurrent channels of a node", concurrent, 4))


def hanging(bench: Bench, nodes: Sequence[LabNode], frozen: LabNode, unused: str, endpoint: str) -> None:
    """Measure the time of three healthy nodes with two other healthy ones, and with a frozen and a missing one."""
    key, good = str(nodes[0].key_file), [node.address for node in nodes]

    def with_fifth(address: str) -> Variant:
        addresses = [*good, frozen.address, address]
        file = bench.plan_file(address, answers_of(addresses, endpoint, key_file=key))
        return bench.child("engine", address, file, {each: (each, 22) for each in addresses})

    healthy, hanging_pass = with_fifth(endpoint), with_fifth(unused)

    def while_frozen() -> Cost:
        frozen.freeze()
        try:
            return hanging_pass()
        finally:
            frozen.thaw()

    costs = in_turns({"all healthy": healthy, "two hanging": while_frozen}, max(3, bench.rounds // 2))

    def last(cost: Cost) -> float:
        return max([cost.ends[address] for address in good])

    print("\n## Three healthy nodes of five\n")
    for name, rows in costs.items():
        total = median(rows, lambda c: c.inside)
        print(f"{name}: the healthy nodes are done after {median(rows, last):.2f} s, all after {total:.2f} s")
    more = median(costs["two hanging"], last) / median(costs["all healthy"], last)
    print(goal("time of the healthy nodes, with hanging ones against without", more, 1.25, "x"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("three", "many", "hanging"), help="run only one of the three parts")
    parser.add_argument("--rounds", type=int, default=7, help="passes of each variant (default 7)")
    parser.add_argument(
        "--peers", action="store_true", help="compare with Ansible and pyinfra, which are installed for the run"
    )
    options = parser.parse_args()
    if reason := lab_nodes.missing():
        print(reason, file=sys.stderr)
        return 3
    print(f"Measured on {machine()}. Medians of {options.rounds} (min-max); inside: after import.")
    with tempfile.TemporaryDirectory(prefix="acp-bench-") as folder, Lab() as lab:
        bench = Bench(Path(folder), options.rounds)
        nodes = lab.start(*(NodeProfile() for _ in range(5)))
        balancer, silent = nodes[4].address, lab.address(29)
        if options.only in (None, "three"):
            three_nodes(bench, nodes[:3], balancer, silent, peers(bench.folder, nodes[:3]) if options.peers else {})
        if options.only in (None, "many"):
            many_nodes(bench, asyncio.run(recorded(nodes[0])), silent)
        if options.only in (None, "hanging"):
            hanging(bench, nodes[:3], nodes[3], lab.address(UNUSED), balancer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
