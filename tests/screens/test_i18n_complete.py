"""All texts of the screens are translatable: in a test language with bracketed texts, no word is outside the brackets.

Not translated: addresses, names and values of the plan, output of nodes, names of keys.
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
from acp_tui.checks.topology import topology_of
from acp_tui.core.i18n import DOMAIN, use_language
from acp_tui.install.leftovers import Leftovers
from acp_tui.install.leftovers import lines as leftover_lines
from acp_tui.install.run.state import Phase, RunSpec, RunState
from acp_tui.install.verify.checklist import checklist
from acp_tui.install.verify.queries import installed_from
from acp_tui.nodes.fact_types import Unit
from acp_tui.nodes.facts import Facts
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
BRACKETED = re.compile(r"⟦[^⟦⟧]*[⟧…]")  # a text may be truncated to the width of its field
WORD = re.compile(r"[^\W\d_]{3,}")
PLAN = valid_plan(ssh={"username": "root", "password": None}, waivers=[
    {"requirement": "PRE-INIT", "node": "*", "reason": "xxx", "by": "yyy"},
    {"requirement": "SYS-SWAP", "node": "*", "reason": "xxx", "by": "yyy", "until": "2020-01-01"},
])  # fmt: skip
REMEDY_COMMANDS = ("hostnamectl set-hostname {names}", "apt-get purge -y {names}")
"""Shell commands of fixes that a check in Python gives instead of its row."""
KEYS_AND_NAMES = {"Enter", "Esc", "Space", "acp", "tui", "setup", "systemctl", "disable", "now"}


@pytest.fixture(scope="session")
def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create the test language: each text is the English one in brackets, compiled like a real translation."""
    folder = tmp_path_factory.mktemp("locales")
    texts, _warnings = extracted()
    bracketed = Catalog(locale="en")
    for message in texts:
        if message.id:
            forms = message.id if isinstance(message.id, tuple) else (message.id,)
            in_brackets = tuple(f"⟦{text}⟧" for text in forms)
            text = in_brackets if isinstance(message.id, tuple) else in_brackets[0]
            bracketed.add(message.id, text, context=message.context)
    file = folder / "en_XA" / "LC_MESSAGES" / f"{DOMAIN}.mo"
    file.parent.mkdir(parents=True)
    with file.open("wb") as compiled:
        write_mo(compiled, bracketed)
    return folder


@pytest.fixture(autouse=True)
def bracketed(locales: Path) -> Iterator[None]:
    use_language("en_XA", locales)
    yield
    use_language("en")


def facts_of_nodes() -> dict[str, Facts]:
    """Return facts of nodes with findings of each outcome."""
    roles = dict.fromkeys(CONTROL_PLANES, "control-plane") | dict.fromkeys(WORKERS, "worker")
    facts = {address: healthy(address, role=role) for address, role in roles.items()}
    first, second, third = CONTROL_PLANES
    facts[first] = replace(facts[first], swaps=("/swap",), timezone="Europe/Berlin", utc_offset="+0100")
    facts[second] = replace(
        facts[second], selinux="enforcing", cmdline=(), boot_entries=(), grub_defaults=(), cpu_count=2
    )
    facts[third] = replace(
        facts[third], swaps=None, missing={"swaps": "denied"}, hostname="A_B", search_domains=("x.y",) * 30
    )
    facts[WORKERS[0]] = replace(healthy(WORKERS[0], "centos-7.9", "worker"), modules=frozenset(), resolv_exists=False)
    facts[WORKERS[1]] = replace(
        facts[WORKERS[1]], units={"ufw": Unit("active", "enabled")}, dpkg_packages=frozenset({"docker.io"})
    )
    return facts


def texts_of(widget: Widget) -> Iterator[str]:
    """Yield the texts of this widget before they are truncated to the width of the screen."""
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


def fixed_values(schema_part: object) -> Iterator[str]:
    """Yield the keys of a plan file and the values of its enumerations, which are the same in each language."""
    if isinstance(schema_part, dict):
        for key, value in schema_part.items():
            if key == "enum":
                yield from map(str, value)
            elif key == "properties":
                yield from value
            yield from fixed_values(value)
    elif isinstance(schema_part, list):
        for value in schema_part:
            yield from fixed_values(value)


def untranslated(pilot: Pilot[int]) -> set[str]:
    """Return the untranslatable words on the screen, with their texts."""
    texts = {text for widget in pilot.app.screen.query("*") for text in texts_of(widget)}
    return {f"{word}: {text!r}" for text in texts for word in words_outside_brackets(text)}


def words_outside_brackets(text: str) -> set[str]:
    """Return the words of a text that are neither in brackets nor allowed outside."""
    text = commands().sub(" ", text)
    while (stripped := BRACKETED.sub(" ", text)) != text:
        text = stripped
    return set(WORD.findall(text)) - allowed_words()


