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
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from acp_tui.checks.certificate_facts import Authority, CertificateFacts, Issuer
from acp_tui.core.clock import now
from acp_tui.core.files import error_reason, read_limited, resolve_path
from acp_tui.core.i18n import _
from acp_tui.plan.model import Plan
from acp_tui.preflight.certificates.pem import PemFile

E = TypeVar("E", bound=x509.ExtensionType)

_SERVER, _ANY_USE = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
_NIST = ("secp256r1", "secp384r1", "secp521r1")
_OLD_HASHES = ("md5", "sha1")
"""Hash algorithms whose signatures the cryptography library no longer verifies."""
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
    about = (
        _about(chain, host_roots() if roots is None else roots, errors) if chain else CertificateFacts("", "", now())
    )
    owners = [at for at, one in enumerate(chain, 1) if public and _matches(one, public)]
    return replace(
        about,
        cert_file=str(certificate.path) if certificate else "",
        key_file=str(key.path) if key else "",
        read_at=now(),
        errors=tuple(errors),
        sums=tuple(sha256(one.public_bytes(Encoding.DER)).hexdigest() for one in chain),
        key_sum=_sum(public),
        key_encrypted=encrypted,
        key_matches=owners[:1] == [1] if chain and public else None,
        key_of=owners[0] if owners else None,
    )


def host_roots() -> Sequence[x509.Certificate]:
    """Return the authorities that this host trusts; () if this host has no list of them."""
    paths = [ssl.get_default_verify_paths().cafile, *_ROOTS]
    for path in (path for path in paths if path):
        with suppress(OSError, ValueError), warnings.catch_warnings(action="ignore"):  # of others' certificates
            return x509.load_pem_x509_certificates(Path(path).read_bytes())
    return ()


def _about(chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], errors: list[str]) -> CertificateFacts:
    """Return the facts of a certificate chain. Raises nothing: errors are added to `errors`."""
    leaf, last = chain[0], chain[-1]
    try:
        names, addresses = _alternative_names(leaf)
        usage, constraints = _extension(leaf, x509.ExtendedKeyUsage), _extension(leaf, x509.BasicConstraints)
        key_usage, (key_type, key_bits) = _extension(leaf, x509.KeyUsage), _key_kind(leaf)
        return CertificateFacts(
            cert_file="",
            key_file="",
            read_at=now(),
            subject=leaf.subject.rfc4514_string(),
            issuer=leaf.issuer.rfc4514_string(),
            common_name="".join(_common_name(leaf)),
            not_before=leaf.not_valid_before_utc,
            not_after=leaf.not_valid_after_utc,
            names=names,
            addresses=addresses,
            for_servers=usage is None or bool({_SERVER, _ANY_USE} & set(usage)),
            may_handshake=key_usage is None or key_usage.digital_signature,
            for_signing=constraints is not None and constraints.ca,
            hashes=tuple(_hash(one) for one in chain if not _signed_by(one, one)),
            issuers=tuple(_issuer(one, names, addresses) for one in chain[1:]),
            authority=_authority(last, roots),
            last_issuer=last.issuer.rfc4514_string(),
            chain_length=len(chain),
            chain_ordered=all(_signed_by(one, other) for one, other in pairwise(chain)),
            self_signed=_signed_by(leaf, leaf),
            key_type=key_type,
            key_bits=key_bits,
        )
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        errors.append(_("the certificate cannot be parsed: {reason}").format(reason=str(error)[:200]))
        return CertificateFacts("", "", now())


def _content(path: Path, unreadable: list[str]) -> PemFile | None:
    try:
        return PemFile(path, read_limited(path))
    except OSError as error:
        unreadable.append(f"{path}: {error_reason(error)}")
        return None


def _chain(file: PemFile | None, errors: list[str]) -> Sequence[x509.Certificate]:
    if file is None:
        return ()
    if trouble := file.certificate_trouble():
        errors.append(trouble)
        return ()
    try:
        chain = x509.load_pem_x509_certificates(file.content)
    except ValueError:
        errors.append(_("{file}: the certificate is damaged").format(file=file.path))
        return ()
    if len(chain) < file.labels.count("CERTIFICATE"):
        errors.append(_("{file}: a certificate of the chain is truncated or damaged").format(file=file.path))
    return chain


