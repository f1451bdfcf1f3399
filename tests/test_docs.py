"""Tests that the contract and the README describe the program: commands, options, plan keys and defaults."""

import argparse
import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from acp_tui.cli.parser import build_parser
from acp_tui.plan.file import load_plan, schema
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node, NodeSsh
from acp_tui.plan.sections.waiver import Waiver

ROOT = Path(__file__).parents[1]
CONTRACT = ROOT / "docs" / "contract.md"
README = ROOT / "README.md"
MODULES = sorted(
    module for folder in ("acp_tui", "screens", "tests", "bench", "scripts") for module in (ROOT / folder).rglob("*.py")
)
UNFINISHED_DOCSTRINGS = {
    "tests/e2e/test_secret_leaks.py",
    "tests/lab/test_remote_install.py",
}
"""Tests whose first line is not a sentence of one line. Add nothing here."""
CLAUSES_LEFT = 14
"""Tests whose first line starts with a clause. Lower the figure."""


def commands() -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Name, help text and parser of each command."""
    parser, _names = build_parser()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                yield name, helps[name], command


def command_options() -> Iterator[tuple[str, str]]:
    """Each command with each of its long options, except `--help`."""
    for name, _help, command in commands():
        for option in command._option_string_actions:
            if option.startswith("--") and option != "--help":
                yield name, option


def plan_keys() -> Iterator[str]:
    """The key names of all sections of the plan, once each."""
    found: set[str] = set()
    document = json.loads(json.dumps(schema()))
    for section in (document, *document["$defs"].values()):
        found.update(section["properties"])
    yield from sorted(found)


def plan_example() -> str:
    """The YAML example of the contract."""
    return CONTRACT.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]


@pytest.mark.parametrize("page", [CONTRACT, README], ids=lambda page: page.name)
@pytest.mark.parametrize("name", [name for name, _help, _parser in commands()])
def test_every_command_is_documented(page: Path, name: str) -> None:
    assert f"acp-tui {name}" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "purpose"), [(name, purpose) for name, purpose, _parser in commands()])
def test_readme_describes_a_command_as_its_help_does(name: str, purpose: str) -> None:
    rows = [line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("| `acp-tui")]
    [row] = [row for row in rows if re.search(rf"acp-tui {name}\b", row)]
    assert purpose in row


def test_modules_state_their_purpose() -> None:
    """The first line of the docstring is a sentence of one line. An empty package file needs none."""
    found = []
    for module in MODULES:
        name, text = str(module.relative_to(ROOT)), module.read_text(encoding="utf-8")
        first, _newline, rest = (ast.get_docstring(ast.parse(text)) or "").partition("\n")
        sentence = first.endswith(".") and len(f'"""{first}') <= 120 and (not rest or rest.startswith("\n"))
        if text and not sentence and name not in UNFINISHED_DOCSTRINGS:
            found.append((name, first))
    assert found == []


def test_purposes_are_noun_phrases_or_imperatives() -> None:
    """A first line such as "What a node reports" is clear only to a reader who knows the module."""
    clause = re.compile(r"\"\"\"(What|Whatever|When|Where|Whether|Which|Who|Whoever|Whom|Whose|How|Nobody|Somebody)\b")
    found = [str(module.relative_to(ROOT)) for module in MODULES if clause.match(module.read_text(encoding="utf-8"))]
    tests = [name for name in found if name.startswith("tests/")]
    assert found == tests
    assert len(tests) <= CLAUSES_LEFT, tests


def test_every_option_is_in_the_contract() -> None:
    text = CONTRACT.read_text(encoding="utf-8")
    shared = ("--passphrase-file", "--allow-references")
    rows = [line for line in text.splitlines() if line.startswith("| `acp-tui")]
    missing = [
        (name, option)
        for name, option in command_options()
        if option not in shared
        and not any(f"acp-tui {name}" in row and option in row.partition(" | ")[0].replace("\\", "") for row in rows)
    ]
    assert not missing
    assert all(option in text for option in shared)


@pytest.mark.parametrize("key", plan_keys())
def test_every_plan_key_is_in_the_contract(key: str) -> None:
    assert re.search(rf"(?<![\w.]){key}:", plan_example())


def test_plan_example_shows_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(plan_example(), encoding="utf-8")
    assert load_plan(file) == Plan()


@pytest.mark.parametrize("section", [Node(address="10.0.0.1"), Waiver(requirement="X", reason="text", by="name")])
def test_item_example_shows_the_defaults(section: Node | Waiver) -> None:
    example = re.sub(r"(?m)^  # (- |  )", "", plan_example())
    items = example[example.index("nodes: []") :]
    for key, info in type(section).model_fields.items():
        shown = re.search(rf"(?m)^{key}: +(\S+)", items)
        assert shown, key
        if not info.is_required():
            value = getattr(section, key)
            assert yaml.safe_load(shown[1]) == ({} if isinstance(value, NodeSsh) else value), key
