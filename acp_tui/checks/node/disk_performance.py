"""Check the disk measurements of an active test. Without a measurement the outcome is a question for a person.

The figures of fio decide. Those of python3 and dd are estimates, so that a low one is only a warning.
"""

from collections.abc import Callable

from acp_tui.checks.finding import ClusterSubject, Finding
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.core.units import MEGA, megabytes
from acp_tui.nodes.facts import DiskSpeed

Limits = tuple[tuple[bool, str], ...]
"""For each limit: whether the disk reaches it, and the measured figure as text."""


def disk_writes(s: ClusterSubject) -> tuple[Finding, ...]:
    """HW-DISK-IOPS: parallel 4 KiB writes (`iops`); from 4.1 on, sequential synced writes (`synced` per second), of
    which 99 % take `p99` seconds or less."""
    return _measured(s, _writes)


def disk_throughput(s: ClusterSubject) -> tuple[Finding, ...]:
    """HW-DISK-TPUT: large writes that bypass the cache, `megabytes` per second."""
    return _measured(s, _throughput)


def _writes(s: ClusterSubject, speed: DiskSpeed) -> Limits:
    figures: list[tuple[bool, str]] = []
    # dd cannot write in parallel; the rate of sequential writes is a lower bound.
    rate = speed.rate if speed.rate is not None else speed.sync_rate
    for least in s.check.numbers("iops"):
        if rate is not None:
            figures.append((rate >= least, _("{rate:.0f} IOPS").format(rate=rate)))
    for least in s.check.numbers("synced"):
        if speed.sync_rate is not None:
            figures.append((speed.sync_rate >= least, _("{rate:.0f} synced writes/s").format(rate=speed.sync_rate)))
    for most in s.check.numbers("p99"):
        if speed.sync_p99 is not None:
            shown = _("99 % of the syncs in {time:.1f} ms or less").format(time=speed.sync_p99 * 1000)
            figures.append((speed.sync_p99 <= most, shown))
    return tuple(figures)


def _throughput(s: ClusterSubject, speed: DiskSpeed) -> Limits:
    if speed.throughput is None:
        return ()
    shown = _("{rate:.0f} MB/s").format(rate=megabytes(speed.throughput))
    return ((speed.throughput >= s.check.number("megabytes") * MEGA, shown),)


def _measured(s: ClusterSubject, limits: Callable[[ClusterSubject, DiskSpeed], Limits]) -> tuple[Finding, ...]:
    control_planes = [node.address for node in s.plan.control_planes]
    tested = [
        a for a in control_planes if a in s.facts and (s.facts[a].disk_speed or "disk_speed" in s.facts[a].missing)
    ]
    if not tested:
        return (Finding(Outcome.MANUAL, _(s.requirement.how)),)
    return tuple(_of_node(s, address, limits) for address in control_planes)


def _of_node(s: ClusterSubject, address: str, limits: Callable[[ClusterSubject, DiskSpeed], Limits]) -> Finding:
    facts = s.facts.get(address)
    speed = facts.disk_speed if facts else None
    if speed is None:
        reason = facts.missing_reason("disk_speed") if facts else _("no facts were collected on this node")
        return Finding(Outcome.UNKNOWN, reason, node=address)
    figures = limits(s, speed)
    if not figures:
        reason = speed.missing_reason or _("{method} does not measure this").format(method=speed.method)
        return Finding(Outcome.UNKNOWN, reason, node=address)
    text = _("{figures} in {folder} ({method})")
    if speed.estimate:
        text = _("{figures} in {folder} ({method}, an estimate)")
    shown = ", ".join(figure for _reached, figure in figures)
    observed = text.format(figures=shown, folder=speed.folder, method=speed.method)
    reached = all(reached for reached, _figure in figures)
    low = Outcome.WARN if speed.estimate else Outcome.FAIL
    return Finding(Outcome.PASS if reached else low, observed, node=address)
