"""Read the certificate chain and the private key of the platform into `CertificateFacts`.

Only the public half of the private key leaves this module. The module is imported only where a certificate is read,
because its libraries load slowly.
"""

import ssl
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from acp_tui.checks.certificate_facts import Authority, CertificateFacts, Issuer
from acp_tui.core.clock import now
from acp_tui.core.files import error_reason, read_limited, resolve_path
from acp_tui.core.i18n import _
from acp_tui.plan.model import Plan
from acp_tui.preflight.certificates.fields import (
    MAX_CHAIN,
    CertificateFields,
    CertificateInvalid,
    load_chain,
    read_fields,
    signed_by,
    too_many,
)
from acp_tui.preflight.certificates.pem import PemFile

_SERVER, _ANY_USE = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
_ROOTS = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
"""The files in which Linux distributions list trusted authorities."""


def facts_for(plan: Plan, plan_dir: Path) -> CertificateFacts | None:
    """Read the certificate and key that the plan names; None if it names none. Relative paths start from `plan_dir`."""
    names = plan.certificate
    if names.mode != "existing" or not names.cert_file or not names.key_file:
        return None
    return read_pair(resolve_path(plan_dir, names.cert_file), resolve_path(plan_dir, names.key_file))


def read_pair(cert_file: Path, key_file: Path, roots: Sequence[x509.Certificate] | None = None) -> CertificateFacts:
    """Return the facts of a PEM certificate chain and its PEM key. Raises nothing: the facts contain the errors.

    `roots`: the trusted authorities; None means the authorities that this host trusts.
    """
    unreadable: list[str] = []
    pair = pair_facts(_content(cert_file, unreadable), _content(key_file, unreadable), roots)
    return replace(pair, cert_file=str(cert_file), key_file=str(key_file), unreadable=tuple(unreadable))


def pair_facts(
    certificate: PemFile | None, key: PemFile | None, roots: Sequence[x509.Certificate] | None = None
) -> CertificateFacts:
    """Return the facts of a certificate file and its key file. Raises nothing: the facts contain the errors.

    `certificate`, `key`: None for a file that could not be read. `roots`: the trusted authorities; None means the
    authorities that this host trusts.
    """
    errors: list[str] = []
    chain = _chain(certificate, errors)
    encrypted, public = _public_half(key, errors)
    about = _about(chain, host_roots() if roots is None else roots) if chain else CertificateFacts("", "", now())
    owners = [at for at, one in enumerate(chain, 1) if public and one.public_key == public]
    return replace(
        about,
        cert_file=str(certificate.path) if certificate else "",
        key_file=str(key.path) if key else "",
        read_at=now(),
        errors=tuple(errors),
        sums=tuple(one.fingerprint for one in chain),
        key_sum=sha256(public).hexdigest() if public else "",
        key_encrypted=encrypted,
        key_matches=owners[:1] == [1] if chain and public else None,
        key_of=owners[0] if owners else None,
    )


def host_roots() -> Sequence[x509.Certificate]:
    """Return the authorities that this host trusts; () if this host has no list of them."""
    paths = [ssl.get_default_verify_paths().cafile, *_ROOTS]
    for path in (path for path in paths if path):
        with suppress(Exception), warnings.catch_warnings(action="ignore"):  # a certificate of others is damaged
            return x509.load_pem_x509_certificates(Path(path).read_bytes())
    return ()


def _about(chain: Sequence[CertificateFields], roots: Sequence[x509.Certificate]) -> CertificateFacts:
    leaf, last = chain[0], chain[-1]
    basic, usage, extended = leaf.basic_constraints, leaf.key_usage, leaf.extended_key_usage
    return CertificateFacts(
        cert_file="",
        key_file="",
        read_at=now(),
        subject=leaf.subject,
        issuer=leaf.issuer,
        common_name=leaf.common_name,
        not_before=leaf.not_before,
        not_after=leaf.not_after,
        names=leaf.names,
        addresses=leaf.addresses,
        for_servers=extended is None or bool({_SERVER, _ANY_USE} & set(extended)),
        may_handshake=usage is None or usage.digital_signature,
        for_signing=basic is not None and basic.ca,
        hashes=tuple(one.hash for one in chain if not signed_by(one, one)),
        issuers=tuple(_issuer(one, leaf, between) for between, one in enumerate(chain[1:])),
        authority=_authority(last, roots),
        last_issuer=last.issuer,
        chain_length=len(chain),
        chain_ordered=all(signed_by(one, other) for one, other in pairwise(chain)),
        self_signed=signed_by(leaf, leaf),
        key_type=leaf.key_type,
        key_bits=leaf.key_bits,
    )


