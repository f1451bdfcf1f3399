"""Make text safe for a terminal, a page or a log; truncate text, and fill in shell templates.

Text from outside of the program can contain characters that control a terminal, that change the order of other
characters, or that are invisible. With them, a node or a file name could hide text, imitate text of acp-tui, or send
commands to the terminal.
"""

import json
import re

LIMIT = 4000
"""Number of characters. A longer text is cut, so that one value cannot fill a screen or a page."""
_LINE_LIMIT = 600
"""Number of characters of a message on one line."""

_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # such as colours
    r"|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90-\x9f\n]*(?:\x07|\x1b\\|\x9c)"  # such as the window title
    r"|\x1b[ -/]+[0-~]"  # such as the character set
)
UNFINISHED_SEQUENCE = re.compile(
    r"(?:(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,64}"
    r"|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90-\x9f\n]{0,4096}\x1b?"
    r"|\x1b[ -/]{0,64})\Z"
)
"""The start of a control sequence at the end of a text. Its length is limited, because a sequence may never end."""
CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f"
"""The control characters except tab and newline, for a character class of a regular expression."""
_INVISIBLE = (
    # The characters with the Unicode property Default_Ignorable_Code_Point: among them are the direction marks, the
    # joiners, the variation selectors and the tag characters.
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\u2028\u2029"  # line separator and paragraph separator
    "\ufff9-\ufffb"  # interlinear annotations
    "\ud800-\udfff"  # surrogates: a Python text contains only unpaired ones, and UTF-8 cannot encode them
)
_UNSAFE = re.compile(f"[{CONTROL}{_INVISIBLE}]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_BLANK = re.compile(r"@([A-Z]+)@")


def sanitize(text: str, *, limit: int | None = LIMIT) -> str:
    """Return `text` without terminal control sequences, control characters and invisible characters.

    The joiners of some scripts are invisible, too, and are removed. Newlines and tabs stay. `limit`: the largest number
    of characters; a longer text is cut and ends with an ellipsis. Use None only if the text is shown or cut elsewhere.
    """
    safe = _UNSAFE.sub("", _ESCAPE_SEQUENCE.sub("", text))
    return safe if limit is None else truncate(safe, limit)


def one_line(text: str, *, limit: int = _LINE_LIMIT) -> str:
    """Return `text` as `sanitize` does, but on one line. Each run of white space becomes one space."""
    return truncate(" ".join(sanitize(text, limit=None).split()), limit)


def json_text(document: object) -> str:
    """Return `document` as indented JSON. Its text is readable, but unsafe characters are escaped.

    A program that reads the JSON receives the original text."""
    return _UNSAFE.sub(_escaped, json.dumps(document, indent=2, ensure_ascii=False))


def ascii_json(text: str) -> str:
    """Return the JSON document `text` with every character escaped that is not ASCII."""
    return _NOT_ASCII.sub(_escaped, text)


def _escaped(character: re.Match[str]) -> str:
    """Return a character as JSON escapes it. It is part of a JSON string, so the JSON stays valid."""
    return json.dumps(character[0])[1:-1]


def truncate(text: str, width: int) -> str:
    """Return `text` with at most `width` characters. A longer text is cut and ends with an ellipsis."""
    return text if len(text) <= width else text[: width - 1] + "…"


def fill_template(template: str, **values: str) -> str:
    """Replace every placeholder `@NAME@` in `template` with its value. The caller must quote the values for the shell.

    Raises: ValueError if a placeholder has no value, or a value has no placeholder."""
    if different := sorted(set(_BLANK.findall(template)) ^ values.keys()):
        raise ValueError(f"placeholders and values of the template differ: {', '.join(different)}")
    return _BLANK.sub(lambda blank: values[blank[1]], template)
