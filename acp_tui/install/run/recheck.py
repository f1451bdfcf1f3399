"""Right before the configuration is sent the nodes are looked at once more: setup.sh has taken minutes.

Of the installer node only whether it can still be reached: setup.sh has made it another machine than the preflight saw.
"""

import asyncio
from collections.abc import Iterator

from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.install.run.state import RunSpec
from acp_tui.nodes.state import NodeState
from acp_tui.plan.file import PlanErrors
from acp_tui.preflight.bundle import Bundle, BundleCorrupt, open_bundle
from acp_tui.preflight.report.diff import new_blockers
from acp_tui.preflight.report.model import Report

_LOOKS = 2  # what a moment brought, a restart of sshd for one, is over at the second
_BROKEN = (Outcome.FAIL, Outcome.PENDING_REBOOT)
"""Not what a busy node could not tell: that is no reason to wait for somebody."""


async def recheck_nodes(spec: RunSpec) -> str:
    """What speaks against the install now and did not in the preflight, a line each; "": nothing does.

    What speaks against it is looked at again before it is told."""
    if spec.bundle is None or not spec.guarded:
        return ""
    try:
        bundle = await asyncio.to_thread(open_bundle, spec.bundle)
    except (BundleCorrupt, PlanErrors, OSError) as error:
        return str(error)
    lines: tuple[str, ...] = ()
    for look in range(_LOOKS):
        await asyncio.sleep(spec.pace.look if look else 0)
        lines = tuple(_lines(bundle, await _looked(bundle)))
        if not lines:
            return ""
    return "\n".join((_("Since the preflight:"), *lines))


async def _looked(bundle: Bundle) -> Report:
    from acp_tui.preflight.run import PreflightDone, preflight

    async for event in preflight(bundle.plan, known_hosts=bundle.known_hosts, plan_dir=bundle.directory):
        if isinstance(event, PreflightDone):
            return event.report
    raise RuntimeError("a preflight ends with its report")


def _lines(bundle: Bundle, now: Report) -> Iterator[str]:
    installer = bundle.plan.installer_node
    for node in now.nodes:
        if node.state is not NodeState.CHECKED:
            yield f"{node.address}: {node.state.value} ({node.detail})"
    for verdict in new_blockers(bundle.report, now) if bundle.report else ():
        if verdict.outcome in _BROKEN and verdict.node not in (None, installer.address if installer else None):
            yield f"{verdict.node}: {verdict.requirement}: {verdict.observed}"
