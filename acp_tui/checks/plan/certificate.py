"""Check the content of the platform's certificate and private key, as it was when the files were read.

The clients of the platform are browsers, the nodes' container runtime and workload clusters. A certificate must satisfy
the strictest of these clients.
"""

import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from acp_tui.checks.certificate_facts import Authority, CertificateFacts, FileError
from acp_tui.checks.finding import Finding
from acp_tui.checks.plan.results import fail, warn
from acp_tui.core.i18n import _, pgettext
from acp_tui.plan.field_types import is_ip
from acp_tui.plan.model import Plan

CERT_FILE, KEY_FILE = "certificate.cert_file", "certificate.key_file"
SOON = timedelta(days=30)
_RSA_BITS = 2048
_CURVES = (256, 384)
"""Key sizes, in bits, of the elliptic curves that every browser accepts."""
_WEAK = ("md5", "sha1")


def certificate_findings(plan: Plan, read: CertificateFacts) -> Iterator[Finding]:
    """Yield a finding for every problem of the certificate and key (XR-CERT-VALID), the most severe first."""
    for error in read.errors:
        if isinstance(error, FileError):
            yield fail(error.reason, CERT_FILE, KEY_FILE, remedy=error.command)
        else:
            yield fail(error, CERT_FILE, KEY_FILE)
    yield from _pair(read)
    yield from _dates(read)
    yield from _strength(read)
    yield from _names(plan, read)
    yield from _chain(read)


def _pair(read: CertificateFacts) -> Iterator[Finding]:
    if read.key_encrypted:
        observed = _("the private key has a passphrase, which the installer does not support")
        yield fail(observed, KEY_FILE, remedy=remove_passphrase_command(Path(read.key_file)))
    if read.key_matches is False and read.key_of is not None:
        observed = _(
            "the private key belongs to certificate {number} of the file; this certificate must be at the beginning "
            "of the file"
        )
        yield fail(observed.format(number=read.key_of), CERT_FILE)
    elif read.key_matches is False:
        yield fail(_("the private key does not belong to the first certificate of the file"), CERT_FILE, KEY_FILE)


def _dates(read: CertificateFacts) -> Iterator[Finding]:
    if read.not_before is None or read.not_after is None:
        return
    if read.not_after <= read.read_at:
        yield fail(
            pgettext("certificate", "the certificate expired on {day}").format(day=f"{read.not_after:%Y-%m-%d}"),
            CERT_FILE,
        )
    elif read.not_before > read.read_at:
        yield fail(_("the certificate is not valid before {day}").format(day=f"{read.not_before:%Y-%m-%d}"), CERT_FILE)
    elif read.not_after - read.read_at < SOON:
        yield warn(
            pgettext("certificate", "the certificate expires on {day}").format(day=f"{read.not_after:%Y-%m-%d}"),
            CERT_FILE,
        )
    for issuer in read.issuers:
        start, end = f"{issuer.not_before:%Y-%m-%d}", f"{issuer.not_after:%Y-%m-%d}"
        if issuer.not_after <= read.read_at:
            observed = _("the certificate of the issuer {subject} expired on {day}")
            yield fail(observed.format(subject=issuer.subject, day=end), CERT_FILE)
        elif issuer.not_before > read.read_at:
            observed = _("the certificate of the issuer {subject} is not valid before {day}")
            yield fail(observed.format(subject=issuer.subject, day=start), CERT_FILE)
        elif issuer.not_after - read.read_at < SOON:
            observed = _("the certificate of the issuer {subject} expires on {day}")
            yield warn(observed.format(subject=issuer.subject, day=end), CERT_FILE)


