"""Parse YAML text into nodes, with a limit on their number.

PyYAML needs several microseconds and a kilobyte of memory for each node. Without the limit, a file of one megabyte with
only `[a,a,a` keeps the program busy for many seconds.
"""

import yaml


class TooManyNodes(ValueError):
    """A YAML text has more scalars, lists, mappings and aliases than the caller accepts."""


def compose(text: str, most: int) -> yaml.Node | None:
    """Return the root node of a YAML text, or None if the text is empty. `most`: the maximum number of nodes.

    Raises TooManyNodes; yaml.YAMLError if the text is not valid YAML; RecursionError if it is nested too deeply."""
    loader = _Loader(text, most)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    def __init__(self, text: str, most: int) -> None:
        super().__init__(text)
        self._left = most

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._left -= 1
        if self._left < 0:
            raise TooManyNodes
        return super().compose_node(parent, index)
