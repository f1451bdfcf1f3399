"""Align text in columns of a terminal."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

_GAP = "  "


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """One line for each row; each column is as wide as its widest cell, and the last one is not padded.

    Widths are those of a terminal, where an East Asian character takes two cells."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row[:-1], widths, strict=False))
        yield _GAP.join((*padded, row[-1])).rstrip()
