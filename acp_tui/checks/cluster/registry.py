"""Checks of an external image registry, as each node sees it: is it there, is it trusted, does the login work."""

from collections.abc import Callable, Mapping

from acp_tui.checks.cluster.connectivity import describe_result
from acp_tui.checks.cluster.consistency import Findings, learned
from acp_tui.checks.cluster.endpoint import way_to
from acp_tui.checks.finding import ClusterSubject, Finding
from acp_tui.checks.topology import external_registry
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import N_, _
from acp_tui.nodes.facts import Login, RegistryAnswer, TcpResult, Trust

_ALIVE = (200, 401, 403)  # a registry that lets one in, or asks for a login
_TOO_MANY, _SERVER_ERROR = 429, 500

_TRUST_THE_CA = N_(
    "# on each node: the certificate of the registry's CA (a self-signed one itself), then\n"
    "cp ca.crt /etc/pki/ca-trust/source/anchors/ && update-ca-trust  # RHEL, CentOS, Kylin\n"
    "cp ca.crt /usr/local/share/ca-certificates/ && update-ca-certificates  # Ubuntu"
)
_RENEW = N_("# the registry needs another certificate: valid today, with the name or address that the plan uses")
_TRUST_WORDS: Mapping[Trust, tuple[str, str]] = {
    Trust.PLAIN: (N_("it speaks no TLS"), N_("# give the registry a certificate, and let it answer by HTTPS")),
    Trust.SELF_SIGNED: (N_("its certificate is self-signed, and this node does not trust it"), _TRUST_THE_CA),
    Trust.UNKNOWN_CA: (N_("this node does not know the CA of its certificate"), _TRUST_THE_CA),
    Trust.OTHER_NAME: (N_("its certificate is for another name"), _RENEW),
    Trust.EXPIRED: (N_("its certificate has expired, by this node's clock"), _RENEW),
    Trust.NOT_YET: (N_("its certificate is not valid yet, by this node's clock"), _RENEW),
    Trust.UNTRUSTED: (N_("this node does not trust its certificate"), _TRUST_THE_CA),
}


def registry_answers(s: ClusterSubject) -> Findings:
    """XR-REG-EXT: every node reaches the external registry, what answers there is one, and the node trusts it."""
    at = external_registry(s.plan)
    if at is None:
        return (Finding(Outcome.NOT_APPLICABLE),)
    where = f"{at[0]}:{at[1]}"
    tried, found = learned(s, "paths", lambda f: f.paths)
    for node, paths in tried.items():
        way, answer = way_to(paths, *at), s.facts[node].registry_answer
        if way is None:
            observed = _("{at} not tried since the answers have changed").format(at=where)
            found.append(Finding(Outcome.UNKNOWN, observed, node=node))
        elif way.result is not TcpResult.CONNECTED:
            outcome = Outcome.UNKNOWN if way.result is TcpResult.UNKNOWN else Outcome.FAIL
            found.append(Finding(outcome, f"{where}: {describe_result(way)}", node=node))
        elif answer is None:
            found.append(
                Finding(Outcome.UNKNOWN, f"{where}: {s.facts[node].missing_reason('registry_answer')}", node=node)
            )
        elif answer.status not in _ALIVE:
            found.append(Finding(Outcome.WARN, f"{where}: {_answered(answer)}", node=node))
        elif answer.trust in _TRUST_WORDS:
            words, mend = _TRUST_WORDS[answer.trust]
            found.append(Finding(Outcome.WARN, f"{where}: {_(words)}", remedy=_(mend), node=node))
    return tuple(found)


def _answered(answer: RegistryAnswer) -> str:
    if answer.status is None:
        return _("the port is open, but nobody answers GET /v2/ ({words})").format(words=answer.detail)
    told = _("GET /v2/ answers {status}").format(status=answer.status)
    if answer.status == _TOO_MANY or answer.status >= _SERVER_ERROR:
        return _("{told}: it does not serve just now").format(told=told)
    if answer.status // 100 == 3:
        return _("{told}, which leads elsewhere: the plan needs the address where it ends").format(told=told)
    return _("{told}, which is no registry").format(told=told)


def login_works(s: ClusterSubject) -> Findings:
    """XR-REG-AUTH: the external registry takes the plan's user and password, from every node."""
    at, given = external_registry(s.plan), s.plan.registry
    if at is None or not given.username or given.password is None:
        return (Finding(Outcome.NOT_APPLICABLE),)
    where, here = f"{at[0]}:{at[1]}", ("registry.username", "registry.password")
    answers, found = learned(s, "registry_answer", lambda f: f.registry_answer)
    for node, answer in answers.items():
        if answer.login is Login.REFUSED:
            observed = _("{at} refuses this user and password (HTTP {status})")
            observed = observed.format(at=where, status=answer.login_detail)
            found.append(Finding(Outcome.FAIL, observed, node=node, paths=here))
        elif answer.login not in (Login.ACCEPTED, Login.OPEN):
            found.append(Finding(Outcome.UNKNOWN, f"{where}: {_untried(answer)}", node=node))
    if len(found) == len(s.plan.nodes) and {(f.outcome, f.observed) for f in found} == {
        (Outcome.FAIL, found[0].observed)
    }:
        observed = _("{observed}, from every node").format(observed=found[0].observed)
        return (Finding(Outcome.FAIL, observed, paths=here),)
    return tuple(found)


def _untried(answer: RegistryAnswer) -> str:
    """Why it is not known whether the login works."""
    if answer.status is None:
        return _("no login without an answer ({words})").format(words=answer.detail)
    if answer.status not in _ALIVE:
        return _("no login where it is not asked for ({answer})").format(answer=_answered(answer))
    if answer.login is None:
        return _("the login was not tried since the answers have changed")
    if answer.login is Login.UNSENT and answer.login_detail:
        return _("the password is not sent to {where}, which is not HTTPS").format(where=answer.login_detail)
    if answer.login is Login.UNSENT:
        words = _(_TRUST_WORDS[answer.trust][0]) if answer.trust in _TRUST_WORDS else ""
        return _("the password is not sent where it could be read: {why}").format(why=words)
    return _("the login failed: {words}").format(words=answer.login_detail)


REGISTRY_CHECKS: Mapping[str, Callable[[ClusterSubject], Findings]] = {
    "login_works": login_works,
    "registry_answers": registry_answers,
}
