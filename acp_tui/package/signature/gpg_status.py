"""Evaluate the status lines of gpg. For example, the line VALIDSIG has the full fingerprint of the signer.

This module does not use the messages, the trust levels and the exit status of gpg.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from acp_tui.core.i18n import _


class Signed(StrEnum):
    """The result of a verification. Only `GOOD` passes.

    If a signature file has several signatures and none of them is bad, each signature has a result. Of these results,
    the one that this class lists first counts."""

    GOOD = "good"
    EXPIRED_KEY = "expired-key"
    EXPIRED_SIGNATURE = "expired-signature"
    REVOKED = "revoked"
    OTHER_KEY = "other-key"
    """The signature is valid, but was not made by the trusted key."""
    OTHER_FILE = "other-file"
    """The signature is bad, and the signature file has the name of a different package."""
    BAD = "bad"
    """The package differs from the signed file."""
    UNREADABLE = "unreadable"
    """The signature file is truncated or does not contain a signature."""
    NOT_DETACHED = "not-detached"
    """The signature file contains the signed text itself, or its signature is for a text and not for a binary file."""
    WEAK = "weak"
    """The signature uses a digest that gpg rejects, such as MD5."""
    NO_PUBLIC_KEY = "no-public-key"
    """The package is signed by a key that is not in the key file."""
    UNSUPPORTED = "unsupported"
    """The gpg on this host is too old for the algorithm of the signature."""
    KEY_UNSUPPORTED = "key-unsupported"
    """The gpg on this host is too old for the keys in the key file."""
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
    """The fingerprints of the keys that signed the package; for KEY_OTHER, of the keys in the key file.

    For BAD and NO_PUBLIC_KEY, a short key ID can replace the fingerprint."""
    detail: str = ""
    """Details of the result, such as the error message of the operating system; "" if there are no details."""
    verified: datetime | None = None
    """The time of the verification, if an earlier run verified the package; otherwise None."""


Status = tuple[str, str]
"""The keyword and the rest of a `[GNUPG:]` line."""


def evaluate_status(lines: Sequence[Status], fingerprint: str) -> SignatureResult:
    """Compute the result of a verification from the status lines of gpg.

    If a signature file has several signatures, the result is `GOOD` if one of them was made by the trusted key and none
    of them is bad."""
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
"""Reason codes in the line ERRSIG. 9: the key is missing. 4 and 5: gpg does not support the key or digest algorithm."""
_MD5 = "1"
_WEAK = {"2": "SHA-1", "3": "RIPEMD-160"}
"""OpenPGP number → name of a weak digest.

gpg accepts signatures with such a digest. acp-tui also accepts them, but adds a note to the result."""


def _signatures(lines: Sequence[Status], fingerprint: str) -> Iterator[SignatureResult]:
    """Yield one result for each signature.

    For each signature, gpg prints a status line such as GOODSIG, then VALIDSIG with the full fingerprint."""
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
    return tuple(value.split()[0] for key, value in lines if key == keyword and value.strip())
