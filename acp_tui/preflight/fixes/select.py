"""Which steps would mend what was found on a node, and what cannot be mended from here. Pure.

"All" is what blocks and what an undo can bring back. The rest is offered, and taken only where it is named.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.core.i18n import _
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Node, Plan
from acp_tui.preflight.fixes.kernel import KERNEL_RECIPES
from acp_tui.preflight.fixes.software import SOFTWARE_RECIPES
from acp_tui.preflight.fixes.step import FixContext, FixStep, InitScript, Recipe
from acp_tui.preflight.fixes.system import SYSTEM_RECIPES

RECIPES: Mapping[str, Recipe] = {**KERNEL_RECIPES, **SYSTEM_RECIPES, **SOFTWARE_RECIPES}
INIT = "PRE-INIT"
_FOUND = (Outcome.FAIL, Outcome.WARN)


@dataclass(frozen=True)
class ManualFix:
    """A finding that nothing here mends, and why."""

    requirement: str
    reason: str


@dataclass(frozen=True)
class AvailableFixes:
    """Everything that could be done on one node."""

    address: str
    steps: tuple[FixStep, ...]
    manual: tuple[ManualFix, ...]
    """Of what blocks alone."""
    pending: tuple[str, ...]
    """Requirements that only wait for a reboot."""


def available_fixes(
    plan: Plan,
    node: Node,
    facts: Facts,
    verdicts: Iterable[Verdict],
    *,
    hostname: str | None = None,
    init: InitScript | None = None,
) -> AvailableFixes:
    """What could be done for `verdicts` (of any node; only those of `node` count).

    `hostname`: the name that the operator gives the node. `init`: the vendor's script, where it is at hand."""
    rows = catalogue(plan.effective_release)
    steps: list[FixStep] = [_init_step(rows[INIT].title, init)] if init and INIT in rows else []
    manual: list[ManualFix] = []
    own = [verdict for verdict in verdicts if verdict.node == node.address]
    for verdict in own:
        recipe = RECIPES.get(verdict.requirement, _no_recipe)
        if verdict.outcome not in _FOUND or (verdict.outcome is Outcome.WARN and recipe is _no_recipe):
            continue
        made = recipe(FixContext(plan, node, facts, verdict, _(rows[verdict.requirement].title), hostname))
        if isinstance(made, FixStep):
            wanted = made.applied_by_default and verdict.outcome is Outcome.FAIL and verdict.waived is None
            steps.append(replace(made, applied_by_default=wanted))
        elif verdict.outcome is Outcome.FAIL and verdict.waived is None:
            manual.append(ManualFix(verdict.requirement, made))
    pending = tuple(v.requirement for v in own if v.outcome is Outcome.PENDING_REBOOT)
    return AvailableFixes(node.address, _in_order(_joined(steps)), tuple(manual), pending)


def select_fixes(
    plan: Plan,
    node: Node,
    facts: Facts,
    verdicts: Iterable[Verdict],
    only: Collection[str] | None,
    *,
    hostname: str | None = None,
    init: InitScript | None = None,
) -> tuple[FixStep, ...]:
    """The steps to take on `node`: those of the requirement IDs in `only`, else all that are taken without a name."""
    return selected(available_fixes(plan, node, facts, verdicts, hostname=hostname, init=init).steps, only)


def selected(steps: Iterable[FixStep], only: Collection[str] | None) -> tuple[FixStep, ...]:
    """Of `steps` those named in `only`; with None all that are part of "all"."""
    if only is None:
        return tuple(step for step in steps if step.applied_by_default and not step.destructive)
    return tuple(step for step in steps if not set(step.requirements).isdisjoint(only))


@dataclass(frozen=True)
class Result:
    """What became of a requirement after a step. `outcome` PASS: mended."""

    address: str
    requirement: str
    outcome: Outcome
    observed: str


def results(address: str, steps: Iterable[FixStep], verdicts: Sequence[Verdict]) -> tuple[Result, ...]:
    """The requirements of `steps` held against what was judged after them. PRE-INIT leaves nothing to be judged by."""
    found = []
    for requirement in dict.fromkeys(r for step in steps for r in step.requirements if r != INIT):
        own = [v for v in verdicts if v.requirement == requirement and v.node in (address, None)]
        worst = next((v for v in own if v.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)), None)
        outcome = worst.outcome if worst else Outcome.PASS
        found.append(Result(address, requirement, outcome, worst.observed if worst else ""))
    return tuple(found)


def _no_recipe(case: FixContext) -> str:
    return _("nothing on the node that this program could change; its remedy says more")


def _init_step(title: str, init: InitScript) -> FixStep:
    return FixStep(
        INIT,
        _(title),
        f'printf \'%s  %s\\n\' {init.sha256} "$folder/init.sh" | sha256sum -c -\nbash "$folder/init.sh"',
        applied_by_default=False,
        note=_("The vendor's script decides what it changes; there is no undo. Its output is kept."),
    )


def _joined(steps: Sequence[FixStep]) -> list[FixStep]:
    """Steps of the same commands become one that meets all their requirements."""
    by_commands: dict[str, FixStep] = {}
    for step in steps:
        before = by_commands.get(step.commands)
        if before is None:
            by_commands[step.commands] = step
        else:
            ids = dict.fromkeys((*before.requirements, *step.requirements))
            by_commands[step.commands] = replace(
                before,
                also=tuple(ids)[1:],
                applied_by_default=before.applied_by_default or step.applied_by_default,
            )
    return list(by_commands.values())


def _in_order(steps: Sequence[FixStep]) -> tuple[FixStep, ...]:
    """What could lock the operator out comes last: all else is done by then."""
    return tuple(sorted(steps, key=lambda step: step.second_login))
