"""Evaluate the checks that a catalogue row defines completely, without a function.

The key `fact` of a row names the field of `Facts` that the check reads. In a set, tuple or list, each element counts as
present. In a mapping, each key whose value is True counts as present.
"""

from collections.abc import Mapping, Sequence, Set

from acp_tui.checks.catalog import AllAbsent, AllPresent, AnyPresent, AtLeast, OneOf, Scalar
from acp_tui.checks.finding import Finding, require_fact
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext
from acp_tui.nodes.facts import Facts

Shape = AtLeast | OneOf | AllPresent | AnyPresent | AllAbsent


def check_declarative(shape: Shape, facts: Facts) -> Finding:
    """Evaluate the check `shape` of a catalogue row.

    Raises FactMissing: the fact was not collected. Raises TypeError: the fact has the wrong type.
    """
    value: object = require_fact(getattr(facts, shape.fact), shape.fact)
    match shape:
        case AtLeast():
            if not isinstance(value, int | float):
                raise TypeError(f"{shape.fact} is not a number")
            return Finding(_outcome(value >= shape.value), f"{value:g} {shape.unit}".strip())
        case OneOf():
            return Finding(_outcome(value in shape.values), _formatted(value))
        case AllPresent():
            names = _present(value, shape.fact)
            missing = tuple(name for name in shape.names if name not in names)
            observed = (
                pgettext("observed value", "these items are missing: {names}").format(names=", ".join(missing))
                if missing
                else pgettext("observed value", "all required items are present")
            )
            return Finding(_outcome(not missing), observed, names=missing)
        case AnyPresent():
            names = _present(value, shape.fact)
            present = [name for name in shape.names if name in names]
            return Finding(_outcome(bool(present)), ", ".join(present) or _("none of the required items is present"))
        case AllAbsent():
            names = _present(value, shape.fact)
            unwanted = tuple(name for name in shape.names if name in names)
            return Finding(
                _outcome(not unwanted),
                ", ".join(unwanted) or _("none of the forbidden items is present"),
                names=unwanted,
            )


def _outcome(ok: bool) -> Outcome:
    return Outcome.PASS if ok else Outcome.FAIL


def _present(value: object, fact: str) -> Set[object]:
    if isinstance(value, Mapping):
        return {name for name, present in value.items() if present is True}
    if isinstance(value, Set | Sequence) and not isinstance(value, str):
        return set(value)
    raise TypeError(f"{fact} is not a collection")


def _formatted(value: object) -> str:
    texts: Mapping[Scalar, str] = {
        True: pgettext("observed value", "present"),
        False: pgettext("observed value", "absent"),
        "": pgettext("observed value", "empty"),
    }
    return texts.get(value, str(value)) if isinstance(value, bool | str) else str(value)
