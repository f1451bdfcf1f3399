"""Explain the result of a signature verification, and how to fix a failed one."""

from collections.abc import Mapping

from acp_tui.core.i18n import N_, _, pgettext
from acp_tui.package.signature.gpg_status import SignatureResult, Signed

_RESULTS: Mapping[Signed, str] = {
    Signed.GOOD: N_("the signature is good and was made by the trusted key {signer}"),
    Signed.OTHER_KEY: N_("the signature is valid, but was not made by the trusted key; the signer is {signer}"),
    Signed.EXPIRED_KEY: N_("the package is signed by the trusted key, but that key has expired"),
    Signed.EXPIRED_SIGNATURE: N_("the package is signed by the trusted key, but the signature has expired"),
    Signed.REVOKED: N_("the package is signed by the trusted key, but the owner of that key has revoked it"),
    Signed.OTHER_FILE: N_("the signature is bad, and the signature file has the name of a different package"),
    Signed.BAD: N_("the signature is bad, because the package differs from the signed file; the signer is {signer}"),
    Signed.UNREADABLE: N_("the signature file is truncated or does not contain a signature"),
    Signed.NOT_DETACHED: N_("the signature file is not a detached signature, because it signs a text and not a file"),
    Signed.WEAK: N_("the signature uses a digest that gpg rejects as insecure (MD5)"),
    Signed.NO_PUBLIC_KEY: N_("the package is signed by a key that is not in the key file; the signer is {signer}"),
    Signed.UNSUPPORTED: N_("gpg on this host is too old for this kind of signature"),
    Signed.KEY_UNSUPPORTED: N_("the key in the key file is damaged, or gpg on this host is too old for it"),
    Signed.KEY_UNREADABLE: N_("the key file contains no public key that gpg can read"),
    Signed.KEY_PRIVATE: N_("the key file contains a private key, which must stay with its owner"),
    Signed.KEY_OTHER: N_("the key file does not contain the trusted key; it contains {signer}"),
    Signed.KEY_FROM_THE_FUTURE: N_(
        "the creation time of the key is in the future, so the clock of this host is probably wrong"
    ),
    Signed.KEY_MISSING: N_("the vendor's public key file is missing"),
    Signed.SIGNATURE_MISSING: N_("the signature file is missing"),
    Signed.PACKAGE_MISSING: N_("the package cannot be read"),
    Signed.GPG_MISSING: N_("the signature is not verified, because gpg is not installed on this host"),
    Signed.GPG_FAILED: N_("the signature is not verified, because gpg failed on this host"),
}
_FIXES: Mapping[Signed, str] = {
    Signed.OTHER_KEY: N_(
        "Ask the vendor which key signs this release. Trust a different key only if the vendor confirms it."
    ),
    Signed.EXPIRED_KEY: N_(
        "Check the clock of this host with the command `date`. If the time is correct, get the renewed public key"
        " from the vendor."
    ),
    Signed.EXPIRED_SIGNATURE: N_(
        "Check the clock of this host with the command `date`. If the time is correct, get a new signature"
        " from the vendor."
    ),
    Signed.REVOKED: N_("Do not use this package. Ask the vendor for a package that is signed by a valid key."),
    Signed.OTHER_FILE: N_(
        "Copy the signature file of this package to this host, and enter its path in the plan. The name of the"
        " correct file is the package name plus .sig."
    ),
    Signed.BAD: N_(
        "Copy the package and its signature again from the vendor's portal. Compare their sizes with the sizes"
        " on the portal."
    ),
    Signed.UNREADABLE: N_("Copy the signature file of this package to this host again."),
    Signed.NOT_DETACHED: N_(
        "Copy the detached signature from the vendor's portal to this host. Its name is the package name plus .sig."
    ),
    Signed.WEAK: N_("Ask the vendor for a signature with the digest SHA-256 or a stronger one."),
    Signed.NO_PUBLIC_KEY: N_(
        "Copy the correct signature from the vendor's portal to this host. If the vendor confirms the signer, enter"
        " the path of the public key file and the fingerprint of that signer in the plan."
    ),
    Signed.UNSUPPORTED: N_("Verify the signature on a newer system, or install a newer version of gnupg on this host."),
    Signed.KEY_UNSUPPORTED: N_(
        "Copy the key file to this host again. If the error remains, install a newer version of gnupg on this host, or"
        " verify the signature on a newer system."
    ),
    Signed.KEY_UNREADABLE: N_("Copy the vendor's public key file, verify-key.pub, to this host again."),
    Signed.KEY_PRIVATE: N_(
        "Replace the key file with the vendor's public key file, verify-key.pub. Warn the owner of the private key"
        " that the private key was copied to this host."
    ),
    Signed.GPG_FAILED: N_(
        "Run the command `gpg --version`. If the command prints an error, reinstall the package gnupg. Check that /run"
        " and /tmp have free space. Then verify the signature again."
    ),
    Signed.KEY_OTHER: N_("Replace the key file with the vendor's public key file, verify-key.pub."),
    Signed.KEY_FROM_THE_FUTURE: N_(
        "Set the clock of this host, and verify the package again. The command `date` shows the time."
    ),
    Signed.KEY_MISSING: N_(
        "Copy the vendor's public key file, verify-key.pub, to this host. Enter its path as package.public_key in the"
        " plan."
    ),
    Signed.SIGNATURE_MISSING: N_(
        "Copy the signature from the vendor's portal to this host. Its name is the package name plus .sig. To continue"
        " without a signature, waive BND-SIGN with a reason. The report contains the waiver."
    ),
    Signed.GPG_MISSING: N_("Install the package gnupg on this host, then verify the signature."),
}


def explain_signature(result: SignatureResult) -> str:
    """Return a sentence that describes the result of a verification."""
    signer = ", ".join(map(spaced, result.fingerprints)) or pgettext("signer", "unknown")
    text = _(_RESULTS[result.signed]).format(signer=signer)
    if result.verified is not None:
        with_time = pgettext("observed value", "{finding} (verified on {time})")
        text = with_time.format(finding=text, time=f"{result.verified:%Y-%m-%d %H:%M %Z}")
    return f"{text} ({result.detail})" if result.detail else text


def spaced(fingerprint: str) -> str:
    """Return a fingerprint in groups of four digits, so that people can compare it."""
    return " ".join(fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4))


def signature_fix(result: SignatureResult) -> str:
    """Return how to fix a failed verification; "" if nothing is wrong."""
    return _(_FIXES.get(result.signed, ""))
