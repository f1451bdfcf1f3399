"""The draft of the wizard: saving, loading, locking, and no secrets in it."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from acp_tui.core.ownership import UntrustedPath
from acp_tui.plan.draft import hold, last_unfinished, load, new_draft, save
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.admin import Admin
from acp_tui.plan.sections.node import Node
from tests.support.other_users import STRANGER, needs_root

CANARY = "canary-1d77e0"


def test_draft_is_loaded_as_saved_without_secrets(tmp_path: Path) -> None:
    plan = Plan(admin=Admin(password=SecretStr(CANARY)), nodes=(Node(address="10.0.0.1"),))
    draft = replace(
        new_draft(tmp_path, plan), step="network", visited=frozenset({"package"}), invalid_input={"address.vrid": "x"}
    )
    save(draft)
    loaded = load(draft.folder)
    assert loaded.plan.nodes == plan.nodes
    assert (loaded.step, loaded.visited) == ("network", frozenset({"package"}))
    assert loaded.invalid_input == {"address.vrid": "x"}
    assert loaded.plan.admin.password is None
    assert loaded.secrets_asked == {"admin.password"}
    assert all(CANARY.encode() not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_draft_is_accessible_only_to_its_owner(tmp_path: Path) -> None:
    draft = new_draft(tmp_path / "acp-tui", Plan())
    save(draft)
    assert draft.folder.stat().st_mode & 0o777 == 0o700
    assert all(file.stat().st_mode & 0o077 == 0 for file in draft.folder.iterdir())


def test_last_draft_not_open_in_another_wizard_is_found(tmp_path: Path) -> None:
    assert last_unfinished(tmp_path) is None
    older = replace(new_draft(tmp_path, Plan()), folder=tmp_path / "drafts" / "a")
    newer = replace(new_draft(tmp_path, Plan(isolation=True)), folder=tmp_path / "drafts" / "b")
    save(older)
    save(newer)
    draft = last_unfinished(tmp_path)
    assert draft is not None
    assert draft.folder == newer.folder
    lock = hold(newer.folder)
    assert lock is not None
    # A lock does not exclude the process that holds it, so the second wizard is another process.
    code = (
        "import sys; from pathlib import Path; from acp_tui.plan.draft import last_unfinished; "
        "print(last_unfinished(Path(sys.argv[1])).folder.name)"
    )
    second_wizard = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert second_wizard.stdout.strip() == "a"
    lock.close()


def test_damaged_draft_is_ignored(tmp_path: Path) -> None:
    save(replace(new_draft(tmp_path, Plan()), folder=tmp_path / "drafts" / "good"))
    broken = tmp_path / "drafts" / "newer"
    broken.mkdir()
    (broken / "draft.json").write_text("{", encoding="utf-8")
    draft = last_unfinished(tmp_path)
    assert draft is not None
    assert draft.folder.name == "good"


@needs_root
@pytest.mark.parametrize("part", [".", "plan.yaml", "draft.json"])
def test_draft_that_another_user_can_change_is_not_offered(tmp_path: Path, part: str) -> None:
    draft = new_draft(tmp_path, Plan())
    save(draft)
    assert last_unfinished(tmp_path) is not None
    os.chown(draft.folder / part, STRANGER, -1)
    assert last_unfinished(tmp_path) is None
    with pytest.raises(UntrustedPath):
        load(draft.folder)
