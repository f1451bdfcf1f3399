"""Text from other machines, truncation, and shell templates."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.core.text import LIMIT, ascii_json, fill_template, json_text, one_line, sanitize, truncate

ANY_TEXT = st.text(st.characters(exclude_categories=()) | st.sampled_from("\x1b[]P\\;m\x07\x9b\x9c\n\t\u202e\ud800"))
"""Also text with unpaired surrogates, and with many starts and ends of control sequences."""


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]52;c;c2VjcmV0\x1b\\b", "ab"),
        ("a\x9b31mb\x9d0;title\x9cc", "abc"),
        ("a\x1bPdevice\x1b\\b", "ab"),
        ("a\x1b(Bb", "ab"),
        ("a\x1b]0;no end\nnext line", "a]0;no end\nnext line"),
        ("a\x00\x07\x08\r\x7f\x80\x85\x9fb", "ab"),
        ("a\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069b", "ab"),
        ("a\u00ad\u200b\u200c\u200d\u2060\ufeff\ufe0f\u3164\u180e\U000e0041\U000e0101b", "ab"),
        ("a\u2028\u2029\ufff9\ufffa\ufffbb", "ab"),
        ("a\ud800\udfffb", "ab"),
        ("\tfirst\nsecond: \u00e9\u4e2d\u05d0\u0627\U0001f600", "\tfirst\nsecond: \u00e9\u4e2d\u05d0\u0627\U0001f600"),
    ],
)
def test_sanitize_removes_what_controls_a_terminal_or_is_invisible(text: str, safe: str) -> None:
    assert sanitize(text) == safe


@given(ANY_TEXT, st.integers(1, 40))
def test_sanitized_text_is_safe_and_stays_the_same(text: str, limit: int) -> None:
    safe = sanitize(text, limit=limit)
    assert len(safe) <= limit
    assert not {unicodedata.category(char) for char in safe if char not in "\n\t"} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(char) for char in safe} & {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI"}
    assert safe.encode().decode() == safe
    assert sanitize(safe, limit=limit) == safe


def test_long_text_is_cut_visibly() -> None:
    assert sanitize("x" * LIMIT) == "x" * LIMIT
    assert sanitize("x" * (LIMIT + 1)) == "x" * (LIMIT - 1) + "…"
    assert sanitize("x" * (LIMIT + 1), limit=None) == "x" * (LIMIT + 1)


@pytest.mark.parametrize(
    "text", ["\x1b]" * 100_000, "\x1b[" + "0" * 100_000, "\x1b[0" * 100_000, "\x1b " * 100_000, "\x9d" * 100_000]
)
def test_time_stays_bounded_on_hostile_text(text: str) -> None:
    sanitize(text)


def test_one_line_joins_lines_and_cuts() -> None:
    assert one_line("  first\r\n\tsecond\x07 ") == "first second"
    assert one_line("word " * 9, limit=10) == "word word…"


@given(ANY_TEXT)
def test_json_has_no_unsafe_character_and_keeps_the_text(text: str) -> None:
    written = json_text({text: [text]})
    assert sanitize(written, limit=None) == written
    assert json.loads(written) == {text: [text]}
    assert json.loads(ascii_json(written).encode("ascii")) == {text: [text]}


def test_json_is_readable() -> None:
    assert json_text({"name": "Zürich\u202e\U000e0041"}) == '{\n  "name": "Zürich\\u202e\\udb40\\udc41"\n}'


def test_truncate_cuts_long_text_with_an_ellipsis() -> None:
    assert truncate("12345", 5) == "12345"
    assert truncate("123456", 5) == "1234…"


def test_fill_template_replaces_every_blank_once() -> None:
    assert fill_template("@A@ ${x[@]} @B@@A@", A="@B@", B="b") == "@B@ ${x[@]} b@B@"


def test_missing_value_is_an_error_that_names_the_blank() -> None:
    with pytest.raises(ValueError, match="PORT"):
        fill_template("@HOST@:@PORT@", HOST="a")


def test_unknown_value_is_an_error_that_does_not_show_the_value() -> None:
    with pytest.raises(ValueError, match="LOGIN") as raised:
        fill_template("@HOST@", HOST="a", LOGIN="secret")
    assert "secret" not in str(raised.value)
