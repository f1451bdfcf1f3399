"""Check an installed cluster against the requirements of the manual. A value that could not be read is `unknown`."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from acp_tui.checks.catalog import Requirement, catalogue
from acp_tui.checks.finding import Finding
from acp_tui.checks.release_traits import release_traits
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.checks.verdict_builder import build_verdict, waive
from acp_tui.core.i18n import _, ngettext, npgettext, pgettext
from acp_tui.install.api.client import Says
from acp_tui.install.run.state import removal
from acp_tui.install.verify.facts import Answer, AppRelease, Container, Installed, Pod
from acp_tui.install.verify.https import covers
from acp_tui.plan.model import Node, Plan

GRACE = timedelta(minutes=30)
"""Time in which the installer removes itself (INS-CLEANUP)."""
_LISTED = 12
"""Pods or charts that a finding lists; the others are counted."""
_HEALTHY_MODULE = frozenset(
    {"running", "healthy", "ready", "completed", "complete", "success", "succeeded", "active", "available", "normal"}
)
_BAD_WORDS = ("fail", "error", "unhealthy", "abnormal", "degraded")
_UNDER_WAY = re.compile(r"(?i)\b(?!running\b)\w+ing\b|wait|unknown|not.?ready")


@dataclass(frozen=True)
class VerifyContext:
    """Everything that the checks read. `installed_at`: when the install succeeded; None: unknown on this host."""

    plan: Plan
    installed: Installed
    platform: Answer
    registry: Answer | None
    planned_certificate: str | None
    """Fingerprint of the plan's certificate. None: it has none, or it cannot be read."""
    moment: datetime
    installed_at: datetime | None = None


def evaluate_cluster(context: VerifyContext) -> tuple[Verdict, ...]:
    """Return the verdicts of all checks."""
    rules = catalogue(context.plan.effective_release)
    return tuple(
        waive(build_verdict(rules[name], finding), context.plan.waivers, context.moment.date())
        for name, findings in _CHECKS.items()
        for finding in findings(rules[name], context)
    )


def _nodes(row: Requirement, context: VerifyContext) -> Iterator[Finding]:
    """INS-VERIFY-43: every node of the plan is Ready, and the cluster module (if the release has one) is healthy."""
    known = context.installed.nodes
    if known is None:
        yield Finding(Outcome.UNKNOWN, context.installed.missing.get("nodes", ""))
    else:
        ready = 0
        for node in context.plan.nodes:
            problem = node_problem(node, context.installed)
            ready += not problem
            if problem:
                yield Finding(Outcome.FAIL, problem, _("every node of the plan is Ready"), node=node.address)
            elif name := _cordoned(node, context.installed):
                observed = _("{name} is Ready, but cordoned: no new Pods (SchedulingDisabled)").format(name=name)
                yield Finding(Outcome.WARN, observed, remedy=f"kubectl uncordon {name}", node=node.address)
        others = len(known) - sum(_found(node, context.installed) for node in context.plan.nodes)
        if ready == len(context.plan.nodes):
            observed = ngettext("{count} node is Ready", "{count} nodes are Ready", ready).format(count=ready)
            if others > 0:
                observed = _("{ready}. Nodes that are not in the plan: {others}").format(ready=observed, others=others)
            yield Finding(Outcome.PASS, observed)
    if release_traits(context.plan.effective_release).cluster_module:
        yield _module(context.installed)


def _module(installed: Installed) -> Finding:
    expected = _("clustermodule global is in a healthy phase")
    if installed.module is None:
        return Finding(Outcome.UNKNOWN, f"clustermodule global: {installed.missing.get('module', '')}", expected)
    if not installed.module:
        return Finding(Outcome.UNKNOWN, _("clustermodule global reports no phase"), expected)
    observed = f"clustermodule global: {installed.module}"
    word = installed.module.lower()
    if word in _HEALTHY_MODULE:
        return Finding(Outcome.PASS, observed, expected)
    if any(bad in word for bad in _BAD_WORDS):
        return Finding(Outcome.FAIL, observed, expected)
    return Finding(Outcome.UNKNOWN, _("{observed}; this phase is not documented").format(observed=observed), expected)


def _found(node: Node, installed: Installed) -> bool:
    return any(_is(node, one.name, one.addresses) for one in installed.nodes or ())


def _is(node: Node, name: str, addresses: Sequence[str]) -> bool:
    own = {node.address, node.ipv6 or node.address}
    return name in own or bool(own & set(addresses))


