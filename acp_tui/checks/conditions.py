"""The conditions of catalogue rows (`when`): functions of the plan, a node and the facts of the node.

A condition returns True if the requirement applies, and False if it does not apply. It returns None if the
answer is unknown because a fact is missing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from acp_tui.checks.catalog import Requirement
from acp_tui.checks.topology import required_names
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.node import Node


@dataclass(frozen=True)
class EvalContext:
    """The input of a condition. `node` and `facts` are None for requirements that do not concern a single node."""

    plan: Plan
    node: Node | None = None
    facts: Facts | None = None


Condition = Callable[[EvalContext], bool | None]

_RED_HAT = ("rhel", "centos", "rocky", "almalinux", "ol", "fedora")
"""IDs of the systems with Red Hat's kernel and packages."""


def applies(requirement: Requirement, context: EvalContext) -> bool | None:
    """Return True if all conditions of the row are true, and False if at least one is false.

    Return None if no condition is false, but at least one is unknown.
    """
    answers = [CONDITIONS[name](context) for name in requirement.when]
    if False in answers:
        return False
    return None if None in answers else True


def _scenario(name: str) -> Condition:
    return lambda context: context.plan.scenario == name


def _os(*ids: str) -> Condition:
    return lambda context: None if _os_id(context) is None else _os_id(context) in ids


def _os_id(context: EvalContext) -> str | None:
    return context.facts.os_id if context.facts else None


def _aarch64(context: EvalContext) -> bool | None:
    arch = context.facts.arch if context.facts else None
    return None if arch is None else arch == "aarch64"


def _nokmem_system(context: EvalContext) -> bool | None:
    """Return True if the system is CentOS 7 or RHEL 7.

    The kernel of these systems leaks memory if kernel memory accounting is on (OQ-NOKMEM).
    """
    if _os_id(context) not in (None, "centos", "rhel"):
        return False
    version = context.facts.os_version_id if context.facts else None
    return None if version is None or _os_id(context) is None else version.split(".")[0] == "7"


def _old_conntrack(context: EvalContext) -> bool | None:
    """Return True if the kernel has a separate conntrack module for each IP family.

    Such a kernel is older than 4.19, or older than 4.18 on RHEL and its rebuilds.
    """
    if context.facts is None or context.facts.kernel is None or context.facts.os_id is None:
        return None
    version = re.match(r"(\d{1,6})\.(\d{1,6})", context.facts.kernel)
    limit = (4, 18) if context.facts.os_id in _RED_HAT or re.search(r"\.el\d", context.facts.kernel) else (4, 19)
    return (int(version[1]), int(version[2])) < limit if version else None


def _not_root(context: EvalContext) -> bool | None:
    return None if context.facts is None or context.facts.uid is None else context.facts.uid != 0


def _resolv_exists(context: EvalContext) -> bool | None:
    return context.facts.resolv_exists if context.facts else None


def _search_domains(context: EvalContext) -> bool | None:
    if context.facts is None or context.facts.search_domains is None:
        return None
    return bool(set(context.facts.search_domains) - {"."} or context.facts.resolv_domain)


def _installer_not_started(context: EvalContext) -> bool | None:
    """Return False while the installer runs on the node, otherwise True.

    A running installer uses ports and folders that must be free before its start. If it is unknown whether the
    installer runs, the function returns True.
    """
    return not (context.facts and context.facts.installer_running)


def _tool(tool: str, system: str) -> Condition:
    """Return a condition that is true if the distribution is `system` and has the package tool `tool`."""

    def condition(context: EvalContext) -> bool | None:
        if _os_id(context) != system:
            return None if _os_id(context) is None else False
        return (
            None
            if context.facts is None or context.facts.package_tools is None
            else tool in context.facts.package_tools
        )

    return condition


def _rpm(context: EvalContext) -> bool | None:
    """Return True if the system manages its packages with rpm and is not Kylin.

    An rpm command on a system with dpkg does not count.
    """
    if _os_id(context) in ("kylin", "ubuntu", "debian"):
        return False
    if context.facts is None or context.facts.os_id is None or context.facts.package_tools is None:
        return None
    return "rpm" in context.facts.package_tools and (
        context.facts.os_id in _RED_HAT or "dpkg-query" not in context.facts.package_tools
    )


def _load_balancer(context: EvalContext) -> bool:
    return not context.plan.single and not context.plan.address.self_built_vip


CONDITIONS: Mapping[str, Condition] = {
    "single-node": _scenario("single-node"),
    "single-cluster": _scenario("single-cluster"),
    "multi-cluster": _scenario("multi-cluster"),
    "no-workers": lambda context: not context.plan.workers,
    "workers": lambda context: bool(context.plan.workers),
    "high-availability": lambda context: context.plan.scenario != "single-node",
    "several-nodes": lambda context: len(context.plan.nodes) > 1,
    "kube-ovn": lambda context: context.plan.network.cni == "kube-ovn",
    "calico": lambda context: context.plan.network.cni == "calico",
    "ipv6": lambda context: context.plan.network.ip_family != "ipv4",
    "load-balancer": _load_balancer,
    "self-built-vip": lambda context: context.plan.address.self_built_vip and not context.plan.single,
    "domain-names": lambda context: bool(required_names(context.plan)),
    "http": lambda context: context.plan.address.http_port > 0,
    "platform-registry": lambda context: context.plan.registry.mode == "platform",
    "several-clusters": lambda context: (
        context.plan.scenario == "multi-cluster" or context.plan.disaster_recovery.role != "none"
    ),
    "disaster-recovery": lambda context: context.plan.disaster_recovery.role != "none",
    "pods-expected": lambda context: context.plan.workload.pods > 0,
    "local-storage": lambda context: context.plan.local_storage != "none",
    "ubuntu": _os("ubuntu"),
    "kylin": _os("kylin"),
    "nokmem-system": _nokmem_system,
    "old-conntrack": _old_conntrack,
    "aarch64": _aarch64,
    "not-root": _not_root,
    "resolv-exists": _resolv_exists,
    "search-domains": _search_domains,
    "installer-not-started": _installer_not_started,
    "rpm": _rpm,
    "rpm-kylin": _tool("rpm", "kylin"),
    "dpkg": _tool("dpkg-query", "ubuntu"),
    "snap": _tool("snap", "ubuntu"),
}
