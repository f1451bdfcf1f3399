"""Extract the texts of the requirement catalogue: Babel calls `messages` for each YAML file (see babel.cfg)."""

from collections.abc import Iterator
from typing import IO

import yaml

TEXTS = ("title", "finding", "why", "expected", "remedy", "how")
"""Keys of a catalogue row that contain text for people. `commands` and `os_commands` contain shell text instead."""


def messages(
    fileobj: IO[bytes], keywords: object, comment_tags: object, options: object
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Yield (line, function name, text, comments) for each text of a catalogue file (a list) or overlay (a mapping)."""
    root = yaml.compose(fileobj, Loader=yaml.SafeLoader)
    rows = root.value if isinstance(root, yaml.SequenceNode) else [row for _id, row in root.value] if root else []
    for row in rows:
        for key, value in row.value:
            if key.value in TEXTS:
                yield from _text(value)


def _text(node: yaml.Node) -> Iterator[tuple[int, str, str, list[str]]]:
    if isinstance(node, yaml.ScalarNode) and node.value:
        yield node.start_mark.line + 1, "_", node.value, []
