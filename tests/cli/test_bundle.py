"""Tests of `bundle`, and of every command with a bundle: checksums come first, encrypted secrets need a passphrase.

The only node is unreachable, so a bundle is written with a report that is not ready.
"""

import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import JsonValue

from acp_tui.cli.main import main
from acp_tui.core.errors import ExitStatus
from acp_tui.install.config.differences import differences
from acp_tui.plan.file import save_plan
from acp_tui.preflight.bundle import FILES, SEALED, SUMS, check_sums
from tests.support.factories.plans import node, valid_plan

LOGIN, ADMIN = "c4nary-login", "c4nary-admin"
PHRASE = "a long passphrase"
PRIVATE = {"secrets.yaml", "installer-config.json"}
TAKES_A_PLAN = (
    ["unpack"],
    ["validate"],
    ["check"],
    ["fix", "--script"],
    ["render"],
    ["install"],
    ["wizard"],
    ["bundle"],
)
needs_gpg = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A plan file whose only node is a closed port on this host."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return _plan(tmp_path)


def _plan(folder: Path) -> Path:
    with socket.create_server(("127.0.0.1", 0)) as server:
        own_node: JsonValue = [node("127.0.0.1", ssh={"port": server.getsockname()[1]})]
    made = valid_plan(
        nodes=own_node,
        scenario="single-node",
        ssh={"password": LOGIN},
        admin={"password": ADMIN},
        address={"cluster_endpoint": "127.0.0.1", "platform": None},
    )
    (folder / "plans").mkdir()
    save_plan(made, folder / "plans" / "plan.yaml")
    return folder / "plans" / "plan.yaml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Bundles that are written once: `plain` and, if gpg is installed, `sealed`."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        plan = _plan(folder)
        (folder / "phrase").write_text(f"{PHRASE}\n")
        bundles = {"plain": bundle(plan, "plain")}
        if shutil.which("gpg"):
            bundles["sealed"] = bundle(plan, "sealed", "--passphrase-file", str(folder / "phrase"))
        yield bundles


@pytest.fixture
def plain(made: dict[str, Path], plan: Path) -> Path:
    return Path(shutil.copytree(made["plain"], plan.parent.parent / "bundle"))


@pytest.fixture
def sealed(made: dict[str, Path], plan: Path) -> Path:
    return Path(shutil.copytree(made["sealed"], plan.parent.parent / "bundle"))


@pytest.fixture
def phrase_file(tmp_path: Path) -> str:
    (tmp_path / "phrase").write_text(f"{PHRASE}\n")
    return str(tmp_path / "phrase")


def bundle(plan: Path, name: str = "bundle", *options: str) -> Path:
    """Write the bundle next to the plan's folder."""
    directory = plan.parent.parent / name
    assert main(["bundle", str(plan), str(directory), *options]) == ExitStatus.CHECK_FAILED
    return directory


def holders(directory: Path) -> set[str]:
    """Names of the files that contain a secret, plain or in base64."""
    secrets = [form for secret in (LOGIN, ADMIN) for form in (secret.encode(), b64encode(secret.encode()))]
    return {path.name for path in directory.iterdir() if any(secret in path.read_bytes() for secret in secrets)}


def test_bundle_has_the_files_of_the_contract(made: dict[str, Path]) -> None:
    directory = made["plain"]
    assert {path.name for path in directory.iterdir()} == {*FILES, SUMS}
    assert directory.stat().st_mode & 0o777 == 0o700
    assert "bash setup.sh" in (directory / "setup.txt").read_text()
    assert json.loads((directory / "preflight.json").read_text())["ready"] is False


