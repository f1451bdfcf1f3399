"""Text from other machines, truncation, and shell templates."""

import pytest

from acp_tui.core.text import fill_template, sanitize, truncate


def test_sanitize_removes_control_and_keeps_newlines_and_tabs() -> None:
    assert sanitize("\x1b[31mred\x1b]0;title\x07\x00\u202e\ud800\n\tend") == "red\n\tend"


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
