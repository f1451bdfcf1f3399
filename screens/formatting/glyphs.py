"""Marks for outcomes and node states. Each mark is clear without colour. A simple terminal gets ASCII marks."""

import locale
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from acp_tui.checks.verdict import Outcome
from acp_tui.nodes.state import NodeState

_PLAIN_TERMINALS = ("linux", "vt100", "vt102", "vt220", "ansi", "dumb")


@dataclass(frozen=True)
class Glyphs:
    passed: str
    failed: str
    warned: str
    unknown: str
    manual: str
    running: str
    here: str
    bar: str
    rest: str
    mask: str


RICH = Glyphs("✓", "✗", "!", "?", "☐", "…", "▸", "━", "─", "•")
ASCII = Glyphs("+", "x", "!", "?", "o", "~", ">", "#", "-", "*")


@cache
def glyphs() -> Glyphs:
    """Return the marks that this terminal can show. Many consoles and serial lines can show only ASCII."""
    utf8 = "utf" in locale.getpreferredencoding(False).lower()
    return RICH if utf8 and os.environ.get("TERM", "") not in _PLAIN_TERMINALS else ASCII


def outcome_mark(outcome: Outcome) -> tuple[str, str]:
    """Return the mark and the text style of an outcome."""
    g = glyphs()
    marks: Mapping[Outcome, tuple[str, str]] = {
        Outcome.PASS: (g.passed, "green"),
        Outcome.FAIL: (g.failed, "bold red"),
        Outcome.WARN: (g.warned, "yellow"),
        Outcome.UNKNOWN: (g.unknown, "magenta"),
        Outcome.PENDING_REBOOT: (g.failed, "bold red"),
        Outcome.MANUAL: (g.manual, "cyan"),
        Outcome.NOT_APPLICABLE: (g.rest, "dim"),
    }
    return marks[outcome]


def state_mark(state: NodeState) -> tuple[str, str]:
    """Return the mark and the text style of a node state."""
    g = glyphs()
    if state is NodeState.CHECKED:
        return g.passed, "green"
    if state is NodeState.CHECKING:
        return g.running, "cyan"
    if state is NodeState.HOST_KEY_UNKNOWN:
        return g.manual, "cyan"
    return g.failed, "bold red"
