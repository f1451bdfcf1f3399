"""Tests of the command line itself: help, errors, start-up time, and its translation."""

import argparse
import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo

from acp_tui.cli import argparse_texts
from acp_tui.cli.commands import check
from acp_tui.cli.main import main
from acp_tui.cli.parser import build_parser
from acp_tui.core.i18n import use_language
from acp_tui.preflight.active_tests import ActiveTest
from tests.support.messages import extracted

NAMES = build_parser()[1]
HEAVY = ("asyncio", "asyncssh", "httpx", "pydantic", "rich", "textual", "yaml", "screens")
FOR_PROGRAMMERS = {
    ".__call__() not defined",
    "'required' is an invalid argument for positionals",
    "mutually exclusive arguments must be optional",
    "%r is not callable",
    "cannot merge actions - two groups are named %r",
    "invalid option string %(option)r: must start with a character %(prefix_chars)r",
    "dest= is required for options like %r",
    "invalid conflict_resolution value: %r",
    "cannot have multiple subparser arguments",
    "conflicting subparser: %s",
    "conflicting subparser alias: %s",
    "conflicting option string: %s",
    "conflicting option strings: %s",
    'argument "-" with mode %r',
    "can't open '%(filename)s': %(error)s",
}
"""Texts of argparse for errors in our own code, or for features that we do not use."""


def texts_of_argparse() -> set[str]:
    """The texts that the running Python's argparse translates."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(argparse))) if isinstance(node, ast.Call)]
    translated = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in ("_", "ngettext")]
    return {
        part.value
        for call in translated
        for argument in call.args
        for part in ast.walk(argument)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value not in ("title", "description")
    }


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["check", "--help"], ["install", "--help"]])
def test_help_does_not_import_the_engine(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom acp_tui.cli.main import main\n"
        f"try: main({arguments!r})\nexcept SystemExit: pass\n"
        f"print('imported:', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("imported: []\n")


@pytest.mark.parametrize("name", NAMES)
def test_help_of_a_command_starts_with_its_purpose(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: acp-tui {name}")
    purpose = shown.split("\n\n")[1]
    assert re.match("[a-z]", purpose)
    assert not purpose.rstrip().endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_every_argument_has_a_help_text(name: str) -> None:
    parser, _names = build_parser()
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    assert [action.dest for action in commands.choices[name]._actions if not action.help] == []


@pytest.mark.parametrize("name", NAMES)
def test_command_runs_its_function(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Each command starts its work and fails on an unknown plan, or on the missing terminal or run, without a crash."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    arguments = {
        "verify": [str(tmp_path / "none")],
        "bundle": [str(tmp_path / "none"), str(tmp_path / "bundle")],
        "support": [str(tmp_path / "archive.zip")],
        "status": [],
        "attach": [],
        "demo": [],
        "explain": ["NONE"],
        "schema": [],
    }.get(name, [str(tmp_path / "none")])
    expected = {"schema": 0, "support": 2, "explain": 2, "wizard": 2, "demo": 2}.get(name, 3)
    assert main([name, *arguments]) == expected
    captured = capsys.readouterr()
    assert captured.out if name == "schema" else captured.err


def test_plan_alone_opens_the_wizard(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan.yaml"]) == 2
    assert "requires a terminal" in capsys.readouterr().err


def test_choices_are_those_of_the_engine() -> None:
    assert tuple(ActiveTest) == check._ACTIVE_TESTS


def test_texts_of_argparse_are_complete() -> None:
    listed = {*argparse_texts.TEXTS, *(text for pair in argparse_texts.PLURALS for text in pair)}
    assert texts_of_argparse() - listed - FOR_PROGRAMMERS == set()


@pytest.fixture
def bracketed(tmp_path: Path) -> Iterator[None]:
    """A language in which each text is the English one in brackets."""
    language = Catalog(locale="en")
    texts, _warnings = extracted()
    for message in texts:
        if message.id and not isinstance(message.id, tuple):
            language.add(message.id, f"⟦{message.id}⟧", context=message.context)
    place = tmp_path / "en_XB" / "LC_MESSAGES" / "acp-tui.mo"
    place.parent.mkdir(parents=True)
    with place.open("wb") as compiled:
        write_mo(compiled, language)
    use_language("en_XB", tmp_path)
    yield
    use_language("en")


@pytest.mark.usefixtures("bracketed")
def test_help_and_errors_are_translated(capsys: pytest.CaptureFixture[str]) -> None:
    parser, _names = build_parser()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                text = command.format_help()
                while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", "", text)) != text:
                    text = shorter
                untranslated = re.sub(r"--?[a-z-]+|acp-tui [a-z]+|\{[\w.,]+\}", "", text)
                assert re.findall(r"\w+", untranslated) == []
    with pytest.raises(SystemExit):
        parser.parse_args(["explain", "--release", "9"])
    errors = capsys.readouterr().err
    assert errors.startswith("⟦usage: ⟧")
    assert "⟦invalid choice: '9'" in errors
