"""A record of real nodes, judged offline: the same verdicts, without secrets and addresses."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from pydantic import JsonValue

from acp_tui.checks.catalog import catalogue
from tests.lab.kit.check_run import as_planned, check, plan
from tests.lab.kit.faults import SWAP_ON, UNKNOWN_RELEASE
from tests.lab.kit.nodes import PASSWORD, Lab
from tests.lab.kit.profiles import NodeProfile

pytestmark = pytest.mark.lab


def _count(verdicts: list[dict[str, JsonValue]]) -> Counter[tuple[JsonValue, ...]]:
    return Counter((v["requirement"], v["verdict"], v["node"] is None, v["severity"]) for v in verdicts)


def test_record_has_the_same_verdicts_without_secrets_and_addresses(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(
        NodeProfile(faults=(SWAP_ON,)), NodeProfile("centos-7.9"), NodeProfile(faults=(UNKNOWN_RELEASE,)), NodeProfile()
    )
    nodes[3].stop_sshd()
    file = tmp_path / "answers.json"
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(0)), "--record", str(file))
    assert "The record was written to" in checked.errors
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text(encoding="utf-8")
    for secret in (PASSWORD, "Correct-Horse-7", *(node.address for node in nodes)):
        assert secret not in text
    replayed = subprocess.run(
        [sys.executable, "-m", "acp_tui", "replay", str(file), "--json"], capture_output=True, text=True, check=False
    )
    assert replayed.returncode == 1, replayed.stderr
    report = json.loads(replayed.stdout)
    packages = {row.id for row in catalogue("4.0").values() if row.scope == "package"}  # not part of a record
    expected: list[dict[str, JsonValue]] = [dict(v) for v in checked.verdicts if v["requirement"] not in packages]
    assert _count([v for v in report["verdicts"] if v["requirement"] not in packages]) == _count(expected)
    assert report["partial"]
    assert [node["state"] for node in report["nodes"]] == list(checked.states.values())


def test_report_is_printed_although_the_record_cannot_be_written(lab: Lab, tmp_path: Path) -> None:
    [node] = lab.start(NodeProfile())
    answers = plan(as_planned([node]), node.address, scenario="single-node")
    checked = check(tmp_path, answers, "--only", "SYS-SWAP", "--record", str(tmp_path / "none" / "record"))
    assert checked.status == 3
    assert [v["verdict"] for v in checked.verdicts] == ["pass"]
    assert "none/record: No such file or directory" in checked.errors


def test_invalid_record_is_an_error(tmp_path: Path) -> None:
    for text, message in (("{}", "it is not a record"), ("", "it is not a record"), (None, "No such file")):
        file = tmp_path / "record"
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text)
        replayed = subprocess.run(
            [sys.executable, "-m", "acp_tui", "replay", str(file)], capture_output=True, text=True, check=False
        )
        assert replayed.returncode == 3
        assert f"Cannot read the record {file}: {message}" in replayed.stderr
