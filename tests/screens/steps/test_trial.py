"""The start screen and the single-node trial: number of answers, derived defaults, drafts, plans and bundles."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from acp_tui.core.local_host import LocalAddress
from acp_tui.nodes.state import NodeState
from acp_tui.package.service import PackageWork
from acp_tui.plan.derived_defaults import ENDPOINT, derived_paths
from acp_tui.plan.file import save_plan
from acp_tui.plan.known_hosts import confirmed
from acp_tui.plan.model import Plan
from acp_tui.preflight.bundle import write_bundle
from acp_tui.preflight.report.model import Report
from screens.app import AcpApp
from screens.dialogs.prompts import Ask, Confirm
from screens.session.node_status import NodeStatus
from screens.session.wizard_session import Session
from screens.steps.preflight import PreflightStep
from screens.steps.review import ReviewStep
from screens.steps.trial import TrialStep
from screens.widgets.form import Form
from screens.widgets.line_input import Line
from screens.widgets.row_list import Rows
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import valid_plan
from tests.support.factories.reports import MORNING
from tests.support.other_users import STRANGER, needs_root
from tests.support.wizard_pilot import SIZE, screen_text, until, wizard

NODE = "10.20.0.11"


@asynccontextmanager
async def new_wizard(folder: Path) -> AsyncIterator[Pilot[int]]:
    """Start a wizard without a plan, on a host whose package folder is `folder`."""
    package = PackageWork(folder, free_space=lambda _f: 500 * 10**9, here=lambda _a: True, places=(folder,))
    app = AcpApp(
        folder / "home", plan_dir=folder, package=package, address_map=lambda _address, _port: ("127.0.0.1", 1)
    )
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "Enter: choose" in screen_text(pilot))
        yield pilot
        if app.session is not None:
            await app.session.close()
        if app._lock is not None:
            app._lock.close()  # like the end of the process


def session(pilot: Pilot[int]) -> Session:
    assert isinstance(pilot.app, AcpApp)
    assert pilot.app.session is not None
    return pilot.app.session


async def wait_for_step(pilot: Pilot[int], step: type) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, step) and pilot.app.focused is not None)


@pytest.fixture
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the files of the vendor, on a host with one address."""
    monkeypatch.setattr("screens.steps.trial.local_addresses", lambda: (LocalAddress("eth0", NODE),))
    for name in ("installer-core-v4.0.3-x86.tar", "installer-core-v4.0.3-x86.tar.sig", "verify-key.pub"):
        (tmp_path / name).touch()
    return tmp_path


@needs_root
@pytest.mark.parametrize("theirs", ["installer-core-v4.0.3-x86.tar", "verify-key.pub"])
async def test_files_of_another_user_are_not_filled_in(media: Path, theirs: str) -> None:
    os.chown(media / theirs, STRANGER, -1)
    async with new_wizard(media) as pilot:
        await pilot.press("t")
        await wait_for_step(pilot, TrialStep)
        if theirs == "verify-key.pub":
            await until(pilot, lambda: session(pilot).plan.package.core is not None)
        else:
            await until(pilot, lambda: "owner nobody" in screen_text(pilot))
            assert session(pilot).plan.package.core is None
        assert session(pilot).plan.package.public_key is None


async def test_trial_needs_fewer_than_ten_answers(media: Path) -> None:
    answers = 0
    async with new_wizard(media) as pilot:
        await pilot.press("t")
        answers += 1
        await wait_for_step(pilot, TrialStep)
        await until(pilot, lambda: session(pilot).plan.package.public_key is not None)
        await until(pilot, lambda: pilot.app.focused is not None and pilot.app.focused.id == "f-ssh-password")
        await until(pilot, lambda: "x86.tar" in pilot.app.screen.query_one("#f-package-core", Line).value)
        assert NODE in screen_text(pilot)
        for keys in ("s3cret", "down", "down", "adm1n-pass"):
            await pilot.press(*([keys] if keys == "down" else keys))
            answers += keys != "down"
        await pilot.press("ctrl+n")
        await wait_for_step(pilot, PreflightStep)
        wizard_session = session(pilot)
        plan = wizard_session.plan
        assert plan.ssh.password is not None
        assert plan.admin.password is not None
        assert plan.package.core == str(media / "installer-core-v4.0.3-x86.tar")
        assert (plan.scenario, [node.address for node in plan.nodes]) == ("single-node", [NODE])
        assert (plan.address.cluster_endpoint, plan.address.self_built_vip) == (NODE, False)
        assert (plan.network.cni, plan.certificate.mode, plan.registry.mode) == ("kube-ovn", "self-signed", "platform")
        assert plan.deployable(plan.nodes[0])
        facts = healthy(NODE, "ubuntu-22.04", "control-plane")
        wizard_session.nodes.statuses[NODE] = NodeStatus(NodeState.CHECKED, facts=facts, login=None)
        await wizard_session.evaluate_now()
        # Checks that the operator must confirm count as answers; those of the package fail because its file is empty.
        answers += sum(not verdict.requirement.startswith("BND") for verdict in wizard_session.verdict_view.blockers)
        await pilot.press("ctrl+n")
        await wait_for_step(pilot, ReviewStep)
        lines = [row.text.plain for row in pilot.app.screen.query_one("#review", Rows)._rows]
        for line_start in (" + derived address.cluster_endpoint: 10.20.0.11", " + derived package.public_key"):
            assert any(line.startswith(line_start) for line in lines)
    assert answers < 10, [f"{v.requirement} {v.node}: {v.observed}" for v in wizard_session.verdict_view.blockers]


