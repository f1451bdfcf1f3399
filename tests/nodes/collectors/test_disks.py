"""Collectors of disks and file systems."""

from pathlib import Path

import pytest

from acp_tui.nodes.collectors import COLLECTORS
from acp_tui.nodes.fact_types import Disk
from acp_tui.nodes.script import CollectorOutput
from tests.support.collector_shell import facts_of


def test_disk_of_a_linked_folder_is_that_of_its_target() -> None:
    [disks] = [collector for collector in COLLECTORS if collector.name == "disks"]
    text = """path / /
path /var/lib/etcd /data/etcd
mount 8:1 / /dev/sda1
mount 8:16 /data /dev/sdb
block sda 8:0 0 -
part sda sda1 8:1
block sdb 8:16 1 -
"""
    facts = disks.parse(CollectorOutput("disks", 0, text))
    assert facts == {"disks": (Disk("/", "sda", False), Disk("/var/lib/etcd", "sdb", True))}


def test_sizes_if_df_hangs_or_omits_a_row(tmp_path: Path) -> None:
    tools = {"df": "exec sleep 60", "stat": "for i in {1..8}; do echo 4096 1000000 400000 300000; done"}
    facts = facts_of("filesystems", tmp_path, tools=tools)
    assert facts.filesystems is not None
    assert {(f.size, f.used, f.available) for f in facts.filesystems} == {(4096000000, 2457600000, 1228800000)}
    assert [f.path for f in facts.filesystems][:3] == ["/", "/var/lib", "/var/lib/etcd"]


@pytest.mark.parametrize(
    ("model", "combined"),
    [
        ("DELL PERC H740P Mini", True),
        ("AVAGO MR9361-8i", True),
        ("HP LOGICAL VOLUME", True),
        ("EMC SYMMETRIX", True),
        ("HUAWEI XSG1", True),
        ("ATA SAMSUNG MZ7LH960", False),
        ("SEAGATE ST4000NM0025", False),
        ("HUAWEI HWE52SS3960L005N", False),
        ("", False),
    ],
)
def test_disk_of_a_controller(model: str, combined: bool) -> None:
    [disks] = [collector for collector in COLLECTORS if collector.name == "disks"]
    text = f"path / /\nmount 8:0 / /dev/sda\nblock sda 8:0 1 -\nmodel sda {model}\n"
    assert disks.parse(CollectorOutput("disks", 0, text)) == {"disks": (Disk("/", "sda", True, combined),)}
