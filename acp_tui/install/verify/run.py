"""Looking once: everything is asked at the same time, then judged into a report of the published schema."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from acp_tui.checks.verdict import Outcome
from acp_tui.core.files import resolve_path
from acp_tui.install.verify.checks import VerifyContext, judge, serves
from acp_tui.install.verify.collect import NodeAccess, collect_cluster
from acp_tui.install.verify.facts import Installed
from acp_tui.install.verify.https import get, planned_fingerprint
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Plan
from acp_tui.preflight.report.model import Report

REGISTRY_PORT = 11443
SETTLING = timedelta(minutes=10)
"""How long a cluster may take to come to rest once the installer says Success."""
_CLEANUP = "INS-CLEANUP"
_CLUSTER = ("nodes", "pods", "releases")


@dataclass(frozen=True)
class Finish:
    """One look at the installed cluster."""

    report: Report
    installed: Installed
    host_keys: Mapping[str, str]
    console: bool = True
    """Whether the platform's console answered. It may be out of access from here alone, so it decides nothing."""

    @property
    def healthy(self) -> bool:
        """Nothing of the cluster itself blocks; what is left of the installer is another matter."""
        asked = bool(self.report.nodes) and all(node.state is NodeState.CHECKED for node in self.report.nodes)
        return asked and not any(v.blocks for v in self.report.verdicts if v.requirement != _CLEANUP)

    @property
    def settled(self) -> bool:
        """Healthy, its console answers, and nothing in the cluster is on its way: waiting longer changes nothing."""
        verdicts = [v for v in self.report.verdicts if v.requirement.startswith("INS-VERIFY")]
        return self.healthy and self.console and not any(v.outcome is Outcome.WARN for v in verdicts)

    @property
    def unseen(self) -> bool:
        """Nothing of the cluster could be observed."""
        return all(getattr(self.installed, name) is None for name in _CLUSTER)


def now() -> datetime:
    return datetime.now(UTC)


async def verify(
    access: NodeAccess, installed_at: datetime | None = None, clock: Callable[[], datetime] = now
) -> Finish:
    """Look at the cluster, its console and its registry, once. Changes nothing; raises nothing for what is found."""
    plan, started = access.plan, clock()
    own = plan.registry.mode == "platform"
    platform = get(plan.platform_address, plan.address.https_port, "/", access.dial)
    registry = get(plan.registry_address, REGISTRY_PORT, "/v2/", access.dial)
    if own:
        seen, page, images = await asyncio.gather(collect_cluster(access), platform, registry)
    else:
        registry.close()
        (seen, page), images = await asyncio.gather(collect_cluster(access), platform), None
    certificate = await asyncio.to_thread(_planned, plan, access.base)
    moment = clock()
    verdicts = judge(VerifyContext(plan, seen.installed, page, images, certificate, moment, installed_at))
    report = Report(plan.effective_release, started, moment, seen.nodes, verdicts)
    return Finish(report, seen.installed, seen.host_keys, serves(page))


async def poll_until_settled(
    access: NodeAccess, within: timedelta, *, installed_at: datetime | None = None, every: float = 10.0
) -> AsyncGenerator[Finish, None]:
    """Look again and again, `every` so many seconds, until all is well or the time is over; at least once."""
    end = asyncio.get_running_loop().time() + within.total_seconds()
    while True:
        finish = await verify(access, installed_at)
        yield finish
        left = end - asyncio.get_running_loop().time()
        if finish.settled or left <= 0:
            return
        await asyncio.sleep(min(every, left))


def _planned(plan: Plan, base: Path) -> str | None:
    wanted = plan.certificate
    if wanted.mode != "existing" or not wanted.cert_file:
        return None
    return planned_fingerprint(resolve_path(base, wanted.cert_file))
