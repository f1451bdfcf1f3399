"""Recheck all nodes right before the configuration is sent, because they can change while setup.sh runs.

For the installer node, only its reachability counts, because setup.sh has changed that node since the preflight.
"""

import asyncio
from collections.abc import Iterator

from acp_tui.checks.causes import by_cause
from acp_tui.checks.labels import state_label
from acp_tui.checks.verdict import Outcome
from acp_tui.core.errors import AcpError
from acp_tui.core.i18n import _
from acp_tui.install.run.state import RunSpec
from acp_tui.nodes.state import NodeState
from acp_tui.preflight.bundle import Bundle, open_bundle
from acp_tui.preflight.report.diff import new_blockers
from acp_tui.preflight.report.model import Report
from acp_tui.preflight.run import PreflightDone, preflight

_ATTEMPTS = 2  # a short fault, such as a restart of sshd, is over at the second one
_BROKEN = (Outcome.FAIL, Outcome.PENDING_REBOOT)
"""Outcomes that count as new blockers.

`unknown` is not one of them, because a slow query must not stop an unattended install."""


async def recheck_nodes(spec: RunSpec) -> str:
    """Return the blockers that are new since the preflight, one line each; "" without new blockers.

    If the first check finds blockers, the nodes are checked again. Only the blockers of the second check count."""
    if spec.bundle is None or not spec.recheck_before_post:
        return ""
    try:
        bundle = await asyncio.to_thread(open_bundle, spec.bundle)
    except (AcpError, OSError) as error:
        return str(error)
    lines: tuple[str, ...] = ()
    for attempt in range(_ATTEMPTS):
        await asyncio.sleep(spec.pace.look if attempt else 0)
        lines = tuple(_lines(bundle, await _checked(bundle)))
        if not lines:
            return ""
    return "\n".join((_("These problems of the nodes are new since the preflight:"), *lines))


async def _checked(bundle: Bundle) -> Report:
    async for event in preflight(bundle.plan, known_hosts=bundle.known_hosts, plan_dir=bundle.directory):
        if isinstance(event, PreflightDone):
            return event.report
    raise RuntimeError("a preflight ends with its report")


def _lines(bundle: Bundle, now: Report) -> Iterator[str]:
    installer = bundle.plan.installer_node
    for node in now.nodes:
        if node.state is not NodeState.CHECKED:
            yield f"{node.address}: {state_label(node.state)} ({node.detail})"
    ignored = (None, installer.address if installer else None)
    new = new_blockers(bundle.report, now) if bundle.report else ()
    for group in by_cause([v for v in new if v.outcome in _BROKEN and v.node not in ignored]):
        yield f"{group.verdict.node}: {group.verdict.requirement}: {group.verdict.observed}"
