"""Parsers that several collectors share."""

from collections.abc import Callable, Mapping

from acp_tui.nodes.script import CollectorOutput


def lines(output: CollectorOutput) -> list[str]:
    """Return the lines of an output without surrounding white space and without empty lines."""
    return [line for raw in output.text.split("\n") if (line := raw.strip())]


def first_line(output: CollectorOutput) -> str:
    """Return the first line that is not empty; "" without output."""
    return next(iter(lines(output)), "")


def keyed(output: CollectorOutput) -> Mapping[str, str]:
    """Parse lines of the form `key value`; a value may be empty."""
    return {key: value.strip() for key, _, value in (line.partition(" ") for line in lines(output))}


def first(name: str) -> Callable[[CollectorOutput], Mapping[str, object]]:
    """Return a parser that uses the first line of the output as the value of the field `name`, "" without output."""
    return lambda output: {name: first_line(output)}


def yes_or_no(name: str) -> Callable[[CollectorOutput], Mapping[str, object]]:
    """Return a parser of `yes` or `no` as the value of the field `name`. The parser raises ValueError on other text."""

    def parse(output: CollectorOutput) -> Mapping[str, object]:
        value = first_line(output)
        if value not in ("yes", "no"):
            raise ValueError("neither yes nor no")
        return {name: value == "yes"}

    return parse
