"""The last step before a line of the wizard reaches the terminal: remove what could control the terminal."""

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from acp_tui.core.text import sanitize


class SafeLines(LineFilter):
    """Removes control characters and invisible characters from each line of each widget. The width stays."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [_safe(segment) for segment in segments]


def _safe(segment: Segment) -> Segment:
    text = sanitize(segment.text, limit=None).replace("\n", "").replace("\t", "")
    if text == segment.text:
        return segment
    return Segment(set_cell_size(text, cell_len(segment.text)), segment.style, segment.control)
