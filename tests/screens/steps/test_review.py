"""The review step: blockers, answers, the command to start, export of the bundle, and the recheck of the nodes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue
from textual.events import Key
from textual.pilot import Pilot

from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.plan.sections.node import Node
from acp_tui.preflight.bundle import open_bundle
from screens.app import AcpApp
from screens.dialogs.prompts import Ask, Confirm, Pick
from screens.dialogs.recheck import Recheck
from screens.dialogs.sizing import SizingDialog
from screens.session.node_status import NodeStatus
from screens.session.wizard_session import Session
from screens.steps.install import InstallStep
from screens.steps.review import ReviewStep
from screens.widgets.form import Form
from screens.widgets.row_list import Rows
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import CONTROL_PLANES, VIP, WORKERS, valid_plan
from tests.support.wizard_pilot import screen_text, until, wizard

NO_LOGIN: dict[str, JsonValue] = {"ssh": {"username": "root", "password": None}}
CANARY = "canary-0b5e11"


def node_facts() -> dict[str, Facts]:
    roles = dict.fromkeys(CONTROL_PLANES, "control-plane") | dict.fromkeys(WORKERS, "worker")
    return {address: healthy(address, "ubuntu-22.04", role) for address, role in roles.items()}


def lines(pilot: Pilot[int]) -> list[str]:
    return [row.text.plain for row in pilot.app.screen.query_one("#review", Rows)._rows]


def put_cursor(pilot: Pilot[int], key: str) -> None:
    rows = pilot.app.screen.query_one("#review", Rows)
    rows.move_to(next(row.key for row in rows._rows if row.key.startswith(key)))


async def test_enter_on_a_blocker_opens_its_field(tmp_path: Path) -> None:
    plan = valid_plan(**NO_LOGIN, network={"service_cidr": {"ipv4": "10.3.0.0/16"}})
    async with wizard(tmp_path, plan, "review", node_facts()) as (pilot, _session):
        put_cursor(pilot, "finding XR-CIDR-OVERLAP")
        await pilot.press("enter")
        await until(pilot, lambda: bool(pilot.app.screen.query(Form)))
        await until(pilot, lambda: pilot.app.focused is not None)
        assert pilot.app.focused is not None
        assert (pilot.app.focused.id or "").startswith("f-network-")
        await pilot.press("ctrl+n")  # the wizard still accepts keys


async def test_enter_opens_the_finding_and_the_node(tmp_path: Path) -> None:
    facts = with_swap(node_facts())
    async with wizard(tmp_path, valid_plan(**NO_LOGIN), "review", facts) as (pilot, _session):
        put_cursor(pilot, "finding SYS-SWAP 10.20.0.12")
        await pilot.press("enter")
        await until(pilot, lambda: bool(pilot.app.screen.query("#findings")))
        await until(pilot, lambda: pilot.app.screen.query_one("#findings", Rows).key.startswith("SYS-SWAP 10.20.0.12"))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: isinstance(pilot.app.screen, ReviewStep))
        put_cursor(pilot, "answer nodes[1].address")
        await pilot.press("enter")
        await until(pilot, lambda: bool(pilot.app.screen.query("#nodes")))
        await until(pilot, lambda: pilot.app.screen.query_one("#nodes", Rows).key == "10.20.0.12")


@pytest.mark.parametrize("path", ["ssh.password", "admin.password", "kubernetes.version", "disaster_recovery.primary"])
async def test_enter_on_an_answer_opens_its_field(tmp_path: Path, path: str) -> None:
    plan = valid_plan(**NO_LOGIN, disaster_recovery={"role": "standby"})
    async with wizard(tmp_path, plan, "review", node_facts()) as (pilot, _session):
        put_cursor(pilot, f"answer {path}")
        await pilot.press("enter")
        field = f"f-{path.replace('.', '-')}"
        await until(pilot, lambda: pilot.app.focused is not None and pilot.app.focused.id == field)


async def test_expected_load_opens_the_sizing(tmp_path: Path) -> None:
    async with wizard(tmp_path, valid_plan(**NO_LOGIN), "review", node_facts()) as (pilot, _session):
        put_cursor(pilot, "answer workload.pods")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, SizingDialog))


async def test_m_opens_the_first_blocker(tmp_path: Path) -> None:
    plan = valid_plan(**NO_LOGIN, address={"cluster_endpoint": ""})
    async with wizard(tmp_path, plan, "review", node_facts()) as (pilot, _session):
        assert "block" in screen_text(pilot)
        await pilot.press("m")
        await until(pilot, lambda: bool(pilot.app.screen.query("#form")))


async def test_review_names_the_origin_of_each_answer(tmp_path: Path) -> None:
    plan = valid_plan(
        **NO_LOGIN, local_storage="topolvm", nodes=[], scenario="single-node", address={"cluster_endpoint": ""}
    )
    async with wizard(tmp_path, plan, "review") as (pilot, session):
        session.set_nodes((Node(address="10.20.0.11"),))
        await pilot.pause()
        review_lines = lines(pilot)
        assert " * chosen  local_storage: topolvm" in review_lines
        assert "   default network.cni: kube-ovn" in review_lines
        assert " + derived address.cluster_endpoint: 10.20.0.11" in review_lines
        assert " + derived nodes[0].deployable: true" in review_lines
        assert any(line.endswith("address.platform: acp.example.com") for line in review_lines)


async def test_review_shows_every_answer_but_no_secret(tmp_path: Path) -> None:
    plan = valid_plan(admin={"password": CANARY}, ssh={"username": "root", "password": CANARY})
    async with wizard(tmp_path, plan, "review", node_facts()) as (pilot, _session):
        review_text = "\n".join(lines(pilot))
        assert CANARY not in review_text
        assert VIP in review_text
        assert "installer && bash setup.sh" in review_text
        assert "The vendor documents unattended installs for release 4.1" in review_text
        await pilot.press("v")
        await pilot.pause()
        document = str(pilot.app.screen.query_one("#reading").query("Static").first().render())
        assert CANARY not in document
        assert '"globalHost": "acp.example.com"' in document


async def test_missing_signature_can_be_waived(tmp_path: Path) -> None:
    package = tmp_path / "installer-core-v4.0.3-x86.tar"
    package.write_bytes(b"")
    plan = valid_plan(**NO_LOGIN, package={"core": str(package)})
    async with wizard(tmp_path, plan, "review", node_facts()) as (pilot, session):
        assert any("Press w to waive the signature" in line for line in lines(pilot))
        await pilot.press("w")
        await pilot.pause()
        await pilot.press(*"lab only", "enter")
        await pilot.pause()
        assert [(w.requirement, w.reason) for w in session.plan.waivers] == [("BND-SIGN", "lab only")]
        await session.evaluate_now()
        await pilot.pause()
        assert not any("Press w to waive the signature" in line for line in lines(pilot))
        assert any("W" in line and "lab only" in line for line in lines(pilot))


Change = Callable[[dict[str, Facts]], dict[str, Facts]]


def with_swap(facts: dict[str, Facts]) -> dict[str, Facts]:
    return {**facts, "10.20.0.12": replace(facts["10.20.0.12"], swaps=("/swap.img",))}


def set_recheck_facts(session: Session, facts: dict[str, Facts], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a recheck of the nodes return these facts."""

    def check(node: Node) -> None:
        before = session.nodes.statuses[node.address]
        session.nodes.statuses[node.address] = NodeStatus(
            NodeState.CHECKED, facts=facts[node.address], login=None, known_host=before.known_host
        )

    monkeypatch.setattr(session.nodes, "check", check)


