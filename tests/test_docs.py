"""Tests that the contract and the README describe the program: commands, options, plan keys and defaults."""

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from acp_tui.cli.parser import build_parser
from acp_tui.plan.file import load_plan, schema
from acp_tui.plan.model import Node, NodeSsh, Plan, Waiver

ROOT = Path(__file__).parents[1]
CONTRACT = ROOT / "docs" / "contract.md"
README = ROOT / "README.md"


def command_names() -> tuple[str, ...]:
    """The commands of the command line. The only place here that knows where the parser is."""
    _parser, names = build_parser()
    return names


def command_options() -> Iterator[tuple[str, str]]:
    """Each command with each of its long options, `--help` apart."""
    parser, _names = build_parser()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
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
@pytest.mark.parametrize("name", command_names())
def test_every_command_is_documented(page: Path, name: str) -> None:
    assert f"acp-tui {name}" in page.read_text(encoding="utf-8")


def test_every_option_is_in_the_contract() -> None:
    text = CONTRACT.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `acp-tui")]
    missing = [
        (name, option)
        for name, option in command_options()
        if option != "--passphrase-file"
        and not any(f"acp-tui {name}" in row and option in row.partition(" | ")[0].replace("\\", "") for row in rows)
    ]
    assert not missing
    assert "--passphrase-file" in text


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