def _content(path: Path, unreadable: list[str]) -> PemFile | None:
    try:
        return PemFile(path, read_limited(path))
    except OSError as error:
        unreadable.append(f"{path}: {error_reason(error)}")
        return None


def _chain(file: PemFile | None, errors: list[str]) -> Sequence[CertificateFields]:
    if file is None:
        return ()
    if trouble := file.certificate_trouble():
        errors.append(trouble)
        return ()
    count = file.labels.count("CERTIFICATE")
    try:
        if count > MAX_CHAIN:
            raise CertificateInvalid(too_many(count))
        chain = load_chain(file.content)
    except CertificateInvalid as error:
        text = _("{file}: the certificate is damaged or cannot be used: {reason}")
        errors.append(text.format(file=file.path, reason=error))
        return ()
    if len(chain) < count:
        errors.append(_("{file}: a certificate of the chain is truncated or damaged").format(file=file.path))
    return chain


def _public_half(file: PemFile | None, errors: list[str]) -> tuple[bool | None, bytes | None]:
    """Return whether the private key is encrypted, and its public key in DER format if it is not.

    Both are None if the key cannot be read.
    """
    if file is None:
        return None, None
    if trouble := file.key_trouble():
        errors.append(trouble)
        return None, None
    try:
        with warnings.catch_warnings(action="ignore"):
            public = load_pem_private_key(file.content, password=None).public_key()
        return False, public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except TypeError:
        # The library raises TypeError if a passphrase is required.
        return True, None
    except Exception:  # the library does not document all of its errors
        errors.append(_("{file}: the private key is damaged, or its type is not supported").format(file=file.path))
        return None, None


def _authority(last: CertificateFields, roots: Sequence[x509.Certificate]) -> Authority:
    if any(last.certificate == root or _is_root_of(last, root) for root in roots):
        return Authority.KNOWN
    return Authority.PRIVATE if signed_by(last, last) else Authority.MISSING


def _is_root_of(last: CertificateFields, root: x509.Certificate) -> bool:
    try:
        return root.subject == last.certificate.issuer and signed_by(last, read_fields(root))
    except Exception:  # a damaged certificate in the list of this host
        return False


def _issuer(certificate: CertificateFields, server: CertificateFields, between: int) -> Issuer:
    """Return the facts of the certificate of an issuer.

    `server`: the first certificate of the file. `between`: the number of certificates between the two.
    """
    basic, usage, extended = (
        certificate.basic_constraints,
        certificate.key_usage,
        certificate.extended_key_usage,
    )
    return Issuer(
        certificate.subject,
        certificate.not_before,
        certificate.not_after,
        # A trusted root may issue certificates, whatever its own extensions are.
        may_issue=signed_by(certificate, certificate)
        or (
            (basic is not None and basic.ca)
            and (usage is None or usage.key_cert_sign)
            and (extended is None or bool({_SERVER, _ANY_USE} & set(extended)))
        ),
        forbids=tuple(_forbidden(certificate, server.names, server.addresses)),
        rsa_bits=certificate.key_bits if certificate.key_type == "RSA" else 0,
        too_far=basic is not None and basic.path_length is not None and basic.path_length < between,
    )


def _forbidden(issuer: CertificateFields, names: Sequence[str], addresses: Sequence[str]) -> Iterator[str]:
    """Yield the server names and addresses that the name constraints of `issuer` forbid (RFC 5280, 4.2.1.10)."""
    permitted, excluded = issuer.permitted, issuer.excluded
    for name in names:
        allowed = [_within_domain(name, one.value) for one in permitted if isinstance(one, x509.DNSName)]
        if (allowed and not any(allowed)) or any(
            _within_domain(name, one.value) for one in excluded if isinstance(one, x509.DNSName)
        ):
            yield name
    for address in map(ip_address, addresses):
        inside = [_within(address, one) for one in permitted if isinstance(one, x509.IPAddress)]
        if (inside and not any(inside)) or any(_within(address, one) for one in excluded):
            yield str(address)


def _within_domain(name: str, domain: str) -> bool:
    parent = domain.lower().removeprefix(".")
    return name == parent or name.endswith(f".{parent}") or not parent


def _within(address: IPv4Address | IPv6Address, limit: x509.GeneralName) -> bool:
    network = limit.value if isinstance(limit, x509.IPAddress) else None
    return isinstance(network, IPv4Network | IPv6Network) and address in network
