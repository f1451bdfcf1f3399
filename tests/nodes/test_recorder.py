"""The recorder of collector output: recordings keep their format, and one collector can be updated."""

import os
from pathlib import Path

import pytest

from acp_tui.nodes.script import CollectorOutput
from tests.support import record
from tests.support.ssh_server import HOST_KEY, SECRET, Behaviour, server


@pytest.mark.parametrize("path", record.recordings().values(), ids=lambda path: path.stem)
def test_a_recording_is_written_as_it_was_read(path: Path) -> None:
    outputs = record.parse_recording(path.read_bytes())
    assert record.parse_recording(record.format_recording(record.update(outputs, []))) == record.update(outputs, [])
    assert set(outputs) == set(record.update(outputs, []))


def test_one_collector_is_replaced_or_added_in_order() -> None:
    old = [CollectorOutput("uname", 0, "old\n"), CollectorOutput("swaps", 0, "old\n")]
    new = [CollectorOutput("swaps", 0, "new\n"), CollectorOutput("memory", 0, "new\n")]
    assert record.update(old, new) == [old[0], new[1], new[0]]


def test_collectors_of_this_host_are_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "FOLDERS", (tmp_path,))
    monkeypatch.setattr(record, "ROOT", tmp_path)
    assert record.main(["here", "--collector", "uname", "--collector", "memory"]) == 0
    assert record.main(["here", "--collector", "uname"]) == 0
    outputs = record.parse_recording((tmp_path / "here.txt").read_bytes())
    assert [output.name for output in outputs] == ["uname", "memory"]
    assert outputs[0].text.split("\n")[0] == os.uname().nodename


async def test_a_node_is_recorded_over_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(record.PASSWORD_VARIABLE, SECRET)
    async with server(Behaviour(), HOST_KEY) as port:
        login = record.Login.parse(f"root@127.0.0.1:{port}")
        outputs = await record.run_on_node(login, None, record.selected(["uname"]))
    assert [(output.name, output.status) for output in outputs] == [("uname", 0)]
