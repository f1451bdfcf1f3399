"""Every word on every screen can be translated: with each text in brackets, no word of ours stands outside them.

What is not ours stays as it is: addresses, names and values of the plan, words of the nodes, keys of the keyboard.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from html import unescape
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from rich.text import Text
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input, RichLog, Static

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.evaluate import evaluate
from acp_tui.core.i18n import DOMAIN, use_language
from acp_tui.install.run.state import Phase, RunSpec, RunState
from acp_tui.install.verify.checklist import checklist
from acp_tui.install.verify.leftovers import Leftovers
from acp_tui.install.verify.leftovers import lines as leftover_lines
from acp_tui.install.verify.queries import installed_from
from acp_tui.nodes.facts import Facts, Unit
from acp_tui.nodes.state import NodeState
from acp_tui.package.service import PackageWork
from acp_tui.plan.file import dump_plan, schema
from acp_tui.preflight.report.diff import changes
from acp_tui.preflight.report.html.page import report_html
from screens.app import AcpApp
from screens.dialogs.recheck import Recheck
from screens.formatting.install_result import failed_lines, failure_text, result_text
from screens.steps.base import WizardStep
from screens.steps.order import STEPS
from screens.steps.trial import TrialStep
from screens.widgets.choice import Choice
from screens.widgets.panel import Panel
from screens.widgets.row_list import Rows
from tests.support.factories.node_facts import DISTRIBUTIONS, healthy
from tests.support.factories.plans import CONTROL_PLANES, WORKERS, valid_plan
from tests.support.factories.reports import MORNING, report
from tests.support.messages import extracted
from tests.support.wizard_pilot import SIZE, screen_text, until, wizard

ROOT = Path(__file__).parents[2]
OURS = re.compile(r"⟦[^⟦⟧]*[⟧…]")  # a text may be cut at the width of its place
WORD = re.compile(r"[^\W\d_]{3,}")
PLAN = valid_plan(ssh={"username": "root", "password": None}, waivers=[
    {"requirement": "PRE-INIT", "node": "*", "reason": "xxx", "by": "yyy"},
    {"requirement": "SYS-SWAP", "node": "*", "reason": "xxx", "by": "yyy", "until": "2020-01-01"},
])  # fmt: skip
KEYS_AND_NAMES = {"Enter", "Esc", "Space", "acp", "tui", "setup", "systemctl", "disable", "now"}


@pytest.fixture(scope="session")
def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language in which every text is the English one in brackets, made the way a real one is."""
    folder = tmp_path_factory.mktemp("locales")
    texts, _warnings = extracted()
    bracketed = Catalog(locale="en")
    for message in texts:
        if message.id:
            both = message.id if isinstance(message.id, tuple) else (message.id,)
            shown = tuple(f"⟦{text}⟧" for text in both)
            text = shown if isinstance(message.id, tuple) else shown[0]
            bracketed.add(message.id, text, context=message.context)
    place = folder / "en_XA" / "LC_MESSAGES" / f"{DOMAIN}.mo"
    place.parent.mkdir(parents=True)
    with place.open("wb") as compiled:
        write_mo(compiled, bracketed)
    return folder


@pytest.fixture(autouse=True)
def bracketed(locales: Path) -> Iterator[None]:
    use_language("en_XA", locales)
    yield
    use_language("en")


