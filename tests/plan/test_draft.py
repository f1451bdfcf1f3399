"""The draft: saved at each change, read after a crash, without a single secret."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from acp_tui.plan.draft import hold, last_unfinished, load, new_draft, save
from acp_tui.plan.model import Admin, Node, Plan

CANARY = "canary-1d77e0"


def test_a_draft_comes_back_as_it_was_saved_but_for_secrets(tmp_path: Path) -> None:
    plan = Plan(admin=Admin(password=SecretStr(CANARY)), nodes=(Node(address="10.0.0.1"),))
    draft = replace(
        new_draft(tmp_path, plan), step="network", visited=frozenset({"package"}), invalid_input={"address.vrid": "x"}
    )
    save(draft)
    again = load(draft.folder)
    assert again.plan.nodes == plan.nodes
    assert (again.step, again.visited) == ("network", frozenset({"package"}))
    assert again.invalid_input == {"address.vrid": "x"}
    assert again.plan.admin.password is None
    assert again.secrets_asked == {"admin.password"}
    assert all(CANARY.encode() not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_the_state_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    draft = new_draft(tmp_path / "acp-tui", Plan())
    save(draft)
    assert draft.folder.stat().st_mode & 0o777 == 0o700
    assert all(file.stat().st_mode & 0o077 == 0 for file in draft.folder.iterdir())


def test_the_last_draft_is_offered_unless_a_wizard_holds_it(tmp_path: Path) -> None:
    assert last_unfinished(tmp_path) is None
    older = replace(new_draft(tmp_path, Plan()), folder=tmp_path / "drafts" / "a")
    newer = replace(new_draft(tmp_path, Plan(isolation=True)), folder=tmp_path / "drafts" / "b")
    save(older)
    save(newer)
    found = last_unfinished(tmp_path)
    assert found is not None
    assert found.folder == newer.folder
    lock = hold(newer.folder)
    assert lock is not None
    # Another process, as a second wizard would be: a lock does not keep out its own holder.
    code = (
        "import sys; from pathlib import Path; from acp_tui.plan.draft import last_unfinished; "
        "print(last_unfinished(Path(sys.argv[1])).folder.name)"
    )
    other = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == "a"
    lock.close()


def test_a_broken_draft_is_passed_over(tmp_path: Path) -> None:
    save(replace(new_draft(tmp_path, Plan()), folder=tmp_path / "drafts" / "good"))
    broken = tmp_path / "drafts" / "newer"
    broken.mkdir()
    (broken / "draft.json").write_text("{", encoding="utf-8")
    found = last_unfinished(tmp_path)
    assert found is not None
    assert found.folder.name == "good"