@pytest.mark.parametrize("command", TAKES_A_PLAN, ids=lambda command: command[0])
@pytest.mark.parametrize("harm", ["change", "remove", "add", "open"])
def test_every_command_names_the_damaged_file(
    plain: Path, command: list[str], harm: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acp_tui.cli.context.need_terminal", lambda: None)
    directory, other = plain, plain.parent / "other"
    harmed = {"change": "known_hosts", "remove": "preflight.html", "add": "note.txt", "open": "secrets.yaml"}[harm]
    match harm:
        case "change" | "add":
            (directory / harmed).write_text("something else")
        case "remove":
            (directory / harmed).unlink()
        case "open":
            (directory / harmed).chmod(0o644)
    place = [str(other)] if command == ["bundle"] else []
    assert main([command[0], str(directory), *place, *command[1:]]) == ExitStatus.CHECK_FAILED
    assert harmed in capsys.readouterr().err
    assert not other.exists()


def test_bundle_without_checksums_is_damaged(plain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (plain / SUMS).unlink()
    assert main(["validate", str(plain)]) == ExitStatus.CHECK_FAILED
    assert SUMS in capsys.readouterr().err


@pytest.mark.parametrize("command", ["verify", "validate", "render"])
def test_name_that_is_too_long_is_a_file_error(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "x" * 300]) == ExitStatus.COULD_NOT_RUN
    assert capsys.readouterr().err.endswith(": File name too long\n")


@contextmanager
def another_user() -> Iterator[None]:
    """Access files as a user who owns none. This folder is open to all, although its parent is private."""
    Path.cwd().chmod(0o755)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
@pytest.mark.parametrize("command", ["validate", "render"])
def test_bundle_of_another_user_is_not_called_damaged(
    plain: Path, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(plain.parent)
    with another_user():
        assert main([command, plain.name]) == ExitStatus.COULD_NOT_RUN
    assert capsys.readouterr().err == f"{plain.name}: Permission denied\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_unreadable_file_of_a_bundle_is_not_called_changed(
    plain: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain.chmod(0o755)
    monkeypatch.chdir(plain.parent)
    with another_user():
        assert main(["validate", plain.name]) == ExitStatus.CHECK_FAILED
    assert "secrets.yaml: the file cannot be read: Permission denied" in capsys.readouterr().err


@pytest.mark.timeout(20)
def test_checksums_in_a_pipe_do_not_block(plain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (plain / SUMS).unlink()
    os.mkfifo(plain / SUMS)
    assert main(["validate", str(plain)]) == ExitStatus.CHECK_FAILED
    assert f"{SUMS}: the list of checksums is missing or invalid" in capsys.readouterr().err


def test_moved_bundle_gives_the_same_configuration(
    plain: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other-state"))
    elsewhere = tmp_path / "else" / "where"
    elsewhere.parent.mkdir()
    plain.rename(elsewhere)
    monkeypatch.chdir(elsewhere.parent)
    capsys.readouterr()
    assert main(["render", "where"]) == ExitStatus.DONE
    rendered = capsys.readouterr().out
    assert not differences(rendered, (elsewhere / "installer-config.json").read_text())
    assert main(["validate", "where"]) in (ExitStatus.DONE, ExitStatus.CHECK_FAILED)
    assert main(["bundle", "where", "again"]) == ExitStatus.CHECK_FAILED
    for name in ("plan.yaml", "secrets.yaml", "installer-config.json", "setup.txt"):
        assert (elsewhere / name).read_text() == (elsewhere.parent / "again" / name).read_text()


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


def test_bundle_without_secrets(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = bundle(plan, "bundle", "--no-secrets")
    assert {path.name for path in directory.iterdir()} == {*FILES, SUMS} - PRIVATE
    assert not holders(directory)
    capsys.readouterr()
    assert main(["render", str(directory)]) == ExitStatus.CHECK_FAILED
    shown = capsys.readouterr().err
    assert "has no secrets" in shown
    assert "admin.password" in shown


def _own_file(folder: Path) -> Path:
    (folder / "taken").mkdir()
    (folder / "taken" / "mine").touch()
    return folder / "taken"


def _plain_file(folder: Path) -> Path:
    (folder / "file").touch()
    return folder / "file"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (_own_file, "mine"),
        (_plain_file, "not a folder"),
        (lambda folder: folder / "bundle" / "inner", "inside the bundle"),
        (lambda folder: folder / "plans" / "plan.yaml" / "below", "Not a directory"),
        (lambda _folder: Path("/proc"), "mount point"),
        (lambda _folder: Path("/"), "mount point"),
    ],
)
def test_folder_that_cannot_hold_a_bundle_is_rejected(
    plan: Path, plain: Path, place: Callable[[Path], Path], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", str(plan), str(place(plan.parent.parent))]) == ExitStatus.COULD_NOT_RUN
    assert message in capsys.readouterr().err
    check_sums(plain)


def test_relative_folder_with_dots(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(plan.parent)
    assert main(["bundle", "plan.yaml", "../out/./b/../c"]) == ExitStatus.CHECK_FAILED
    check_sums(plan.parent.parent / "out" / "c")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a small file system is mounted")
def test_full_disk_leaves_no_files(plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        assert main(["bundle", str(plan), str(small / "bundle")]) == ExitStatus.COULD_NOT_RUN
        assert "No space left" in capsys.readouterr().err
        assert not list(small.iterdir())
        assert main(["bundle", str(plan), str(small)]) == ExitStatus.COULD_NOT_RUN
        assert "mount point" in capsys.readouterr().err
    finally:
        subprocess.run(["umount", small], check=True)


def test_install_rejects_a_bundle_whose_local_files_have_changed(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = plan.parent / "id"
    key.write_text("one")
    text = plan.read_text().replace("key_file: null", "key_file: id", 1)
    plan.write_text(text)
    directory = bundle(plan)
    key.write_text("another")
    capsys.readouterr()
    assert main(["install", str(directory)]) == ExitStatus.CHECK_FAILED
    shown = capsys.readouterr().err
    assert "cluster.features.machines[0].privateKey" in shown
    key.unlink()
    assert main(["install", str(directory)]) == ExitStatus.CHECK_FAILED
    assert str(key) in capsys.readouterr().err
