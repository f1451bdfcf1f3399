"""Waivers: requirements that a person accepts as failed."""

from acp_tui.plan.field_types import FilledText
from acp_tui.plan.sections.section import Section


class Waiver(Section):
    """The record that a person accepts a failed requirement, with the reason. It is for one node, or for all (`*`)."""

    requirement: FilledText
    node: FilledText = "*"
    reason: FilledText
    by: FilledText
    until: str | None = None
    """The last day of the waiver as ISO date; None if the waiver does not expire."""
