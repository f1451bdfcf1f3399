"""Foreign text in the output of the commands cannot control the terminal, and no encoding ends a command."""

import ast
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from acp_tui.cli import main as cli
from acp_tui.cli.context import print_err, print_json, print_out
from acp_tui.cli.main import main
from acp_tui.core.errors import ExitStatus
from acp_tui.core.text import sanitize

HOSTILE = "\x1b]0;title\x07\x1b[2J\u202e\u061c\x9b1m\udc80"
ROOT = Path(__file__).parents[2]


def run(arguments: Sequence[str | bytes], **environment: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "acp_tui", *arguments], cwd=ROOT, env=environment, capture_output=True, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [HOSTILE],
        ["validate", f"/no/such/{HOSTILE}"],
        ["check", "plan.yaml", HOSTILE],
        ["explain", HOSTILE],
        ["explain", f"--{HOSTILE}"],
        ["explain", "--release", HOSTILE],
        ["support", HOSTILE],
    ],
)
def test_arguments_in_messages_are_sanitised(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    status: object
    try:
        status = main(arguments)
    except SystemExit as ended:  # from argparse
        status = ended.code
    assert status != ExitStatus.DONE
    written = "".join(capsys.readouterr())
    assert written == sanitize(written, limit=None) != ""


def test_results_messages_and_json_are_sanitised(capsys: pytest.CaptureFixture[str]) -> None:
    print_out(f"result {HOSTILE}")
    print_err(f"message {HOSTILE}")
    print_json({"value": HOSTILE})
    out, err = capsys.readouterr()
    assert out.startswith("result \n{")
    assert json.loads(out.partition("\n")[2]) == {"value": HOSTILE}
    assert out == sanitize(out, limit=None)
    assert err == "message \n"


def test_report_of_a_crash_is_sanitised(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def build() -> None:
        raise ValueError(f"broken {HOSTILE}; password: c4nary")

    monkeypatch.setattr(cli, "build_parser", build)
    assert main([]) == ExitStatus.COULD_NOT_RUN
    written = capsys.readouterr().err
    assert "ValueError: broken" in written
    assert "acp-tui crashed because of an internal error." in written
    assert "c4nary" not in written
    assert written == sanitize(written, limit=None)


def test_output_without_utf8_does_not_end_a_command(tmp_path: Path) -> None:
    plan = tmp_path / "plän-\u4e2d.yaml"
    plan.write_text("release: '4.0'\nadmin: {username: \u4e2d}\n", encoding="utf-8")
    for encoding in ("ascii", "latin-1"):
        shown = run(["validate", str(plan)], PYTHONIOENCODING=encoding, PYTHONUTF8="0")
        assert shown.returncode == ExitStatus.CHECK_FAILED, shown.stderr
        as_json = run(["validate", "--json", str(plan)], PYTHONIOENCODING=encoding, PYTHONUTF8="0")
        assert json.loads(as_json.stdout.decode("ascii"))["ready"] is False


def test_file_name_that_is_not_utf8_does_not_end_a_command(tmp_path: Path) -> None:
    missing = run([b"validate", bytes(tmp_path) + b"/\xff\x9b2J.yaml"], LC_ALL="C.UTF-8")
    assert missing.returncode == ExitStatus.COULD_NOT_RUN
    assert b"file not found" in missing.stderr
    assert b"Traceback" not in missing.stderr


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
@pytest.mark.parametrize("arguments", [["check", "plan.yaml"], ["validate", "--json", "plan.yaml"], ["wizard"]])
def test_closed_standard_stream_does_not_end_a_command(
    tmp_path: Path, arguments: list[str], closed: tuple[int, ...]
) -> None:
    (tmp_path / "plan.yaml").write_text("ssh: {password: c4nary}\nnodes: [{address: 127.0.0.1, ssh: {port: 1}}]\n")
    close = " ".join(f"{number}>&-" for number in closed)
    program = f'"$0" -m acp_tui "$@" {close}'
    environment = {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(
        ["sh", "-c", program, sys.executable, *arguments],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    expected = {"check": ExitStatus.COULD_NOT_RUN, "validate": ExitStatus.CHECK_FAILED, "wizard": ExitStatus.USAGE}
    assert ended.returncode == expected[arguments[0]]
    assert b"Traceback" not in ended.stderr


def test_only_one_module_writes_to_the_terminal() -> None:
    found = set()
    for path in [*(ROOT / "acp_tui").rglob("*.py"), *(ROOT / "screens").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            written = isinstance(node, ast.Call) and ast.unparse(node.func)
            if written in ("print", "input", "sys.stdout.write", "sys.stderr.write"):
                found.add(str(path.relative_to(ROOT)))
    assert found == {
        "acp_tui/cli/terminal.py",
        "acp_tui/install/run/state_recorder.py",  # writes to the log of the runner, which has no terminal
        "screens/steps/remote_install.py",  # prints one fixed sentence
    }
