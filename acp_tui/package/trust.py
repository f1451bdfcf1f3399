"""Describe packages that are not verified, and a plan that trusts a key other than the vendor's key.

A waiver allows the install of such a package. These lines are shown wherever the package is used.
"""

from collections.abc import Iterable

from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.core.i18n import _, pgettext
from acp_tui.package.signature.explain import spaced
from acp_tui.plan.sections.package import VENDOR_FINGERPRINT

_SIGNATURE, _KEY = "BND-SIGN", "BND-KEY-FPR"


def not_verified(name: str, reason: str) -> str:
    """Return the observed value of a package without a valid signature. `name`: the file name of the package."""
    return pgettext("observed value", "NOT VERIFIED: {name}: {reason}").format(name=name, reason=reason)


def other_key(fingerprint: str) -> str:
    """Return a warning if `fingerprint` is not the fingerprint of the vendor's key; "" if it is."""
    if fingerprint == VENDOR_FINGERPRINT:
        return ""
    text = _("the plan trusts the key {key} instead of the vendor's key {vendor}")
    return text.format(key=spaced(fingerprint), vendor=spaced(VENDOR_FINGERPRINT))


def unverified_packages(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """Return a line for each package without a valid signature."""
    return tuple(v.observed for v in verdicts if v.requirement == _SIGNATURE and v.outcome is not Outcome.PASS)


def trust_warnings(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """Return a line for each package without a valid signature, and for a trusted key that is not the vendor's key."""
    found = tuple(verdicts)
    keys = (f"{_KEY}: {v.observed}" for v in found if v.requirement == _KEY and v.outcome is Outcome.WARN)
    return (*unverified_packages(found), *keys)
