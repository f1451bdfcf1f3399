"""The disk test, run by bash with fio or with tools that each node has."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from acp_tui.nodes.active.disk import disk_speed_collector
from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.script import Reader, build
from tests.support.collector_shell import MARKER


@pytest.mark.parametrize(("engines", "expected"), [("psync libaio", 9000.0), ("psync", 800.0)])
def test_fio_without_libaio_measures(tmp_path: Path, engines: str, expected: float) -> None:
    fio = tmp_path / "bin/fio"
    fio.parent.mkdir()
    fio.write_text(
        "#!/bin/bash\n"
        "case $* in --version) exit ;; *ioengine=libaio*) engine=libaio iops=9000 ;; *) engine=psync iops=800 ;; esac\n"
        f"case ' {engines} ' in *\" $engine \"*) ;; *) exit 1 ;; esac\n"
        """echo '{"jobs": [{"write": {"iops": '$iops', "bw": 300000}}]}'\n"""
    )
    fio.chmod(0o755)
    shell = disk_speed_collector(str(tmp_path)).shell.replace("root || return", ":")
    collector = replace(disk_speed_collector(str(tmp_path)), shell=shell)
    environment = {**os.environ, "PATH": f"{fio.parent}:{os.environ['PATH']}"}
    program = build([collector], MARKER).encode()
    completed = subprocess.run(["bash", "-s"], input=program, capture_output=True, check=True, env=environment)
    facts = facts_from("x", Reader(MARKER).feed(completed.stdout), None, (collector,))
    assert facts.disk_speed is not None, facts.missing
    assert (facts.disk_speed.method, facts.disk_speed.rate, facts.disk_speed.missing_reason) == ("fio", expected, "")


def test_the_disk_test_measures_and_leaves_nothing(tmp_path: Path) -> None:
    """With tools that each node has."""
    shell = disk_speed_collector(str(tmp_path)).shell.replace("root || return", ":").replace("count=10000", "count=20")
    shell = shell.replace("limit 3 fio", "false").replace("tool python3", "false").replace("oflag=direct", "")
    collector = replace(disk_speed_collector(str(tmp_path)), shell=shell)
    completed = subprocess.run(
        ["bash", "-s"], input=build([collector], MARKER).encode(), capture_output=True, check=True
    )
    facts = facts_from("x", Reader(MARKER).feed(completed.stdout), None, (collector,))
    assert facts.disk_speed is not None, facts.missing
    assert (facts.disk_speed.method, facts.disk_speed.estimate) == ("dd", True)
    assert facts.disk_speed.sync_rate
    assert facts.disk_speed.throughput
    assert list(tmp_path.iterdir()) == []