@cache
def commands() -> re.Pattern[str]:
    """The shell commands of fixes, from catalogue rows and from checks: the same in every language."""
    rows = catalogue("4.0").values()
    lines = {line for row in rows for text in (row.commands, *row.os_commands.values()) for line in text.splitlines()}
    lines.update(REMEDY_COMMANDS)
    patterns = sorted((re.escape(line) for line in lines if line.strip()), key=len, reverse=True)
    return re.compile("|".join(patterns).replace(re.escape("{names}"), ".*"))


@cache
def allowed_words() -> frozenset[str]:
    allowed = KEYS_AND_NAMES | set(WORD.findall(dump_plan(PLAN)))
    allowed |= {word for value in fixed_values(schema()) for word in WORD.findall(value)}
    allowed |= {word for rule in catalogue("4.0") for word in WORD.findall(rule)}
    allowed |= set(WORD.findall(str(DISTRIBUTIONS)))
    allowed |= {word for facts in facts_of_nodes().values() for word in WORD.findall(str(facts))}
    return frozenset(allowed)


async def test_steps_show_only_translated_text(tmp_path: Path) -> None:
    async with wizard(tmp_path, PLAN, STEPS[0].NAME, facts_of_nodes()) as (pilot, _session):
        untranslated_words = set()
        for _step in STEPS:
            assert any("⟦" in text for widget in pilot.app.screen.query("*") for text in texts_of(widget))
            untranslated_words |= untranslated(pilot)
            await pilot.press("ctrl+n")
            await pilot.pause()
        assert untranslated_words == set()


async def test_start_and_trial_show_only_translated_text(tmp_path: Path) -> None:
    app = AcpApp(tmp_path / "new", plan_dir=tmp_path, package=PackageWork(tmp_path, places=()))
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "⟦" in screen_text(pilot))
        assert untranslated(pilot) == set()
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, TrialStep))
        await pilot.pause()
        assert untranslated(pilot) == set()
        assert app.session is not None
        app.push_screen(Recheck(app.session, app.session.report()))
        await until(pilot, lambda: not app.session.nodes.checking if app.session else False)
        await pilot.pause()
        assert untranslated(pilot) == set()
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
    async with wizard(tmp_path, PLAN, step, facts_of_nodes()) as (pilot, _session):
        untranslated_words = set()
        for keys in sequences:
            await pilot.press(*keys)
            await pilot.pause()
            untranslated_words |= untranslated(pilot)
            if not isinstance(pilot.app.screen, WizardStep):
                await pilot.press("escape")
                await pilot.pause()
        assert untranslated_words == set()


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_findings_hold_only_translated_text(distribution: str) -> None:
    system = dict(DISTRIBUTIONS[distribution])
    facts = {address: replace(healthy, **system) for address, healthy in facts_of_nodes().items()}  # type: ignore[arg-type]
    states = dict.fromkeys(facts, NodeState.CHECKED) | {WORKERS[0]: NodeState.LOST}
    verdicts = evaluate(PLAN, facts, states, topology=topology_of(PLAN), today=date(2026, 3, 1))
    untranslated_words = {
        f"{verdict.requirement} {word}: {text}"
        for verdict in verdicts
        for text in (verdict.observed, verdict.expected, verdict.remedy)
        for word in words_outside_brackets(text)
    }
    assert untranslated_words == set()


def test_report_page_holds_only_translated_text() -> None:
    before = report(PLAN, at=MORNING - timedelta(days=1))
    now = report(PLAN, {CONTROL_PLANES[0]: {"swaps": ("/swap",)}}, {WORKERS[0]: NodeState.LOST})
    html = report_html(now, PLAN, changes(before, now))
    texts = {unescape(text) for text in re.split(r"<style>.*?</style>|<[^>]*>", html, flags=re.DOTALL)}
    assert {f"{word}: {text}" for text in texts for word in words_outside_brackets(text)} == set()


@pytest.mark.parametrize("role", ["none", "primary", "standby"])
@pytest.mark.parametrize("release", ["4.0", "4.1"])
def test_remaining_steps_hold_only_translated_text(role: str, release: str) -> None:
    plan = valid_plan(release=release, disaster_recovery={"role": role}, package={"extensions": "/root/x.tar"})
    texts = [text for step in checklist(plan) for text in (step.title, step.text)]
    assert {word for text in texts for word in words_outside_brackets(text)} == set()


@pytest.mark.parametrize("failed_in", [Phase.SETUP, Phase.WAITING_API, Phase.VERSIONS, Phase.POSTING, Phase.INSTALLING])
def test_failures_hold_only_translated_text(tmp_path: Path, failed_in: Phase) -> None:
    spec = RunSpec(tmp_path, tmp_path, (), tmp_path, "", installer_log=tmp_path)
    state = RunState(spec, Phase.FAILED, failed_in=failed_in)
    leftovers = leftover_lines(Leftovers(state, installed_from({}, ""), (8080,), True, "4.0"))
    texts = (failed_lines(state).plain, failure_text(state).plain, result_text(None, PLAN).plain, *leftovers)
    assert {f"{word}: {text}" for text in texts for word in words_outside_brackets(text)} == set()
