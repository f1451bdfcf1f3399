"""No widget can send a control character to the terminal, and the width of its lines stays."""

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from acp_tui.core.text import sanitize
from screens.formatting.safe_lines import SafeLines

HOSTILE = "a\x1b[31mb\x9b2J\u202ec\u061c\ud800\u3164d\U0001f469\u200d\U0001f527e"


@pytest.mark.parametrize("text", [HOSTILE, "tab\tand\nline", "\u1160", "plain \u4e2d", ""])
def test_line_is_safe_and_keeps_its_width(text: str) -> None:
    [segment] = SafeLines().apply([Segment(text)], Color(0, 0, 0))
    assert sanitize(segment.text, limit=None) == segment.text
    assert not set("\t\n") & set(segment.text)
    assert cell_len(segment.text) == cell_len(text)


def test_safe_segment_stays_the_same_object() -> None:
    segment = Segment("plain")
    assert SafeLines().apply([segment], Color(0, 0, 0))[0] is segment
