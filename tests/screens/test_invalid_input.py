"""Invalid input: shown on the screen, not stored in the plan, and a blocker of the install."""

from dataclasses import replace
from pathlib import Path

import pytest
from textual.events import Paste

from acp_tui.checks.verdict import Outcome
from acp_tui.plan.draft import save
from screens.widgets.form import Form
from screens.widgets.line_input import Line
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import valid_plan
from tests.support.wizard_pilot import screen_text, wizard

PLAN = valid_plan()
FACTS = {node.address: healthy(node.address, role=node.role) for node in PLAN.nodes}


async def test_invalid_answer_blocks_until_it_is_corrected(tmp_path: Path) -> None:
    async with wizard(tmp_path, PLAN, "network", FACTS) as (_pilot, session):
        path = "network.cluster_cidr.ipv4"
        assert session.answer(path, "10.3.0.0/16999")
        await session.evaluate_now()
        [verdict] = [verdict for verdict in session.verdict_view.blockers if verdict.paths == (path,)]
        assert "10.3.0.0/16999" in verdict.observed
        assert not session.report().ready
        assert not session.answer(path, "10.9.0.0/16")
        await session.evaluate_now()
        assert not [verdict for verdict in session.verdict_view.blockers if path in verdict.paths]


async def test_invalid_input_stays_with_its_node(tmp_path: Path) -> None:
    async with wizard(tmp_path, PLAN, "nodes", FACTS) as (_pilot, session):
        session.draft = replace(
            session.draft, secrets_asked=frozenset({"nodes[0].ssh.password", "nodes[2].ssh.password"})
        )
        session.answer("nodes[2].ssh.port", "99999")
        session.set_nodes(session.plan.nodes[1:])
        assert set(session.field_errors) == set(session.draft.invalid_input) == {"nodes[1].ssh.port"}
        assert session.draft.secrets_asked == {"nodes[1].ssh.password"}


async def test_unknown_values_of_an_unchecked_node_are_not_findings(tmp_path: Path) -> None:
    async with wizard(tmp_path, PLAN, "nodes", {}) as (_pilot, session):
        nodes = {node.address for node in PLAN.nodes}
        assert session.verdict_view.unchecked == nodes
        assert not [v for v in session.verdict_view.findings if v.outcome is Outcome.UNKNOWN and v.node in nodes]
        assert not session.report().ready


def files_with_the_canary(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and b"c4nary" in file.read_bytes()]


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("ssh.username", "root:c4nary"),
        ("nodes[0].ssh.username", "root:c4nary@host"),
        ("nodes[0].address", "root:c4nary@10.0.0.1"),
        ("registry.address", "https://me:c4nary@r.example.com"),
        ("address.platform", "me:c4nary@acp.example.com"),
        ("ssh.password", "\ufeffc4nary"),
    ],
)
async def test_password_in_another_field_is_not_stored_or_shown(tmp_path: Path, path: str, typed: str) -> None:
    async with wizard(tmp_path, PLAN, "nodes", FACTS) as (_pilot, session):
        before = session.plan
        reason = session.answer(path, typed)
        assert reason
        assert "c4nary" not in reason
        assert session.plan == before
        save(session.draft)
    assert files_with_the_canary(tmp_path) == []


@pytest.mark.parametrize("typed", ["root:c4nary", "worker root:c4nary@10.0.0.77", "10.0.0.77 user=root:c4nary"])
async def test_password_in_the_line_for_new_nodes_is_not_stored(tmp_path: Path, typed: str) -> None:
    async with wizard(tmp_path, PLAN, "nodes", FACTS) as (pilot, session):
        line = pilot.app.screen.query_one("#add", Line)
        line.focus()
        line.value = typed
        await pilot.press("enter")
        await pilot.pause()
        text = screen_text(pilot)
        assert "must not be next to the user name" in text or "must not contain a colon" in text
        assert session.plan.nodes == PLAN.nodes
        save(session.draft)
    assert files_with_the_canary(tmp_path) == []


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("c4nary\n", ""),
        ("c4nary\nsecond line\n", "one line without control characters"),
        ("c4\x1b[Anary", "one line without control characters"),
        ("\ufeffc4nary", "byte order mark"),
    ],
)
async def test_pasted_secret_is_not_changed(tmp_path: Path, pasted: str, reason: str) -> None:
    async with wizard(tmp_path, PLAN, "nodes", FACTS) as (pilot, session):
        form = pilot.app.screen.query_one(Form)
        form.focus_path("ssh.password")
        field = pilot.app.focused
        assert isinstance(field, Line)
        field.value = ""
        field.post_message(Paste(pasted))
        await pilot.pause()
        assert reason in session.field_errors.get("ssh.password", "")
        password = session.plan.ssh.password
        assert (password.get_secret_value() if password else "") == ("" if reason else "c4nary")
