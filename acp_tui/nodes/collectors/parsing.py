"""Small ways of reading a node's answer, shared by the snippets. All are total: any text gives a value."""

from collections.abc import Callable, Mapping

from acp_tui.nodes.script import CollectorOutput


def lines(reading: CollectorOutput) -> list[str]:
    """The lines of an answer that are not empty, without white space around them."""
    return [line for raw in reading.text.split("\n") if (line := raw.strip())]


def first_line(reading: CollectorOutput) -> str:
    return next(iter(lines(reading)), "")


def keyed(reading: CollectorOutput) -> Mapping[str, str]:
    """Answers of the form `key value`, a line each; a value may be empty."""
    return {key: value.strip() for key, _, value in (line.partition(" ") for line in lines(reading))}


def first(name: str) -> Callable[[CollectorOutput], Mapping[str, object]]:
    """A parser: the answer's first line is the value of `name`, "" where there is none."""
    return lambda reading: {name: first_line(reading)}
