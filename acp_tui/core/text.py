"""Make text safe to show, truncate it, and fill in templates for shells."""

import re

_ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_BLANK = re.compile(r"@([A-Z]+)@")


def sanitize(text: str) -> str:
    """Return `text` without terminal control, direction marks, and code points that UTF-8 cannot encode.

    Newlines and tabs stay."""
    return _CONTROL.sub("", _ESCAPE_SEQUENCE.sub("", text))


def truncate(text: str, width: int) -> str:
    """Return `text`, cut to `width` characters with an ellipsis if it is longer."""
    return text if len(text) <= width else text[: width - 1] + "…"


def fill_template(template: str, **values: str) -> str:
    """Replace every `@NAME@` in `template`. A value is inserted as it is, so quote it for the shell.

    Raises: ValueError if a blank of the template has no value, or a value has no blank in the template."""
    if different := sorted(set(_BLANK.findall(template)) ^ values.keys()):
        raise ValueError(f"blanks and values of the template differ: {', '.join(different)}")
    return _BLANK.sub(lambda blank: values[blank[1]], template)
