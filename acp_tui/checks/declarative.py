"""The typed check shapes of the catalogue: what a row can say by itself, without a function.

Facts are named by their field; a set, a tuple or a mapping to true and false are all read as "what is there".
"""

from collections.abc import Mapping, Sequence, Set

from acp_tui.checks.catalog import AllAbsent, AllPresent, AnyPresent, AtLeast, OneOf, Scalar
from acp_tui.checks.finding import Finding, require_fact
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.nodes.facts import Facts

Shape = AtLeast | OneOf | AllPresent | AnyPresent | AllAbsent


def check_declarative(shape: Shape, facts: Facts) -> Finding:
    """The finding of a typed row. NotLearned: its fact is not known. TypeError: the fact is of another kind."""
    value: object = require_fact(getattr(facts, shape.fact), shape.fact)
    match shape:
        case AtLeast():
            if not isinstance(value, int | float):
                raise TypeError(f"{shape.fact} is not a number")
            return Finding(_met(value >= shape.value), f"{value:g} {shape.unit}".strip())
        case OneOf():
            return Finding(_met(value in shape.values), _shown(value))
        case AllPresent():
            missing = tuple(name for name in shape.names if name not in _there(value, shape.fact))
            observed = _("missing: {names}").format(names=", ".join(missing)) if missing else _("all there")
            return Finding(_met(not missing), observed, names=missing)
        case AnyPresent():
            found = [name for name in shape.names if name in _there(value, shape.fact)]
            return Finding(_met(bool(found)), ", ".join(found) or _("none of them"))
        case AllAbsent():
            there = tuple(name for name in shape.names if name in _there(value, shape.fact))
            return Finding(_met(not there), ", ".join(there) or _("none of them"), names=there)


def _met(ok: bool) -> Outcome:
    return Outcome.PASS if ok else Outcome.FAIL


def _there(value: object, fact: str) -> Set[object]:
    if isinstance(value, Mapping):
        return {name for name, there in value.items() if there is True}
    if isinstance(value, Set | Sequence) and not isinstance(value, str):
        return set(value)
    raise TypeError(f"{fact} is not a collection")


def _shown(value: object) -> str:
    words: Mapping[Scalar, str] = {True: _("it is there"), False: _("it is not there"), "": _("empty")}
    return words.get(value, str(value)) if isinstance(value, bool | str) else str(value)
