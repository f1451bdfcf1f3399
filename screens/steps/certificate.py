"""Certificate of the platform: made by the installer, or your own pair, of which the screen shows what it is."""

from collections.abc import Iterable, Sequence

from rich.text import Text
from textual.widget import Widget

from acp_tui.checks.certificates.model import Authority, CertificateFacts
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import N_, _, ngettext
from acp_tui.plan.model import Plan
from screens.formatting.glyphs import outcome_mark
from screens.session.session import Changed
from screens.steps.base import WizardStep, joined
from screens.widgets.form import Field
from screens.widgets.panel import Panel


def _existing(plan: Plan) -> bool:
    return plan.certificate.mode == "existing"


FIELDS = (
    Field("certificate.mode", N_("Certificate")),
    Field("certificate.cert_file", N_("Certificate file"), "/root/acp.crt", _existing),
    Field("certificate.key_file", N_("Key file"), "/root/acp.key", _existing),
)


class CertificateStep(WizardStep):
    NAME = "certificate"
    SHORT = N_("Certificate")
    TITLE_TEXT = N_("Certificate: what browsers see")
    SECTIONS = ("certificate",)

    def fields(self) -> Sequence[Field]:
        return FIELDS

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        yield Panel(id="certificate-facts")

    def show_body(self, topic: Changed) -> None:
        found, plan = self.session.beside.certificate, self.session.plan
        if not _existing(plan):
            told = Text(_("The installer makes a certificate of its own; browsers will warn about it."))
        else:
            told = joined(described(plan, found) if found is not None else [])
        self._set("#certificate-facts", told)


def described(plan: Plan, found: CertificateFacts) -> list[Text]:
    """What was read, a line each, in an order in which one checks it: for whom, until when, by whom, with which key."""
    lines = [Text(trouble, "bold red") for trouble in (*found.unreadable, *found.errors)]
    if found.subject is not None:
        lines.append(_line(_("For"), found.subject))
        hosts = tuple(dict.fromkeys(host for host in (plan.platform_address, *plan.address.others) if host))
        lines.append(_line(_("Names"), ", ".join((*found.names, *found.addresses)) or _("none")))
        lines.append(_covered(found, hosts))
    if found.not_before is not None and found.not_after is not None:
        days = (found.not_after - found.read_at).days
        dates = _("{start} to {end}").format(start=f"{found.not_before:%Y-%m-%d}", end=f"{found.not_after:%Y-%m-%d}")
        left = ngettext("{days} day left", "{days} days left", days) if days >= 0 else _("over")
        lines.append(_line(_("Valid"), f"{dates}, {left.format(days=days)}"))
    if found.issuer is not None:
        lines.append(_line(_("Issuer"), _issuer(found)))
    if found.key_type:
        bits = f" {found.key_bits}" if found.key_bits else ""
        lines.append(_line(_("Key"), f"{found.key_type}{bits}, {_belongs(found)}"))
    return lines


def _line(word: str, text: str) -> Text:
    return Text.assemble((f"{word:<8} ", "dim"), text, no_wrap=True, overflow="ellipsis")


def _covered(found: CertificateFacts, hosts: Sequence[str]) -> Text:
    line = Text.assemble((f"{_('Asked'):<8} ", "dim"), no_wrap=True, overflow="ellipsis")
    for host in hosts:
        mark, style = outcome_mark(Outcome.PASS if found.covers(host) else Outcome.WARN)
        line.append(f"{mark} {host}  ", style)
    return line


def _issuer(found: CertificateFacts) -> str:
    if found.self_signed:
        return _("itself: every client has to be told to trust it")
    how = {
        Authority.KNOWN: _("known to this host"),
        Authority.PRIVATE: _("private authority"),
        Authority.MISSING: _("not in the file"),
    }
    count = ngettext("{count} certificate", "{count} certificates", found.chain_length).format(count=found.chain_length)
    end = how[found.authority] if found.authority else ""
    return f"{found.last_issuer} ({end}), {count}"


def _belongs(found: CertificateFacts) -> str:
    if found.key_encrypted:
        return _("the key file has a passphrase")
    if found.key_matches is None:
        return _("no key was read")
    return _("the key file belongs to it") if found.key_matches else _("the key file does not belong to it")
