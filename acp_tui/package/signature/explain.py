"""Explain the result of a signature verification, and how to fix it."""

from collections.abc import Mapping

from acp_tui.core.i18n import N_, _, pgettext
from acp_tui.package.signature.gpg_status import SignatureResult, Signed

_RESULTS: Mapping[Signed, str] = {
    Signed.GOOD: N_("good signature by the trusted key {signer}"),
    Signed.OTHER_KEY: N_("valid signature, but by another key than the trusted one: {signer}"),
    Signed.EXPIRED_KEY: N_("signed by the trusted key, but that key has expired"),
    Signed.EXPIRED_SIGNATURE: N_("signed by the trusted key, but the signature has expired"),
    Signed.REVOKED: N_("signed by the trusted key, but its owner has revoked that key"),
    Signed.OTHER_FILE: N_("bad signature: by its name, the signature file belongs to another package"),
    Signed.BAD: N_("bad signature: the package differs from the signed file (key {signer})"),
    Signed.UNREADABLE: N_("the signature file is truncated or not a signature"),
    Signed.NOT_DETACHED: N_("the signature file is not a detached signature: it signs a text, not a file"),
    Signed.WEAK: N_("signed with a digest that gpg rejects as insecure (MD5)"),
    Signed.NO_PUBLIC_KEY: N_("signed by a key that is not in the key file: {signer}"),
    Signed.UNSUPPORTED: N_("gpg on this host is too old for this kind of signature"),
    Signed.KEY_UNSUPPORTED: N_("gpg on this host is too old for the key in the key file, or that key is damaged"),
    Signed.KEY_UNREADABLE: N_("the key file contains no public key that gpg can read"),
    Signed.KEY_PRIVATE: N_("the key file contains a private key, which only its owner may have"),
    Signed.KEY_OTHER: N_("the key file does not contain the trusted key, but {signer}"),
    Signed.KEY_FROM_THE_FUTURE: N_("the creation time of the key is later than the time on this host"),
    Signed.KEY_MISSING: N_("the public key file is missing"),
    Signed.SIGNATURE_MISSING: N_("the signature file is missing"),
    Signed.PACKAGE_MISSING: N_("the package cannot be read"),
    Signed.GPG_MISSING: N_("gpg is not installed on this host"),
    Signed.GPG_FAILED: N_("gpg failed on this host"),
}
_FIXES: Mapping[Signed, str] = {
    Signed.OTHER_KEY: N_(
        "Ask the vendor which key signs this release. Trust another fingerprint only if the vendor confirms it."
    ),
    Signed.EXPIRED_KEY: N_("Get the vendor's renewed public key, and check this host's clock: date"),
    Signed.EXPIRED_SIGNATURE: N_("Get a new signature from the vendor, and check this host's clock: date"),
    Signed.REVOKED: N_("Do not use this package. Ask the vendor for one signed by a valid key."),
    Signed.OTHER_FILE: N_("Copy the signature of this package: the name of the package with .sig."),
    Signed.BAD: N_("Copy the package and its signature again from the vendor's portal, and compare their sizes."),
    Signed.UNREADABLE: N_("Copy the signature file of this package again."),
    Signed.NOT_DETACHED: N_("Copy the detached signature from the vendor's portal: the name of the package with .sig."),
    Signed.WEAK: N_("Ask the vendor for a signature with SHA-256 or better."),
    Signed.NO_PUBLIC_KEY: N_(
        "Copy the correct signature. If the vendor confirms that signer, copy the public key of the signer."
    ),
    Signed.UNSUPPORTED: N_("Verify the signature on a newer system, or install a newer gnupg."),
    Signed.KEY_UNSUPPORTED: N_("Verify the signature on a newer system, install a newer gnupg, or copy the key again."),
    Signed.KEY_UNREADABLE: N_("Copy the vendor's public key file, verify-key.pub, again."),
    Signed.KEY_PRIVATE: N_("Copy the vendor's public key file, verify-key.pub, and inform the owner of the key."),
    Signed.GPG_FAILED: N_("Run gpg --version, and check that /run and /tmp have free space."),
    Signed.KEY_OTHER: N_("Copy the vendor's own public key file, verify-key.pub."),
    Signed.KEY_FROM_THE_FUTURE: N_("Set the clock of this host, then verify again: date"),
    Signed.KEY_MISSING: N_("Copy the vendor's public key file, verify-key.pub, and name it in the plan."),
    Signed.SIGNATURE_MISSING: N_(
        "Copy the signature from the vendor's portal: the name of the package with .sig. To continue without one,"
        " waive BND-SIGN with a reason; the report contains it."
    ),
    Signed.GPG_MISSING: N_("Install gnupg on this host, then verify again."),
}


def explain_signature(result: SignatureResult) -> str:
    """Describe the result of a verification in one sentence."""
    signer = ", ".join(map(spaced, result.fingerprints)) or pgettext("signer", "unknown")
    text = _(_RESULTS[result.signed]).format(signer=signer)
    if result.verified is not None:
        with_time = pgettext("observed value", "{finding}, verified on {time}")
        text = with_time.format(finding=text, time=f"{result.verified:%Y-%m-%d %H:%M %Z}")
    return f"{text} ({result.detail})" if result.detail else text


def spaced(fingerprint: str) -> str:
    """Split a fingerprint into groups of four digits, which people can compare."""
    return " ".join(fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4))


def signature_fix(result: SignatureResult) -> str:
    """Return how to fix a failed verification; "": nothing to fix."""
    return _(_FIXES.get(result.signed, ""))
