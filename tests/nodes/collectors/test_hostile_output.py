"""Output that is written to slow a parser down or to make it fail: parsed at once, and the fact is missing."""

import time

import pytest

from acp_tui.nodes.active.disk import disk_speed_collector
from acp_tui.nodes.collectors import COLLECTORS, facts_from
from acp_tui.nodes.fact_types import Interface
from acp_tui.nodes.script import MAX_OUTPUT, CollectorOutput

SECONDS = 3
LONG = MAX_OUTPUT - 100
RAID = "\n".join(f"block a{i} 1:{i} 0 - {' '.join(f'a{j}' for j in range(30))}" for i in range(30))
"""Devices that consist of each other. The number of paths through them grows exponentially."""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("filesystems", "/|x" + " " * LONG + "x"),
        ("filesystems", "/|x" + " 1" * (LONG // 2)),
        ("interfaces", "1: " + "a@" * (LONG // 2)),
        ("interfaces", "1: a inet " + "1" * LONG),
        ("interfaces", "proc\nsix " + "0" * 32 + " 02 " + "f" * LONG + " 00 80 eth0"),
        ("disks", f"path / /\nmount 1:0 / /dev/a0\n{RAID}"),
        ("steal", "cpu " + "1" * 99),
        ("listeners", "ss " + " a:1" * (LONG // 4)),
        ("memory", "MemTotal: " + "9" * LONG + " kB"),
        ("cpu", "processor: 0\ncpu MHz: " + "9" * LONG),
    ],
    ids=lambda value: str(value)[:20],
)
def test_output_of_a_collector(name: str, text: str) -> None:
    started = time.process_time()
    facts_from("10.0.0.1", [CollectorOutput(name, 0, text)])
    assert time.process_time() - started < SECONDS


def test_prefix_that_no_address_has_is_ignored() -> None:
    loopback = "six " + "0" * 31 + "1 01 80 10 80 lo"
    output = CollectorOutput(
        "interfaces", 0, f"proc\n{loopback}\nsix " + "0" * 32 + " 02 " + "f" * LONG + " 00 80 eth0"
    )
    assert facts_from("10.0.0.1", [output]).interfaces == (Interface("lo", "::1", 128),)


def test_disks_of_a_raid_are_its_lowest_devices() -> None:
    """md0 consists of a partition of sda and of sdb, and a volume is on md0."""
    rows = ("path / /", "mount 253:0 / /dev/mapper/v", "block dm-0 253:0 0 v md0", "block md0 9:0 0 - sda1 sdb",
            "block sda 8:0 0 -", "part sda sda1 8:1", "block sdb 8:16 1 -")  # fmt: skip
    facts = facts_from("10.0.0.1", [CollectorOutput("disks", 0, "\n".join(rows))])
    assert facts.disks is not None
    assert [(disk.device, disk.rotational) for disk in facts.disks] == [("sda", False), ("sdb", True)]


@pytest.mark.parametrize(
    "rows",
    [
        'method fio\nrate {"jobs": [{"write": {"iops": NaN}}]}',
        'method fio\nrate {"jobs": [{"write": {"iops": 1e999}}]}',
        'method fio\nrate {"jobs": [{"write": {"iops": 1%s}}]}' % ("0" * 400),
        'method fio\nrate {"jobs": [{"write": {"iops": 1%s}}]}' % ("0" * 200_000),
        "method fio\nrate {" + "[" * 100_000,
        "method dd\nsync " + "1 bytes " * (LONG // 8),
        "method dd\nsync 1 bytes copied, 1..2 s",
        "method python3\nrate " + "9" * LONG,
    ],
    ids=["NaN", "infinite", "400 digits", "200,000 digits", "deep", "many numbers", "two points", "long"],
)
def test_output_of_the_disk_test(rows: str) -> None:
    collector = disk_speed_collector("/var/lib/etcd")
    started = time.process_time()
    facts = facts_from("10.0.0.1", [CollectorOutput("disk_speed", 0, rows)], collectors=(collector,))
    assert time.process_time() - started < SECONDS
    assert facts.disk_speed is None or facts.disk_speed.rate is None


def test_every_collector_survives_one_long_line() -> None:
    for collector in COLLECTORS:
        for text in (" ", "1", "a", "a=", "1.", "/", ":", "a:1 "):
            started = time.process_time()
            facts_from("10.0.0.1", [CollectorOutput(collector.name, 0, text * (LONG // len(text)))])
            assert time.process_time() - started < SECONDS, (collector.name, text)
