"""Make text from other machines safe to show."""

import re

_ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def clean(text: str) -> str:
    """`text` without anything that could steer a terminal, turn its direction, or not be written as UTF-8; newlines and
    tabs stay."""
    return _CONTROL.sub("", _ESCAPE_SEQUENCE.sub("", text))
