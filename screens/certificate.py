"""Certificate of the platform: made by the installer, or your own pair, of which the screen shows what it is."""

from collections.abc import Iterable, Sequence

from rich.text import Text
from textual.widget import Widget

from acp_tui.certificate import CertificateFacts
from acp_tui.plan import Plan
from acp_tui.texts import N_, _
from screens.session import Topic
from screens.step import Step
from screens.widgets.form import Field
from screens.widgets.panel import Panel


def _existing(plan: Plan) -> bool:
    return plan.certificate.mode == "existing"


FIELDS = (
    Field("certificate.mode", N_("Certificate")),
    Field("certificate.cert_file", N_("Certificate file"), "/root/acp.crt", _existing),
    Field("certificate.key_file", N_("Key file"), "/root/acp.key", _existing),
)


class CertificateStep(Step):
    NAME = "certificate"
    SHORT = N_("Certificate")
    TITLE_TEXT = N_("Certificate: what browsers see")
    SECTIONS = ("certificate",)

    def fields(self) -> Sequence[Field]:
        return FIELDS

    def body(self) -> Iterable[Widget]:
        yield from super().body()
        yield Panel(id="certificate-facts")

    def show_body(self, topic: Topic) -> None:
        found = self.session.certificate
        if not _existing(self.session.plan):
            lines = [_("The installer makes a certificate of its own; browsers will warn about it.")]
        else:
            lines = _described(found) if found is not None else []
        self._set("#certificate-facts", Text("\n".join(lines)))


def _described(found: CertificateFacts) -> list[str]:
    """The certificate in a few lines."""
    lines = [*found.unreadable, *found.errors]
    if found.subject is not None:
        lines.append(_("Subject {subject}").format(subject=found.subject))
    if found.not_before is not None and found.not_after is not None:
        dates = (f"{found.not_before:%Y-%m-%d}", f"{found.not_after:%Y-%m-%d}")
        lines.append(_("Valid from {start} to {end}").format(start=dates[0], end=dates[1]))
    if found.names or found.addresses:
        lines.append(_("For {names}").format(names=", ".join((*found.names, *found.addresses))))
    if found.self_signed:
        lines.append(_("Self-signed: browsers will warn about it."))
    return lines
