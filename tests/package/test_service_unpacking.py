"""Unpacking the packages of a plan: verification in the same pass, blockers, waivers and cancelling."""

import asyncio

import pytest
from pydantic import JsonValue

from acp_tui.core.events import Progress
from acp_tui.package.blockers import PackageBlocked
from acp_tui.package.install_dir import UnpackFailed, locked_install_dir
from acp_tui.plan.model import Plan
from tests.support.gpg_signer import needs_gpg
from tests.support.package_builder import CORE, EXTENSIONS, core, file
from tests.support.package_harness import PackageHarness

pytestmark = needs_gpg


async def test_unpacking_does_not_start_without_enough_space(harness: PackageHarness) -> None:
    events: list[Progress] = []
    with pytest.raises(UnpackFailed, match="3 MB more free space"):
        await harness.work(free=100_000).unpack(harness.plan(), events.append)
    assert not events
    assert not (harness.folder / "target").exists()


async def test_package_is_verified_and_unpacked_in_one_pass(harness: PackageHarness) -> None:
    events: list[Progress] = []
    plan = harness.plan()
    assert await harness.work().unpack(plan, events.append)
    assert (harness.installer / "setup.sh").exists()
    assert [p.done for p in events].count(0) == 1  # one pass verifies and unpacks
    assert not await harness.work().unpack(plan)


async def test_extensions_are_unpacked_only_for_release_4_0(harness: PackageHarness) -> None:
    harness.extensions()
    await harness.work().unpack(harness.plan("4.1", extensions=EXTENSIONS))
    assert not (harness.installer / "plugins").exists()
    assert await harness.work().unpack(harness.plan("4.0", extensions=EXTENSIONS))
    assert (harness.installer / "plugins" / "a.tgz").exists()


async def test_package_signed_by_another_key_is_not_unpacked(harness: PackageHarness) -> None:
    harness.sign(harness.folder / CORE, "stranger")
    with pytest.raises(PackageBlocked) as blocked:
        await harness.work().unpack(harness.plan())
    assert [v.requirement for v in blocked.value.verdicts] == ["BND-SIGN"]
    assert list((harness.folder / "target").iterdir()) == []


async def test_unsigned_package_is_unpacked_with_a_waiver(harness: PackageHarness) -> None:
    (harness.folder / f"{CORE}.sig").unlink()
    waivers: list[JsonValue] = [{"requirement": "BND-SIGN", "reason": "checked by hand", "by": "me"}]
    plan = Plan.model_validate({**harness.plan().model_dump(), "waivers": waivers})
    assert await harness.work().unpack(plan)


async def test_hostile_signed_package_is_not_unpacked(harness: PackageHarness) -> None:
    harness.sign(core(harness.folder, file("../outside")))
    with pytest.raises(PackageBlocked, match="outside"):
        await harness.work().unpack(harness.plan())
    assert not (harness.folder / "target").exists()


async def test_extensions_are_verified_even_if_not_unpacked(harness: PackageHarness) -> None:
    harness.sign(harness.extensions(), "stranger")
    with pytest.raises(PackageBlocked, match="extensions"):
        await harness.work().unpack(harness.plan("4.1", extensions=EXTENSIONS))
    assert not harness.installer.exists()


async def test_locked_target_is_an_error(harness: PackageHarness) -> None:
    with locked_install_dir(harness.folder / "target"), pytest.raises(UnpackFailed):
        await harness.work().unpack(harness.plan())


async def test_cancelled_unpacking_leaves_no_files(harness: PackageHarness) -> None:
    started = asyncio.Event()
    unpacking = asyncio.create_task(harness.work().unpack(harness.plan(), lambda _progress: started.set()))
    await started.wait()
    unpacking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await unpacking
    assert not harness.installer.exists()