async def export(pilot: Pilot[int], folder: Path, secrets_key: str = "p") -> None:
    await pilot.press("x")
    await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
    await pilot.press("ctrl+u", *str(folder), "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, Pick))
    # `press` would wait for the screen, which closes automatically.
    pilot.app.screen.post_message(Key(secrets_key, secrets_key))


async def test_unknown_home_folder_is_a_missing_folder(tmp_path: Path) -> None:
    async with wizard(tmp_path, valid_plan(), "review", node_facts()) as (pilot, _session):
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        await pilot.press("ctrl+u", *"~nobody-is-here/plan.yaml", "enter")
        await until(pilot, lambda: "Cannot write the plan: No such file or directory" in screen_text(pilot))


async def test_bundle_is_written_after_a_recheck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = valid_plan(ssh={"username": "root", "password": CANARY})
    async with wizard(tmp_path, plan, "review", node_facts()) as (pilot, session):
        set_recheck_facts(session, node_facts(), monkeypatch)
        await export(pilot, tmp_path / "bundle")
        await until(pilot, lambda: "The bundle was written" in screen_text(pilot))
        assert open_bundle(tmp_path / "bundle").plan.ssh.password == plan.ssh.password
        await export(pilot, tmp_path / "bare", "n")
        await until(pilot, (tmp_path / "bare" / "SHA256SUMS").exists)
        assert open_bundle(tmp_path / "bare").document is None


async def test_new_blocker_prevents_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with wizard(tmp_path, valid_plan(ssh={"password": CANARY}), "review", node_facts()) as (pilot, session):
        set_recheck_facts(session, with_swap(node_facts()), monkeypatch)
        await export(pilot, tmp_path / "bundle")
        await until(pilot, lambda: "1 new blocker" in screen_text(pilot))
        assert "new: SYS-SWAP 10.20.0.12" in screen_text(pilot)
        await pilot.press("y")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Recheck), "y does not confirm a new blocker"
        await pilot.press("n")
        await pilot.pause()
        assert not (tmp_path / "bundle").exists()


async def test_change_without_a_blocker_needs_a_confirmation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = with_swap(node_facts())
    async with wizard(tmp_path, valid_plan(ssh={"password": CANARY}), "review", facts) as (pilot, session):
        set_recheck_facts(session, node_facts(), monkeypatch)
        await export(pilot, tmp_path / "bundle")
        await until(pilot, lambda: "fixed: SYS-SWAP" in screen_text(pilot))
        await pilot.press("y")
        await until(pilot, lambda: "The bundle was written" in screen_text(pilot))


async def test_new_blocker_prevents_the_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waived: list[JsonValue] = []
    async with wizard(tmp_path, valid_plan(ssh={"password": CANARY}), "review", node_facts()) as (pilot, session):
        waived += [
            {"requirement": v.requirement, "reason": "test", "by": "test"}
            for v in session.report().verdicts
            if v.blocks
        ]
    plan = valid_plan(ssh={"password": CANARY}, waivers=waived)
    async with wizard(tmp_path / "again", plan, "install", node_facts()) as (pilot, session):
        assert session.report().ready
        set_recheck_facts(session, with_swap(node_facts()), monkeypatch)
        monkeypatch.setattr(
            "screens.steps.install.is_remote_install", lambda plan: False
        )  # no node of the plan is this host
        await pilot.press("s")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        question = pilot.app.screen
        assert isinstance(question, Confirm)
        question.action_answer(True)
        await until(pilot, lambda: "1 new blocker" in screen_text(pilot))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, InstallStep))
        assert session.draft.run is None
        assert isinstance(pilot.app, AcpApp)
