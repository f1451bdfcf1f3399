"""Check an external image registry from each node: it must be reachable and trusted, and it must accept the login."""

from collections.abc import Mapping

from acp_tui.checks.cluster.connectivity import describe_result
from acp_tui.checks.cluster.endpoint import from_every_node
from acp_tui.checks.cluster.missing_facts import fact_of_nodes
from acp_tui.checks.finding import ClusterSubject, Finding, Findings
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import N_, _
from acp_tui.nodes.fact_types import Login, RegistryAnswer, TcpResult, Trust

_REGISTRY_STATUS = (200, 401, 403)  # open, or with a login
_TOO_MANY, _SERVER_ERROR = 429, 500

_TRUST_THE_CA = N_(
    "On each node, save the CA certificate of the registry as ca.crt in the current folder. If the registry has a "
    "self-signed certificate, save that certificate as ca.crt."
)
_TRUST_COMMANDS = (
    "cp ca.crt /etc/pki/ca-trust/source/anchors/ && update-ca-trust  # RHEL, CentOS, Kylin\n"
    "cp ca.crt /usr/local/share/ca-certificates/ && update-ca-certificates  # Ubuntu"
)
_RENEW = N_("Give the registry a valid certificate for the name or address in the plan.")
_USE_TLS = N_("Give the registry a certificate, and enable HTTPS on it.")
_UNTRUSTED: Mapping[Trust, tuple[str, str, str]] = {
    Trust.PLAIN: (N_("the registry does not use TLS"), _USE_TLS, ""),
    Trust.SELF_SIGNED: (
        N_("the registry's certificate is self-signed, and this node does not trust it"),
        _TRUST_THE_CA,
        _TRUST_COMMANDS,
    ),
    Trust.UNKNOWN_CA: (
        N_("this node does not trust the CA of the registry's certificate"),
        _TRUST_THE_CA,
        _TRUST_COMMANDS,
    ),
    Trust.OTHER_NAME: (N_("the registry's certificate is not valid for the name or address in the plan"), _RENEW, ""),
    Trust.EXPIRED: (N_("the registry's certificate has expired, according to this node's clock"), _RENEW, ""),
    Trust.NOT_YET: (N_("the registry's certificate is not valid yet, according to this node's clock"), _RENEW, ""),
    Trust.UNTRUSTED: (N_("this node does not trust the registry's certificate"), _TRUST_THE_CA, _TRUST_COMMANDS),
}
"""For each TLS error: the observed value, the description of the fix, and the commands of the fix."""


def registry_reachable(subject: ClusterSubject) -> Findings:
    """XR-REG-EXT: every node must reach and trust the external registry, and the server must be an image registry."""
    registry = subject.topology.registry
    if registry is None:
        return (Finding(Outcome.NOT_APPLICABLE),)
    address = f"{registry[0]}:{registry[1]}"
    tested, findings = fact_of_nodes(subject, "paths", lambda f: f.paths)
    for node, paths in tested.items():
        path, answer = paths.path(*registry), subject.facts[node].registry_answer
        if path is None:
            observed = _("{address} has not been tested since the plan changed").format(address=address)
            findings.append(Finding(Outcome.UNKNOWN, observed, node=node))
        elif path.result is not TcpResult.CONNECTED:
            outcome = Outcome.UNKNOWN if path.result is TcpResult.UNKNOWN else Outcome.FAIL
            findings.append(Finding(outcome, f"{address}: {describe_result(path)}", node=node))
        elif answer is None:
            reason = subject.facts[node].missing_reason("registry_answer")
            findings.append(Finding(Outcome.UNKNOWN, f"{address}: {reason}", node=node))
        elif answer.status not in _REGISTRY_STATUS:
            findings.append(Finding(Outcome.WARN, f"{address}: {_describe_answer(answer)}", node=node))
        elif answer.trust in _UNTRUSTED:
            text, fix, commands = _UNTRUSTED[answer.trust]
            remedy = "\n".join(line for line in (f"# {_(fix)}", commands) if line)
            findings.append(Finding(Outcome.WARN, f"{address}: {_(text)}", remedy=remedy, node=node))
    return tuple(findings)


def _describe_answer(answer: RegistryAnswer) -> str:
    if answer.status is None:
        return _("the port is open, but the request GET /v2/ got no reply ({reason})").format(reason=answer.detail)
    if answer.status == _TOO_MANY or answer.status >= _SERVER_ERROR:
        text = _("the request GET /v2/ returned {status}: the registry is not available at the moment")
    elif answer.status // 100 == 3:
        text = _(
            "the request GET /v2/ returned {status}, a redirect; enter the final address of the registry in the plan"
        )
    else:
        text = _("the request GET /v2/ returned {status}, so the server is not an image registry")
    return text.format(status=answer.status)


def login_works(subject: ClusterSubject) -> Findings:
    """XR-REG-AUTH: the external registry must accept the user and password of the plan, from every node."""
    registry, plan = subject.topology.registry, subject.plan.registry
    if registry is None or not plan.username or plan.password is None:
        return (Finding(Outcome.NOT_APPLICABLE),)
    address, paths = f"{registry[0]}:{registry[1]}", ("registry.username", "registry.password")
    answers, findings = fact_of_nodes(subject, "registry_answer", lambda f: f.registry_answer)
    for node, answer in answers.items():
        if answer.login is Login.REFUSED:
            observed = _("{address} rejected the user and password of the plan (HTTP {status})")
            observed = observed.format(address=address, status=answer.login_detail)
            findings.append(Finding(Outcome.FAIL, observed, node=node, paths=paths))
        elif answer.login not in (Login.ACCEPTED, Login.OPEN):
            findings.append(Finding(Outcome.UNKNOWN, f"{address}: {_untested_reason(answer)}", node=node))
    results = {(finding.outcome, finding.observed) for finding in findings}
    if len(findings) == len(subject.plan.nodes) and results == {(Outcome.FAIL, findings[0].observed)}:
        return (Finding(Outcome.FAIL, from_every_node(findings[0].observed), paths=paths),)
    return tuple(findings)


def _untested_reason(answer: RegistryAnswer) -> str:
    """Return the reason why it is unknown whether the registry accepts the login."""
    if answer.status is None:
        return _("the registry login was not tested, because the registry did not reply ({reason})").format(
            reason=answer.detail
        )
    if answer.status not in _REGISTRY_STATUS:
        return _("the registry login was not tested: {answer}").format(answer=_describe_answer(answer))
    if answer.login is None:
        return _("the registry login has not been tested since the plan changed")
    if answer.login is Login.UNSENT and answer.login_detail:
        return _("the registry login was not tested, because {url} does not use HTTPS").format(url=answer.login_detail)
    if answer.login is Login.UNSENT and answer.trust in _UNTRUSTED:
        reason = _(_UNTRUSTED[answer.trust][0])
        return _("the registry login was not tested, because the connection is not secure ({reason})").format(
            reason=reason
        )
    if answer.login is Login.UNSENT:
        return _("the registry login was not tested, because the connection is not secure")
    return _("the login to the registry failed: {reason}").format(reason=answer.login_detail)