def _public_half(file: PemFile | None, errors: list[str]) -> tuple[bool | None, PublicKeyTypes | None]:
    """Return whether the private key is encrypted, and its public key if it is not.

    Both are None if the key cannot be read.
    """
    if file is None:
        return None, None
    if trouble := file.key_trouble():
        errors.append(trouble)
        return None, None
    try:
        return False, load_pem_private_key(file.content, password=None).public_key()
    except TypeError:
        # The library raises TypeError if a passphrase is required.
        return True, None
    except (ValueError, UnsupportedAlgorithm):
        errors.append(_("{file}: the private key is damaged, or its type is not supported").format(file=file.path))
        return None, None


def _authority(last: x509.Certificate, roots: Sequence[x509.Certificate]) -> Authority:
    issuer = last.issuer
    if any(last == root or (root.subject == issuer and _signed_by(last, root)) for root in roots):
        return Authority.KNOWN
    return Authority.PRIVATE if _signed_by(last, last) else Authority.MISSING


def _issuer(certificate: x509.Certificate, names: Sequence[str], addresses: Sequence[str]) -> Issuer:
    """Return the facts of the certificate of an issuer.

    `names`, `addresses`: the names and IP addresses in the server certificate, the first one of the file.
    """
    basic, usage = _extension(certificate, x509.BasicConstraints), _extension(certificate, x509.KeyUsage)
    extended, root = _extension(certificate, x509.ExtendedKeyUsage), _signed_by(certificate, certificate)
    kind, bits = _key_kind(certificate)
    return Issuer(
        certificate.subject.rfc4514_string(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        # A trusted root may issue certificates, whatever its own extensions are.
        may_issue=root
        or (
            (basic is not None and basic.ca)
            and (usage is None or usage.key_cert_sign)
            and (extended is None or bool({_SERVER, _ANY_USE} & set(extended)))
        ),
        forbids=tuple(_forbidden(_extension(certificate, x509.NameConstraints), names, addresses)),
        rsa_bits=bits if kind == "RSA" else 0,
    )


def _forbidden(limits: x509.NameConstraints | None, names: Sequence[str], addresses: Sequence[str]) -> Iterator[str]:
    """Yield the server names and addresses that the name constraints `limits` forbid (RFC 5280, 4.2.1.10)."""
    if limits is None:
        return
    permitted, excluded = limits.permitted_subtrees or (), limits.excluded_subtrees or ()
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


def _key_kind(certificate: x509.Certificate) -> tuple[str, int]:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return ("EC" if key.curve.name in _NIST else key.curve.name), key.curve.key_size
    return type(key).__name__.removesuffix("PublicKey"), 0


def _hash(certificate: x509.Certificate) -> str:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return certificate.signature_algorithm_oid.dotted_string
    return algorithm.name if algorithm else ""


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _common_name(certificate: x509.Certificate) -> Sequence[str]:
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return [str(attribute.value).lower() for attribute in found[-1:]]


def _alternative_names(leaf: x509.Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names = _extension(leaf, x509.SubjectAlternativeName)
    if names is None:
        return (), ()
    return (
        tuple(name.lower() for name in names.get_values_for_type(x509.DNSName)),
        tuple(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    )


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if _hash(certificate) in _OLD_HASHES:  # the library cannot verify it, so only the names are compared
        return certificate.issuer == issuer.subject
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _matches(leaf: x509.Certificate, key: PublicKeyTypes) -> bool:
    try:
        return _der(leaf.public_key()) == _der(key)
    except (ValueError, UnsupportedAlgorithm):
        return False


def _sum(key: PublicKeyTypes | None) -> str:
    try:
        return sha256(_der(key)).hexdigest() if key else ""
    except (ValueError, UnsupportedAlgorithm):
        return ""


def _der(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