def nodes_seen() -> dict[str, Facts]:
    """Nodes with something of each outcome: not met, pending, not observed, for a person, worth a look, met."""
    roles = dict.fromkeys(CONTROL_PLANES, "control-plane") | dict.fromkeys(WORKERS, "worker")
    seen = {address: healthy(address, role=role) for address, role in roles.items()}
    first, second, third = CONTROL_PLANES
    seen[first] = replace(seen[first], swaps=("/swap",), timezone="Europe/Berlin", utc_offset="+0100")
    seen[second] = replace(seen[second], selinux="enforcing", cmdline=(), boot_tokens=frozenset(), cpu_count=2)
    seen[third] = replace(
        seen[third], swaps=None, missing={"swaps": "denied"}, hostname="A_B", search_domains=("x.y",) * 30
    )
    seen[WORKERS[0]] = replace(healthy(WORKERS[0], "centos-7.9", "worker"), modules=frozenset(), resolv_exists=False)
    seen[WORKERS[1]] = replace(
        seen[WORKERS[1]], units={"ufw": Unit("active", "enabled")}, dpkg_packages=frozenset({"docker.io"})
    )
    return seen


def shown(widget: Widget) -> Iterator[str]:
    """The texts of this widget, whole, as they are before they are cut to the width of the screen."""
    match widget:
        case Panel():
            yield widget.text
        case Rows():
            yield from (row.text.plain for row in widget._rows)
            yield widget._empty
        case Choice():
            yield widget.render().plain
        case Input():
            yield widget.placeholder
        case RichLog():
            yield from (line.text for line in widget.lines)
        case Static():
            content = widget.content
            yield content.plain if isinstance(content, Text) else str(content)


def values_to_choose(part: object) -> Iterator[str]:
    """Keys of a plan file, and values where only a few are possible; they are the same in every language."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "enum":
                yield from map(str, value)
            elif key == "properties":
                yield from value
            yield from values_to_choose(value)
    elif isinstance(part, list):
        for value in part:
            yield from values_to_choose(value)


def foreign(pilot: Pilot[int]) -> set[str]:
    """Words on the screen that no translator would ever see, with their texts."""
    texts = {text for widget in pilot.app.screen.query("*") for text in shown(widget)}
    return {f"{word}: {text!r}" for text in texts for word in outside(text)}


def outside(text: str) -> set[str]:
    """Words of the text that are neither in brackets nor somebody else's."""
    text = commands().sub(" ", text)
    while (less := OURS.sub(" ", text)) != text:
        text = less
    return set(WORD.findall(text)) - not_ours()


@cache
def commands() -> re.Pattern[str]:
    """Lines of the commands of catalogue rows: shell text, the same in every language."""
    rows = catalogue("4.0").values()
    lines = {line for row in rows for text in (row.commands, *row.os_commands.values()) for line in text.splitlines()}
    patterns = sorted((re.escape(line) for line in lines if line.strip()), key=len, reverse=True)
    return re.compile("|".join(patterns).replace(re.escape("{names}"), ".*"))


@cache
def not_ours() -> frozenset[str]:
    allowed = KEYS_AND_NAMES | set(WORD.findall(dump_plan(PLAN)))
    allowed |= {word for value in values_to_choose(schema()) for word in WORD.findall(value)}
    allowed |= {word for rule in catalogue("4.0") for word in WORD.findall(rule)}
    allowed |= set(WORD.findall(str(DISTRIBUTIONS)))
    allowed |= {word for facts in nodes_seen().values() for word in WORD.findall(str(facts))}
    return frozenset(allowed)


async def test_steps_show_only_translated_text(tmp_path: Path) -> None:
    async with wizard(tmp_path, PLAN, STEPS[0].NAME, nodes_seen()) as (pilot, _session):
        found = set()
        for _step in STEPS:
            assert any("⟦" in text for widget in pilot.app.screen.query("*") for text in shown(widget))
            found |= foreign(pilot)
            await pilot.press("ctrl+n")
            await pilot.pause()
        assert found == set()


async def test_start_and_trial_show_only_translated_text(tmp_path: Path) -> None:
    app = AcpApp(tmp_path / "new", plan_dir=tmp_path, package=PackageWork(tmp_path, places=()))
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "⟦" in screen_text(pilot))
        assert foreign(pilot) == set()
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, TrialStep))
        await pilot.pause()
        assert foreign(pilot) == set()
        assert app.session is not None
        app.push_screen(Recheck(app.session, app.session.report()))
        await until(pilot, lambda: not app.session.nodes.checking if app.session else False)
        await pilot.pause()
        assert foreign(pilot) == set()
        await app.session.close()


