"""How a signature stands, read from gpg's status lines (GOODSIG with VALIDSIG and its full fingerprint): pure.

Never from its text, its trust levels or its exit status.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from acp_tui.core.i18n import _


class Signed(StrEnum):
    """What became of the verification. Only `GOOD` is good. Of several signatures the first of these counts."""

    GOOD = "good"
    EXPIRED_KEY = "expired-key"
    EXPIRED_SIGNATURE = "expired-signature"
    REVOKED = "revoked"
    OTHER_KEY = "other-key"
    """A sound signature, but not by the pinned key."""
    OTHER_FILE = "other-file"
    """Not of this package; by its name the signature is that of another one."""
    BAD = "bad"
    """The package is not what was signed."""
    UNREADABLE = "unreadable"
    """The signature file is cut off or something else."""
    NOT_DETACHED = "not-detached"
    """It signs a text of its own, or the package as text."""
    WEAK = "weak"
    """Made with a digest that gpg does not take any more, such as MD5."""
    NO_PUBLIC_KEY = "no-public-key"
    """Signed by a key that the key file does not have."""
    UNSUPPORTED = "unsupported"
    """This gpg is too old for the signature's algorithm."""
    KEY_UNSUPPORTED = "key-unsupported"
    """This gpg is too old for the keys of the key file."""
    KEY_UNREADABLE = "key-unreadable"
    KEY_PRIVATE = "key-private"
    """The key file holds somebody's private key, which nobody should have sent."""
    KEY_OTHER = "key-other"
    """The key file does not have the pinned key."""
    KEY_FROM_THE_FUTURE = "key-from-the-future"
    """By this host's clock the key is not made yet."""
    KEY_MISSING = "key-missing"
    SIGNATURE_MISSING = "signature-missing"
    PACKAGE_MISSING = "package-missing"
    GPG_MISSING = "gpg-missing"
    GPG_FAILED = "gpg-failed"


@dataclass(frozen=True)
class SignatureResult:
    signed: Signed
    fingerprints: tuple[str, ...] = ()
    """Who signed (BAD and NO_PUBLIC_KEY: a short key ID at worst), or which keys the key file has (KEY_OTHER)."""
    detail: str = ""
    """What the system said, where it said something."""
    verified: datetime | None = None
    """When, if it was remembered from an earlier run."""


Status = tuple[str, str]
"""Keyword and rest of one `[GNUPG:]` line."""


def judge(lines: Sequence[Status], fingerprint: str) -> SignatureResult:
    """What gpg's status lines mean. Of several signatures one by the pinned key is enough, but a bad one spoils all."""
    keys = [key for key, _value in lines]
    if "BADSIG" in keys:
        return SignatureResult(Signed.BAD, _first_words(lines, "BADSIG"))
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
"""Reasons of ERRSIG: no key; an algorithm of the key, of the digest that gpg does not know or take."""
_MD5 = "1"
_WEAK = {"2": "SHA-1", "3": "RIPEMD-160"}
"""Digests by their OpenPGP numbers. What signs a release with them is told, and taken as gpg takes it."""


def _signatures(lines: Sequence[Status], fingerprint: str) -> Iterator[SignatureResult]:
    """One result a signature: a line that says how it stands, then VALIDSIG with the signer's full fingerprint."""
    fate: str | None = None
    for key, value in lines:
        words = value.split()
        if key == "GOODSIG" or key in _FATE:
            fate = key
        elif key == "ERRSIG":
            fate = None
            signed = _ERRORS.get(words[5] if len(words) > 5 else "", Signed.UNREADABLE)
            if signed is Signed.UNSUPPORTED and words[2] == _MD5:
                signed = Signed.WEAK
            signer = words[6] if len(words) > 6 and words[6] != "-" else words[0] if words else ""
            yield SignatureResult(signed, (signer,) if signer else ())
        elif key == "VALIDSIG" and fate is not None and len(words) >= 9:
            signer, primary, binary = words[0], words[-1] if len(words) > 9 else words[0], words[8] == "00"
            if not binary:
                yield SignatureResult(Signed.NOT_DETACHED, (primary,))
            elif fingerprint not in (signer, primary):
                yield SignatureResult(Signed.OTHER_KEY, (primary,))
            else:
                weak = (
                    _("made with {digest}, which is weak").format(digest=_WEAK[words[7]]) if words[7] in _WEAK else ""
                )
                yield SignatureResult(_FATE.get(fate, Signed.GOOD), (primary,), weak)
            fate = None


def _first_words(lines: Sequence[Status], keyword: str) -> tuple[str, ...]:
    return tuple(value.split()[0] for key, value in lines if key == keyword and value)
