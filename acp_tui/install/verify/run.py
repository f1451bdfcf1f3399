"""Verify an installed cluster: query nodes, Web UI and registry at the same time, then evaluate the results."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from acp_tui.checks.verdict import Outcome
from acp_tui.core.clock import now as now
from acp_tui.core.files import resolve_path
from acp_tui.core.retry import poll
from acp_tui.install.verify.access_checks import serves
from acp_tui.install.verify.checks import evaluate_cluster
from acp_tui.install.verify.collect import NodeAccess, collect_cluster
from acp_tui.install.verify.context import VerifyContext
from acp_tui.install.verify.facts import Installed
from acp_tui.install.verify.https import get, planned_fingerprint
from acp_tui.nodes.state import NodeState
from acp_tui.plan.model import Plan
from acp_tui.preflight.report.model import Report

REGISTRY_PORT = 11443
_CLEANUP = "INS-CLEANUP"
_CLUSTER = ("nodes", "pods", "releases")


@dataclass(frozen=True)
class Finish:
    """The result of one verification."""

    report: Report
    installed: Installed
    host_keys: Mapping[str, str]
    console: bool = True
    """True if the Web UI responded to this host. False does not mean that other hosts cannot reach the Web UI."""

    @property
    def healthy(self) -> bool:
        """Return True if the cluster has no blocker. An installer container that still exists is not a blocker here."""
        checked = bool(self.report.nodes) and all(node.state is NodeState.CHECKED for node in self.report.nodes)
        return checked and not any(v.blocks for v in self.report.verdicts if v.requirement != _CLEANUP)

    @property
    def settled(self) -> bool:
        """Return True if polling can stop: the cluster is healthy, the Web UI responds, and nothing is in progress."""
        verdicts = [v for v in self.report.verdicts if v.requirement.startswith("INS-VERIFY")]
        return self.healthy and self.console and not any(v.outcome is Outcome.WARN for v in verdicts)

    @property
    def nothing_observed(self) -> bool:
        """Return True if no value of the cluster could be read."""
        return all(getattr(self.installed, name) is None for name in _CLUSTER)


async def verify(
    access: NodeAccess, installed_at: datetime | None = None, clock: Callable[[], datetime] = now
) -> Finish:
    """Check the cluster, the Web UI and the registry once. Nothing is changed. Errors are in the result, not raised."""
    plan, started = access.plan, clock()
    own = plan.registry.mode == "platform"
    platform = get(plan.platform_address, plan.address.https_port, "/", access.address_map)
    registry = get(plan.registry_address, REGISTRY_PORT, "/v2/", access.address_map)
    if own:
        cluster, page, images = await asyncio.gather(collect_cluster(access), platform, registry)
    else:
        registry.close()
        (cluster, page), images = await asyncio.gather(collect_cluster(access), platform), None
    certificate = await asyncio.to_thread(_planned, plan, access.plan_dir)
    moment = clock()
    verdicts = evaluate_cluster(VerifyContext(plan, cluster.installed, page, images, certificate, moment, installed_at))
    report = Report(plan.effective_release, started, moment, cluster.nodes, verdicts)
    return Finish(report, cluster.installed, cluster.host_keys, serves(page))


async def poll_until_settled(
    access: NodeAccess, within: timedelta, *, installed_at: datetime | None = None, interval: float = 10.0
) -> AsyncGenerator[Finish, None]:
    """Verify the cluster every `interval` seconds, at least once.

    Stop when a result is `settled`, or when the time `within` is over."""
    async for finish in poll(lambda: verify(access, installed_at), every=interval, within=within.total_seconds()):
        yield finish
        if finish.settled:
            return


def _planned(plan: Plan, plan_dir: Path) -> str | None:
    wanted = plan.certificate
    if wanted.mode != "existing" or not wanted.cert_file:
        return None
    return planned_fingerprint(resolve_path(plan_dir, wanted.cert_file))
