"""The archive for a node without acp-tui: complete, minimal and reproducible."""

import os
import subprocess
import sys
import tarfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import acp_tui
from acp_tui.install.remote.last_remote import LastRemoteInstall, load_last_remote, save_last_remote
from acp_tui.install.remote.self_archive import SelfArchive, pack, this_program


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = tmp_path_factory.mktemp("archive") / "program.tar.gz"
    pack(this_program(), archive)
    return archive


def test_unpacked_archive_runs_with_bare_python(packed: Path, tmp_path: Path) -> None:
    with tarfile.open(packed) as tar:
        tar.extractall(tmp_path, filter="data")
    python = Path(sys.base_prefix, "bin", "python3")
    code = "import acp_tui.cli.actions.install as one, screens.app, httpx; print(one.__file__, httpx.__file__)"
    done = subprocess.run(
        (python, "-s", "-c", code),
        cwd="/",
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [
        str(tmp_path / "acp_tui/cli/actions/install.py"),
        str(tmp_path / "httpx/__init__.py"),
    ]


def test_archive_has_no_development_files_and_root_owns_all_entries(packed: Path) -> None:
    with tarfile.open(packed) as tar:
        names = tar.getnames()
        owners = {(entry.uid, entry.gid, entry.uname) for entry in tar}
    assert {"assets/acp.tcss", "screens/app.py", "pydantic/__init__.py", "bcrypt/__init__.py"} <= set(names)
    tops = {name.split("/")[0] for name in names}
    assert not {"tests", ".git", "pytest", "mypy", "babel", "ruff"} & tops
    assert not [name for name in names if name.endswith(".pyc") or name.startswith(("/", "..")) or "/../" in name]
    assert owners == {(0, 0, "root")}


def test_archive_is_reproducible(packed: Path, tmp_path: Path) -> None:
    pack(this_program(), tmp_path / "again.tar.gz")
    assert (tmp_path / "again.tar.gz").read_bytes() == packed.read_bytes()


def test_complete_program_folder_is_packed_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("python", "usr/lib/os.py", "usr/lib/acp_tui/__init__.py", "usr/lib/__pycache__/os.pyc"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name, encoding="ascii")
    (tmp_path / "python").chmod(0o755)
    (tmp_path / "usr/lib/link").symlink_to("os.py")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(os, "__file__", str(tmp_path / "usr/lib/os.py"))
    monkeypatch.setattr(acp_tui, "__file__", str(tmp_path / "usr/lib/acp_tui/__init__.py"))
    program = this_program()
    assert program.launcher == "python"
    pack(program, tmp_path.parent / "folder.tar.gz")
    with tarfile.open(tmp_path.parent / "folder.tar.gz") as tar:
        assert tar.getmember("python").mode & 0o111
        assert tar.getmember("usr/lib/link").linkname == "os.py"
        assert "usr/lib/__pycache__/os.pyc" in tar.getnames()


def test_system_python_is_not_a_complete_folder() -> None:
    assert this_program().launcher == ""
    assert this_program() == SelfArchive(this_program().files, "")


def test_last_remote_install_is_saved_and_loaded(tmp_path: Path) -> None:
    record = LastRemoteInstall(Path("/root/plan.yaml"), "10.20.0.11", datetime(2026, 1, 2, tzinfo=UTC))
    assert load_last_remote(tmp_path) is None
    save_last_remote(tmp_path / "state", record)
    assert load_last_remote(tmp_path / "state") == record
    save_last_remote(tmp_path / "state", replace(record, ended=1))
    assert load_last_remote(tmp_path / "state") == replace(record, ended=1)
    assert (tmp_path / "state/afar.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"plan": 1, "address": 2, "started": 3}', "\udcff"])
def test_invalid_record_is_ignored(tmp_path: Path, text: str) -> None:
    (tmp_path / "afar.json").write_text(text, encoding="utf-8", errors="surrogateescape")
    assert load_last_remote(tmp_path) is None


@pytest.mark.parametrize(
    "content",
    ["[" * 50_000, "9" * 50_000, '{"started": "0001-01-01T00:00:00+23:00"}',
     '{"started": "2026-01-01T00:00:00", "ended": 1e999, "plan": "p", "address": "a"}'],
    ids=["deep", "digits", "year 1", "infinite"],
)  # fmt: skip
def test_damaged_record_of_a_remote_install_counts_as_missing(content: str, tmp_path: Path) -> None:
    record = LastRemoteInstall(Path("/root/plan.yaml"), "10.20.0.11", datetime(2026, 1, 2, tzinfo=UTC))
    save_last_remote(tmp_path / "state", record)
    (tmp_path / "state/afar.json").write_text(content)
    assert load_last_remote(tmp_path / "state") is None
