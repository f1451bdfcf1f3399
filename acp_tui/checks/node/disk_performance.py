"""Checks of what a disk did when it was measured on request. Not measured, it stays a question for a person.

fio's figures settle it; what python3 or dd tell is an estimate, so a low one is a warning and no verdict.
"""

from collections.abc import Callable, Mapping

from acp_tui.checks.finding import ClusterSubject, Finding
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _
from acp_tui.core.units import MEGA, megabytes
from acp_tui.nodes.facts import DiskSpeed

Limits = tuple[tuple[bool, str], ...]
"""Each thing asked of a disk: whether it is met, and the figure as people read it."""


def disk_writes(s: ClusterSubject) -> tuple[Finding, ...]:
    """HW-DISK-IOPS: many 4 KiB writes at a time (`iops`), or, from 4.1 on, synced writes one after another (`synced`,
    a second) of which 99 % take at most `p99` seconds."""
    return _measured(s, _writes)


def disk_throughput(s: ClusterSubject) -> tuple[Finding, ...]:
    """HW-DISK-TPUT: large writes past the cache, `megabytes` a second."""
    return _measured(s, _throughput)


def _writes(s: ClusterSubject, speed: DiskSpeed) -> Limits:
    found: list[tuple[bool, str]] = []
    # dd cannot write many at a time; one after another is the least the disk does.
    rate = speed.rate if speed.rate is not None else speed.sync_rate
    for least in s.given.numbers("iops"):
        if rate is not None:
            found.append((rate >= least, _("{rate:.0f} IOPS").format(rate=rate)))
    for least in s.given.numbers("synced"):
        if speed.sync_rate is not None:
            found.append(
                (speed.sync_rate >= least, _("{rate:.0f} synced writes a second").format(rate=speed.sync_rate))
            )
    for most in s.given.numbers("p99"):
        if speed.sync_p99 is not None:
            shown = _("99 % of the syncs within {time:.1f} ms").format(time=speed.sync_p99 * 1000)
            found.append((speed.sync_p99 <= most, shown))
    return tuple(found)


def _throughput(s: ClusterSubject, speed: DiskSpeed) -> Limits:
    if speed.throughput is None:
        return ()
    shown = _("{rate:.0f} MB/s").format(rate=megabytes(speed.throughput))
    return ((speed.throughput >= s.given.number("megabytes") * MEGA, shown),)


def _measured(s: ClusterSubject, limits: Callable[[ClusterSubject, DiskSpeed], Limits]) -> tuple[Finding, ...]:
    control_planes = [node.address for node in s.plan.control_planes]
    asked = [
        a for a in control_planes if a in s.facts and (s.facts[a].disk_speed or "disk_speed" in s.facts[a].missing)
    ]
    if not asked:
        return (Finding(Outcome.MANUAL, _(s.requirement.how)),)
    return tuple(_of_node(s, address, limits) for address in control_planes)


def _of_node(s: ClusterSubject, address: str, limits: Callable[[ClusterSubject, DiskSpeed], Limits]) -> Finding:
    facts = s.facts.get(address)
    speed = facts.disk_speed if facts else None
    if speed is None:
        why = facts.missing_reason("disk_speed") if facts else _("nothing is known of the node")
        return Finding(Outcome.UNKNOWN, why, node=address)
    found = limits(s, speed)
    if not found:
        return Finding(
            Outcome.UNKNOWN,
            speed.missing_reason or _("{method} does not tell it").format(method=speed.method),
            node=address,
        )
    words = (
        _("{figures} in {folder} ({method}, an estimate)") if speed.estimate else _("{figures} in {folder} ({method})")
    )
    observed = words.format(figures=", ".join(shown for _met, shown in found), folder=speed.folder, method=speed.method)
    met = all(met for met, _shown in found)
    low = Outcome.WARN if speed.estimate else Outcome.FAIL
    return Finding(Outcome.PASS if met else low, observed, node=address)


DISK_CHECKS: Mapping[str, Callable[[ClusterSubject], tuple[Finding, ...]]] = {
    "disk_throughput": disk_throughput,
    "disk_writes": disk_writes,
}
