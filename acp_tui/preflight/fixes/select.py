"""Choose the fix steps for the findings on a node, and name the findings that need a manual fix.

The functions are pure. If no requirement is named, they choose the steps that fix a blocker and can be undone. All
other steps run only if they are named.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.core.i18n import _
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node
from acp_tui.preflight.fixes.kernel import KERNEL_RECIPES
from acp_tui.preflight.fixes.software import SOFTWARE_RECIPES
from acp_tui.preflight.fixes.step import FixContext, FixStep, InitScript, Recipe
from acp_tui.preflight.fixes.system import SYSTEM_RECIPES

RECIPES: Mapping[str, Recipe] = {**KERNEL_RECIPES, **SYSTEM_RECIPES, **SOFTWARE_RECIPES}
INIT = "PRE-INIT"
_FIXABLE = (Outcome.FAIL, Outcome.WARN)


@dataclass(frozen=True)
class ManualFix:
    """A finding that acp-tui cannot fix, and the reason."""

    requirement: str
    reason: str


@dataclass(frozen=True)
class AvailableFixes:
    """The fixes that exist for one node."""

    address: str
    steps: tuple[FixStep, ...]
    manual: tuple[ManualFix, ...]
    """The manual fixes of blockers. Those of other findings are left out."""
    pending: tuple[str, ...]
    """Requirements whose settings are already in place, so that they pass after the next reboot."""


def available_fixes(
    plan: Plan,
    node: Node,
    facts: Facts,
    verdicts: Iterable[Verdict],
    *,
    hostname: str | None = None,
    init: InitScript | None = None,
) -> AvailableFixes:
    """Return the fixes for those of `verdicts` that concern `node`.

    `hostname`: the name that the operator chose for the node. `init`: the vendor's script, if it was found.
    """
    rows = catalogue(plan.effective_release)
    steps: list[FixStep] = [_init_step(rows[INIT].title, init)] if init and INIT in rows else []
    manual: list[ManualFix] = []
    own = [verdict for verdict in verdicts if verdict.node == node.address]
    for verdict in own:
        recipe = RECIPES.get(verdict.requirement, _no_recipe)
        if verdict.outcome not in _FIXABLE or (verdict.outcome is Outcome.WARN and recipe is _no_recipe):
            continue
        blocks = verdict.outcome is Outcome.FAIL and verdict.waived is None
        made = recipe(
            FixContext(
                plan=plan,
                node=node,
                facts=facts,
                verdict=verdict,
                title=_(rows[verdict.requirement].title),
                hostname=hostname,
            )
        )
        if isinstance(made, FixStep):
            steps.append(replace(made, applied_by_default=made.applied_by_default and blocks))
        elif blocks:
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
    """Return the steps to apply on `node`.

    `only`: the IDs of the requirements to fix; None for the steps that are applied by default.
    """
    return selected(available_fixes(plan, node, facts, verdicts, hostname=hostname, init=init).steps, only)


def selected(steps: Iterable[FixStep], only: Collection[str] | None) -> tuple[FixStep, ...]:
    """Return the steps that fix a requirement in `only`; if `only` is None, the steps that are applied by default."""
    if only is None:
        return tuple(step for step in steps if step.applied_by_default and not step.destructive)
    return tuple(step for step in steps if not set(step.requirements).isdisjoint(only))


@dataclass(frozen=True)
class FixResult:
    """The outcome of a requirement after a fix step. PASS means that the step fixed the requirement."""

    address: str
    requirement: str
    outcome: Outcome
    observed: str


def fix_results(address: str, steps: Iterable[FixStep], verdicts: Sequence[Verdict]) -> tuple[FixResult, ...]:
    """Return the outcome of each requirement that `steps` fix. The `verdicts` must be made after the fix.

    PRE-INIT is left out, because no check shows whether it has run.
    """
    found = []
    for requirement in dict.fromkeys(r for step in steps for r in step.requirements if r != INIT):
        own = [v for v in verdicts if v.requirement == requirement and v.node in (address, None)]
        worst = next((v for v in own if v.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)), None)
        outcome = worst.outcome if worst else Outcome.PASS
        found.append(FixResult(address, requirement, outcome, worst.observed if worst else ""))
    return tuple(found)


def _no_recipe(case: FixContext) -> str:
    return _("acp-tui cannot fix this; follow the instructions of the requirement")


def _init_step(title: str, init: InitScript) -> FixStep:
    return FixStep(
        INIT,
        _(title),
        f'printf \'%s  %s\\n\' {init.sha256} "$folder/init.sh" | sha256sum -c -\nbash "$folder/init.sh"',
        applied_by_default=False,
        note=_("The vendor's script makes its own changes, which cannot be undone. acp-tui keeps its output."),
    )


def _joined(steps: Sequence[FixStep]) -> list[FixStep]:
    """Merge steps that have the same commands into one step that fixes all their requirements."""
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
    """Return the steps in the order in which they run. Steps that could lock the operator out come last."""
    return tuple(sorted(steps, key=lambda step: step.second_login))
