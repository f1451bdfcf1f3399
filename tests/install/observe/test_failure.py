"""The description of a failed run: phase, last log lines and likely cause."""

from pathlib import Path

import pytest

from acp_tui.core.redaction import MASK
from acp_tui.install.observe.failure import failure, likely, previous_failure
from acp_tui.install.run.state import SETUP_LOG, Phase, RunSpec, RunState


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("write /var/lib/x: no space left on device", "disk is full"),
        ("Bind for 0.0.0.0:8080 failed: port is already allocated", "port is in use"),
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock", "is not running"),
        ("pod x: ImagePullBackOff", "image cannot be pulled"),
        ("x509: certificate has expired or is not yet valid", "certificate was rejected"),
        ("ssh: handshake failed: unable to authenticate", "cannot log in"),
        ("dial tcp 10.0.0.1:6443: i/o timeout", "unreachable"),
        ("setup.sh: must be root", "must run as root"),
        ("all is well", "setup.sh failed"),
        ("", "setup.sh failed"),
    ],
)
def test_likely_cause_from_log_text(log: str, cause: str) -> None:
    assert cause in likely(Phase.SETUP, log)


def state(folder: Path, failed_in: Phase) -> RunState:
    spec = RunSpec(folder, folder, ("bash",), folder / "none", "https://x", installer_log=folder / "installer.log")
    return RunState(spec, Phase.FAILED, message="it failed", failed_in=failed_in)


def test_last_lines_come_from_the_log_of_the_phase(tmp_path: Path) -> None:
    (tmp_path / SETUP_LOG).write_text("one\n\n\x1b[31mtwo\x1b[0m: no space left on device\n" + "x" * 900)
    (tmp_path / "installer.log").write_bytes(b"\xff" * 100_000 + b"\nErrImagePull\n")
    report = failure(state(tmp_path, Phase.SETUP))
    assert report.lines[:2] == ("one", "two: no space left on device")
    assert len(report.lines[2]) == 300
    assert "disk" in report.cause
    report = failure(state(tmp_path, Phase.INSTALLING))
    assert report.lines[-1] == "ErrImagePull"
    assert "pulled" in report.cause


def test_secrets_in_the_last_lines_are_masked(tmp_path: Path) -> None:
    (tmp_path / "none").write_text('{"cluster": {"ssh": [{"password": "czNjcmV0LWxvZ2lu"}]}}')  # base64
    (tmp_path / SETUP_LOG).write_text("ssh: s3cret-login\nsent czNjcmV0LWxvZ2lu\nlogin: password=unknown-1\n")
    assert failure(state(tmp_path, Phase.SETUP)).lines == (f"ssh: {MASK}", f"sent {MASK}", f"login: password={MASK}")


def test_missing_log_gives_cause_of_the_phase(tmp_path: Path) -> None:
    report = failure(state(tmp_path, Phase.POSTING))
    assert (report.lines, report.phase) == ((), Phase.POSTING)
    assert "rejected the configuration" in report.cause


@pytest.mark.parametrize(
    ("phase", "failed"),
    [
        (Phase.FAILED, True),
        (Phase.CANCELLED, True),
        (Phase.UNKNOWN, True),
        (Phase.SUCCESS, False),
        (Phase.SETUP, False),
    ],
)
def test_previous_failure_by_phase(tmp_path: Path, phase: Phase, failed: bool) -> None:
    spec = RunSpec(tmp_path, tmp_path, (), tmp_path, "")
    assert previous_failure(RunState(spec, phase)) is failed
    assert not previous_failure(None)
