"""Measure bytes and delay of the wizard's output on an 80x24 terminal, as over a slow SSH connection.

`make bench`. A hundred nodes (stubs in a process of their own) answer in ten bursts a second, all together, while the
wizard looks at them live; nothing of the wizard is replaced.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import yaml
from pydantic import JsonValue

from bench import stubs
from bench.measure import goal, helper, machine
from bench.preflight import recorded
from tests.lab.kit.check_run import plan
from tests.lab.kit.nodes import Lab
from tests.lab.kit.profiles import NodeProfile
from tests.support.pty_terminal import Terminal

HERE = Path(__file__).parent
WIZARD = (sys.executable, "-m", "acp_tui")
CHOICES = b"Enter choose"
"""The last line of the screen that asks how to begin."""
KEYS_LINE = b"^O"
"""Part of the bottom line of every step: it comes with the step's first frame."""
UPDATES = 10
"""Bursts of news a second."""


def starts(folder: Path, rounds: int) -> None:
    """Start to the frame, turn by turn with an empty application: without and with a plan."""
    drafted = plan_file(folder, ())
    frames: dict[str, list[float]] = {"empty": [], "start": [], "step": []}
    for number in range(rounds):
        with Terminal((sys.executable, str(HERE / "empty.py")), {}) as terminal:
            frames["empty"].append(terminal.until(b"Quit"))
        with Terminal(WIZARD, {"XDG_STATE_HOME": str(folder / f"start{number}")}) as terminal:
            frames["start"].append(terminal.until(CHOICES))
        with Terminal((*WIZARD, str(drafted)), {"XDG_STATE_HOME": str(folder / f"plan{number}")}) as terminal:
            frames["step"].append(terminal.until(KEYS_LINE))
    middle = {name: statistics.median(times) for name, times in frames.items()}
    for name, times in frames.items():
        print(f"{name}: {middle[name]:.2f} s ({min(times):.2f}-{max(times):.2f})")
    print(goal("first screen against an empty application's frame", middle["start"] / middle["empty"], 1.3, "x"))
    print(goal("first step against an empty application's frame", middle["step"] / middle["empty"], 1.3, "x"))


def plan_file(folder: Path, ports: Sequence[int]) -> Path:
    rows: list[Mapping[str, JsonValue]] = [
        {"address": stubs.address(n), "role": "control-plane" if n < 4 else "worker", "ssh": {"port": port}}
        for n, port in enumerate(ports, 1)
    ]
    answers = {**plan(rows, "127.0.1.200"), "ssh": {"username": stubs.USERNAME, "password": stubs.PASSWORD}}
    file = folder / "plan.yaml"
    file.write_text(yaml.safe_dump(answers), encoding="utf-8")
    return file


def live(folder: Path, step: str, key: bytes, title: bytes, recording: Path, count: int) -> None:
    """Bytes and CPU while `count` nodes answer, at rest, and for an arrow key, in one step of the wizard."""
    with helper("stubs.py", str(count), str(recording), str(count / UPDATES)) as (ports, _):
        environment = {"XDG_STATE_HOME": str(folder / f"live-{step}")}
        with Terminal((*WIZARD, str(plan_file(folder, ports))), environment) as terminal:
            terminal.until(KEYS_LINE)
            terminal.press(b"\x1b")
            terminal.until(b"Enter choose")
            terminal.press(key)
            terminal.until(title)
            terminal.read(8)  # all are logged in by then
            cpu, seconds = terminal.cpu, 15
            rate = terminal.read(seconds) / seconds
            share = (terminal.cpu - cpu) / seconds
            terminal.quiet(10, patience=120)  # all have told everything
            rest = terminal.read(5)
            moves = []
            for _ in range(10):
                terminal.press(b"\x1b[B")
                moves.append(terminal.quiet())
    print(f"\n{step}: {rate:.0f} bytes/s and {share * 100:.0f} % of a core while {count} nodes answer")
    print(goal("bytes a second", rate, 3000))
    print(goal("bytes in 5 s at rest", rest, 0))
    print(goal(f"bytes an arrow key ({min(moves)}-{max(moves)})", statistics.median(moves), 580))


STEPS: Mapping[str, tuple[bytes, bytes]] = {
    "package": (b"1", b"Package:"),
    "nodes": (b"2", b"Nodes: a"),
    "preflight": (b"8", b"nodes checked"),
}
"""Step → its key in the menu, and words that only it shows."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="starts of each (default 7)")
    parser.add_argument("--nodes", type=int, default=100, help="nodes of the live part (default 100)")
    parser.add_argument("--step", choices=STEPS, action="append", help="this step alone; may be repeated")
    options = parser.parse_args()
    print(f"Measured on {machine()}.\n\n## Start to the frame, median (min-max)\n")
    with tempfile.TemporaryDirectory(prefix="acp-bench-") as name:
        folder = Path(name)
        if options.rounds:
            starts(folder, options.rounds)
        with Lab() as lab:
            readings = asyncio.run(recorded(lab.start(NodeProfile())[0]))
        recording = folder / "recording.json"
        recording.write_text(json.dumps([list(asdict(reading).values()) for reading in readings]), encoding="utf-8")
        print(f"\n## Live, {UPDATES} updates a second")
        for step in options.step or STEPS:
            live(folder, step, *STEPS[step], recording, options.nodes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
