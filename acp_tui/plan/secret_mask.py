"""Mask the secrets of a plan in text from its nodes.

A node can repeat a secret that was sent to it, for example in an error message or in a log. Facts are not masked,
because a masked value would give a wrong verdict if a weak password is a word such as `ubuntu`. Text is masked when it
is made for people: verdicts, node records, error messages, output of fixes, and lines of logs.
"""

from collections.abc import Callable
from functools import lru_cache

from acp_tui.core.redaction import Masker
from acp_tui.plan.file import secret_values
from acp_tui.plan.model import Plan

Mask = Callable[[str], str]
"""Return a text with all known secrets masked."""

_TEXTS = 8192
"""Number of masked texts that are kept. Nodes send mostly the same texts, and the wizard evaluates them often."""


def secret_mask(plan: Plan) -> Mask:
    """Return the function that masks the secrets of `plan` in text from a node."""
    return _mask(frozenset(secret_values(plan).values()))


@lru_cache(maxsize=2)
def _mask(secrets: frozenset[str]) -> Mask:
    return lru_cache(_TEXTS)(Masker(secrets).known)
