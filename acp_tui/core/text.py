"""Make text safe for a terminal, truncate text, and fill in shell templates."""

import re

_ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_BLANK = re.compile(r"@([A-Z]+)@")


def sanitize(text: str) -> str:
    """Return `text` without terminal control sequences, direction marks, and characters that UTF-8 cannot encode.

    Newlines and tabs stay."""
    return _CONTROL.sub("", _ESCAPE_SEQUENCE.sub("", text))


def truncate(text: str, width: int) -> str:
    """Return `text` with at most `width` characters. A longer text is cut and ends with an ellipsis."""
    return text if len(text) <= width else text[: width - 1] + "…"


def fill_template(template: str, **values: str) -> str:
    """Replace every placeholder `@NAME@` in `template` with its value. The caller must quote the values for the shell.

    Raises: ValueError if a placeholder has no value, or a value has no placeholder."""
    if different := sorted(set(_BLANK.findall(template)) ^ values.keys()):
        raise ValueError(f"placeholders and values of the template differ: {', '.join(different)}")
    return _BLANK.sub(lambda blank: values[blank[1]], template)
