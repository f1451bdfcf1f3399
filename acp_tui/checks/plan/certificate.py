"""What speaks against a certificate and its key that could be read: pure, against the time at which they were.

Browsers, the nodes' container runtime and workload clusters are all clients of the platform; the strictest decides.
"""

import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from acp_tui.checks.certificates.model import Authority, CertificateFacts
from acp_tui.checks.finding import Finding
from acp_tui.checks.plan.results import fail, warn
from acp_tui.core.i18n import _
from acp_tui.plan.field_types import is_ip
from acp_tui.plan.model import Plan

CERT_FILE, KEY_FILE = "certificate.cert_file", "certificate.key_file"
SOON = timedelta(days=30)
_RSA_BITS = 2048
_CURVES = (256, 384)
"""The curves that every browser takes."""
_WEAK = ("md5", "sha1")


def flaws(plan: Plan, read: CertificateFacts) -> Iterator[Finding]:
    """XR-CERT-VALID: every flaw of a pair, the worst first."""
    yield from (fail(error, CERT_FILE, KEY_FILE) for error in read.errors)
    yield from _pair(read)
    yield from _dates(read)
    yield from _strength(read)
    yield from _names(plan, read)
    yield from _chain(read)


def _pair(read: CertificateFacts) -> Iterator[Finding]:
    if read.key_encrypted:
        observed = _("the private key has a passphrase, and the installer cannot be told it")
        yield fail(observed, KEY_FILE, remedy=unlocked(Path(read.key_file)))
    if read.key_matches is False and read.key_of is not None:
        observed = _("the private key belongs to certificate {number} of the file; that one has to be the first")
        yield fail(observed.format(number=read.key_of), CERT_FILE)
    elif read.key_matches is False:
        yield fail(_("the private key does not belong to the first certificate of the file"), CERT_FILE, KEY_FILE)


def _dates(read: CertificateFacts) -> Iterator[Finding]:
    if read.not_before is None or read.not_after is None:
        return
    if read.not_after <= read.read_at:
        yield fail(_("expired on {day}").format(day=f"{read.not_after:%Y-%m-%d}"), CERT_FILE)
    elif read.not_before > read.read_at:
        yield fail(_("not valid before {day}").format(day=f"{read.not_before:%Y-%m-%d}"), CERT_FILE)
    elif read.not_after - read.read_at < SOON:
        yield warn(_("expires on {day}").format(day=f"{read.not_after:%Y-%m-%d}"), CERT_FILE)
    for issuer in read.issuers:
        start, end = f"{issuer.not_before:%Y-%m-%d}", f"{issuer.not_after:%Y-%m-%d}"
        if issuer.not_after <= read.read_at:
            observed = _("its issuer {subject} expired on {day}")
            yield fail(observed.format(subject=issuer.subject, day=end), CERT_FILE)
        elif issuer.not_before > read.read_at:
            observed = _("its issuer {subject} is not valid before {day}")
            yield fail(observed.format(subject=issuer.subject, day=start), CERT_FILE)
        elif issuer.not_after - read.read_at < SOON:
            observed = _("its issuer {subject} expires on {day}")
            yield warn(observed.format(subject=issuer.subject, day=end), CERT_FILE)


def _strength(read: CertificateFacts) -> Iterator[Finding]:
    if read.key_type == "RSA" and read.key_bits < _RSA_BITS:
        observed = _("its RSA key has {bits} bits; clients refuse fewer than {least}")
        yield fail(observed.format(bits=read.key_bits, least=_RSA_BITS), CERT_FILE, KEY_FILE)
    elif read.key_type == "EC" and read.key_bits not in _CURVES:
        observed = _("its EC key has {bits} bits; not every browser takes others than P-256 and P-384")
        yield warn(observed.format(bits=read.key_bits), CERT_FILE, KEY_FILE)
    elif read.key_type not in ("", "RSA", "EC"):
        observed = _("its key is of type {type}, which browsers do not take; use RSA, P-256 or P-384")
        yield fail(observed.format(type=read.key_type), CERT_FILE, KEY_FILE)
    for weak in dict.fromkeys(name for name in read.hashes if name in _WEAK):
        yield fail(_("signed with {hash}, which clients refuse").format(hash=weak.upper()), CERT_FILE)
    if read.for_servers is False:
        yield fail(_("its extended key usage does not allow a TLS server"), CERT_FILE)
    if not read.may_handshake:
        yield fail(_("its key usage has no digitalSignature, which a TLS handshake needs"), CERT_FILE)
    if read.for_signing and not read.self_signed:
        yield warn(_("it is the certificate of an authority (CA:TRUE), not one of a server"), CERT_FILE)


def _names(plan: Plan, read: CertificateFacts) -> Iterator[Finding]:
    if read.subject is None:
        return
    for host in dict.fromkeys(host for host in (plan.platform_address, *plan.address.others) if host):
        if read.covers(host):
            continue
        name = host.rstrip(".").lower()
        if is_ip(host) and name in read.names:
            observed = _("the certificate names {host} as a DNS name; clients look for an IP address")
        elif name == read.common_name and not read.names and not read.addresses:
            observed = _("the certificate names {host} as common name alone, which clients ignore")
        else:
            observed = _("the certificate does not name {host}")
        yield warn(observed.format(host=host), CERT_FILE)


def _chain(read: CertificateFacts) -> Iterator[Finding]:
    yield from _issuers(read) if read.chain_ordered else ()
    if read.chain_ordered is False:
        yield warn(_("the chain is out of order: each certificate must be signed by the one after it"), CERT_FILE)
    elif read.self_signed:
        yield warn(_("it is signed by itself: every client refuses it, or has to be told to trust it"), CERT_FILE)
    elif read.authority is Authority.MISSING:
        observed = _(
            "its issuer {issuer} is neither in the file nor known to this host: an intermediate is missing, or it is a"
            " private authority that every client has to be told to trust"
        )
        yield warn(observed.format(issuer=read.last_issuer), CERT_FILE)


def _issuers(read: CertificateFacts) -> Iterator[Finding]:
    for issuer in read.issuers:
        if not issuer.may_issue:
            observed = _("its issuer {subject} is no authority that may issue certificates of servers")
            yield fail(observed.format(subject=issuer.subject), CERT_FILE)
        if issuer.forbids:
            observed = _("its issuer {subject} is not allowed to certify {names} (name constraints)")
            yield fail(observed.format(subject=issuer.subject, names=", ".join(issuer.forbids)), CERT_FILE)
        if 0 < issuer.rsa_bits < _RSA_BITS:
            observed = _("the RSA key of its issuer {subject} has {bits} bits; clients refuse fewer than {least}")
            yield fail(observed.format(subject=issuer.subject, bits=issuer.rsa_bits, least=_RSA_BITS), CERT_FILE)


def unlocked(path: Path) -> str:
    """The command that takes the passphrase from a private key, which it asks for itself."""
    return f"umask 077; openssl pkey -in {shlex.quote(str(path))} -out {shlex.quote(f'{path}.pem')}"
