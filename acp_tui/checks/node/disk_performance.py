"""Check the disk speed of the control plane nodes, as the active disk test measured it.

If the test did not run, a person must confirm the requirement. A speed below the limit fails if fio measured it. It is
only a warning if python3 or dd measured it, because their figures are estimates.
"""

from collections.abc import Callable

from acp_tui.checks.finding import ClusterSubject, Finding
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.units import MEGA, megabytes
from acp_tui.nodes.fact_types import DiskSpeed

Limits = tuple[tuple[bool, str], ...]
"""One pair for each limit: True if the disk reaches the limit, and the measured figure as text."""


def disk_writes(subject: ClusterSubject) -> tuple[Finding, ...]:
    """HW-DISK-IOPS: the disk must make at least `iops` parallel writes of 4 KiB per second.

    From release 4.1 on, it must also make at least `synced` sequential synced writes per second, and 99 % of the synced
    writes must take at most `p99` seconds each. All three limits are parameters of the requirement.
    """
    return _measured(subject, _writes)


def disk_throughput(subject: ClusterSubject) -> tuple[Finding, ...]:
    """HW-DISK-TPUT: the disk must write at least `megabytes` MB/s in large writes that bypass the cache."""
    return _measured(subject, _throughput)


def _writes(subject: ClusterSubject, speed: DiskSpeed) -> Limits:
    figures: list[tuple[bool, str]] = []
    # dd cannot write in parallel; the rate of sequential writes is a lower bound.
    rate = speed.rate if speed.rate is not None else speed.sync_rate
    for least in subject.check.numbers("iops"):
        if rate is not None:
            figures.append((rate >= least, pgettext("unit", "{rate:.0f} IOPS").format(rate=rate)))
    for least in subject.check.numbers("synced"):
        if speed.sync_rate is not None:
            figures.append(
                (speed.sync_rate >= least, _("{rate:.0f} synced writes per second").format(rate=speed.sync_rate))
            )
    for most in subject.check.numbers("p99"):
        if speed.sync_p99 is not None:
            shown = _("a time of {time:.1f} ms or less for 99 % of the synced writes").format(
                time=speed.sync_p99 * 1000
            )
            figures.append((speed.sync_p99 <= most, shown))
    return tuple(figures)


def _throughput(subject: ClusterSubject, speed: DiskSpeed) -> Limits:
    if speed.throughput is None:
        return ()
    shown = pgettext("unit", "{rate:.0f} MB/s").format(rate=megabytes(speed.throughput))
    return ((speed.throughput >= subject.check.number("megabytes") * MEGA, shown),)


def _measured(subject: ClusterSubject, limits: Callable[[ClusterSubject, DiskSpeed], Limits]) -> tuple[Finding, ...]:
    control_planes = [node.address for node in subject.plan.control_planes]
    tested = [
        a
        for a in control_planes
        if a in subject.facts and (subject.facts[a].disk_speed or "disk_speed" in subject.facts[a].missing)
    ]
    if not tested:
        return (Finding(Outcome.MANUAL, _(subject.requirement.how)),)
    return tuple(_of_node(subject, address, limits) for address in control_planes)


def _of_node(subject: ClusterSubject, address: str, limits: Callable[[ClusterSubject, DiskSpeed], Limits]) -> Finding:
    facts = subject.facts.get(address)
    speed = facts.disk_speed if facts else None
    if speed is None:
        reason = facts.missing_reason("disk_speed") if facts else _("no facts were collected on this node")
        return Finding(Outcome.UNKNOWN, reason, node=address)
    figures = limits(subject, speed)
    if not figures:
        reason = speed.missing_reason or _(
            "the disk test used {method}, which does not measure the speed that this rule checks"
        ).format(method=speed.method)
        return Finding(Outcome.UNKNOWN, reason, node=address)
    text = pgettext("observed value", "the disk of {folder} reached {figures}, measured with {method}")
    if speed.estimate:
        text = _("the disk of {folder} reached {figures}, estimated with {method}")
    shown = ", ".join(figure for _reached, figure in figures)
    observed = text.format(figures=shown, folder=speed.folder, method=speed.method)
    reached = all(reached for reached, _figure in figures)
    low = Outcome.WARN if speed.estimate else Outcome.FAIL
    return Finding(Outcome.PASS if reached else low, observed, node=address)
