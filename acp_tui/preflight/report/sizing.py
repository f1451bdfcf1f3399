"""The sizing as people read it: a small table, the reason for each figure, each real node against it.

The same words in the command, the wizard and the report's page; none of them counts anything itself.
"""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from acp_tui.checks.labels import role_label
from acp_tui.checks.sizing.calculator import Need, Sizing
from acp_tui.checks.sizing.requirements import Size
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import N_, _, ngettext

_FITS = {
    Outcome.PASS: N_("enough"),
    Outcome.WARN: N_("below the recommended size"),
    Outcome.FAIL: N_("too small"),
    Outcome.UNKNOWN: N_("not seen yet"),
}
_NOTHING = "—"
_RULE_WIDTH = 17
"""Columns of the longest requirement's name in the list of reasons, with a blank."""


def heads() -> tuple[str, ...]:
    return (_("Role"), _("Wanted"), _("Plan"), _("Each at least"), _("Recommended"))


def rows(sizing: Sizing) -> Iterator[tuple[str, ...]]:
    """Cells under `heads`; a role's second line, for ARM, repeats no number of nodes."""
    told: set[str] = set()
    for need in sizing.needs:
        role = _("{role}, ARM").format(role=role_label(need.role)) if need.arm else role_label(need.role)
        counts = (_wanted(need), str(need.planned)) if need.role not in told else ("", "")
        told.add(need.role)
        yield role, *counts, _size(need.least), _size(need.advised)
        if need.together != Size():
            yield "  " + _("all together"), "", "", _size(need.together), _size(need.together_advised)


def fits(sizing: Sizing) -> Iterator[tuple[str, ...]]:
    """Each node: address, role, what it has, what that is worth; then a role's nodes together, where that counts."""
    for fit in sizing.fits:
        machine = str(fit.machine) if fit.machine is not None else _NOTHING
        yield fit.address, role_label(fit.role), machine, _(_FITS[fit.outcome])
    for need in sizing.needs:
        if need.together != Size() and need.observed_together is not None:
            enough = need.together.reached_by(need.observed_together)
            result = _("enough") if enough else _("too little")
            yield _("all together"), role_label(need.role), str(need.observed_together), result


def table_lines(sizing: Sizing) -> list[str]:
    """The table in columns as wide as they have to be."""
    return _columns([heads(), *rows(sizing)])


def fit_lines(sizing: Sizing) -> list[str]:
    return _columns(list(fits(sizing)))


def reason_lines(sizing: Sizing, width: int) -> Iterator[str]:
    """Rule and reason, wrapped at `width` columns."""
    for reason in sizing.reasons:
        lines = wrap(reason.text, max(width - _RULE_WIDTH, 20))
        for name, line in zip((reason.requirement, *[""] * len(lines)), lines, strict=False):
            yield f"{name:<{_RULE_WIDTH}}{line}"


def in_short(sizing: Sizing) -> str:
    """What is missing most, in a few words; "" where nothing is known to be."""
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
    told = ngettext("{count} control plane is missing", "{count} control planes are missing", count)
    return told.format(count=count)


def _wanted(need: Need) -> str:
    if need.count == need.count_advised:
        return str(need.count)
    return _("{count}, better {advised}").format(count=need.count, advised=need.count_advised)


def _size(size: Size) -> str:
    return str(size) if size != Size() else _NOTHING


def _columns(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
