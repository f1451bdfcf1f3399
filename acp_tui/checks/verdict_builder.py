"""Build the verdict for a finding from the texts and the severity of its catalogue row."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace

from acp_tui.checks.catalog import Requirement
from acp_tui.checks.finding import Finding
from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.text import sanitize

_NO_REMEDY = (Outcome.PASS, Outcome.NOT_APPLICABLE)


def build_verdict(
    requirement: Requirement,
    finding: Finding,
    node: str | None = None,
    os_id: str | None = None,
    mask: Callable[[str], str] = str,
) -> Verdict:
    """Return the verdict for `finding`. Its texts are sanitised.

    `node`: the plan address, used if the finding names no node. `os_id`: the distribution, which selects the commands
    of the fix. `mask`: masks the secrets of the plan; needed if the finding contains text from nodes.
    """

    def safe(text: str) -> str:
        return sanitize(mask(text))

    finding = replace(
        finding,
        observed=safe(finding.observed),
        expected=safe(finding.expected),
        remedy=safe(finding.remedy),
    )
    outcome = severity_cap(requirement, finding.outcome)
    return Verdict(
        requirement=requirement.id,
        node=finding.node or node,
        severity=requirement.severity,
        outcome=outcome,
        observed=finding.observed
        or (pgettext("observed value", "the requirement does not apply") if outcome is Outcome.NOT_APPLICABLE else ""),
        expected=finding.expected or _(requirement.expected) or _(requirement.title),
        remedy=_remedy(requirement, finding, outcome, os_id, [safe(name) for name in finding.names]),
        paths=finding.paths,
        names=finding.names,
        cause=finding.cause,
        missing=finding.missing,
    )


def severity_cap(requirement: Requirement, outcome: Outcome) -> Outcome:
    """Return `outcome`; a failure becomes a warning if the severity is `advice` or `info`."""
    if outcome is Outcome.FAIL and requirement.severity in (Severity.ADVICE, Severity.INFO):
        return Outcome.WARN
    return outcome


def _remedy(
    requirement: Requirement, finding: Finding, outcome: Outcome, os_id: str | None, names: Sequence[str]
) -> str:
    if outcome in _NO_REMEDY:
        return ""
    if outcome is Outcome.UNKNOWN and not finding.remedy and requirement.how:
        return _("Check this requirement yourself: {how}").format(how=_(requirement.how))
    text = finding.remedy or requirement.remedy_text(os_id)
    if not names:  # without names, a command line for them would be incomplete
        text = "\n".join(line for line in text.splitlines() if "{names}" not in line)
    return text.replace("{names}", " ".join(map(shlex.quote, names)))
