"""Texts about the results that follow from a finding."""

from collections.abc import Sequence

from acp_tui.checks.causes import CauseGroup
from acp_tui.core.i18n import ngettext

_MOST_NAMED = 8
"""Maximum number of requirements that the text names."""


def followers_text(groups: Sequence[CauseGroup]) -> str:
    """Return how many results follow from the findings `groups` of one rule, and their rules; "" without any."""
    followers = [verdict for group in groups for verdict in group.followers]
    if not followers:
        return ""
    names = list(dict.fromkeys(verdict.requirement for verdict in followers))
    shown = ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")
    hidden = sum(verdict.blocks for verdict in followers) if not any(group.verdict.blocks for group in groups) else 0
    if hidden:  # the finding is waived, and the reader must learn what blocks the install
        text = ngettext(
            "{count} more result follows from this finding and is not waived: {names}",
            "{count} more results follow from this finding and are not waived: {names}",
            hidden,
        )
        return text.format(count=hidden, names=shown)
    text = ngettext(
        "{count} more result follows from this finding: {names}",
        "{count} more results follow from this finding: {names}",
        len(followers),
    )
    return text.format(count=len(followers), names=shown)
