"""Tests of the command `check` with an unreachable node: comparison with the last run, HTML page, usage errors."""

import json
import socket
from pathlib import Path

import pytest
from pydantic import JsonValue

from acp_tui.cli.main import main
from acp_tui.core.errors import ExitStatus
from acp_tui.plan.file import save_plan
from tests.support.factories.plans import node, valid_plan


@pytest.fixture
def closed_port(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> int:
    """A closed port of this host; the state folder is temporary."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert isinstance(port, int)
        return port


def plan_file(folder: Path, port: int, **changes: JsonValue) -> str:
    own_node: JsonValue = [node("127.0.0.1", ssh={"port": port})]
    plan = valid_plan(nodes=own_node, scenario="single-node", address={"cluster_endpoint": "127.0.0.1"}, **changes)
    save_plan(plan, folder / "plan.yaml")
    return str(folder / "plan.yaml")


def test_second_run_shows_the_changes(closed_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", plan_file(tmp_path, closed_port)]) == ExitStatus.COULD_NOT_RUN
    assert "Changes since the last report" not in capsys.readouterr().out
    main(["check", plan_file(tmp_path, closed_port)])
    shown = capsys.readouterr().out
    assert "Changes since the last report" in shown
    assert "Nothing has changed since the last preflight." in shown
    waiver: JsonValue = {"requirement": "PRE-INIT", "reason": "done by hand", "by": "j.doe"}
    main(["check", plan_file(tmp_path, closed_port, waivers=[waiver])])
    assert "waived: PRE-INIT" in capsys.readouterr().out


def test_partial_run_is_compared_but_not_saved(
    closed_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_file(tmp_path, closed_port)
    main(["check", plan, "--only", "SYS-SWAP"])
    main(["check", plan])
    assert "Changes since the last report" not in capsys.readouterr().out
    main(["check", plan, "--only", "sys-swap"])
    assert "Nothing has changed since the last preflight." in capsys.readouterr().out


def test_json_is_one_document_after_an_earlier_run_too(
    closed_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = plan_file(tmp_path, closed_port)
    main(["check", plan, "--json"])
    first = json.loads(capsys.readouterr().out)
    main(["check", plan, "--json"])
    second = json.loads(capsys.readouterr().out)
    assert first["verdicts"] == second["verdicts"]
    assert first["nodes"][0]["detail"]


def test_html_page_is_written_to_the_named_file(
    closed_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    main(["check", plan_file(tmp_path, closed_port), "--html", str(page)])
    assert "unreachable: 127.0.0.1" in page.read_text(encoding="utf-8")
    assert str(page) in capsys.readouterr().err
    assert (
        main(["check", plan_file(tmp_path, closed_port), "--html", str(tmp_path / "no" / "such.html")])
        == ExitStatus.COULD_NOT_RUN
    )


def test_unknown_requirement_is_a_usage_error(
    closed_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", plan_file(tmp_path, closed_port), "--only", "SYS-SWOP"]) == ExitStatus.USAGE
    assert "SYS-SWOP" in capsys.readouterr().err
