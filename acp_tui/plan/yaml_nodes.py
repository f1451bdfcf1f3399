"""Parse YAML text into nodes, with a limit on their number, and record their tags.

PyYAML needs several microseconds and a kilobyte of memory for each node. Without the limit, a file of one megabyte with
only `[a,a,a` keeps the program busy for many seconds.
"""

from collections.abc import Mapping

import yaml


class TooManyNodes(ValueError):
    """A YAML text has more scalars, lists, mappings and aliases than the caller accepts."""


def compose(text: str, most: int) -> tuple[yaml.Node | None, Mapping[int, str]]:
    """Return the root node of a YAML text, and the tags in the text, such as `!vault`, by the `id` of their nodes.

    The root node is None if the text is empty. `most`: the maximum number of nodes. Raises TooManyNodes; yaml.YAMLError
    if the text is not valid YAML; RecursionError if it is nested too deeply."""
    loader = _Loader(text, most)
    try:
        node: yaml.Node | None = loader.get_single_node()
    finally:
        loader.dispose()
    return node, loader.tags


class _Loader(yaml.SafeLoader):
    def __init__(self, text: str, most: int) -> None:
        super().__init__(text)
        self._left = most
        self.tags: dict[int, str] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._left -= 1
        if self._left < 0:
            raise TooManyNodes
        event = self.peek_event()  # type: ignore[no-untyped-call]
        tag = getattr(event, "tag", None)
        node: yaml.Node | None = super().compose_node(parent, index)
        if tag is not None and node is not None:
            self.tags[id(node)] = tag
        return node
