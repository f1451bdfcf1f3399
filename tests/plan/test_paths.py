"""Paths of answers: after nodes were added or removed, and values that are rejected."""

from pathlib import Path

import pytest

from acp_tui.plan.file import read_plan
from acp_tui.plan.model import Plan
from acp_tui.plan.paths import InvalidValue, moved_path, with_answers
from acp_tui.plan.sections.node import Node

A, B, C = (Node(address=f"10.20.0.{number}", role="control-plane") for number in (11, 12, 13))


@pytest.mark.parametrize(
    ("path", "moved"),
    [
        ("nodes[0].ssh.port", None),
        ("nodes[1].ssh.port", "nodes[0].ssh.port"),
        ("nodes[2].nic", "nodes[2].nic"),
        ("nodes[7].nic", None),
        ("nodes", "nodes"),
        ("network.cni", "network.cni"),
    ],
)
def test_path_follows_its_node(path: str, moved: str | None) -> None:
    assert moved_path(path, (A, B, C), (B, Node(address="10.20.0.14", role="worker"), C)) == moved


@pytest.mark.parametrize("value", ["/root/a\x00b", "\x1b[31mred", "bell\x07", "\x9b31m"])
@pytest.mark.parametrize("path", ["package.core", "address.platform", "components.elasticsearch_nodes"])
def test_control_characters_are_rejected(path: str, value: str) -> None:
    with pytest.raises(InvalidValue):
        with_answers(Plan(), {path: [value] if path.startswith("components") else value})


def test_too_deeply_nested_plan_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text("a: " + "[" * 5000, encoding="utf-8")
    [problem] = read_plan(file).problems
    assert "nested too deeply" in problem.message
