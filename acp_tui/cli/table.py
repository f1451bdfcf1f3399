"""Align text in columns of a terminal."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

_GAP = "  "


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield one line for each row. Each column is as wide as its widest cell; the last one is not padded.

    Widths are counted in cells of a terminal: an East Asian character takes two cells."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row[:-1], widths, strict=False))
        yield _GAP.join((*padded, row[-1])).rstrip()
