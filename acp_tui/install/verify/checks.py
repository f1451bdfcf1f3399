"""An installed cluster against the manual's last chapter: pure, and `unknown` with why wherever nobody could look."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from acp_tui.checks.catalog import Requirement, catalogue
from acp_tui.checks.finding import Finding
from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.checks.verdict_builder import build_verdict, waive
from acp_tui.core.i18n import _, ngettext
from acp_tui.install.api.client import Says
from acp_tui.install.run.state import removal
from acp_tui.install.verify.facts import Answer, AppRelease, Container, Installed, Pod
from acp_tui.install.verify.https import covers
from acp_tui.plan.model import Node, Plan

GRACE = timedelta(minutes=30)
"""How long the installer may take to remove itself (INS-CLEANUP)."""
_TOLD = 12
"""Pods or charts that a finding names; the others are counted."""
_HEALTHY_MODULE = frozenset(
    {"running", "healthy", "ready", "completed", "complete", "success", "succeeded", "active", "available", "normal"}
)
_BAD_WORDS = ("fail", "error", "unhealthy", "abnormal", "degraded")
_UNDER_WAY = re.compile(r"(?i)\b(?!running\b)\w+ing\b|wait|unknown|not.?ready")


@dataclass(frozen=True)
class VerifyContext:
    """All that the verdicts are drawn from. `installed_at`: when the install succeeded; None: not known here."""

    plan: Plan
    installed: Installed
    platform: Answer
    registry: Answer | None
    planned_certificate: str | None
    """Fingerprint of the plan's own certificate; None where there is none, or it cannot be read."""
    moment: datetime
    installed_at: datetime | None = None


def judge(case: VerifyContext) -> tuple[Verdict, ...]:
    rules = catalogue(case.plan.effective_release)
    return tuple(
        waive(build_verdict(rules[name], finding), case.plan.waivers, case.moment.date())
        for name, findings in _JUDGES.items()
        for finding in findings(rules[name], case)
    )


def _nodes(row: Requirement, case: VerifyContext) -> Iterator[Finding]:
    """INS-VERIFY-43: every node of the plan is there and Ready; from 4.3 on the module of the cluster is healthy."""
    known = case.installed.nodes
    if known is None:
        yield Finding(Outcome.UNKNOWN, case.installed.missing.get("nodes", ""))
    else:
        ready = 0
        for node in case.plan.nodes:
            why = node_trouble(node, case.installed)
            ready += not why
            if why:
                yield Finding(Outcome.FAIL, why, _("every node of the plan is Ready"), node=node.address)
            elif name := _cordoned(node, case.installed):
                told = _("{name} is Ready, but no Pod is placed there (SchedulingDisabled)").format(name=name)
                yield Finding(Outcome.WARN, told, remedy=f"kubectl uncordon {name}", node=node.address)
        others = len(known) - sum(_found(node, case.installed) for node in case.plan.nodes)
        if ready == len(case.plan.nodes):
            told = ngettext("{count} node is Ready", "{count} nodes are Ready", ready).format(count=ready)
            more = ngettext("; {count} more is not in the plan", "; {count} more are not in the plan", others)
            yield Finding(Outcome.PASS, told + (more.format(count=others) if others > 0 else ""))
    if case.plan.effective_release >= "4.3":
        yield _module(case.installed)


def _module(installed: Installed) -> Finding:
    wanted = _("clustermodule global is in a healthy phase")
    if installed.module is None:
        return Finding(Outcome.UNKNOWN, f"clustermodule global: {installed.missing.get('module', '')}", wanted)
    if not installed.module:
        return Finding(Outcome.UNKNOWN, _("clustermodule global tells no phase"), wanted)
    told = f"clustermodule global: {installed.module}"
    word = installed.module.lower()
    if word in _HEALTHY_MODULE:
        return Finding(Outcome.PASS, told, wanted)
    if any(bad in word for bad in _BAD_WORDS):
        return Finding(Outcome.FAIL, told, wanted)
    return Finding(Outcome.UNKNOWN, _("{told}; whether that is healthy is not known").format(told=told), wanted)


def _found(node: Node, installed: Installed) -> bool:
    return any(_is(node, one.name, one.addresses) for one in installed.nodes or ())


def _is(node: Node, name: str, addresses: Sequence[str]) -> bool:
    own = {node.address, node.ipv6 or node.address}
    return name in own or bool(own & set(addresses))


def _cordoned(node: Node, installed: Installed) -> str:
    """The node's name in the cluster, where it is cordoned; "" where not."""
    found = (one.name for one in installed.nodes or () if one.cordoned and _is(node, one.name, one.addresses))
    return next(found, "")


def node_trouble(node: Node, installed: Installed) -> str:
    """Why a node of the plan is no Ready node of the cluster; "" where it is one."""
    for one in installed.nodes or ():
        if _is(node, one.name, one.addresses):
            if one.ready:
                return ""
            return _("{name} is not Ready: {why}").format(name=one.name, why=one.reason or _("no reason told"))
    return _("it is not in the cluster")


