"""One measured pass in a new process without warm caches; it prints its cost as JSON.

`python child.py VARIANT ORDER`, where ORDER is a JSON file: the plan file, and host and port for each address.
Imports are done before the clock starts; the driver measures the process from outside.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Order:
    plan: Path
    dial: Mapping[str, tuple[str, int]]

    @classmethod
    def read(cls, file: Path) -> "Order":
        order = json.loads(file.read_text(encoding="utf-8"))
        return cls(Path(order["plan"]), {address: (host, port) for address, (host, port) in order["dial"].items()})


Pass = Callable[[], Coroutine[None, None, Mapping[str, float]]]
"""One pass; it returns the end of each node on the clock `time.perf_counter`."""


def _engine(order: Order) -> Pass:
    """Return a pass of the preflight as the command and the wizard run it."""
    from acp_tui.nodes.events import LocalFactsDone, NodeFinished
    from acp_tui.nodes.ssh.address_map import AddressMap
    from acp_tui.plan.file import load_plan
    from acp_tui.plan.known_hosts import confirmed
    from acp_tui.preflight.host_keys import read_host_keys
    from acp_tui.preflight.run import PreflightDone, preflight

    plan = load_plan(order.plan)
    dial: AddressMap = lambda address, port: order.dial[address]  # noqa: E731
    read = asyncio.run(read_host_keys(plan, [node.address for node in plan.nodes], dial))
    known = {address: confirmed(key) for address, key in read.items() if isinstance(key, str)}

    async def go() -> Mapping[str, float]:
        ends: dict[str, float] = {}
        async for event in preflight(plan, known_hosts=known, address_map=dial):
            if isinstance(event, LocalFactsDone | NodeFinished):
                ends.setdefault(event.address, time.perf_counter())
            elif isinstance(event, PreflightDone):
                assert event.report.verdicts
        return ends

    return go


def _plain(order: Order) -> Pass:
    """Return a pass of one plain script with asyncssh: no stages, frames, facts or verdicts."""
    import asyncssh

    from acp_tui.plan.file import load_plan

    plan = load_plan(order.plan)
    script = (HERE / "plain.sh").read_text(encoding="ascii")

    async def one(address: str, key: str | None, password: str | None) -> tuple[str, float]:
        host, port = order.dial[address]
        keys = [key] if key else None
        async with asyncssh.connect(
            host, port, username="root", client_keys=keys, password=password, known_hosts=None, config=None
        ) as node:
            done = await node.run("bash -s", input=script)
        assert done.stdout
        return address, time.perf_counter()

    async def go() -> Mapping[str, float]:
        logins = {node.address: plan.login(node) for node in plan.nodes}
        return dict(
            await asyncio.gather(
                *(
                    one(address, login.key_file, login.password.get_secret_value() if login.password else None)
                    for address, login in logins.items()
                )
            )
        )

    return go


VARIANTS: Mapping[str, Callable[[Order], Pass]] = {"engine": _engine, "plain": _plain}


def main(variant: str, file: Path) -> None:
    go = VARIANTS[variant](Order.read(file))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu, start = time.process_time(), time.perf_counter()
    ends = asyncio.run(go())
    result = {
        "wall": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
        "grown": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before,
        "ends": {address: end - start for address, end in ends.items()},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
