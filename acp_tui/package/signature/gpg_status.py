"""Evaluate the status lines of gpg: GOODSIG, and VALIDSIG with the full fingerprint of the signer.

The messages, trust levels and exit status of gpg are not used.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from acp_tui.core.i18n import _


class Signed(StrEnum):
    """The result of a verification.

    Only `GOOD` passes. If a file has several signatures, the first result in this order counts."""

    GOOD = "good"
    EXPIRED_KEY = "expired-key"
    EXPIRED_SIGNATURE = "expired-signature"
    REVOKED = "revoked"
    OTHER_KEY = "other-key"
    """The signature is valid, but was not made by the trusted key."""
    OTHER_FILE = "other-file"
    """The signature is bad, and the name of its file is that of a different package."""
    BAD = "bad"
    """The package differs from the signed file."""
    UNREADABLE = "unreadable"
    """The signature file is truncated or does not contain a signature."""
    NOT_DETACHED = "not-detached"
    """The signature signs its own text, or the package as text."""
    WEAK = "weak"
    """The signature uses a digest that gpg rejects, such as MD5."""
    NO_PUBLIC_KEY = "no-public-key"
    """The package is signed by a key that is not in the key file."""
    UNSUPPORTED = "unsupported"
    """This gpg is too old for the algorithm of the signature."""
    KEY_UNSUPPORTED = "key-unsupported"
    """This gpg is too old for the keys in the key file."""
    KEY_UNREADABLE = "key-unreadable"
    KEY_PRIVATE = "key-private"
    """The key file contains a private key."""
    KEY_OTHER = "key-other"
    """The trusted key is not in the key file."""
    KEY_FROM_THE_FUTURE = "key-from-the-future"
    """The creation time of the key is later than the current time of this host."""
    KEY_MISSING = "key-missing"
    SIGNATURE_MISSING = "signature-missing"
    PACKAGE_MISSING = "package-missing"
    GPG_MISSING = "gpg-missing"
    GPG_FAILED = "gpg-failed"


@dataclass(frozen=True)
class SignatureResult:
    signed: Signed
    fingerprints: tuple[str, ...] = ()
    """The keys that the result is about.

    They are the signers, possibly as short key IDs for BAD and NO_PUBLIC_KEY. For KEY_OTHER, they are the keys in the
    key file."""
    detail: str = ""
    """The error message of the system; "" without one."""
    verified: datetime | None = None
    """The time of the verification, if an earlier run verified the package; otherwise None."""


Status = tuple[str, str]
"""The keyword and the rest of a `[GNUPG:]` line."""


def evaluate_status(lines: Sequence[Status], fingerprint: str) -> SignatureResult:
    """Return the result that the status lines of gpg mean.

    One good signature by the trusted key is enough, unless one signature is bad."""
    keys = [key for key, _value in lines]
    if "BADSIG" in keys:
        return SignatureResult(Signed.BAD, _first_fields(lines, "BADSIG"))
    if "PLAINTEXT" in keys:
        return SignatureResult(Signed.NOT_DETACHED)
    verdicts = list(_signatures(lines, fingerprint))
    if not verdicts:
        return SignatureResult(Signed.UNREADABLE)
    return min(verdicts, key=lambda verdict: list(Signed).index(verdict.signed))


_FATE = {
    "EXPKEYSIG": Signed.EXPIRED_KEY,
    "EXPSIG": Signed.EXPIRED_SIGNATURE,
    "REVKEYSIG": Signed.REVOKED,
}
_ERRORS = {"9": Signed.NO_PUBLIC_KEY, "4": Signed.UNSUPPORTED, "5": Signed.UNSUPPORTED}
"""The reason codes of ERRSIG: the key is missing, or the algorithm of key or digest is not supported."""
_MD5 = "1"
_WEAK = {"2": "SHA-1", "3": "RIPEMD-160"}
"""Weak digests by their OpenPGP numbers. Their signatures are accepted, as gpg does, but the result has a note."""


def _signatures(lines: Sequence[Status], fingerprint: str) -> Iterator[SignatureResult]:
    """Yield one result for each signature. gpg prints a status line, then VALIDSIG with the full fingerprint."""
    fate: str | None = None
    for key, value in lines:
        fields = value.split()
        if key == "GOODSIG" or key in _FATE:
            fate = key
        elif key == "ERRSIG":
            fate = None
            signed = _ERRORS.get(fields[5] if len(fields) > 5 else "", Signed.UNREADABLE)
            if signed is Signed.UNSUPPORTED and fields[2] == _MD5:
                signed = Signed.WEAK
            signer = fields[6] if len(fields) > 6 and fields[6] != "-" else fields[0] if fields else ""
            yield SignatureResult(signed, (signer,) if signer else ())
        elif key == "VALIDSIG" and fate is not None and len(fields) >= 9:
            signer, primary, binary = fields[0], fields[-1] if len(fields) > 9 else fields[0], fields[8] == "00"
            if not binary:
                yield SignatureResult(Signed.NOT_DETACHED, (primary,))
            elif fingerprint not in (signer, primary):
                yield SignatureResult(Signed.OTHER_KEY, (primary,))
            else:
                weakness = (
                    _("the signature uses the weak digest {digest}").format(digest=_WEAK[fields[7]])
                    if fields[7] in _WEAK
                    else ""
                )
                yield SignatureResult(_FATE.get(fate, Signed.GOOD), (primary,), weakness)
            fate = None


def _first_fields(lines: Sequence[Status], keyword: str) -> tuple[str, ...]:
    return tuple(value.split()[0] for key, value in lines if key == keyword and value)
