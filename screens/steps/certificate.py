"""The Certificate step: a self-signed certificate or your own. The step shows the content of your own certificate."""

from collections.abc import Iterable, Sequence

from rich.text import Text
from textual.widget import Widget

from acp_tui.checks.certificate_facts import Authority, CertificateFacts
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import NC_, _, ngettext, npgettext, pgettext
from acp_tui.plan.model import Plan
from screens.formatting.glyphs import outcome_mark
from screens.session.wizard_session import Changed
from screens.steps.base import WizardStep
from screens.widgets.detail import joined
from screens.widgets.form import Field
from screens.widgets.panel import Panel


def _existing(plan: Plan) -> bool:
    return plan.certificate.mode == "existing"


FIELDS = (
    Field("certificate.mode", NC_("field", "Certificate")),
    Field("certificate.cert_file", NC_("field", "Certificate file"), "/root/acp.crt", _existing),
    Field("certificate.key_file", NC_("field", "Key file"), "/root/acp.key", _existing),
)


class CertificateStep(WizardStep):
    NAME = "certificate"
    SHORT = NC_("step", "Certificate")
    TITLE_TEXT = NC_("title", "Certificate: the certificate that browsers receive")
    SECTIONS = ("certificate",)

    def fields(self) -> Sequence[Field]:
        return FIELDS

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        yield Panel(id="certificate-facts")

    def show_body(self, topic: Changed) -> None:
        found, plan = self.session.local_files.certificate, self.session.plan
        if not _existing(plan):
            text = Text(_("The installer creates a self-signed certificate. Browsers warn about it."))
        else:
            text = joined(described(plan, found) if found is not None else [])
        self.set_panel("#certificate-facts", text)


def described(plan: Plan, found: CertificateFacts) -> list[Text]:
    """Return names, validity, issuer and key of the certificate, one fact per line."""
    lines = [Text(problem, "bold red") for problem in (*found.unreadable, *found.errors)]
    if found.subject is not None:
        lines.append(_line(pgettext("certificate", "Subject"), found.subject))
        hosts = tuple(dict.fromkeys(host for host in (plan.platform_address, *plan.address.others) if host))
        lines.append(
            _line(
                pgettext("certificate", "Names"),
                ", ".join((*found.names, *found.addresses)) or pgettext("certificate", "none"),
            )
        )
        lines.append(_covered(found, hosts))
    if found.not_before is not None and found.not_after is not None:
        days = (found.not_after - found.read_at).days
        if days >= 0:
            validity = ngettext("{start} to {end}, {days} day left", "{start} to {end}, {days} days left", days)
        else:
            validity = pgettext("certificate", "{start} to {end}, expired")
        start, end = f"{found.not_before:%Y-%m-%d}", f"{found.not_after:%Y-%m-%d}"
        lines.append(_line(pgettext("certificate", "Valid"), validity.format(start=start, end=end, days=days)))
    if found.issuer is not None:
        lines.append(_line(pgettext("certificate", "Issuer"), _issuer(found)))
    if found.key_type:
        bits = f" {found.key_bits}" if found.key_bits else ""
        lines.append(_line(pgettext("certificate", "Key"), f"{found.key_type}{bits}, {_belongs(found)}"))
    return lines


def _line(label: str, text: str) -> Text:
    return Text.assemble((f"{label:<8} ", "dim"), text, no_wrap=True, overflow="ellipsis")


def _covered(found: CertificateFacts, hosts: Sequence[str]) -> Text:
    line = Text.assemble((f"{pgettext('certificate', 'Covers'):<8} ", "dim"), no_wrap=True, overflow="ellipsis")
    for host in hosts:
        mark, style = outcome_mark(Outcome.PASS if found.covers(host) else Outcome.WARN)
        line.append(f"{mark} {host}  ", style)
    return line


def _issuer(found: CertificateFacts) -> str:
    if found.self_signed:
        return _("self-signed: every client must be configured to trust it")
    how = {
        Authority.KNOWN: _("trusted by this host"),
        Authority.PRIVATE: pgettext("certificate", "private authority"),
        Authority.MISSING: _("issuer not in the certificate file"),
    }
    count = npgettext("certificate", "{count} certificate", "{count} certificates", found.chain_length).format(
        count=found.chain_length
    )
    end = how[found.authority] if found.authority else ""
    return f"{found.last_issuer} ({end}), {count}"


def _belongs(found: CertificateFacts) -> str:
    if found.key_encrypted:
        return _("the key file has a passphrase")
    if found.key_matches is None:
        return _("no usable key file")
    return _("the key matches the certificate") if found.key_matches else _("the key does not match the certificate")
