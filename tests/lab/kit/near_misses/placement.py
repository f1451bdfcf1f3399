"""The near misses of 4.0, on as few nodes as possible.

Cases of one topic change the same files, so a node gets one case of each topic at most.
"""

from tests.lab.kit.near_misses.network import HOSTS, NETWORK, RESOLVER
from tests.lab.kit.near_misses.next_boot import ACCESS_CONTROL, BLOCKED, BOOT_ENTRY, SWAP_UNITS, TASK_FILES, TMP
from tests.lab.kit.near_misses.software import FILES, PACKAGES
from tests.lab.kit.near_misses.system import BOOT, FIREWALL, LOGIN, MODULES, PROCESSOR, SECURITY, SWAP, SYSTEM, TASKS
from tests.lab.kit.profiles import Fault, NodeProfile

TOPICS = (
    BOOT + BOOT_ENTRY, MODULES + BLOCKED, SECURITY + ACCESS_CONTROL, FIREWALL, SWAP + SWAP_UNITS, TASKS + TASK_FILES,
    LOGIN, HOSTS, RESOLVER, NETWORK, FILES + TMP, PACKAGES, SYSTEM, PROCESSOR,
)  # fmt: skip


def profiles() -> tuple[NodeProfile, ...]:
    """Return the smallest number of nodes for all cases. Each case is on one node."""
    faults_by_node: dict[tuple[str, int], list[Fault]] = {}
    for topic in TOPICS:
        count: dict[str, int] = {}
        for base, fault in topic:
            count[base] = count.get(base, -1) + 1
            faults_by_node.setdefault((base, count[base]), []).append(fault)
    return tuple(NodeProfile(base, tuple(faults)) for (base, _number), faults in faults_by_node.items())