def _cordoned(node: Node, installed: Installed) -> str:
    """Return the node's name in the cluster if it is cordoned, else ""."""
    found = (one.name for one in installed.nodes or () if one.cordoned and _is(node, one.name, one.addresses))
    return next(found, "")


def node_problem(node: Node, installed: Installed) -> str:
    """Return why a node of the plan is not a Ready node of the cluster; "" if it is one."""
    for one in installed.nodes or ():
        if _is(node, one.name, one.addresses):
            if one.ready:
                return ""
            return _("{name} is not Ready: {reason}").format(
                name=one.name, reason=one.reason or _("no reason reported")
            )
    return _("not in the cluster")


def _charts(row: Requirement, context: VerifyContext) -> Iterator[Finding]:
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
        observed = ngettext("{count} AppRelease, none failed", "{count} AppReleases, none failed", count)
        yield Finding(Outcome.PASS, observed.format(count=count))


def chart_state(release: AppRelease) -> tuple[Outcome, str]:
    """Derive the outcome of a chart from its states: only a failure fails it (INS-VERIFY-CHARTS).

    The states are not documented. Failure and work in progress are recognised by common words."""
    bad = [phase for phase in release.phases if any(word in phase.lower() for word in _BAD_WORDS)]
    bad += [
        f"{one.type}={one.status} {one.reason}".strip()
        for one in release.conditions
        if ("fail" in one.reason.lower() and one.status != "True")
        or ("fail" in one.type.lower() and one.status == "True")
    ]
    if bad:
        return Outcome.FAIL, ", ".join(bad)
    if not release.phases and not release.conditions:
        return Outcome.UNKNOWN, _("no state reported")
    waiting = [phase for phase in release.phases if _UNDER_WAY.search(phase)]
    waiting += [
        f"{one.type}={one.status} {one.reason}".strip()
        for one in release.conditions
        if one.status != "True" and "fail" not in one.type.lower()
    ]
    return (Outcome.WARN, ", ".join(waiting)) if waiting else (Outcome.PASS, "")


def _pods(row: Requirement, context: VerifyContext) -> Iterator[Finding]:
    """Check all Pods. The manual's grep would show the header, and would miss Pods that run but are not ready."""
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
                "{name} is not Ready: the state of its {count} Pod may be out of date",
                "{name} is not Ready: the state of its {count} Pods may be out of date",
                count,
            ).format(name=one.name, count=count)
            yield Finding(Outcome.UNKNOWN, observed, node=_address_of(one.name, one.addresses, context.plan))
    for node in context.plan.nodes if nodes is not None else ():
        if not _found(node, context.installed):
            complete = False
            yield Finding(Outcome.UNKNOWN, _("not in the cluster, so no Pod runs there"), node=node.address)
    if complete:
        count = len(pods)
        observed = ngettext("{count} Pod, ready or completed", "{count} Pods, ready or completed", count)
        yield Finding(Outcome.PASS, observed.format(count=count))


def _address_of(name: str, addresses: Sequence[str], plan: Plan) -> str:
    return next((node.address for node in plan.nodes if _is(node, name, addresses)), name)


def pod_state(pod: Pod) -> tuple[Outcome, str]:
    """Return the outcome of a Pod and, if it is not healthy, its state as kubectl prints it: `CrashLoopBackOff 0/1`."""
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
    word = pod.reason or waiting_reason or pod.phase or "?"
    return Outcome.FAIL, f"{word} {count}"


def _waiting_reason(containers: Sequence[Container], prefix: str) -> str:
    """Return why a container does not run. A completed one is not a problem."""
    return next((prefix + one.state for one in containers if not one.ready and one.state not in ("", "Completed")), "")


def _listed(named: Sequence[str]) -> str:
    if len(named) <= _LISTED:
        return "\n".join(named)
    more = len(named) - _LISTED
    return "\n".join(
        [*named[:_LISTED], npgettext("verification", "and {count} more", "and {count} more", more).format(count=more)]
    )


def _access(row: Requirement, context: VerifyContext) -> Iterator[Finding]:
    """INS-ACCESS: the Web UI responds, with the certificate of the plan."""
    answer, expected = context.platform, _("the platform responds over HTTPS, with the certificate of the plan")
    if answer.status is None:
        observed = pgettext("verification", "{url}: {reason}").format(url=answer.url, reason=answer.trouble)
        yield Finding(Outcome.FAIL, observed, expected)
        return
    observed = pgettext("verification", "{url} returns HTTP {status}").format(url=answer.url, status=answer.status)
    outcome = Outcome.PASS if serves(answer) else Outcome.FAIL
    problems, details = _certificate(context)
    lines = [observed, *details, *problems]
    yield Finding(Outcome.FAIL if problems else outcome, "\n".join(lines), expected)


