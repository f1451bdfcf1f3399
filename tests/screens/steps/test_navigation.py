"""The steps of the wizard: navigation, fields, saving, and the menu, tested by keys and screen text."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.facts import Facts
from acp_tui.plan.draft import load
from acp_tui.plan.model import Plan
from screens.dialogs.too_small import TooSmall
from screens.steps.base import WizardStep
from screens.steps.menu import menu_options, step_keys
from screens.steps.order import STEPS
from screens.steps.registry import RegistryStep
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import CONTROL_PLANES, WORKERS, nodes, valid_plan
from tests.support.wizard_pilot import screen_text, show, staged_app, until, wizard

NO_LOGIN: dict[str, JsonValue] = {"ssh": {"username": "root", "password": None}}


def node_facts(*addresses: str) -> dict[str, Facts]:
    roles = dict.fromkeys(CONTROL_PLANES, "control-plane") | dict.fromkeys(WORKERS, "worker")
    return {address: healthy(address, "ubuntu-22.04", roles[address]) for address in addresses}


ALL = (*CONTROL_PLANES, *WORKERS)


@pytest.mark.parametrize("step", [step.NAME for step in STEPS])
async def test_every_step_fits_80_columns_and_23_lines(tmp_path: Path, step: str) -> None:
    app = staged_app(tmp_path, valid_plan(**NO_LOGIN))
    async with app.run_test(size=(80, 23)) as pilot:
        await show(pilot, step, node_facts(*ALL))
        text = screen_text(pilot)
        assert "menu" in text.splitlines()[-1]
        assert "Install" in text, "the step list is always visible"


async def test_invalid_value_shows_the_reason_and_stays_as_typed(tmp_path: Path) -> None:
    async with wizard(tmp_path, valid_plan(**NO_LOGIN), "address") as (pilot, session):
        await pilot.press("ctrl+u", *"10.20.0.300")
        await pilot.pause()
        assert "'10.20.0.300' is neither an IP address nor a domain name" in screen_text(pilot)
        assert session.plan.address.cluster_endpoint == "10.20.0.30", "the last valid value"
        assert session.draft.invalid_input == {"address.cluster_endpoint": "10.20.0.300"}
        await pilot.press("backspace")
        await until(pilot, lambda: "neither" not in screen_text(pilot))
        assert session.draft.invalid_input == {}


async def test_each_answer_is_saved_at_once(tmp_path: Path) -> None:
    async with wizard(tmp_path, valid_plan(**NO_LOGIN), "address") as (pilot, session):
        await pilot.press("ctrl+u", *"api.example.com", "down", "space", "down", "ctrl+u", *"2x")
        await until(pilot, lambda: load(session.draft.folder).invalid_input == {"address.vrid": "2x"})
        draft = load(session.draft.folder)
        assert draft.plan.address.cluster_endpoint == "api.example.com"
        assert draft.plan.address.self_built_vip
        assert draft.step == "address"


async def test_field_without_a_meaning_is_hidden(tmp_path: Path) -> None:
    async with wizard(tmp_path, valid_plan(**NO_LOGIN), "network") as (pilot, _session):
        assert "Join CIDR" in screen_text(pilot)
        assert "IPv6" not in screen_text(pilot).replace("ipv6", "")
        await pilot.press("right", "down", "right")
        await pilot.pause()
        text = screen_text(pilot)
        assert "Join CIDR" not in text
        assert "Pod CIDR" not in text.replace("Pod CIDR IPv6", "")


async def test_changed_answer_is_evaluated_without_a_connection(tmp_path: Path) -> None:
    dialled: list[str] = []
    plan = valid_plan(**NO_LOGIN)
    facts = node_facts(*ALL)
    without_geneve = replace(facts["10.20.0.12"], modules=frozenset({"ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh"}))
    async with wizard(tmp_path, plan, "network", {**facts, "10.20.0.12": without_geneve}, dialled) as (pilot, session):

        def outcome() -> Outcome:
            return next(v.outcome for v in session.verdicts if (v.requirement, v.node) == ("KRN-OVN", "10.20.0.12"))

        assert outcome() is Outcome.FAIL
        await pilot.press("right")
        await session.evaluate_now()
        assert session.plan.network.cni == "calico"
        assert outcome() is Outcome.NOT_APPLICABLE
        assert dialled == []


async def test_password_is_used_only_after_its_field_is_left(tmp_path: Path) -> None:
    dialled: list[str] = []
    plan = valid_plan(**NO_LOGIN, nodes=nodes(1, 0))
    async with wizard(tmp_path, plan, "nodes", dialled=dialled) as (pilot, _session):
        pilot.app.screen.query_one("#f-ssh-password").focus()
        await pilot.press(*"secret")
        await pilot.pause()
        assert dialled == []
        await pilot.press("tab")
        await pilot.pause()
        assert set(dialled) == {"10.20.0.11"}


async def test_nodes_are_added_line_by_line_and_a_duplicate_is_reported(tmp_path: Path) -> None:
    async with wizard(tmp_path, Plan(), "nodes") as (pilot, session):
        pilot.app.screen.query_one("#add").focus()
        await pilot.press(*"10.0.0.1,10.0.0.2", "enter", *"worker admin@10.0.0.9:2222", "enter", *"10.0.0.1", "enter")
        await pilot.pause()
        assert [(node.address, node.role) for node in session.plan.nodes] == [
            ("10.0.0.1", "control-plane"),
            ("10.0.0.2", "control-plane"),
            ("10.0.0.9", "worker"),
        ]
        assert (session.plan.nodes[2].ssh.username, session.plan.nodes[2].ssh.port) == ("admin", 2222)
        assert "10.0.0.1 is already in the plan" in screen_text(pilot)


async def test_finding_is_waived_with_a_reason(tmp_path: Path) -> None:
    facts = node_facts(*ALL)
    swapping = {**facts, "10.20.0.12": replace(facts["10.20.0.12"], swaps=("/swap.img",))}
    async with wizard(tmp_path, valid_plan(**NO_LOGIN), "preflight", swapping) as (pilot, session):
        pilot.app.screen.query_one("#findings").move_to("SYS-SWAP 10.20.0.12 ")  # type: ignore[attr-defined]
        await pilot.press("w")
        await pilot.pause()
        assert "Waive SYS-SWAP" in screen_text(pilot)
        await pilot.press(*"lab only", "enter")
        await pilot.pause()
        waiver = session.plan.waivers[0]
        assert (waiver.requirement, waiver.node, waiver.reason) == ("SYS-SWAP", "10.20.0.12", "lab only")
        await session.evaluate_now()
        swap = [v for v in session.verdicts if (v.requirement, v.node) == ("SYS-SWAP", "10.20.0.12")]
        assert [v.blocks for v in swap] == [False]


async def test_menu_key_opens_its_step(tmp_path: Path) -> None:
    async with wizard(tmp_path, valid_plan(**NO_LOGIN), "package") as (pilot, _session):
        keys = step_keys(STEPS)
        assert "".join(keys).startswith("1234567890")
        for key, step in keys.items():
            await pilot.press("escape")
            await pilot.pause()
            await pilot.press(key)
            await pilot.pause()
            assert isinstance(pilot.app.screen, step)


class AdditionalStep(WizardStep):
    """A step without fields."""

    NAME = "additional"
    SHORT = TITLE_TEXT = "Additional"


async def test_an_additional_step_leaves_every_step_reachable(tmp_path: Path) -> None:
    steps: tuple[type[WizardStep], ...] = (*STEPS[:6], AdditionalStep, *STEPS[6:])
    app = staged_app(tmp_path, valid_plan(**NO_LOGIN))
    app.steps = steps
    async with app.run_test(size=(80, 24)) as pilot:
        session = await show(pilot, "package")
        assert f"{len(steps)}   Install" in screen_text(pilot), "the step list numbers every step"
        for key, step in step_keys(steps).items():
            await pilot.press("escape")
            await pilot.pause()
            await pilot.press(key)
            await pilot.pause()
            assert isinstance(pilot.app.screen, step)
        for step in steps[-2::-1]:
            await pilot.press("ctrl+p")
            await pilot.pause()
            assert isinstance(pilot.app.screen, step)
        await session.close()


@pytest.mark.parametrize("count", [1, 10, 11, 20, 30])
def test_each_step_has_a_menu_key_of_its_own(count: int) -> None:
    steps: list[type[WizardStep]] = [type(f"Step{number}", (RegistryStep,), {}) for number in range(count)]
    options = menu_options(steps)
    assert len({key for key, _title in options}) == len(options) == count + 3
    assert list(step_keys(steps).values()) == steps


def test_more_steps_than_keys_is_an_error() -> None:
    with pytest.raises(ValueError, match="menu keys"):
        step_keys([RegistryStep] * 40)


async def test_small_window_ignores_keys_and_recovers(tmp_path: Path) -> None:
    async with wizard(tmp_path, valid_plan(**NO_LOGIN), "address") as (pilot, session):
        before = session.plan
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert isinstance(pilot.app.screen, TooSmall)
        await pilot.press("x", "enter", "s")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "Cluster endpoint" in screen_text(pilot)
        assert session.plan == before
