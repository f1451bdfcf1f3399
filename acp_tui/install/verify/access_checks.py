"""Check the Web UI and its certificate, the built-in registry, and whether the installer was removed."""

from collections.abc import Iterator
from datetime import timedelta

from acp_tui.checks.catalog import Requirement
from acp_tui.checks.finding import Finding
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext
from acp_tui.install.api.progress_reply import Says
from acp_tui.install.run.state import removal
from acp_tui.install.verify.context import VerifyContext
from acp_tui.install.verify.facts import Answer
from acp_tui.install.verify.https import covers

GRACE = timedelta(minutes=30)
"""The installer removes itself within this time after a successful install (INS-CLEANUP)."""


def check_access(row: Requirement, context: VerifyContext) -> Iterator[Finding]:
    """Check INS-ACCESS: the Web UI must respond, with the certificate of the plan."""
    answer, expected = context.platform, _("the platform must respond over HTTPS, with the certificate of the plan")
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
    """Return True if a Web UI responds. The statuses 401 and 403 count, because a Web UI can require a login."""
    return answer.status is not None and (answer.status < 400 or answer.status in (401, 403))


def _certificate(context: VerifyContext) -> tuple[list[str], list[str]]:
    """Return two lists of lines about the server's certificate: its problems, and its details."""
    shown, plan = context.platform.certificate, context.plan
    if shown is None:
        return [_("the certificate of the server could not be read")], []
    kind = pgettext("certificate", "self-signed") if shown.self_signed else _("signed by a CA")
    details = [
        _("the certificate of {subject} is {kind} and valid until {end}").format(
            subject=shown.subject or pgettext("certificate", "(no subject)"),
            kind=kind,
            end=f"{shown.not_after:%Y-%m-%d}",
        ),
        f"SHA256 {shown.fingerprint}",
    ]
    problems = []
    if plan.certificate.mode == "existing":
        if context.planned_certificate is None:
            problems.append(
                _(
                    "the certificate file of the plan cannot be read on this host, so acp-tui did not compare it with "
                    "the certificate of the server"
                )
            )
        elif context.planned_certificate != shown.fingerprint:
            problems.append(
                _("the certificate of the server differs from that of the plan (SHA256 {fingerprint})").format(
                    fingerprint=context.planned_certificate
                )
            )
    if shown.not_after < context.moment:
        problems.append(pgettext("certificate", "the certificate has expired"))
    if not covers(shown, plan.platform_address):
        details.append(
            _("the certificate of the server is not valid for {host}, so browsers show a warning").format(
                host=plan.platform_address
            )
        )
    return problems, details


def check_registry(row: Requirement, context: VerifyContext) -> Iterator[Finding]:
    if context.registry is None:
        yield Finding(
            Outcome.NOT_APPLICABLE, _("the plan uses an external registry, so the cluster has no built-in registry")
        )
        return
    answer, expected = context.registry, _("the registry must respond to /v2/ on port 11443")
    remedy = "kubectl get pod --all-namespaces | grep registry"
    if answer.status is None:
        observed = _("{url} did not respond to this host: {reason}").format(url=answer.url, reason=answer.trouble)
        yield Finding(Outcome.UNKNOWN, observed, expected, remedy)
    else:
        outcome = Outcome.PASS if answer.status in (200, 401) else Outcome.FAIL  # 401: it requires a login
        observed = pgettext("verification", "{url} returns HTTP {status}").format(url=answer.url, status=answer.status)
        yield Finding(outcome, observed, expected, remedy)


def check_cleanup(row: Requirement, context: VerifyContext) -> Iterator[Finding]:
    containers = context.installed.left_over
    if containers is None:
        yield Finding(Outcome.UNKNOWN, context.installed.missing.get("left_over", ""))
    elif not containers:
        yield Finding(Outcome.PASS, _("the installer container does not exist"))
    elif context.installed.console in (Says.RUNNING, Says.FAILED):
        observed = _("the installer container exists ({status}), and the installer has not reported success").format(
            status=containers[0].status
        )
        yield Finding(
            Outcome.FAIL, observed, remedy=_("Wait until the installer ends. To follow the install: acp-tui attach")
        )
    elif context.installed_at is None:
        observed = _("the installer container still exists ({status}). This host does not know when the install ended")
        yield Finding(
            Outcome.WARN, observed.format(status=containers[0].status), remedy=removal(context.plan.effective_release)
        )
    else:
        since = context.moment - context.installed_at
        observed = _(
            "the installer container still exists ({status}), {minutes} min after the end of the install"
        ).format(status=containers[0].status, minutes=int(since.total_seconds() // 60))
        if since < GRACE:
            yield Finding(
                Outcome.NOT_APPLICABLE,
                _("{observed}; the installer removes itself within 30 min").format(observed=observed),
            )
        else:
            yield Finding(Outcome.FAIL, observed, remedy=removal(context.plan.effective_release))
