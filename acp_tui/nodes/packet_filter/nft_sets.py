"""The values of a comparison in `nft list ruleset`: elements of sets, and the conditions that they give."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from acp_tui.nodes.packet_filter import nft_fields as fields
from acp_tui.nodes.packet_filter.model import Match, What
from acp_tui.nodes.packet_filter.nft_fields import Field, constant
from acp_tui.nodes.packet_filter.values import flags, plain


@dataclass
class NamedSet:
    """A set or map of a table. An element has its tokens, and the tokens of its value; () in a set."""

    elements: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)
    braces: bool = False
    """True for a set that is written in the rule."""
    matches: dict[tuple[tuple[Field, ...], bool], Match] = field(default_factory=dict)
    """The parsed elements, by the fields that are compared with them, and whether the comparison is negated."""


def elements(tokens: Sequence[str]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return the elements between the braces of a set. Their timeouts, counters and comments are removed."""
    found: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    key: list[str] = []
    value: list[str] | None = None
    skipping = False
    for token in (*tokens, ","):
        if token == ",":
            if key:
                found.append((tuple(key), tuple(value or ())))
            key, value, skipping = [], None, False
        elif token == ":" and value is None:
            value, skipping = [], False
        elif token in ("timeout", "expires", "comment", "counter", "limit", "last", "quota"):
            skipping = True
        elif not skipping:
            (key if value is None else value).append(token)
    return found


def set_mark(tokens: Sequence[str]) -> tuple[int, int]:
    """Return value and mask of a change of the mark, see `Rule.mark`. Raises ValueError."""
    if len(tokens) == 1:
        return plain(tokens[0]), 0xFFFFFFFF
    if len(tokens) != 2:
        raise ValueError("unknown change of the mark")
    operator, value = tokens[0], plain(tokens[1])
    if operator in ("|", "or"):
        return value, value
    if operator in ("&", "and"):
        return 0, ~value & 0xFFFFFFFF
    if operator in ("^", "xor"):
        return value, 0
    raise ValueError("unknown change of the mark")


def parts_of(key: Sequence[str]) -> list[str]:
    """Return the tokens of an element without the dots between its parts."""
    return [token for token in key if token != "."]


def element_matches(known: tuple[Field, ...], key: Sequence[str]) -> tuple[Match, ...]:
    parts = parts_of(key)
    if len(known) == 1:
        return (fields.match(known[0], parts),)
    if len(parts) != len(known):
        raise ValueError("the element has another number of parts")
    return tuple(fields.match(one, (part,)) for one, part in zip(known, parts, strict=True))


def any_match(known: tuple[Field, ...], found: NamedSet, negated: bool) -> Match:
    cached = found.matches.get((known, negated))
    if cached is None:
        groups = tuple(element_matches(known, key) for key, _value in found.elements)
        cached = found.matches[known, negated] = Match(What.ANY, negated=negated, alternatives=groups)
    return cached


def simple_match(one: Field, found: NamedSet, negated: bool, mask: tuple[str, ...] | None) -> Match:
    if mask is not None:
        tokens = [token for key, _value in found.elements for token in parts_of(key)]
        return fields.match(one, tokens, negated=negated, mask=plain(mask[0]))
    cached = found.matches.get(((one,), negated))
    if cached is None:
        if any(key == ("*",) for key, _value in found.elements):
            cached = constant(not negated)
        else:
            tokens = [token for key, _value in found.elements for token in parts_of(key)]
            cached = fields.match(one, tokens, negated=negated)
        found.matches[(one,), negated] = cached
    return cached


def flag_match(one: Field, found: NamedSet, negated: bool, mask: tuple[str, ...] | None) -> Match:
    """Return a condition on TCP flags: with a mask, `VALUE / MASK`, exact values in braces, or any of the flags."""
    tokens = ["".join(parts_of(key)) for key, _value in found.elements]
    if mask is not None:
        return fields.match(one, tokens, negated=negated, mask=flags(mask))
    wanted, slash, first = "|".join(tokens).partition("/")
    if slash:
        return fields.match(one, (wanted,), negated=negated, mask=flags(first.split("|")))
    return fields.match(one, tokens, negated=negated, mask=255 if found.braces else None)


def ordered_match(one: Field, token: str, operator: str) -> Match:
    """Return a condition such as `tcp dport >= 1024`. Raises ValueError for other fields than numbers."""
    if one.parse is None or one.what in (What.SOURCE, What.DESTINATION, What.ICMP):
        raise ValueError("no number")
    value = one.parse(token)[0]
    first, last = {
        "<": (0, value - 1), "lt": (0, value - 1), "<=": (0, value), "le": (0, value),
        ">": (value + 1, 1 << 32), "gt": (value + 1, 1 << 32), ">=": (value, 1 << 32), "ge": (value, 1 << 32),
    }[operator]  # fmt: skip
    if one.assumed is not None:
        return constant(first <= one.assumed <= last)
    if one.what is What.UNKNOWN:
        raise ValueError("acp-tui does not simulate the field")
    return Match(one.what, ((first, last),) if first <= last else ())
