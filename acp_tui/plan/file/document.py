"""Parse a YAML file into text, lists and mappings, and record the line of each value for error messages.

All scalar values stay text until the fields of the plan convert them. So `release: 4.0` stays "4.0", and a password
such as `0123` or `yes` stays unchanged.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from acp_tui.core.files import open_regular_file
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.ownership import own_weakness, weakness_of
from acp_tui.plan.field_types import shown
from acp_tui.plan.model import rule_of
from acp_tui.plan.paths import PathPart, dotted
from acp_tui.plan.yaml_nodes import TooManyNodes, compose

MAX_BYTES = 1 << 20
"""The maximum size of a plan file in bytes. A plan has one or two pages, so a larger file is not a plan."""
MAX_VALUES = 20_000
"""The maximum number of values in a plan file.

A plan with a hundred nodes and all keys has two thousand values. A short file with nested YAML aliases can create
millions of values."""
_MAX_NODES = 2 * MAX_VALUES
"""The maximum number of YAML nodes in a plan file. The keys are nodes, too."""

Data = dict[str, "Value"]
Value = str | None | list["Value"] | Data


@dataclass(frozen=True)
class Problem:
    """An error in a plan file."""

    file: str
    line: int
    path: str
    message: str

    @property
    def rule(self) -> str | None:
        """Return the requirement that the invalid value violates.

        Return None if the error does not concern a known plan key."""
        try:
            return rule_of(self.path)
        except KeyError:
            return None

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line} {self.path}: {self.message}"
            if self.path
            else f"{self.file}:{self.line} {self.message}"
        )


@dataclass
class Document:
    """The content of one YAML file as plain data, with the line of each value."""

    name: str
    folder: Path
    data: Data = field(default_factory=dict)
    lines: dict[tuple[PathPart, ...], int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    values: int = 0
    tags: Mapping[int, str] = field(default_factory=dict)
    """The `id` of a YAML node → the tag that the file gives it. No tag is allowed."""

    def line(self, steps: tuple[PathPart, ...]) -> int:
        """Return the line of a plan key in the file.

        If the file does not contain the key, return the line of the section or list item that would contain it."""
        while steps and steps not in self.lines:
            steps = steps[:-1]
        return self.lines.get(steps, 1)

    def problem(self, steps: tuple[PathPart, ...], message: str) -> None:
        """Record an error for a plan key, with the line of that key."""
        self.problems.append(Problem(self.name, self.line(steps), shown(dotted(steps), 120), message))


@dataclass(frozen=True)
class PlanContent:
    """The content of a plan file or an overlay, and who can change it. `status`: the status of the open file."""

    data: bytes
    status: os.stat_result
    weakness: str
    """The reason why another user can change the file; "" if only the operator and root can."""


def read_content(path: Path) -> PlanContent:
    """Return the first MAX_BYTES + 1 bytes of a file. Raises OSError, also if the file is a folder, a device or a pipe.

    These bytes are enough to detect a file that is larger than MAX_BYTES. The open file is checked and not only its
    path: in a folder such as /tmp, another user can create or remove the file between the check and the reading."""
    with open_regular_file(path) as file:
        found = os.fstat(file.fileno())
        weak = weakness_of(path)
        weakness = own_weakness(path, found) or (weak.reason if weak else "")
        return PlanContent(file.read(MAX_BYTES + 1), found, weakness)


def parse_document(path: Path, raw: bytes) -> Document:
    """Parse `raw`, the content of the file at `path`. The result lists all errors in `problems`."""
    document = Document(path.name, path.parent)
    if len(raw) > MAX_BYTES:
        document.problem((), _("the file is larger than {limit} bytes, so it is not a plan").format(limit=MAX_BYTES))
        return document
    try:
        node, document.tags = compose(raw.decode("utf-8"), _MAX_NODES)
    except UnicodeDecodeError:
        document.problem((), _("the file is not UTF-8 text"))
        return document
    except TooManyNodes:
        document.problem((), _too_many_values())
        return document
    except RecursionError:
        document.problem((), _("the YAML values are nested too deeply or refer to themselves"))
        return document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else 1
        message = pgettext("error", "invalid YAML: {reason}").format(reason=error.problem or error)
        document.problems.append(Problem(path.name, line, "", message))
        return document
    except yaml.YAMLError as error:
        document.problem((), pgettext("error", "invalid YAML: {reason}").format(reason=str(error).splitlines()[0]))
        return document
    if node is None:
        return document
    if not isinstance(node, yaml.MappingNode):
        document.problem((), _("the file is not a plan. A plan must be a YAML mapping of keys to values."))
        return document
    value = _plain(node, (), document, ())
    document.data = value if isinstance(value, dict) else {}
    return document


def _too_many_values() -> str:
    return _("the file has more than {limit} values, so it is not a plan").format(limit=MAX_VALUES)


def _plain(node: yaml.Node, steps: tuple[PathPart, ...], document: Document, ancestors: tuple[yaml.Node, ...]) -> Value:
    document.lines.setdefault(steps, node.start_mark.line + 1)
    document.values += 1
    if document.values > MAX_VALUES:
        if document.values == MAX_VALUES + 1:
            document.problem(steps, _too_many_values())
        return None
    if node in ancestors or len(ancestors) > 20:
        document.problem(steps, _("the YAML values are nested too deeply or refer to themselves"))
        return None
    if id(node) in document.tags:
        _tag_problem(document, steps, node)
        return None
    if isinstance(node, yaml.ScalarNode):
        return None if node.tag == "tag:yaml.org,2002:null" else str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*steps, index), document, (*ancestors, node)) for index, item in enumerate(node.value)]
    result: Data = {}
    for key_node, value_node in node.value:
        key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
        here = (*steps, key)
        if id(key_node) in document.tags:
            document.lines[here] = key_node.start_mark.line + 1
            _tag_problem(document, here, key_node)
            continue
        if key in result:
            document.lines[here] = key_node.start_mark.line + 1
            document.problem(here, pgettext("error", "duplicate key"))
            continue
        document.lines[here] = key_node.start_mark.line + 1
        result[key] = _plain(value_node, here, document, (*ancestors, node))
    return result


def _tag_problem(document: Document, steps: tuple[PathPart, ...], node: yaml.Node) -> None:
    message = _("the YAML tag {tag} is not allowed. Remove the tag, and enter the value without it.")
    tag = document.tags[id(node)].replace("tag:yaml.org,2002:", "!!")
    document.problem(steps, message.format(tag=shown(tag)))