async def test_derived_defaults_end_with_their_cause_and_all_steps_stay_open(media: Path) -> None:
    async with new_wizard(media) as pilot:
        await pilot.press("t")
        await wait_for_step(pilot, TrialStep)
        wizard_session = session(pilot)
        assert ENDPOINT in derived_paths(wizard_session.plan, wizard_session.draft.preset)
        wizard_session.answer("scenario", "single-cluster")
        assert wizard_session.plan.address.cluster_endpoint == ""
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "Package: integrity" in screen_text(pilot))


async def test_package_step_opens_the_trial_of_a_single_node(media: Path) -> None:
    async with new_wizard(media) as pilot:
        await pilot.press("n")
        await until(pilot, lambda: "Package: integrity" in screen_text(pilot))
        await pilot.press("left")
        await pilot.pause()
        await until(pilot, lambda: "Press ^T to open the single-node trial" in screen_text(pilot))
        await pilot.press("ctrl+t")
        await wait_for_step(pilot, TrialStep)


async def test_trial_of_a_cluster_keeps_one_node_as_its_own_endpoint(tmp_path: Path) -> None:
    plan = valid_plan(ssh={"username": "root", "password": None}, address={"self_built_vip": True})
    async with wizard(tmp_path, plan, "package") as (pilot, wizard_session):
        await pilot.press("ctrl+t")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        assert len(wizard_session.plan.nodes) == 5
        await pilot.press("y")
        await wait_for_step(pilot, TrialStep)
        assert [node.address for node in wizard_session.plan.nodes] == ["10.20.0.11"]
        assert (wizard_session.plan.address.cluster_endpoint, wizard_session.plan.address.self_built_vip) == (
            "10.20.0.11",
            False,
        )


async def test_trial_draft_is_resumed(media: Path) -> None:
    async with new_wizard(media) as pilot:
        await pilot.press("t")
        await wait_for_step(pilot, TrialStep)
    async with new_wizard(media) as pilot:
        assert "The draft from" in screen_text(pilot)
        await pilot.press("g")
        await wait_for_step(pilot, TrialStep)


async def load(pilot: Pilot[int], path: Path) -> None:
    await pilot.press("l")
    await until(pilot, lambda: "Enter the path of a plan file" in screen_text(pilot))
    await pilot.press(*str(path), "enter")


async def test_plan_file_is_opened(tmp_path: Path) -> None:
    save_plan(valid_plan(), tmp_path / "plan.yaml")
    async with new_wizard(tmp_path) as pilot:
        await load(pilot, tmp_path / "plan.yaml")
        await until(pilot, lambda: bool(pilot.app.screen.query(Form)))
        assert session(pilot).plan == valid_plan()
        assert session(pilot).plan_file == tmp_path / "plan.yaml"


async def test_unreadable_file_shows_the_reason_and_keeps_the_path(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text("scenari: single-node\n")
    async with new_wizard(tmp_path) as pilot:
        await load(pilot, tmp_path / "plan.yaml")
        await until(pilot, lambda: "this key is unknown. Did you mean" in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, Ask))
        await pilot.pause()
        assert pilot.app.screen.query_one(Line).value == str(tmp_path / "plan.yaml")


async def test_bundle_without_readable_secrets_asks_for_them(tmp_path: Path) -> None:
    plan: Plan = valid_plan(
        certificate={"mode": "existing", "cert_file": "/elsewhere/crt.pem", "key_file": "/elsewhere/key.pem"},
        package={"core": "/elsewhere/installer-core-v4.0.3-x86.tar"},
        ssh={"username": "root", "key_file": "/elsewhere/id", "password": "s"},
    )
    folder = tmp_path / "bundle"
    report, keys = Report("4.0", MORNING, MORNING), {NODE: confirmed("ssh-ed25519 AAAA")}
    write_bundle(plan, report, keys, folder, plan_dir=tmp_path, document="", setup_line="x", keep="left-out")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    async with new_wizard(tmp_path) as pilot:
        await load(pilot, folder)
        await until(pilot, lambda: bool(pilot.app.screen.query(Form)))
        wizard_session = session(pilot)
        without_secrets = plan.model_copy(
            update={
                "admin": plan.admin.model_copy(update={"password": None}),
                "ssh": plan.ssh.model_copy(update={"password": None}),
            }
        )
        assert wizard_session.plan == without_secrets.model_copy(update={"package": wizard_session.plan.package})
        assert wizard_session.draft.known_hosts == keys
        assert "admin.password" in wizard_session.draft.secrets_asked
        assert wizard_session.plan_file is None, "a bundle is not changed"
        await wizard_session.evaluate_now()
        observed = " ".join(verdict.observed for verdict in wizard_session.verdict_view.blockers)
        assert "/elsewhere/crt.pem" in observed
        assert "/elsewhere/installer-core" in observed
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


async def test_escape_on_the_start_screen_writes_nothing(tmp_path: Path) -> None:
    async with new_wizard(tmp_path) as pilot:
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.return_code == 0
    assert not list((tmp_path / "home").rglob("draft.json"))
