"""Count the findings about the network between healthy nodes while this machine is busy.

`python -m bench.false_alarms --runs 100 --busy 4` (root) starts three lab nodes, keeps the cores busy with endless
loops, and runs the preflight again and again. `--loss 30` also drops that share of all packets that a node receives.
It prints each finding of NETCFG-LAT-INTRA, X-FIREWALL and LB-*. Without loss, no finding is right.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.lab.kit import nodes as lab_nodes
from tests.lab.kit.check_run import QUIET, as_planned, check, plan
from tests.lab.kit.nodes import Lab
from tests.lab.kit.profiles import NodeProfile

_RULES = ("NETCFG-LAT-INTRA", "X-FIREWALL", "LB-")
_LOSS = (
    "nft add table inet l; nft add chain inet l i '{{ type filter hook input priority 0; }}'; "
    "nft add rule inet l i iif lo accept; nft add rule inet l i tcp dport 22 accept; "
    "nft add rule inet l i tcp sport 22 accept; nft add rule inet l i numgen random mod 100 '<' {percent} drop"
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--busy", type=int, default=4, help="number of endless loops (default 4)")
    parser.add_argument("--loss", type=int, default=0, help="percentage of packets that each node drops")
    options = parser.parse_args()
    if reason := lab_nodes.missing():
        print(reason, file=sys.stderr)
        return 3
    found: Counter[str] = Counter()
    busy = [subprocess.Popen(("sh", "-c", "while :; do :; done")) for _ in range(options.busy)]
    try:
        with tempfile.TemporaryDirectory(prefix="acp-alarms-") as folder, Lab() as lab:
            nodes = lab.start(*(NodeProfile() for _ in range(4)))
            if options.loss:
                for node in nodes:
                    node.sh(_LOSS.format(percent=options.loss))
            answers = plan(as_planned(nodes[:3]), nodes[3].address)
            started = time.monotonic()
            for run in range(options.runs):
                checked = check(Path(folder), answers)
                alarms = [
                    verdict
                    for verdict in checked.verdicts
                    if (verdict["requirement"] or "").startswith(_RULES) and verdict["verdict"] not in QUIET
                ]
                for verdict in alarms:
                    found[f"{verdict['requirement']} {verdict['verdict']}"] += 1
                    print(run, verdict["requirement"], verdict["verdict"], verdict["observed"], flush=True)
            seconds = (time.monotonic() - started) / options.runs
    finally:
        for process in busy:
            process.kill()
            process.wait()
    print(
        f"{options.runs} runs of {seconds:.1f} s each, {options.busy} busy loops, loss {options.loss} %: {dict(found)}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
