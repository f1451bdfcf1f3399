"""Find the missing facts that a check reads, to know why its finding is unknown."""

from collections.abc import Callable
from dataclasses import fields

from acp_tui.checks.finding import FactMissing
from acp_tui.nodes.facts import Facts

_NAMES = frozenset(field.name for field in fields(Facts)) - {"address", "missing"}


class _RecordedFacts(Facts):
    """Facts of a node that record which missing fields a check reads."""

    def __getattribute__(self, name: str) -> object:
        value = super().__getattribute__(name)
        if value is None and name in _NAMES:
            self.__dict__["reads"][name] = None
        return value


def recorded(facts: Facts) -> Facts:
    """Return a copy of `facts` for one run of a check; see `missing_reads`."""
    copy = object.__new__(_RecordedFacts)
    copy.__dict__.update({**facts.__dict__, "reads": {}})
    return copy


def missing_reads(facts: Facts) -> tuple[tuple[str, str], ...]:
    """Return node and name of each missing fact that was read from `facts`, a result of `recorded`."""
    reads: dict[str, None] = facts.__dict__["reads"]
    return tuple((facts.address, name) for name in reads)


def missing_reads_of(check: Callable[[Facts], object], facts: Facts) -> tuple[tuple[str, str], ...]:
    """Run `check` on `facts`. Return node and name of each missing fact that it reads."""
    copy = recorded(facts)
    try:
        check(copy)
    except FactMissing as missing:
        return ((facts.address, missing.fact),)
    return missing_reads(copy)
