"""The support archive of real runs: complete, limited in size, written atomically, without secrets."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from acp_tui.install.config.render import render
from acp_tui.install.run.state import EVENTS_FILE, SETUP_LOG, Phase, RunSpec, RunState, log_event, write_state
from acp_tui.install.support_bundle import HEAD, TAIL, write_archive
from acp_tui.preflight.bundle import DOCUMENT, write_bundle
from tests.support.factories.plans import valid_plan
from tests.support.factories.reports import report

ADMIN, LOGIN = "cAn4ry-adm/in+7", "cAn4ry ssh-1'2\"3"
PLAN = valid_plan(
    admin={"username": "admin", "password": ADMIN},
    ssh={"username": "root", "password": LOGIN},
    kubernetes={"version": "1.31.6", "container_runtime": "containerd://1.7.27-4"},
)
FORMS = [
    form
    for secret in (ADMIN, LOGIN)
    for form in (secret, b64encode(secret.encode()).decode(), json.dumps(secret)[1:-1], secret.encode().hex())
]


@pytest.fixture
def failed(tmp_path: Path) -> RunState:
    """A run that failed during the install. Its logs contain each secret in each encoding."""
    run_dir, bundle = tmp_path / "installs" / "r1", tmp_path / "bundle"
    run_dir.mkdir(parents=True)
    write_bundle(
        PLAN, report(PLAN), {}, bundle, plan_dir=tmp_path, document=render(PLAN, tmp_path), setup_line="bash setup.sh"
    )
    log = tmp_path / "installer.log"
    spec = RunSpec(
        run_dir, tmp_path, ("bash", "setup.sh"), bundle / DOCUMENT, "https://x", bundle=bundle, installer_log=log
    )
    quoted = "\n".join(f"echo {form} done" for form in FORMS)
    (run_dir / SETUP_LOG).write_text(f"setup starts\n{quoted}\n", encoding="utf-8")
    log.write_text(f"step 1\n{quoted}\nFailed to pull image base:v1: ErrImagePull\n", encoding="utf-8")
    state = RunState(spec, Phase.FAILED, message=f"it said {ADMIN}", failed_in=Phase.INSTALLING)
    write_state(state)
    log_event(run_dir, Phase.FAILED, f"quoted: {LOGIN}")
    return state


def unpacked(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        files = {member.name.partition("/")[2]: tar.extractfile(member) for member in tar.getmembers()}
        return {name: file.read() for name, file in files.items() if file is not None}


def test_archive_has_all_files_and_no_secret(failed: RunState, tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "out.tar.gz", failed)
    files = unpacked(archive.path)
    assert set(files) >= {
        "README.txt", "versions.json", "state.json", EVENTS_FILE, SETUP_LOG, "installer.log", "bundle/plan.yaml",
        "bundle/setup.txt", "bundle/preflight.json", "SHA256SUMS",
    }  # fmt: skip
    for name, content in files.items():
        for form in FORMS:
            assert form.encode() not in content, name
    assert b"setup starts" in files[SETUP_LOG]
    readme = files["README.txt"].decode()
    assert "Failed in: install\n" in readme
    assert "cannot be pulled" in readme
    assert "ErrImagePull" in readme
    sums = files.pop("SHA256SUMS").decode()
    assert sums == "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    assert (archive.path.stat().st_mode & 0o777) == 0o600
    json.loads(files["bundle/preflight.json"])


def test_secrets_missing_from_the_bundle_are_masked_with_those_of_the_plan(failed: RunState, tmp_path: Path) -> None:
    (failed.spec.document).unlink()
    assert failed.spec.bundle is not None
    (failed.spec.bundle / "secrets.yaml").unlink()
    files = unpacked(write_archive(tmp_path / "out.tar.gz", failed, PLAN).path)
    assert not [name for name, content in files.items() for form in FORMS if form.encode() in content]


def test_long_log_is_shortened_between_lines(failed: RunState, tmp_path: Path) -> None:
    line = f"x {LOGIN} " + "y" * 200 + "\n"
    with failed.spec.installer_log.open("w", encoding="utf-8") as log:
        for _number in range(30_000):
            log.write(line)
    files = unpacked(write_archive(tmp_path / "out.tar.gz", failed).path)
    assert len(files["installer.log"]) < 1.1 * (HEAD + TAIL)
    assert b"bytes omitted" in files["installer.log"]
    assert b"cAn4ry" not in files["installer.log"]


def test_last_line_of_a_long_progress_bar_is_kept(failed: RunState, tmp_path: Path) -> None:
    """The progress bar has carriage returns and no newlines."""
    bar = f"pulling {LOGIN} 12%\r" * ((HEAD + TAIL) // 10)
    failed.spec.installer_log.write_text(bar + "no space left\r", encoding="utf-8", newline="")
    log = unpacked(write_archive(tmp_path / "out.tar.gz", failed).path)["installer.log"]
    assert log.endswith(b"12%\nno space left\n")
    assert log.startswith(b"pulling ")
    assert b"cAn4ry" not in log


def test_archive_is_written_atomically(failed: RunState, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "out.tar.gz"
    with pytest.raises(OSError, match="nowhere"):
        write_archive(path, failed)
    assert not path.exists()
    assert not list(tmp_path.glob("**/.out*"))


def test_run_without_logs_or_bundle_has_an_archive(tmp_path: Path) -> None:
    spec = RunSpec(tmp_path, tmp_path, ("bash",), tmp_path / "none", "https://x", installer_log=tmp_path / "none.log")
    files = unpacked(write_archive(tmp_path / "out.tar.gz", RunState(spec)).path)
    assert set(files) == {"README.txt", "versions.json", "SHA256SUMS"}


def test_unreadable_state_and_logs_are_in_the_archive(failed: RunState, tmp_path: Path) -> None:
    (failed.spec.run_dir / "state.json").write_text('{"phase": "inst', encoding="utf-8")
    files = unpacked(write_archive(tmp_path / "out.tar.gz", None, PLAN, run_dir=failed.spec.run_dir).path)
    assert {"state.json", EVENTS_FILE, SETUP_LOG} <= set(files)
    assert b"Cannot read the state" in files["README.txt"]
    assert not [name for name, content in files.items() for form in FORMS if form.encode() in content]


def test_archive_without_a_run_has_the_plan(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump({"admin": {"password": ADMIN}}), encoding="utf-8")
    done = command(tmp_path, "out.tar.gz", "--plan", "plan.yaml")
    assert done.returncode == 0, done.stderr
    assert "has not started an install" in done.stderr
    files = unpacked(tmp_path / "out.tar.gz")
    assert set(files) == {"README.txt", "versions.json", "plan.yaml", "SHA256SUMS"}
    assert ADMIN.encode() not in files["plan.yaml"]
    assert command(tmp_path, "bare.tar.gz").returncode == 0


def command(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    return subprocess.run(
        (sys.executable, "-m", "acp_tui", "support", *arguments),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_command_writes_the_archive_and_prints_a_copy_command(failed: RunState, tmp_path: Path) -> None:
    state_home = tmp_path / "state"
    run_dir = state_home / "acp-tui" / "installs" / "r1"
    run_dir.parent.mkdir(parents=True)
    failed.spec.run_dir.rename(run_dir)
    write_state(replace(failed, spec=replace(failed.spec, run_dir=run_dir)))
    environment = {
        **os.environ,
        "XDG_STATE_HOME": str(state_home),
        "SSH_CONNECTION": "10.0.0.9 5 10.20.0.11 22",
        "USER": "op",
    }

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = (sys.executable, "-m", "acp_tui", "support", *arguments)
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    done = run("my file.tar.gz")
    assert done.returncode == 0, done.stderr
    assert f"scp op@10.20.0.11:'{tmp_path}/my file.tar.gz' ." in done.stdout
    files = unpacked(tmp_path / "my file.tar.gz")
    assert b"Cannot query the installer node 10.20.0.11" in files["triage.txt"]
    assert not [name for name, content in files.items() for form in FORMS if form.encode() in content]
    assert run("plan.yaml").returncode == 2
    assert run("--run", str(tmp_path), "x.tar.gz").returncode == 3
    assert run("/nowhere/x.tar.gz").returncode == 3


def test_pipe_in_place_of_a_log_is_not_read(failed: RunState, tmp_path: Path) -> None:
    """A reader of the pipe would wait for a writer without end."""
    failed.spec.installer_log.unlink()
    os.mkfifo(failed.spec.installer_log)
    (failed.spec.run_dir / "state.json").unlink()
    os.mkfifo(failed.spec.run_dir / "state.json")
    names = unpacked(write_archive(tmp_path / "out.tar.gz", failed).path).keys()
    assert "installer.log" not in names
    assert "state.json" not in names
    assert SETUP_LOG in names
