"""The menu of the wizard. It lists all steps, and the actions that also have a control key."""

from collections.abc import Sequence

from acp_tui.core.i18n import _, pgettext
from screens.steps.base import WizardStep

TRIAL, EXPLAIN, QUIT = "t", "e", "q"
_KEYS = "1234567890" + "".join(
    letter for letter in "abcdefghijklmnopqrstuvwxyz" if letter not in TRIAL + EXPLAIN + QUIT
)
"""Menu keys of the steps, one key per step: first digits, then letters that no action of the menu uses."""


def step_keys(steps: Sequence[type[WizardStep]]) -> dict[str, type[WizardStep]]:
    """Return a step for each menu key.

    Raises: ValueError if there are more steps than keys."""
    if len(steps) > len(_KEYS):
        raise ValueError(f"{len(steps)} steps, but only {len(_KEYS)} menu keys")
    return dict(zip(_KEYS, steps, strict=False))


def menu_options(steps: Sequence[type[WizardStep]]) -> list[tuple[str, str]]:
    """Return the key and the label of each line of the menu."""
    return [
        *((key, pgettext("step", step.SHORT)) for key, step in step_keys(steps).items()),
        (TRIAL, _("Single-node trial: quick setup")),
        (EXPLAIN, _("Explain this field or finding")),
        (QUIT, _("Save and quit")),
    ]