def serves(answer: Answer) -> bool:
    """Whether a Web UI responds. An ingress without one returns 404; one that requires a login returns 401 or 403."""
    return answer.status is not None and (answer.status < 400 or answer.status in (401, 403))


def _certificate(context: VerifyContext) -> tuple[list[str], list[str]]:
    """Return the problems of the server's certificate, and its details."""
    shown, plan = context.platform.certificate, context.plan
    if shown is None:
        return [_("the certificate could not be read")], []
    kind = pgettext("certificate", "self-signed") if shown.self_signed else _("signed by a CA")
    details = [
        _("certificate {subject}, {kind}, valid until {end}").format(
            subject=shown.subject or pgettext("certificate", "(no subject)"),
            kind=kind,
            end=f"{shown.not_after:%Y-%m-%d}",
        ),
        f"SHA256 {shown.fingerprint}",
    ]
    problems = []
    if plan.certificate.mode == "existing":
        if context.planned_certificate is None:
            problems.append(_("the certificate file of the plan cannot be read on this host, so it was not compared"))
        elif context.planned_certificate != shown.fingerprint:
            problems.append(
                _("this is not the certificate of the plan (SHA256 {fingerprint})").format(
                    fingerprint=context.planned_certificate
                )
            )
    if shown.not_after < context.moment:
        problems.append(pgettext("certificate", "expired"))
    if not covers(shown, plan.platform_address):
        details.append(
            _("the certificate is not valid for {host}: browsers will show a warning").format(
                host=plan.platform_address
            )
        )
    return problems, details


def _registry(row: Requirement, context: VerifyContext) -> Iterator[Finding]:
    if context.registry is None:
        yield Finding(Outcome.NOT_APPLICABLE, _("the registry is external"))
        return
    answer, expected = context.registry, _("the registry responds to /v2/ on port 11443")
    remedy = "kubectl get pod --all-namespaces | grep registry"
    if answer.status is None:
        observed = _("{url}: {reason} (requested from this host)").format(url=answer.url, reason=answer.trouble)
        yield Finding(Outcome.UNKNOWN, observed, expected, remedy)
    else:
        outcome = Outcome.PASS if answer.status in (200, 401) else Outcome.FAIL  # 401: it requires a login
        observed = pgettext("verification", "{url} returns HTTP {status}").format(url=answer.url, status=answer.status)
        yield Finding(outcome, observed, expected, remedy)


def _cleaned(row: Requirement, context: VerifyContext) -> Iterator[Finding]:
    containers = context.installed.left_over
    if containers is None:
        yield Finding(Outcome.UNKNOWN, context.installed.missing.get("left_over", ""))
    elif not containers:
        yield Finding(Outcome.PASS, _("the installer container does not exist"))
    elif context.installed.console in (Says.RUNNING, Says.FAILED):
        observed = _("the installer is present ({status}) and has not reported success").format(
            status=containers[0].status
        )
        yield Finding(Outcome.FAIL, observed, remedy=_("Wait until it ends. To follow it: acp-tui attach"))
    elif context.installed_at is None:
        observed = _("the installer is still present ({status}); the end of the install is unknown on this host")
        yield Finding(
            Outcome.WARN, observed.format(status=containers[0].status), remedy=removal(context.plan.effective_release)
        )
    else:
        since = context.moment - context.installed_at
        observed = _("the installer is still present ({status}), {minutes} min after the install").format(
            status=containers[0].status, minutes=int(since.total_seconds() // 60)
        )
        if since < GRACE:
            yield Finding(
                Outcome.NOT_APPLICABLE, _("{observed}; it removes itself within 30 min").format(observed=observed)
            )
        else:
            yield Finding(Outcome.FAIL, observed, remedy=removal(context.plan.effective_release))


_CHECKS: Mapping[str, Callable[[Requirement, VerifyContext], Iterator[Finding]]] = {
    "INS-VERIFY-43": _nodes,
    "INS-VERIFY-CHARTS": _charts,
    "INS-VERIFY-PODS": _pods,
    "INS-ACCESS": _access,
    "P-REG-DOMAIN": _registry,
    "INS-CLEANUP": _cleaned,
}
"""In the order of the report: a missing node explains the findings after it."""
