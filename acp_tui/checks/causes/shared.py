"""Relations between findings on one thing that they share: the VIP, the image registry, or a test that was not run."""

from collections.abc import Iterator

from acp_tui.checks.causes.relations import Link, Problems, Relation, all_follow
from acp_tui.checks.verdict import Outcome

_RULES_ON_SHARED_ADDRESSES = (
    "VIP-SUBNET",
    "NET-172-FREE",
    "NETCFG-172",
    "XR-REG-EXT",
    "XR-REG-AUTH",
)
_CONTROL_PLANE_RULES = ("VIP-SUBNET",)


def _same_on_every_node(problems: Problems) -> Iterator[Link]:
    """If every node observes the same about an address that all nodes use, the address is at fault, not the nodes."""
    plan, registry = problems.cluster.plan, problems.cluster.topology.registry
    shared = [address for address in (plan.address.cluster_endpoint, registry and registry[0]) if address]
    for rule in _RULES_ON_SHARED_ADDRESSES:
        nodes = {n.address for n in (plan.control_planes if rule in _CONTROL_PLANE_RULES else plan.nodes)}
        verdicts = tuple(v for v in problems.of(rule) if v.node is not None)
        alike = len({(v.outcome, v.observed) for v in verdicts}) == 1
        if alike and {v.node for v in verdicts} == nodes and any(a in verdicts[0].observed for a in shared):
            yield from all_follow(verdicts)


def _disk_test_not_run(problems: Problems) -> Iterator[Link]:
    """One disk test measures both figures of the disks. Without it, both must be confirmed by a person."""
    cause = problems.at("HW-DISK-IOPS", None, Outcome.MANUAL)
    verdict = problems.at("HW-DISK-TPUT", None, Outcome.MANUAL)
    if cause is not None and verdict is not None and cause.observed == verdict.observed:
        yield verdict, cause


SHARED_RELATIONS: tuple[Relation, ...] = (_same_on_every_node, _disk_test_not_run)
