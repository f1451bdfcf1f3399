"""Parsers shared by the collectors. They accept any text and never raise."""

from collections.abc import Callable, Mapping

from acp_tui.nodes.script import CollectorOutput


def lines(output: CollectorOutput) -> list[str]:
    """Return the lines of an output without surrounding white space and without empty lines."""
    return [line for raw in output.text.split("\n") if (line := raw.strip())]


def first_line(output: CollectorOutput) -> str:
    """Return the first line that is not empty; "" if there is none."""
    return next(iter(lines(output)), "")


def keyed(output: CollectorOutput) -> Mapping[str, str]:
    """Parse lines of the form `key value`; a value may be empty."""
    return {key: value.strip() for key, _, value in (line.partition(" ") for line in lines(output))}


def first(name: str) -> Callable[[CollectorOutput], Mapping[str, object]]:
    """Return a parser that uses the first line of the output as the value of the field `name`, "" without output."""
    return lambda output: {name: first_line(output)}
