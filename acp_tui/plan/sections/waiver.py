"""Waivers: decisions to accept a failed requirement."""

from acp_tui.plan.field_types import FilledText
from acp_tui.plan.sections.section import Section


class Waiver(Section):
    """The decision to accept a failed requirement, with the reason. It applies to one node, or to all nodes (`*`)."""

    requirement: FilledText
    node: FilledText = "*"
    reason: FilledText
    by: FilledText
    until: str | None = None
    """The last day of the waiver as ISO date; None if the waiver does not expire."""
