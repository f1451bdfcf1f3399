"""The shell frame of `acp-tui fix`, without a node: the reload of sshd."""

import subprocess
from pathlib import Path

import pytest

_FRAME = Path("assets/fixes/frame.sh").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("known", "status", "message"),
    [
        ("sshd", 0, ""),
        ("ssh", 0, ""),
        ("none", 1, "Unit sshd.service not found.\nUnit ssh.service not found.\n"),
    ],
)
def test_sshd_is_reloaded_by_either_unit_name_or_the_reason_is_reported(known: str, status: int, message: str) -> None:
    systemctl = f'systemctl() {{ [ "$2" = {known} ] || {{ echo "Unit $2.service not found." >&2; return 5; }}; }}'
    run = subprocess.run(
        ["bash"], input=f"{_FRAME}\n{systemctl}\nreload_sshd", text=True, capture_output=True, check=False
    )
    assert (run.returncode, run.stderr) == (status, message)
