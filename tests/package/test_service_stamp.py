"""Results of earlier verifications: from the same run, and from the stamp in the install folder."""

import json
import os

from pydantic import JsonValue

from acp_tui.checks.verdict import Outcome
from acp_tui.core.events import Progress
from acp_tui.plan.model import Plan
from acp_tui.plan.package_name import STAMP
from tests.support.gpg_signer import needs_gpg
from tests.support.package_builder import CORE
from tests.support.package_harness import PackageHarness, outcomes

pytestmark = needs_gpg


async def test_unchanged_package_is_verified_once(harness: PackageHarness) -> None:
    work, plan, events = harness.work(), harness.plan(), list[Progress]()
    await work.verify(plan)
    await work.verify(plan, events.append)
    assert events == []
    os.utime(harness.folder / CORE, ns=(1, 1))
    assert outcomes(await work.verdicts(plan))["BND-SIGN"] is Outcome.UNKNOWN
    await work.verify(plan, events.append)
    assert events != []


async def test_verification_is_recorded_in_the_stamp(harness: PackageHarness) -> None:
    """Without reading the package. Signature and key may be missing by then."""
    plan, events = harness.plan(), list[Progress]()
    await harness.work().unpack(plan)
    (harness.folder / f"{CORE}.sig").unlink()
    (harness.folder / "verify-key.pub").unlink()
    found = {verdict.requirement: verdict for verdict in await harness.work().verify(plan, events.append)}
    assert events == []
    assert found["BND-SIGN"].outcome is Outcome.PASS
    assert "verified on 20" in found["BND-SIGN"].observed
    assert found["BND-KEY-FPR"].outcome is Outcome.PASS
    assert not await harness.work().unpack(plan)


async def test_recorded_verification_is_repeated_on_request(harness: PackageHarness) -> None:
    plan = harness.plan()
    await harness.work().unpack(plan)
    harness.sign(harness.folder / CORE, "stranger")
    assert outcomes(await harness.work().verify(plan))["BND-SIGN"] is Outcome.PASS
    assert outcomes(await harness.work().verify(plan, again=True))["BND-SIGN"] is Outcome.FAIL


async def test_other_file_or_key_is_not_verified_by_the_stamp(harness: PackageHarness) -> None:
    plan = harness.plan()
    await harness.work().unpack(plan)
    other = harness.plan(fingerprint=harness.signer.fingerprint("stranger"))
    assert outcomes(await harness.work().verdicts(other))["BND-SIGN"] is Outcome.UNKNOWN
    os.utime(harness.folder / CORE, ns=(1, 1))
    assert outcomes(await harness.work().verdicts(plan))["BND-SIGN"] is Outcome.UNKNOWN


async def test_damaged_stamp_is_ignored(harness: PackageHarness) -> None:
    plan = harness.plan()
    await harness.work().unpack(plan)
    stamp = harness.folder / "target" / STAMP
    content = stamp.read_text()
    for damaged in ("", "[]", "{}", '{"core": 1}', '{"core": {}}', content.replace('"verified": "2', '"verified": "x')):
        stamp.write_text(damaged)
        assert outcomes(await harness.work().verdicts(plan))["BND-SIGN"] is Outcome.UNKNOWN
    assert await harness.work().unpack(plan)


async def test_waived_package_is_not_recorded_as_verified(harness: PackageHarness) -> None:
    signature = harness.folder / f"{CORE}.sig"
    content = signature.read_bytes()
    signature.unlink()
    waivers: list[JsonValue] = [{"requirement": "BND-SIGN", "reason": "checked by hand", "by": "me"}]
    waived = Plan.model_validate({**harness.plan().model_dump(), "waivers": waivers})
    assert await harness.work().unpack(waived)
    assert not await harness.work().unpack(waived)
    assert outcomes(await harness.work().verdicts(waived))["BND-SIGN"] is Outcome.UNKNOWN
    stamp = json.loads((harness.folder / "target" / STAMP).read_text())["core"]
    assert stamp["signer"] == stamp["verified"] == ""
    assert stamp["not_verified"].startswith(f"NOT VERIFIED: {CORE}: ")
    signature.write_bytes(content)
    assert await harness.work().unpack(waived)  # now it can be verified, so it is unpacked again
    assert outcomes(await harness.work().verdicts(waived))["BND-SIGN"] is Outcome.PASS
    assert json.loads((harness.folder / "target" / STAMP).read_text())["core"]["not_verified"] == ""
