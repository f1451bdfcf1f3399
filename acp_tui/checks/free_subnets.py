"""Suggest free ranges to replace cluster ranges that overlap other networks or are too small."""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_network

from acp_tui.checks.subnets import Network, Taken, meet, ranges, taken
from acp_tui.core.i18n import _
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Plan

_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fd00::/8")))


def suggestions(plan: Plan, facts: Mapping[str, Facts]) -> dict[str, Network]:
    """Return a free range for each plan key whose range overlaps another network or is too small.

    If two ranges of the plan overlap, the first one keeps its value. All suggestions can be used together.
    """
    fixed = [used for used in taken(plan, facts) if not used.of_plan]
    now = ranges(plan)
    suggested: dict[str, Network] = {}
    for index, path in enumerate(now):
        before = [now[other] for other in list(now)[:index]]
        free = _free_instead(plan, now, path, fixed, before)
        if free is not None:
            suggested[path] = now[path] = free
    return suggested


def suggestion(plan: Plan, facts: Mapping[str, Facts], path: str) -> Network | None:
    """Return a free range for one plan key; None if its range needs no change, or if no range is free."""
    now = ranges(plan)
    fixed = [used for used in taken(plan, facts) if not used.of_plan]
    others = [network for other, network in now.items() if other != path]
    return _free_instead(plan, now, path, fixed, others) if path in now else None


def with_room(plan: Plan, path: str, network: Network) -> Network:
    """Return `network`.

    If it is the Pod range and too small for the Pods of all nodes, return a larger range that contains it.
    """
    needed = len(plan.nodes) * plan.kubernetes.max_pods_per_node
    if "cluster_cidr" not in path or network.num_addresses >= needed:
        return network
    return network.supernet(new_prefix=network.max_prefixlen - (needed - 1).bit_length())


def free_range(preferred: Network, used: Iterable[Network]) -> Network | None:
    """Return the free private range nearest to `preferred`; None if no private range of the IP family is free.

    The result has the size of `preferred`, or the next smaller size that is free. Ranges in the private block of
    `preferred` come first. Of two ranges at the same distance from `preferred`, the higher one is returned.
    """
    used = tuple(other for other in used if other.version == preferred.version)
    pools = [pool for pool in _PRIVATE if pool.version == preferred.version]
    pools.sort(key=lambda pool: not meet(pool, preferred))
    for prefix in range(preferred.prefixlen, preferred.max_prefixlen + 1):
        size = 1 << (preferred.max_prefixlen - prefix)
        for pool in pools:
            starts = list(_nearest(int(preferred.network_address), size, pool, used))
            if starts:
                start = min(starts, key=lambda start: (abs(start - int(preferred.network_address)), -start))
                return ip_network((start, prefix))
    return None


def _free_instead(
    plan: Plan, now: Mapping[str, Network], path: str, fixed: Iterable[Taken], others: Iterable[Network]
) -> Network | None:
    """Return a free range for the plan key `path` if its range is too small or overlaps a used network; otherwise None.

    `now`: the ranges of the plan, by plan key. `fixed`: the used networks that are not ranges of the plan.
    `others`: the ranges of the plan that the range of `path` must not overlap.
    """
    fixed, preferred = tuple(fixed), with_room(plan, path, now[path])
    used = (*(network for network_used in fixed for network in network_used.sure), *others)
    if preferred == now[path] and not any(meet(preferred, other) for other in used):
        return None
    rest = [network for other, network in now.items() if other != path]
    return free_range(preferred, [*(network_used.network for network_used in fixed), *rest])


def _nearest(preferred: int, size: int, pool: Network, used: Iterable[Network]) -> Iterator[int]:
    """Yield the start of one free range for each gap between the used networks in `pool`.

    A range has `size` addresses; smaller gaps are left out. Each start is aligned, and as near to `preferred` as
    possible.
    """
    bounds = sorted((int(n.network_address), int(n.broadcast_address)) for n in used if meet(n, pool))
    start, end = int(pool.network_address), int(pool.broadcast_address)
    for first, last in (*bounds, (end + 1, end + 1)):
        lowest, highest = -(-start // size) * size, (first // size - 1) * size
        if lowest <= highest:
            yield min(max(preferred // size * size, lowest), highest)
        start = max(start, last + 1)


def free_range_remedy(free: Mapping[str, Network], *paths: str) -> str:
    """Return the fix that names the free ranges for the plan keys `paths`; "" if no range is free."""
    suggested = [f"{free[path]} ({path})" for path in paths if path in free]
    if not suggested:
        return ""
    return _("Use a free range: {ranges}.").format(ranges=", ".join(suggested))