@pytest.mark.parametrize(
    ("step", "sequences"),
    [
        ("network", (("ctrl+o",), ("ctrl+q",), ("down", "down", "ctrl+u", "x"))),
        ("address", (("escape",), ("ctrl+u", "1", ".", "2"))),
        ("nodes", (("enter",), ("d",), ("h",), ("ctrl+l",), ("ctrl+t",), ("ctrl+f",))),
        (
            "preflight",
            (("y",), ("s",), ("c",), ("n",), ("ctrl+o",), ("enter",), ("w",), ("f",), ("f", "/"), ("f",), ("x",)),
        ),
        ("review", (("s",), ("x",), ("j",))),
        ("install", (("s",), ("c",), ("f",))),
    ],
)
async def test_dialogs_show_only_translated_text(
    tmp_path: Path, step: str, sequences: tuple[tuple[str, ...], ...]
) -> None:
    async with wizard(tmp_path, PLAN, step, nodes_seen()) as (pilot, _session):
        found = set()
        for keys in sequences:
            await pilot.press(*keys)
            await pilot.pause()
            found |= foreign(pilot)
            if not isinstance(pilot.app.screen, WizardStep):
                await pilot.press("escape")
                await pilot.pause()
        assert found == set()


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_findings_hold_only_translated_text(distribution: str) -> None:
    seen = {address: replace(facts, **dict(DISTRIBUTIONS[distribution])) for address, facts in nodes_seen().items()}  # type: ignore[arg-type]
    states = dict.fromkeys(seen, NodeState.CHECKED) | {WORKERS[0]: NodeState.LOST}
    verdicts = evaluate(PLAN, seen, states, today=date(2026, 3, 1))
    words = {
        f"{verdict.requirement} {word}: {text}"
        for verdict in verdicts
        for text in (verdict.observed, verdict.expected, verdict.remedy)
        for word in outside(text)
    }
    assert words == set()


def test_report_page_holds_only_translated_text() -> None:
    before = report(PLAN, at=MORNING - timedelta(days=1))
    now = report(PLAN, {CONTROL_PLANES[0]: {"swaps": ("/swap",)}}, {WORKERS[0]: NodeState.LOST})
    html = report_html(now, PLAN, changes(before, now))
    texts = {unescape(text) for text in re.split(r"<style>.*?</style>|<[^>]*>", html, flags=re.DOTALL)}
    assert {f"{word}: {text}" for text in texts for word in outside(text)} == set()


@pytest.mark.parametrize("role", ["none", "primary", "standby"])
@pytest.mark.parametrize("release", ["4.0", "4.1"])
def test_remaining_steps_hold_only_translated_text(role: str, release: str) -> None:
    plan = valid_plan(release=release, disaster_recovery={"role": role}, package={"extensions": "/root/x.tar"})
    texts = [text for todo in checklist(plan) for text in (todo.title, todo.text)]
    assert {word for text in texts for word in outside(text)} == set()


@pytest.mark.parametrize("failed_in", [Phase.SETUP, Phase.WAITING_API, Phase.VERSIONS, Phase.POSTING, Phase.INSTALLING])
def test_failures_hold_only_translated_text(tmp_path: Path, failed_in: Phase) -> None:
    spec = RunSpec(tmp_path, tmp_path, (), tmp_path, "", installer_log=tmp_path)
    state = RunState(spec, Phase.FAILED, failed_in=failed_in)
    left = leftover_lines(Leftovers(state, installed_from({}, ""), (8080,), True, "4.0"))
    texts = (failed_lines(state).plain, failure_text(state).plain, result_text(None, PLAN).plain, *left)
    assert {f"{word}: {text}" for text in texts for word in outside(text)} == set()
