"""Describe the sizing: a table, the reason for each number, and the comparison of each node with the required size.

The command, the wizard and the HTML page use the same texts. The texts contain only calculated values.
"""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from acp_tui.checks.labels import role_label
from acp_tui.checks.sizing.calculator import Need, Sizing
from acp_tui.checks.sizing.size import Size
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, ngettext, pgettext

_NOTHING = "—"
_RULE_WIDTH = 17
"""Number of columns for the requirement ID in the list of reasons: the longest ID and a space."""


def heads() -> tuple[str, ...]:
    """Return the column headings of the table."""
    return (
        pgettext("column", "Role"),
        pgettext("column", "Required"),
        pgettext("column", "Plan"),
        pgettext("column", "Minimum each"),
        pgettext("column", "Recommended"),
    )


def rows(sizing: Sizing) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table.

    If a role has a second row, for ARM nodes, this row does not repeat the number of nodes.
    """
    counted: set[str] = set()
    for need in sizing.needs:
        role = (
            pgettext("sizing", "{role}, ARM").format(role=role_label(need.role)) if need.arm else role_label(need.role)
        )
        counts = (_count(need), str(need.planned)) if need.role not in counted else ("", "")
        counted.add(need.role)
        yield role, *counts, _size(need.least), _size(need.advised)
        if need.together != Size():
            yield "  " + pgettext("nodes", "in total"), "", "", _size(need.together), _size(need.together_advised)


def fits(sizing: Sizing) -> Iterator[tuple[str, ...]]:
    """Yield the address, role, size and rating of each node, then the total of a role if the sizing has a total."""
    for fit in sizing.fits:
        machine = str(fit.machine) if fit.machine is not None else _NOTHING
        yield fit.address, role_label(fit.role), machine, _rating(fit.outcome)
    for need in sizing.needs:
        if need.together != Size() and need.observed_together is not None:
            outcome = Outcome.PASS if need.together.reached_by(need.observed_together) else Outcome.FAIL
            yield pgettext("nodes", "in total"), role_label(need.role), str(need.observed_together), _rating(outcome)


def _rating(outcome: Outcome) -> str:
    match outcome:
        case Outcome.PASS:
            return pgettext("size", "sufficient")
        case Outcome.WARN:
            return _("below the recommended size")
        case Outcome.FAIL:
            return pgettext("size", "too small")
        case _:
            return pgettext("size", "unknown")


def table_lines(sizing: Sizing) -> list[str]:
    """Return the table as lines of text."""
    return _columns([heads(), *rows(sizing)])


def fit_lines(sizing: Sizing) -> list[str]:
    """Return the comparison of the nodes with the required sizes as lines of text."""
    return _columns(list(fits(sizing)))


def reason_lines(sizing: Sizing, width: int) -> Iterator[str]:
    """Yield, for each number of the sizing, the requirement ID and the reason as lines of at most `width` columns."""
    for reason in sizing.reasons:
        lines = wrap(reason.text, max(width - _RULE_WIDTH, 20))
        for name, line in zip((reason.requirement, *[""] * len(lines)), lines, strict=False):
            yield f"{name:<{_RULE_WIDTH}}{line}"


def shortage(sizing: Sizing) -> str:
    """Return the most important shortage in a few words, such as "2 workers are missing"; "" if none is known."""
    for need in sizing.needs:
        if need.planned < need.count:
            return _missing(need.role, need.count - need.planned)
    small = [fit.address for fit in sizing.fits if fit.outcome is Outcome.FAIL]
    if small:
        return ngettext("{node} is too small", "{count} nodes are too small", len(small)).format(
            node=small[0], count=len(small)
        )
    return ""


def _missing(role: str, count: int) -> str:
    if role == "worker":
        return ngettext("{count} worker is missing", "{count} workers are missing", count).format(count=count)
    text = ngettext("{count} control plane node is missing", "{count} control plane nodes are missing", count)
    return text.format(count=count)


def _count(need: Need) -> str:
    if need.count == need.count_advised:
        return str(need.count)
    return pgettext("sizing", "{count} ({advised} advised)").format(count=need.count, advised=need.count_advised)


def _size(size: Size) -> str:
    return str(size) if size != Size() else _NOTHING


def _columns(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
