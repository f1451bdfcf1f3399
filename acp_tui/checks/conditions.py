"""The conditions of catalogue rows (`when`): functions of the plan, a node and its facts.

True: the requirement applies. False: it does not. None: a fact is missing, so it is unknown.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from acp_tui.checks.catalog import Requirement
from acp_tui.checks.topology import required_names
from acp_tui.nodes.facts import Facts
from acp_tui.plan.model import Node, Plan


@dataclass(frozen=True)
class EvalContext:
    """The input of a condition. `node` and `facts` are None for requirements that concern no single node."""

    plan: Plan
    node: Node | None = None
    facts: Facts | None = None


Condition = Callable[[EvalContext], bool | None]

_RED_HAT = ("rhel", "centos", "rocky", "almalinux", "ol", "fedora")
"""Systems with Red Hat's kernel and packages."""


def applies(requirement: Requirement, context: EvalContext) -> bool | None:
    """Return whether all conditions of the row hold; False: one does not; None: unknown."""
    answers = [CONDITIONS[name](context) for name in requirement.when]
    if False in answers:
        return False
    return None if None in answers else True


def _scenario(name: str) -> Condition:
    return lambda s: s.plan.scenario == name


def _os(*ids: str) -> Condition:
    return lambda s: None if _os_id(s) is None else _os_id(s) in ids


def _os_id(s: EvalContext) -> str | None:
    return s.facts.os_id if s.facts else None


def _aarch64(s: EvalContext) -> bool | None:
    arch = s.facts.arch if s.facts else None
    return None if arch is None else arch == "aarch64"


def _nokmem_system(s: EvalContext) -> bool | None:
    """CentOS 7 and RHEL 7 share the kernel that leaks with kernel memory accounting (OQ-NOKMEM)."""
    if _os_id(s) not in (None, "centos", "rhel"):
        return False
    version = s.facts.os_version_id if s.facts else None
    return None if version is None or _os_id(s) is None else version.split(".")[0] == "7"


def _old_conntrack(s: EvalContext) -> bool | None:
    """Kernels with one conntrack module for each IP family: below 4.19, on RHEL and its rebuilds below 4.18."""
    if s.facts is None or s.facts.kernel is None or s.facts.os_id is None:
        return None
    version = re.match(r"(\d{1,6})\.(\d{1,6})", s.facts.kernel)
    limit = (4, 18) if s.facts.os_id in _RED_HAT or re.search(r"\.el\d", s.facts.kernel) else (4, 19)
    return (int(version[1]), int(version[2])) < limit if version else None


def _not_root(s: EvalContext) -> bool | None:
    return None if s.facts is None or s.facts.uid is None else s.facts.uid != 0


def _resolv_exists(s: EvalContext) -> bool | None:
    return s.facts.resolv_exists if s.facts else None


def _search_domains(s: EvalContext) -> bool | None:
    if s.facts is None or s.facts.search_domains is None:
        return None
    return bool(set(s.facts.search_domains) - {"."} or s.facts.resolv_domain)


def _installer_not_started(s: EvalContext) -> bool | None:
    """False while setup.sh runs: its ports and folders are then the installer's own. Unknown counts as not started."""
    return not (s.facts and s.facts.installer_running)


def _tool(tool: str, system: str) -> Condition:
    """The distribution is `system` and has the package tool `tool`."""

    def condition(s: EvalContext) -> bool | None:
        if _os_id(s) != system:
            return None if _os_id(s) is None else False
        return None if s.facts is None or s.facts.package_tools is None else tool in s.facts.package_tools

    return condition


def _rpm(s: EvalContext) -> bool | None:
    """Any distribution except Kylin that manages its packages with rpm. An rpm command next to dpkg does not count."""
    if _os_id(s) in ("kylin", "ubuntu", "debian"):
        return False
    if s.facts is None or s.facts.os_id is None or s.facts.package_tools is None:
        return None
    return "rpm" in s.facts.package_tools and (s.facts.os_id in _RED_HAT or "dpkg-query" not in s.facts.package_tools)


def _load_balancer(s: EvalContext) -> bool:
    return not s.plan.single and not s.plan.address.self_built_vip


CONDITIONS: Mapping[str, Condition] = {
    "single-node": _scenario("single-node"),
    "single-cluster": _scenario("single-cluster"),
    "multi-cluster": _scenario("multi-cluster"),
    "no-workers": lambda s: not s.plan.workers,
    "workers": lambda s: bool(s.plan.workers),
    "high-availability": lambda s: s.plan.scenario != "single-node",
    "several-nodes": lambda s: len(s.plan.nodes) > 1,
    "kube-ovn": lambda s: s.plan.network.cni == "kube-ovn",
    "calico": lambda s: s.plan.network.cni == "calico",
    "ipv6": lambda s: s.plan.network.ip_family != "ipv4",
    "load-balancer": _load_balancer,
    "self-built-vip": lambda s: s.plan.address.self_built_vip and not s.plan.single,
    "domain-names": lambda s: bool(required_names(s.plan)),
    "http": lambda s: s.plan.address.http_port > 0,
    "platform-registry": lambda s: s.plan.registry.mode == "platform",
    "disaster-recovery": lambda s: s.plan.disaster_recovery.role != "none",
    "pods-expected": lambda s: s.plan.workload.pods > 0,
    "local-storage": lambda s: s.plan.local_storage != "none",
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
