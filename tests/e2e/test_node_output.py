"""A node that repeats secrets, control characters and markup in every value that it sends.

None of this reaches the report, the HTML page, the output of the commands, or the screens of the wizard.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from acp_tui.checks.evaluate import evaluate
from acp_tui.checks.topology import topology_of
from acp_tui.cli.actions.check import node_state_line
from acp_tui.cli.context import print_err
from acp_tui.cli.findings import print_report
from acp_tui.core.redaction import MASK
from acp_tui.core.text import sanitize
from acp_tui.nodes.events import NodeFinished
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Plan
from acp_tui.plan.secret_mask import secret_mask
from acp_tui.preflight.report.html.page import report_html
from acp_tui.preflight.report.model import Report, report_json
from acp_tui.preflight.report.node_summary import node_records
from acp_tui.preflight.run import _masked
from screens.dialogs.prompts import Confirm
from screens.steps.order import STEPS
from tests.support.factories.plans import valid_plan
from tests.support.factories.verdicts import cluster
from tests.support.wizard_pilot import screen_text, show, wizard

LOGIN, ADMIN, OWN = "cAn4ry-login&1", "cAn4ry-admin", "cAn4ry own 'x'"
TOLD = f" {LOGIN} {ADMIN} {OWN} {base64.b64encode(ADMIN.encode()).decode()} "
MARKUP = "[red]x[/red][@click=app.quit]y[/]<b>"
ADDRESS = re.compile(r"[0-9a-f]*[.:][0-9a-f.:]*(/[0-9]+)?")
"""The collectors return only valid addresses, so a node cannot add text to them."""
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def plan() -> Plan:
    made = valid_plan(ssh={"password": LOGIN}, admin={"password": ADMIN})
    first = made.nodes[0].model_copy(update={"ssh": type(made.nodes[0].ssh)(password=OWN)})
    return made.model_copy(update={"nodes": (first, *made.nodes[1:])})


def repeated(value: Any, text: str) -> Any:
    """Return a fact with `text` added to each string in it."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return value if ADDRESS.fullmatch(value) else value + text
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(repeated(item, text) for item in value))
    if isinstance(value, tuple | frozenset):
        return type(value)(repeated(item, text) for item in value)
    if isinstance(value, Mapping):
        return {key: repeated(item, text) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: repeated(getattr(value, one.name), text) for one in fields(value)})
    return value


def hostile_facts(text: str) -> Iterator[dict[str, Facts]]:
    """Yield the facts of a healthy cluster, in which one field repeats `text`; then facts that are all missing."""
    healthy = cluster(plan())
    for one in fields(Facts):
        if one.name not in ("address", "missing"):
            yield {
                address: replace(facts, **{one.name: repeated(getattr(facts, one.name), text)})
                for address, facts in healthy.items()
            }
    reasons = {one.name: f"cannot read {one.name}: {text}" for one in fields(Facts)}
    yield {address: Facts(address, missing=reasons) for address in healthy}


def report_of(facts: dict[str, Facts], detail: str) -> Report:
    made, topology = plan(), topology_of(plan())
    states = dict.fromkeys(facts, NodeState.CHECKED)
    verdicts = evaluate(made, facts, states, topology=topology, today=NOW.date())
    records = node_records(made, topology, facts, states, dict.fromkeys(facts, detail))
    return Report(made.effective_release, NOW, NOW, records, verdicts)


def assert_no_secret(text: str) -> None:
    assert "can4ry" not in text.lower()
    assert base64.b64encode(ADMIN.encode()).decode()[:12] not in text


def test_secrets_in_facts_reach_no_report(capsys: pytest.CaptureFixture[str]) -> None:
    masked = 0
    for facts in hostile_facts(TOLD):
        report = report_of(facts, f"error: {TOLD}")
        written, page = report_json(report), report_html(report, plan(), None)
        print_report(report)
        for text in (written, page, "".join(capsys.readouterr())):
            assert_no_secret(text)
            masked += MASK in text
    assert masked > 100, "the test must plant secrets that are shown"


def test_control_characters_and_markup_in_facts_reach_no_report(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = f"\x1b[2J\x1b]0;t\x07\u202e\u061c\x9b\ud800{MARKUP}"
    for facts in hostile_facts(hostile):
        report = report_of(facts, hostile)
        written, page = report_json(report), report_html(report, plan(), None)
        print_report(report)
        for text in (written, page, "".join(capsys.readouterr())):
            assert sanitize(text, limit=None) == text
        assert MARKUP not in page
        assert Report.from_json(json.dumps(json.loads(written))).nodes


def test_secrets_in_an_error_message_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    event = NodeFinished("10.20.0.11", NodeState.LOST, Facts("10.20.0.11"), f"sudo: {TOLD}")
    masked = _masked(event, secret_mask(plan()))
    assert isinstance(masked, NodeFinished)
    print_err(node_state_line(masked))
    written = capsys.readouterr().err
    assert MASK in written
    assert_no_secret(written)


async def test_screens_show_no_secret_and_no_control_character(tmp_path: Path) -> None:
    made = valid_plan(ssh={"password": None}, admin={"password": ADMIN})  # without a login, the facts stay
    text = f"-{ADMIN}\x1b[2J\u202e{ADMIN}{MARKUP}"
    facts = {address: replace(repeated(one, text), address=address) for address, one in cluster(made).items()}
    facts = {address: replace(one, hostname=f"{ADMIN}-1") for address, one in facts.items()}
    async with wizard(tmp_path, made, "nodes", facts) as (pilot, _session):
        assert f"{MASK}-1" in screen_text(pilot)
        for step in STEPS:
            await show(pilot, step.NAME)
            assert_no_secret(screen_text(pilot))
            assert sanitize(screen_text(pilot), limit=None) == screen_text(pilot)


async def test_screens_show_markup_as_it_is(tmp_path: Path) -> None:
    made = valid_plan(ssh={"password": None})
    shown = "[red]x[/][@click]"
    facts = {address: replace(one, hostname=shown) for address, one in cluster(made).items()}
    async with wizard(tmp_path, made, "nodes", facts) as (pilot, _session):
        assert shown in screen_text(pilot)
        await pilot.app.push_screen(Confirm(shown, shown))
        await pilot.pause()
        assert screen_text(pilot).count(shown) == 2
