"""Invalid input: shown on the screen, not stored in the plan, and a blocker of the install."""

from dataclasses import replace
from pathlib import Path

from acp_tui.checks.verdict import Outcome
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import valid_plan
from tests.support.wizard_pilot import wizard

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
        assert not [v for v in session.verdict_view.reported if v.outcome is Outcome.UNKNOWN and v.node in nodes]
        assert not session.report().ready