def _charts(row: Requirement, case: VerifyContext) -> Iterator[Finding]:
    releases = case.installed.releases
    if releases is None:
        yield Finding(Outcome.UNKNOWN, case.installed.missing.get("releases", ""))
        return
    if not releases:
        yield Finding(Outcome.UNKNOWN, _("the cluster has no AppRelease at all"))
        return
    judged = [(release, *chart_state(release)) for release in releases]
    for outcome in (Outcome.FAIL, Outcome.UNKNOWN, Outcome.WARN):
        named = [f"{one.namespace}/{one.name}: {why}" for one, found, why in judged if found is outcome]
        if named:
            yield Finding(outcome, _listed(named))
    if all(found is Outcome.PASS for _one, found, _why in judged):
        count = len(releases)
        told = ngettext("{count} AppRelease, none failed", "{count} AppReleases, none failed", count)
        yield Finding(Outcome.PASS, told.format(count=count))


def chart_state(release: AppRelease) -> tuple[Outcome, str]:
    """What a chart's words for its state amount to: only a failure fails it (INS-VERIFY-CHARTS).

    Which words it has is published nowhere: those of failure and of work under way are known by their look."""
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
        return Outcome.UNKNOWN, _("it tells no state")
    waiting = [phase for phase in release.phases if _UNDER_WAY.search(phase)]
    waiting += [
        f"{one.type}={one.status} {one.reason}".strip()
        for one in release.conditions
        if one.status != "True" and "fail" not in one.type.lower()
    ]
    return (Outcome.WARN, ", ".join(waiting)) if waiting else (Outcome.PASS, "")


def _pods(row: Requirement, case: VerifyContext) -> Iterator[Finding]:
    """Our own evaluation: the manual's filter shows the header, and misses Pods that run without being ready."""
    pods, nodes = case.installed.pods, case.installed.nodes
    if pods is None:
        yield Finding(Outcome.UNKNOWN, case.installed.missing.get("pods", ""))
        return
    if not pods:
        yield Finding(Outcome.UNKNOWN, _("the cluster has no Pod at all"))
        return
    judged = [(pod, *pod_state(pod)) for pod in pods]
    whole = True
    for outcome in (Outcome.FAIL, Outcome.WARN):
        named = [f"{pod.namespace}/{pod.name}: {why}" for pod, found, why in judged if found is outcome]
        if named:
            whole = False
            yield Finding(outcome, _listed(named))
    on = Counter(pod.node for pod in pods)
    for one in nodes or ():
        if not one.ready and (count := on[one.name]):
            whole = False
            told = ngettext(
                "{name} is not Ready: what is told of its {count} Pod may be out of date",
                "{name} is not Ready: what is told of its {count} Pods may be out of date",
                count,
            ).format(name=one.name, count=count)
            yield Finding(Outcome.UNKNOWN, told, node=_address_of(one.name, one.addresses, case.plan))
    for node in case.plan.nodes if nodes is not None else ():
        if not _found(node, case.installed):
            whole = False
            yield Finding(Outcome.UNKNOWN, _("it is not in the cluster, so nothing runs there"), node=node.address)
    if whole:
        count = len(pods)
        told = ngettext("{count} Pod, ready or completed", "{count} Pods, ready or completed", count)
        yield Finding(Outcome.PASS, told.format(count=count))


def _address_of(name: str, addresses: Sequence[str], plan: Plan) -> str:
    return next((node.address for node in plan.nodes if _is(node, name, addresses)), name)


def pod_state(pod: Pod) -> tuple[Outcome, str]:
    """A Pod's state and, where it is not well, in the words of kubectl: `CrashLoopBackOff 0/1`."""
    ready = sum(container.ready for container in pod.containers)
    count = f"{ready}/{pod.wanted}"
    whole = ready == pod.wanted
    if pod.deleting:
        return (Outcome.WARN if whole else Outcome.FAIL), f"Terminating {count}"
    if pod.phase == "Succeeded":
        return Outcome.PASS, ""
    stuck = _stuck(pod.init, "Init:") or _stuck(pod.containers, "")
    if pod.phase == "Running" and not stuck:
        return (Outcome.PASS, "") if whole else (Outcome.WARN, f"Running {count}")
    word = pod.reason or stuck or pod.phase or "?"
    return Outcome.FAIL, f"{word} {count}"


def _stuck(containers: Sequence[Container], prefix: str) -> str:
    """Why one of the containers does not run; one that completed does what it should."""
    return next((prefix + one.state for one in containers if not one.ready and one.state not in ("", "Completed")), "")


