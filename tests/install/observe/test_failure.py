"""What a run that failed has to tell: where, with which words, and why probably."""

from pathlib import Path

import pytest

from acp_tui.install.observe.failure import failure, likely, previous_failure
from acp_tui.install.run.state import SETUP_LOG, Phase, RunSpec, RunState


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("write /var/lib/x: no space left on device", "disk is full"),
        ("Bind for 0.0.0.0:8080 failed: port is already allocated", "port is taken"),
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock", "does not run"),
        ("pod x: ImagePullBackOff", "image cannot be pulled"),
        ("x509: certificate has expired or is not yet valid", "certificate is refused"),
        ("ssh: handshake failed: unable to authenticate", "cannot log in"),
        ("dial tcp 10.0.0.1:6443: i/o timeout", "cannot be reached"),
        ("setup.sh: must be root", "needs root"),
        ("all is well", "setup.sh itself failed"),
        ("", "setup.sh itself failed"),
    ],
)
def test_the_likely_cause_is_read_from_the_words(words: str, cause: str) -> None:
    assert cause in likely(Phase.SETUP, words)


def state(folder: Path, failed_in: Phase) -> RunState:
    spec = RunSpec(folder, folder, ("bash",), folder / "none", "https://x", installer_log=folder / "installer.log")
    return RunState(spec, Phase.FAILED, message="it failed", failed_in=failed_in)


def test_the_last_words_come_from_the_log_of_the_phase(tmp_path: Path) -> None:
    (tmp_path / SETUP_LOG).write_text("one\n\n\x1b[31mtwo\x1b[0m: no space left on device\n" + "x" * 900)
    (tmp_path / "installer.log").write_bytes(b"\xff" * 100_000 + b"\nErrImagePull\n")
    found = failure(state(tmp_path, Phase.SETUP))
    assert found.lines[:2] == ("one", "two: no space left on device")
    assert len(found.lines[2]) == 300
    assert "disk" in found.cause
    found = failure(state(tmp_path, Phase.INSTALLING))
    assert found.lines[-1] == "ErrImagePull"
    assert "pulled" in found.cause


def test_without_a_log_the_phase_alone_is_told(tmp_path: Path) -> None:
    found = failure(state(tmp_path, Phase.POSTING))
    assert (found.lines, found.phase) == ((), Phase.POSTING)
    assert "refuses the configuration" in found.cause


@pytest.mark.parametrize(
    ("phase", "again"),
    [
        (Phase.FAILED, True),
        (Phase.CANCELLED, True),
        (Phase.UNKNOWN, True),
        (Phase.SUCCESS, False),
        (Phase.SETUP, False),
    ],
)
def test_what_counts_as_a_second_try(tmp_path: Path, phase: Phase, again: bool) -> None:
    spec = RunSpec(tmp_path, tmp_path, (), tmp_path, "")
    assert previous_failure(RunState(spec, phase)) is again
    assert not previous_failure(None)
