"""The record of the last remote install."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from acp_tui.core.ownership import UntrustedPath
from acp_tui.install.remote.last_remote import LastRemoteInstall, load_last_remote, save_last_remote
from tests.support.other_users import STRANGER, needs_root

REMOTE = LastRemoteInstall(Path("/root/plan.yaml"), "10.20.0.11", datetime(2026, 1, 2, tzinfo=UTC), 0)


def test_record_is_loaded_as_saved(tmp_path: Path) -> None:
    assert load_last_remote(tmp_path / "state") is None
    save_last_remote(tmp_path / "state", REMOTE)
    assert load_last_remote(tmp_path / "state") == REMOTE


@needs_root
def test_record_of_another_user_is_refused(tmp_path: Path) -> None:
    """It names the plan that `status` opens, and the node to which it connects."""
    save_last_remote(tmp_path / "state", REMOTE)
    os.chown(tmp_path / "state" / "afar.json", STRANGER, -1)
    with pytest.raises(UntrustedPath, match="belongs to the user nobody"):
        load_last_remote(tmp_path / "state")