def _strength(read: CertificateFacts) -> Iterator[Finding]:
    if read.key_type == "RSA" and read.key_bits < _RSA_BITS:
        observed = _("the certificate has an RSA key with {bits} bits; clients require at least {least} bits")
        yield fail(observed.format(bits=read.key_bits, least=_RSA_BITS), CERT_FILE, KEY_FILE)
    elif read.key_type == "EC" and read.key_bits not in _CURVES:
        observed = _("the certificate has an EC key with {bits} bits; some browsers accept only P-256 and P-384")
        yield warn(observed.format(bits=read.key_bits), CERT_FILE, KEY_FILE)
    elif read.key_type not in ("", "RSA", "EC"):
        observed = _("the certificate has a key of type {type}; browsers accept RSA, P-256 and P-384")
        yield fail(observed.format(type=read.key_type), CERT_FILE, KEY_FILE)
    for weak in dict.fromkeys(name for name in read.hashes if name in _WEAK):
        yield fail(
            _("a certificate in the file is signed with {hash}; clients reject such signatures").format(
                hash=weak.upper()
            ),
            CERT_FILE,
        )
    if read.for_servers is False:
        yield fail(_("the extended key usage of the certificate does not allow a TLS server"), CERT_FILE)
    if not read.may_handshake:
        yield fail(
            _("the key usage of the certificate lacks digitalSignature, which a TLS handshake requires"), CERT_FILE
        )
    if read.for_signing and not read.self_signed:
        yield warn(_("the certificate is a CA certificate (CA:TRUE), not a server certificate"), CERT_FILE)


def _names(plan: Plan, read: CertificateFacts) -> Iterator[Finding]:
    if read.subject is None:
        return
    for host in dict.fromkeys(host for host in (plan.platform_address, *plan.address.others) if host):
        if read.covers(host):
            continue
        name = host.rstrip(".").lower()
        if is_ip(host) and name in read.names:
            observed = _("the certificate contains {host} as a DNS name, but clients require an IP address entry")
        elif name == read.common_name and not read.names and not read.addresses:
            observed = _("the certificate has {host} only in the common name, which clients ignore")
        else:
            observed = _("the certificate does not contain {host}")
        yield warn(observed.format(host=host), CERT_FILE)


def _chain(read: CertificateFacts) -> Iterator[Finding]:
    yield from _issuers(read) if read.chain_ordered else ()
    if read.chain_ordered is False:
        yield warn(
            _("the certificates in the file are in the wrong order: each one must be signed by the next one"), CERT_FILE
        )
    elif read.self_signed:
        yield warn(
            _("the certificate is self-signed; clients reject it until they are configured to trust it"), CERT_FILE
        )
    elif read.authority is Authority.MISSING:
        observed = _(
            "the certificate of the issuer {issuer} is not in the file, and this host does not trust the issuer. Add "
            "the missing intermediate certificate to the file. If the issuer is a private CA, configure every client "
            "to trust it"
        )
        yield warn(observed.format(issuer=read.last_issuer), CERT_FILE)


def _issuers(read: CertificateFacts) -> Iterator[Finding]:
    for issuer in read.issuers:
        if not issuer.may_issue:
            observed = _("the issuer {subject} is not allowed to issue server certificates")
            yield fail(observed.format(subject=issuer.subject), CERT_FILE)
        if issuer.too_far:
            observed = _("the path length of the issuer {subject} does not allow its intermediate certificates")
            yield fail(observed.format(subject=issuer.subject), CERT_FILE)
        if issuer.forbids:
            observed = _("the name constraints of the issuer {subject} do not allow {names}")
            yield fail(observed.format(subject=issuer.subject, names=", ".join(issuer.forbids)), CERT_FILE)
        if 0 < issuer.rsa_bits < _RSA_BITS:
            observed = _("the issuer {subject} has an RSA key with {bits} bits; clients require at least {least} bits")
            yield fail(observed.format(subject=issuer.subject, bits=issuer.rsa_bits, least=_RSA_BITS), CERT_FILE)


def remove_passphrase_command(path: Path) -> str:
    """Return the command that writes a private key without its passphrase to `<path>.pem`, with mode 0600.

    The command prompts for the passphrase.
    """
    return f"(umask 077; openssl pkey -in {shlex.quote(str(path))} -out {shlex.quote(f'{path}.pem')})"
