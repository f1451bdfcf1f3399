"""Parsers that several collectors share."""

from collections.abc import Callable, Mapping
from ipaddress import ip_address

from acp_tui.nodes.script import CollectorOutput


def lines(output: CollectorOutput) -> list[str]:
    """Return the lines of an output. Surrounding white space and empty lines are removed."""
    return [line for raw in output.text.split("\n") if (line := raw.strip())]


def first_line(output: CollectorOutput) -> str:
    """Return the first line that is not empty; "" if the output is empty."""
    return next(iter(lines(output)), "")


def keyed(output: CollectorOutput) -> Mapping[str, str]:
    """Parse lines of the form `key value`. A value can be empty."""
    return {key: value.strip() for key, _, value in (line.partition(" ") for line in lines(output))}


def first(name: str) -> Callable[[CollectorOutput], Mapping[str, object]]:
    """Return a parser for the field `name`. Its value is the first line of the output; "" if the output is empty."""
    return lambda output: {name: first_line(output)}


def yes_or_no(name: str) -> Callable[[CollectorOutput], Mapping[str, object]]:
    """Return a parser for the field `name`. Its value is True for `yes` and False for `no`.

    The parser raises ValueError for other text."""

    def parse(output: CollectorOutput) -> Mapping[str, object]:
        value = first_line(output)
        if value not in ("yes", "no"):
            raise ValueError("the output is neither yes nor no")
        return {name: value == "yes"}

    return parse


def is_address(text: str) -> bool:
    """Return whether `text` is an IPv4 or IPv6 address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
