"""How every fact is asked and read. A new fact is one `Collector` here, one field in `facts.py`, one recorded output.

Cheap questions come first, package tools last: what a node tells before it breaks is kept.
"""

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import fields

from acp_tui.core.i18n import _
from acp_tui.nodes.collectors import boot, clock, network, security, software
from acp_tui.nodes.collectors import hardware as machine
from acp_tui.nodes.collectors.clock import CLOCK, read_clock
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import (
    ABSENT,
    CUT,
    NEEDS_ROOT,
    NOT_FOUND,
    TIMED_OUT,
    Collector,
    CollectorOutput,
    MissingReason,
)

__all__ = ["CLOCK", "IDS", "SNIPPETS", "facts_from", "read_clock"]

SNIPPETS: tuple[Collector, ...] = (
    CLOCK,
    *machine.SNIPPETS,
    *network.SNIPPETS,
    *clock.SNIPPETS,
    *boot.SNIPPETS,
    *security.SNIPPETS,
    *software.SNIPPETS,
)

IDS = next(snippet for snippet in SNIPPETS if snippet.name == "ids")
"""Which machine it is, and which boot of it."""

_FIELDS = frozenset(field.name for field in fields(Facts))


Parsed = tuple[Mapping[str, object], str]
"""What an answer tells by field, and why it tells no more."""


def facts_from(
    address: str,
    readings: Iterable[CollectorOutput],
    unanswered: str | None = None,
    asked: tuple[Collector, ...] = SNIPPETS,
    parsed: MutableMapping[CollectorOutput, Parsed] | None = None,
) -> Facts:
    """Facts of the node at `address` from what it answered. Pure, and total: no answer can make it raise.

    A snippet that failed leaves a gap with the reason for each of its fields. `unanswered` is the reason for the fields
    of `asked` snippets without a reading (a connection that broke); None: more may still come, so they are left without
    one. `parsed` keeps what was read from an answer before, for who asks again with more of them.
    """
    parsed = {} if parsed is None else parsed
    by_name = {snippet.name: snippet for snippet in asked}
    values: dict[str, object] = {}
    gaps: dict[str, str] = {}
    answered: set[str] = set()
    for reading in readings:
        snippet = by_name.get(reading.name)
        if snippet is None or reading.name in answered:
            continue
        answered.add(reading.name)
        if reading not in parsed:
            parsed[reading] = _read(snippet, reading)
        found, reason = parsed[reading]
        told = {
            name: value for name, value in found.items() if value is not None and not isinstance(value, MissingReason)
        }
        values.update(told)
        gaps.update({name: str(found.get(name) or reason) for name in snippet.fields if name not in told})
    if unanswered is not None:
        for snippet in asked:
            if snippet.name not in answered:
                gaps.update(dict.fromkeys(snippet.fields, unanswered))
    known = {name: value for name, value in values.items() if name in _FIELDS}
    return Facts(address, gaps=gaps, **known)  # type: ignore[arg-type] # parsers are held to the fields' types by tests


def _read(snippet: Collector, reading: CollectorOutput) -> Parsed:
    if reading.status in (TIMED_OUT, CUT, NEEDS_ROOT) or (reading.status and not snippet.any_status):
        return {}, _reason(snippet, reading.status)
    try:
        return snippet.parse(reading), _("the node's answer does not tell it")
    except ValueError as error:
        return {}, _("the node's answer could not be read: {why}").format(why=error)


def _reason(snippet: Collector, status: int) -> str:
    if status == TIMED_OUT:
        return _("no answer within {seconds} s").format(seconds=snippet.timeout)
    return {
        CUT: _("the answer was longer than allowed"),
        NEEDS_ROOT: _("needs root"),
        ABSENT: _("the node has no file that tells it"),
        NOT_FOUND: _("the node lacks the command that tells it"),
    }.get(status, _("asking failed with exit status {status}").format(status=status))
