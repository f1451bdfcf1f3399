"""Checks of the charts (AppReleases) and Pods of an installed cluster."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from acp_tui.checks.catalog import Requirement
from acp_tui.checks.finding import Finding
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, ngettext, npgettext
from acp_tui.install.verify.context import VerifyContext
from acp_tui.install.verify.facts import AppRelease, Container, Pod
from acp_tui.install.verify.node_checks import BAD_WORDS, is_in_cluster, is_node
from acp_tui.plan.model import Plan

_LISTED = 12
"""The largest number of Pods or charts that a finding lists. The others are only counted."""
_UNDER_WAY = re.compile(r"(?i)\b(?!running\b)\w+ing\b|wait|unknown|not.?ready")


def check_charts(row: Requirement, context: VerifyContext) -> Iterator[Finding]:
    releases = context.installed.releases
    if releases is None:
        yield Finding(Outcome.UNKNOWN, context.installed.missing.get("releases", ""))
        return
    if not releases:
        yield Finding(Outcome.UNKNOWN, _("the cluster has no AppReleases"))
        return
    judged = [(release, *chart_state(release)) for release in releases]
    for outcome in (Outcome.FAIL, Outcome.UNKNOWN, Outcome.WARN):
        named = [f"{one.namespace}/{one.name}: {reason}" for one, found, reason in judged if found is outcome]
        if named:
            yield Finding(outcome, _listed(named))
    if all(found is Outcome.PASS for _one, found, _reason in judged):
        count = len(releases)
        observed = ngettext(
            "{count} AppRelease exists, and it has not failed", "{count} AppReleases exist, and none has failed", count
        )
        yield Finding(Outcome.PASS, observed.format(count=count))


def chart_state(release: AppRelease) -> tuple[Outcome, str]:
    """Return the outcome of a chart and the states that explain the outcome (INS-VERIFY-CHARTS).

    The states are not documented, so common words show whether the chart has failed or is still in progress."""
    bad = [phase for phase in release.phases if any(marker in phase.lower() for marker in BAD_WORDS)]
    bad += [
        f"{one.type}={one.status} {one.reason}".strip()
        for one in release.conditions
        if ("fail" in one.reason.lower() and one.status != "True")
        or ("fail" in one.type.lower() and one.status == "True")
    ]
    if bad:
        return Outcome.FAIL, ", ".join(bad)
    if not release.phases and not release.conditions:
        return Outcome.UNKNOWN, _("the chart reports no state")
    waiting = [phase for phase in release.phases if _UNDER_WAY.search(phase)]
    waiting += [
        f"{one.type}={one.status} {one.reason}".strip()
        for one in release.conditions
        if one.status != "True" and "fail" not in one.type.lower()
    ]
    return (Outcome.WARN, ", ".join(waiting)) if waiting else (Outcome.PASS, "")


def check_pods(row: Requirement, context: VerifyContext) -> Iterator[Finding]:
    """Check all Pods.

    The grep command of the manual is not used, because it does not find Pods that run but are not ready."""
    pods, nodes = context.installed.pods, context.installed.nodes
    if pods is None:
        yield Finding(Outcome.UNKNOWN, context.installed.missing.get("pods", ""))
        return
    if not pods:
        yield Finding(Outcome.UNKNOWN, _("the cluster has no Pods"))
        return
    judged = [(pod, *pod_state(pod)) for pod in pods]
    complete = True
    for outcome in (Outcome.FAIL, Outcome.WARN):
        named = [f"{pod.namespace}/{pod.name}: {reason}" for pod, found, reason in judged if found is outcome]
        if named:
            complete = False
            yield Finding(outcome, _listed(named))
    on = Counter(pod.node for pod in pods)
    for one in nodes or ():
        if not one.ready and (count := on[one.name]):
            complete = False
            observed = ngettext(
                "{name} is not Ready: the state of its {count} Pod is possibly out of date",
                "{name} is not Ready: the state of its {count} Pods is possibly out of date",
                count,
            ).format(name=one.name, count=count)
            yield Finding(Outcome.UNKNOWN, observed, node=_address_of(one.name, one.addresses, context.plan))
    for node in context.plan.nodes if nodes is not None else ():
        if not is_in_cluster(node, context.installed):
            complete = False
            yield Finding(Outcome.UNKNOWN, _("the node is not in the cluster, so no Pod runs on it"), node=node.address)
    if complete:
        count = len(pods)
        observed = ngettext("{count} Pod is ready or completed", "{count} Pods are ready or completed", count)
        yield Finding(Outcome.PASS, observed.format(count=count))


def pod_state(pod: Pod) -> tuple[Outcome, str]:
    """Return the outcome of a Pod. If it is not healthy, also return its state, such as `CrashLoopBackOff 0/1`."""
    ready = sum(container.ready for container in pod.containers)
    count = f"{ready}/{pod.wanted}"
    all_ready = ready == pod.wanted
    if pod.deleting:
        return (Outcome.WARN if all_ready else Outcome.FAIL), f"Terminating {count}"
    if pod.phase == "Succeeded":
        return Outcome.PASS, ""
    waiting_reason = _waiting_reason(pod.init, "Init:") or _waiting_reason(pod.containers, "")
    if pod.phase == "Running" and not waiting_reason:
        return (Outcome.PASS, "") if all_ready else (Outcome.WARN, f"Running {count}")
    state = pod.reason or waiting_reason or pod.phase or "?"
    return Outcome.FAIL, f"{state} {count}"


def _waiting_reason(containers: Sequence[Container], prefix: str) -> str:
    """Return the reason why a container does not run; "" if all containers run or are completed."""
    return next((prefix + one.state for one in containers if not one.ready and one.state not in ("", "Completed")), "")


def _address_of(name: str, addresses: Sequence[str], plan: Plan) -> str:
    return next((node.address for node in plan.nodes if is_node(node, name, addresses)), name)


def _listed(named: Sequence[str]) -> str:
    if len(named) <= _LISTED:
        return "\n".join(named)
    more = len(named) - _LISTED
    return "\n".join(
        [*named[:_LISTED], npgettext("verification", "and {count} more", "and {count} more", more).format(count=more)]
    )
