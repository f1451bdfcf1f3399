"""Encrypted bundles: how they are written, and every command that reads one needs the passphrase."""

import getpass
import subprocess
import sys
from pathlib import Path

import pytest

from acp_tui.cli.main import main
from acp_tui.core.errors import ExitStatus
from acp_tui.preflight.bundle import FILES, SEALED, SUMS, check_sums
from tests.support.bundles import LOGIN, PHRASE, PRIVATE, TAKES_A_PLAN, bundle, holders
from tests.support.gpg_signer import needs_gpg


@needs_gpg
def test_bundle_encrypted_with_a_passphrase(sealed: Path, phrase_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    directory = sealed
    names = {path.name for path in directory.iterdir()}
    assert names == {*FILES, SUMS} - PRIVATE | {name + SEALED for name in PRIVATE}
    assert all((directory / (name + SEALED)).stat().st_mode & 0o777 == 0o600 for name in PRIVATE)
    assert not holders(directory)
    check_sums(directory)
    done = subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=directory, capture_output=True)
    assert done.returncode == 0
    capsys.readouterr()
    assert main(["render", str(directory), "--passphrase-file", phrase_file]) == ExitStatus.DONE
    rendered = capsys.readouterr().out
    assert '"ip": "127.0.0.1"' in rendered
    # Decrypted by gpg alone, without acp-tui.
    command = ["gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase-file", phrase_file, "--decrypt"]
    plain = subprocess.run([*command, directory / "secrets.yaml.gpg"], capture_output=True, check=True)
    assert LOGIN.encode() in plain.stdout


@needs_gpg
@pytest.mark.parametrize("command", TAKES_A_PLAN, ids=lambda command: command[0])
def test_missing_passphrase_is_an_error_without_a_terminal(
    sealed: Path, command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acp_tui.cli.context.need_terminal", lambda: None)
    wrong, place = sealed.parent / "wrong", [str(sealed.parent / "other")] if command == ["bundle"] else []
    wrong.write_text("no\n")
    arguments = [command[0], str(sealed), *place, *command[1:]]
    assert main(arguments) == ExitStatus.COULD_NOT_RUN
    assert "--passphrase-file" in capsys.readouterr().err
    assert main([*arguments, "--passphrase-file", str(wrong)]) == ExitStatus.COULD_NOT_RUN
    assert "wrong passphrase" in capsys.readouterr().err


@needs_gpg
def test_terminal_asks_for_the_passphrase(
    plan: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = [PHRASE, PHRASE, "wrong", PHRASE]
    monkeypatch.setattr(getpass, "getpass", lambda _question: typed.pop(0))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    directory = bundle(plan, "bundle", "--encrypt")
    assert main(["render", str(directory)]) == ExitStatus.DONE
    assert not typed
    assert "wrong passphrase" in capsys.readouterr().err


@needs_gpg
@pytest.mark.parametrize("options", [["--encrypt"], ["--encrypt-to", "no-such-file"], ["--encrypt-to", "0" * 40]])
def test_impossible_encryption_fails_before_a_node_is_contacted(
    plan: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    directory = plan.parent / "bundle"
    assert main(["bundle", str(plan), str(directory), *options]) == ExitStatus.COULD_NOT_RUN
    shown = capsys.readouterr().err
    assert "127.0.0.1" not in shown
    assert not directory.exists()
