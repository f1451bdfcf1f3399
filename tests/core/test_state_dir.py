"""The state folder, which must belong to the operator."""

import os
from pathlib import Path

import pytest

from acp_tui.cli.main import main
from acp_tui.core.errors import ExitStatus
from acp_tui.core.ownership import UntrustedPath
from acp_tui.core.state_dir import state_home
from tests.support.other_users import STRANGER, needs_root


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "base"))
    return tmp_path / "base"


def test_missing_and_own_state_folder_is_used(base: Path) -> None:
    assert state_home() == base / "acp-tui"
    assert not base.exists()
    (base / "acp-tui" / "installs").mkdir(parents=True)
    assert state_home() == base / "acp-tui"


def test_state_folder_that_cannot_be_accessed_is_reported_by_its_reader(base: Path) -> None:
    base.symlink_to(base)
    assert state_home() == base / "acp-tui"


@needs_root
@pytest.mark.parametrize("owned", ["", "acp-tui", "acp-tui/installs", "acp-tui/known_hosts"])
def test_state_folder_of_another_user_ends_the_command(
    base: Path, owned: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (base / "acp-tui" / "installs").mkdir(parents=True)
    (base / "acp-tui" / "known_hosts").mkdir()
    os.chown(base / owned, STRANGER, -1)
    assert main(["status"]) == ExitStatus.COULD_NOT_RUN
    assert "belongs to the user nobody" in capsys.readouterr().err


def test_folder_in_the_state_folder_that_others_can_write_to_is_refused(base: Path) -> None:
    (base / "acp-tui" / "installs").mkdir(parents=True)
    (base / "acp-tui" / "installs").chmod(0o777)
    with pytest.raises(UntrustedPath, match="mode 777"):
        state_home()