def _listed(named: Sequence[str]) -> str:
    if len(named) <= _TOLD:
        return "\n".join(named)
    more = len(named) - _TOLD
    return "\n".join([*named[:_TOLD], ngettext("and {count} more", "and {count} more", more).format(count=more)])


def _access(row: Requirement, case: VerifyContext) -> Iterator[Finding]:
    """INS-ACCESS: the platform's address answers, and with which certificate."""
    answer, wanted = case.platform, _("the platform answers by HTTPS, with the certificate of the plan")
    if answer.status is None:
        told = _("{url}: {why}").format(url=answer.url, why=answer.trouble)
        yield Finding(Outcome.FAIL, told, wanted)
        return
    told = _("{url} answers {status}").format(url=answer.url, status=answer.status)
    outcome = Outcome.PASS if serves(answer) else Outcome.FAIL
    trouble, about = _certificate(case)
    lines = [told, *about, *trouble]
    yield Finding(Outcome.FAIL if trouble else outcome, "\n".join(lines), wanted)


def serves(answer: Answer) -> bool:
    """Whether a console is there. An ingress without one answers 404; one that wants a login 401 or 403."""
    return answer.status is not None and (answer.status < 400 or answer.status in (401, 403))


def _certificate(case: VerifyContext) -> tuple[list[str], list[str]]:
    """(what is wrong with the certificate shown, what is told of it)."""
    shown, plan = case.platform.certificate, case.plan
    if shown is None:
        return [_("its certificate could not be read")], []
    kind = _("self-signed") if shown.self_signed else _("signed by an authority")
    about = [
        _("certificate {subject}, {kind}, until {end}").format(
            subject=shown.subject or _("(no subject)"), kind=kind, end=f"{shown.not_after:%Y-%m-%d}"
        ),
        f"SHA256 {shown.fingerprint}",
    ]
    trouble = []
    if plan.certificate.mode == "existing":
        if case.planned_certificate is None:
            trouble.append(_("the plan's certificate file cannot be read here, so the two could not be compared"))
        elif case.planned_certificate != shown.fingerprint:
            trouble.append(
                _("it is not the plan's certificate (SHA256 {print})").format(print=case.planned_certificate)
            )
    if shown.not_after < case.moment:
        trouble.append(_("it has run out"))
    if not covers(shown, plan.platform_address):
        about.append(_("it does not name {host}: browsers will say so").format(host=plan.platform_address))
    return trouble, about


def _registry(row: Requirement, case: VerifyContext) -> Iterator[Finding]:
    if case.registry is None:
        yield Finding(Outcome.NOT_APPLICABLE, _("the registry is not the platform's"))
        return
    answer, wanted = case.registry, _("the registry answers /v2/ on port 11443")
    remedy = "kubectl get pod --all-namespaces | grep registry"
    if answer.status is None:
        told = _("{url}: {why} (asked from this host)").format(url=answer.url, why=answer.trouble)
        yield Finding(Outcome.UNKNOWN, told, wanted, remedy)
    else:
        outcome = Outcome.PASS if answer.status in (200, 401) else Outcome.FAIL  # 401: it wants a login
        told = _("{url} answers {status}").format(url=answer.url, status=answer.status)
        yield Finding(outcome, told, wanted, remedy)


def _cleaned(row: Requirement, case: VerifyContext) -> Iterator[Finding]:
    left = case.installed.left_over
    if left is None:
        yield Finding(Outcome.UNKNOWN, case.installed.missing.get("left_over", ""))
    elif not left:
        yield Finding(Outcome.PASS, _("the installer's container is gone"))
    elif case.installed.console in (Says.RUNNING, Says.FAILED):
        told = _("the installer is there ({status}) and does not say that it is done").format(status=left[0].status)
        yield Finding(Outcome.FAIL, told, remedy=_("Wait for its end; acp-tui attach follows it."))
    elif case.installed_at is None:
        told = _("the installer is still there ({status}); when the install ended is not known here")
        yield Finding(Outcome.WARN, told.format(status=left[0].status), remedy=removal(case.plan.effective_release))
    else:
        since = case.moment - case.installed_at
        told = _("the installer is still there ({status}), {minutes} min after the install").format(
            status=left[0].status, minutes=int(since.total_seconds() // 60)
        )
        if since < GRACE:
            yield Finding(Outcome.NOT_APPLICABLE, _("{told}; it has 30 to remove itself").format(told=told))
        else:
            yield Finding(Outcome.FAIL, told, remedy=removal(case.plan.effective_release))


_JUDGES: Mapping[str, Callable[[Requirement, VerifyContext], Iterator[Finding]]] = {
    "INS-VERIFY-43": _nodes,
    "INS-VERIFY-CHARTS": _charts,
    "INS-VERIFY-PODS": _pods,
    "INS-ACCESS": _access,
    "P-REG-DOMAIN": _registry,
    "INS-CLEANUP": _cleaned,
}
"""In the order in which they are told: a node that is not there explains what follows."""
