"""Warnings about packages without a valid signature, and about a trusted key that is not the vendor's key."""

import json
from datetime import date

import pytest
from pydantic import JsonValue

from acp_tui.checks.verdict import Outcome
from acp_tui.package.checks import key_verdicts
from acp_tui.package.trust import other_key, trust_warnings
from acp_tui.plan.model import Plan
from acp_tui.plan.package_name import STAMP
from acp_tui.plan.sections.package import VENDOR_FINGERPRINT
from tests.support.gpg_signer import needs_gpg
from tests.support.package_builder import CORE
from tests.support.package_harness import PackageHarness

pytestmark = needs_gpg
WAIVER: JsonValue = [{"requirement": "BND-SIGN", "reason": "lab", "by": "me"}]


def test_vendor_key_gives_no_warning() -> None:
    assert other_key(VENDOR_FINGERPRINT) == ""
    assert key_verdicts(Plan(), date(2026, 1, 2)) == ()


def test_key_other_than_the_vendors_is_a_warning_without_a_package() -> None:
    plan = Plan.model_validate({"package": {"fingerprint": "AAAA" + VENDOR_FINGERPRINT[4:]}})
    [key] = key_verdicts(plan, date(2026, 1, 2))
    assert (key.requirement, key.outcome, key.paths) == ("BND-KEY-FPR", Outcome.WARN, ("package.fingerprint",))
    assert "instead of the vendor's key" in key.observed


async def test_valid_package_gives_no_warning(harness: PackageHarness) -> None:
    assert trust_warnings(await harness.work().verify(harness.plan())) == ()


@pytest.mark.parametrize("signed", [True, False])
async def test_key_other_than_the_vendors_is_a_warning(harness: PackageHarness, signed: bool) -> None:
    stranger, vendor = harness.signer.fingerprint("stranger"), harness.signer.fingerprint("vendor")
    (harness.folder / "verify-key.pub").write_bytes(harness.signer.export("stranger"))
    harness.sign(harness.folder / CORE, "stranger")
    if not signed:
        (harness.folder / f"{CORE}.sig").unlink()
    found = await harness.work().verify(harness.plan(fingerprint=stranger))
    [key] = [v for v in found if v.requirement == "BND-KEY-FPR"]
    assert (key.outcome, key.blocks, key.paths) == (Outcome.WARN, False, ("package.fingerprint",))
    assert key.observed.replace(" ", "") == f"theplantruststhekey{stranger}insteadofthevendor'skey{vendor}"
    assert f"BND-KEY-FPR: {key.observed}" in trust_warnings(found)


async def test_warning_is_added_to_an_error_of_the_key(harness: PackageHarness) -> None:
    found = await harness.work().verify(harness.plan(fingerprint=harness.signer.fingerprint("stranger")))
    [key] = [v for v in found if v.requirement == "BND-KEY-FPR"]
    assert key.outcome is Outcome.FAIL
    assert "instead of the vendor's key" in key.observed


def _waived(harness: PackageHarness) -> Plan:
    plan = harness.plan()
    return Plan.model_validate({**plan.model_dump(), "waivers": WAIVER})


@pytest.mark.parametrize(
    ("harm", "reason"), [("missing", "the signature file is missing"), ("stranger", "not made by the trusted key")]
)
async def test_waived_package_is_named_as_not_verified(harness: PackageHarness, harm: str, reason: str) -> None:
    signature = harness.folder / f"{CORE}.sig"
    if harm == "missing":
        signature.unlink()
    else:
        (harness.folder / "verify-key.pub").write_bytes(harness.signer.export("vendor", "stranger"))
        harness.sign(harness.folder / CORE, "stranger")
    work, plan = harness.work(), _waived(harness)
    assert await work.unpack(plan)
    [warning] = [line for line in trust_warnings(await work.verdicts(plan)) if "BND-KEY-FPR" not in line]
    assert warning.startswith(f"NOT VERIFIED: {CORE}: ")
    assert reason in warning
    stamp = json.loads((harness.folder / "target" / STAMP).read_text())
    assert stamp["core"]["signer"] == ""
