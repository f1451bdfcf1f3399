"""The certificate of the platform."""

from typing import Literal

from acp_tui.core.i18n import N_
from acp_tui.plan.sections.section import Section, answer


class Certificate(Section):
    mode: Literal["self-signed", "existing"] = answer(
        "self-signed",
        id="P-CERT-MODE",
        help=N_("self-signed: the installer creates the certificate. existing: you provide certificate and key."),
    )
    cert_file: str | None = answer(
        None,
        id="P-CERT-FILE",
        rule="XR-CERT-PAIR",
        help=N_("Path of the certificate chain in PEM format. The platform's certificate must be the first one."),
    )
    key_file: str | None = answer(
        None,
        id="P-CERT-KEY",
        rule="XR-CERT-PAIR",
        help=N_("Path of the private key of the platform certificate, in PEM format."),
    )
