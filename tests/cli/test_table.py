"""Tests of aligned columns."""

from acp_tui.cli.table import columns


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert list(columns([("a", "long", "x"), ("bcd", "s", "a longer last cell")])) == [
        "a    long  x",
        "bcd  s     a longer last cell",
    ]


def test_wide_characters_take_two_cells() -> None:
    assert list(columns([("失败", "x"), ("pass", "y")])) == ["失败  x", "pass  y"]


def test_empty_last_cell_leaves_no_blanks() -> None:
    assert list(columns([("a", ""), ("bc", "d")])) == ["a", "bc  d"]


def test_no_rows_give_no_lines() -> None:
    assert list(columns([])) == []
