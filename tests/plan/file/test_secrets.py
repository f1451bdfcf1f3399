"""Secrets of a plan: one line of text from every source, and files that other users must not read."""

import os
from pathlib import Path

import pytest

from acp_tui.plan.file import read_plan, save_plan, secret_values
from acp_tui.plan.model import Plan
from acp_tui.plan.paths import InvalidValue, with_answers

ONE_LINE = "the secret must be one line without control characters"
MARK = "the secret contains a byte order mark (U+FEFF)"
CANARY = "c4nary"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{CANARY}", ""),
        (f"{CANARY}\n", ""),
        (f"{CANARY}\r\n", ""),
        (f" {CANARY} ", ""),
        (f"{CANARY}\n\n", ONE_LINE),
        (f"-----BEGIN OPENSSH PRIVATE KEY-----\n{CANARY}\n", ONE_LINE),
        (f"root:{CANARY}:1::\nbin:*:1::\n", ONE_LINE),
        (f"a\t{CANARY}", ONE_LINE),
        (f"a\x00{CANARY}", ONE_LINE),
        (f"a\x7f{CANARY}", ONE_LINE),
        (f"a\x85{CANARY}", ONE_LINE),
        (f"a\u2028{CANARY}", ONE_LINE),
        (f"\ufeff{CANARY}", MARK),
        (f"{CANARY}\ufeff\n", MARK),
    ],
)
@pytest.mark.parametrize("path", ["admin.password", "ssh.key_passphrase", "registry.password"])
def test_secret_from_a_file_is_one_line(tmp_path: Path, path: str, content: str, message: str) -> None:
    section, key = path.split(".")
    (tmp_path / "secret").write_bytes(content.encode())
    (tmp_path / "plan.yaml").write_text(f"acp_tui: 1\n{section}: {{{key}: {{file: secret}}}}\n")
    reading = read_plan(tmp_path / "plan.yaml")
    if message:
        [problem] = reading.problems
        assert str(problem).startswith(f"plan.yaml:2 {path}: {message}")
        assert CANARY not in str(problem)
    else:
        assert reading.plan is not None
        assert secret_values(reading.plan)[path].strip() == CANARY


@pytest.mark.parametrize("value", [f'"a\\n{CANARY}"', f'"\\uFEFF{CANARY}"', f"|\n    a\n    {CANARY}\n"])
@pytest.mark.parametrize("name", ["plan.yaml", "secrets.yaml"])
def test_secret_in_a_yaml_file_is_one_line(tmp_path: Path, name: str, value: str) -> None:
    (tmp_path / "plan.yaml").touch()
    (tmp_path / name).write_text(f"ssh:\n  password: {value}\n")
    [problem] = read_plan(tmp_path / "plan.yaml").problems
    assert (problem.file, problem.path) == (name, "ssh.password")
    assert CANARY not in str(problem)


def test_secret_from_a_variable_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", f"a\n{CANARY}")
    (tmp_path / "plan.yaml").write_text("admin: {password: {env: A_SECRET}}\n")
    [problem] = read_plan(tmp_path / "plan.yaml").problems
    assert problem.message.startswith(ONE_LINE)


@pytest.mark.parametrize(("typed", "message"), [(f"\ufeff{CANARY}", MARK), (f"{CANARY}\x1b[A", ONE_LINE)])
def test_typed_secret_is_one_line(typed: str, message: str) -> None:
    with pytest.raises(InvalidValue) as invalid:
        with_answers(Plan(), {"ssh.password": typed})
    assert invalid.value.errors[0].message.startswith(message)


@pytest.mark.parametrize(
    ("text", "mode", "warns"),
    [
        ("admin: {password: pw}\n", 0o644, True),
        ("admin: {password: pw}\n", 0o640, True),
        ("nodes: [{address: 10.0.0.1, ssh: {password: pw}}]\n", 0o604, True),
        ("admin: {password: pw}\n", 0o600, False),
        ("admin: {password: {env: HOME}}\n", 0o644, False),
        ("admin: {username: me, password: ''}\n", 0o644, False),
    ],
)
@pytest.mark.parametrize("name", ["plan.yaml", "secrets.yaml"])
def test_secrets_that_others_can_read_give_a_warning(
    tmp_path: Path, name: str, text: str, mode: int, warns: bool
) -> None:
    (tmp_path / "plan.yaml").touch()
    path = tmp_path / name
    path.write_text(text)
    path.chmod(mode)
    warnings = read_plan(tmp_path / "plan.yaml").warnings
    expected = f"{path} contains secrets, and other users can read it (mode {mode:o}). Run: chmod 600 {path}"
    assert warnings == ((expected,) if warns else ())


def test_written_files_give_no_warning(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        save_plan(with_answers(Plan(), {"admin.password": CANARY}), tmp_path / "plan.yaml")
    finally:
        os.umask(before)
    assert read_plan(tmp_path / "plan.yaml").warnings == ()


@pytest.mark.parametrize("name", ['"\\ud800"', '"a\\0b"'], ids=["surrogate", "null character"])
@pytest.mark.parametrize("key", ["password: {env: %s}", "password: {file: %s}", "key_file: %s"])
def test_name_that_no_file_or_variable_can_have_is_an_error(key: str, name: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"ssh: {{{key % name}}}\n", encoding="utf-8")
    [problem] = read_plan(plan).problems
    assert (problem.line, problem.path) == (1, f"ssh.{key.partition(':')[0]}")
