"""Verdicts about the packages of a plan, and the unpacked installer, with the real gpg."""

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import JsonValue

from acp_tui.checks.verdict import Outcome, Verdict
from acp_tui.core.events import Progress
from acp_tui.package.install_dir import REQUIRED_FREE, STAMP, UnpackFailed, locked_install_dir
from acp_tui.package.service import PackageBlocked, PackageWork
from acp_tui.package.signature.explain import explain_signature
from acp_tui.package.signature.gpg_status import SignatureResult, Signed
from acp_tui.plan.model import Plan
from tests.support.factories.plans import valid_plan
from tests.support.gpg_signer import Signer
from tests.support.package_builder import CORE, EXTENSIONS, archive, core, file

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")

PLENTY = REQUIRED_FREE * 5


@dataclass(frozen=True)
class PackageHarness:
    folder: Path
    signer: Signer

    def plan(self, release: str | None = None, /, **package: JsonValue) -> Plan:
        answers: dict[str, JsonValue] = {
            "core": CORE,
            "public_key": "verify-key.pub",
            "fingerprint": self.signer.fingerprint("vendor"),
            "install_dir": "target",
        }
        return valid_plan(release=release, package={**answers, **package})

    def work(self, free: int = PLENTY, here: bool = True) -> PackageWork:
        return PackageWork(self.folder, free_space=lambda _folder: free, here=lambda _address: here)

    def sign(self, package: Path, by: str = "vendor") -> Path:
        package.with_name(f"{package.name}.sig").write_bytes(self.signer.sign(by, package))
        return package

    def extensions(self, name: str = EXTENSIONS) -> Path:
        return self.sign(archive(self.folder / name, file("installer/plugins/a.tgz")))

    @property
    def installer(self) -> Path:
        return self.folder / "target" / "installer"


@pytest.fixture(scope="module")
def signer() -> Iterator[Signer]:
    created = Signer()
    created.make_key("vendor")
    created.make_key("stranger")
    yield created
    created.close()


@pytest.fixture
def harness(signer: Signer, tmp_path: Path) -> PackageHarness:
    created = PackageHarness(tmp_path, signer)
    created.sign(core(tmp_path))
    (tmp_path / "verify-key.pub").write_bytes(signer.export("vendor"))
    return created


def outcomes(verdicts: tuple[Verdict, ...]) -> dict[str, Outcome]:
    return {verdict.requirement: verdict.outcome for verdict in verdicts}


async def test_valid_package_passes_all_checks(harness: PackageHarness) -> None:
    work, plan = harness.work(), harness.plan()
    await work.verify(plan)
    verdicts = await work.verdicts(plan)
    assert outcomes(verdicts) == dict.fromkeys(
        (
            "BND-CORE",
            "BND-CORE-NAME",
            "BND-TAR-OK",
            "BND-SIGN",
            "BND-KEY-FPR",
            "BND-WORKDIR",
            "BND-FREE-100G",
            "BND-INSTNODE",
        ),
        Outcome.PASS,
    )


async def test_signature_is_unknown_before_the_verification(harness: PackageHarness) -> None:
    found = outcomes(await harness.work().verdicts(harness.plan()))
    assert found["BND-SIGN"] is Outcome.UNKNOWN
    assert found["BND-KEY-FPR"] is Outcome.UNKNOWN
    assert found["BND-TAR-OK"] is Outcome.PASS


Change = Callable[[PackageHarness], dict[str, JsonValue]]


def _no_core(harness: PackageHarness) -> dict[str, JsonValue]:
    return {"core": None}


def _no_such_core(harness: PackageHarness) -> dict[str, JsonValue]:
    return {"core": "elsewhere.tar"}


def _a_folder(harness: PackageHarness) -> dict[str, JsonValue]:
    (harness.folder / "folder").mkdir()
    return {"core": "folder"}


def _other_name(harness: PackageHarness) -> dict[str, JsonValue]:
    harness.sign((harness.folder / CORE).rename(harness.folder / "acp.tar"))
    return {"core": "acp.tar"}


def _extensions_as_core(harness: PackageHarness) -> dict[str, JsonValue]:
    harness.sign((harness.folder / CORE).rename(harness.folder / EXTENSIONS))
    return {"core": EXTENSIONS}


def _not_installable(harness: PackageHarness) -> dict[str, JsonValue]:
    harness.sign(archive(harness.folder / CORE, file("readme")))
    return {}


def _cut_off(harness: PackageHarness) -> dict[str, JsonValue]:
    with (harness.folder / CORE).open("r+b") as package:
        package.truncate(100_000)
    return {}


def _stranger(harness: PackageHarness) -> dict[str, JsonValue]:
    harness.sign(harness.folder / CORE, "stranger")
    return {}


def _other_key_file(harness: PackageHarness) -> dict[str, JsonValue]:
    (harness.folder / "verify-key.pub").write_bytes(harness.signer.export("stranger"))
    return {}


def _no_key_file(harness: PackageHarness) -> dict[str, JsonValue]:
    return {"public_key": None}


def _no_signature(harness: PackageHarness) -> dict[str, JsonValue]:
    return {"core_signature": "nowhere.sig"}


def _target_is_a_file(harness: PackageHarness) -> dict[str, JsonValue]:
    (harness.folder / "target").touch()
    return {}


def _other_extensions(harness: PackageHarness) -> dict[str, JsonValue]:
    name = "installer-extensions-v4.0.3-arm.tar"
    harness.extensions(name)
    return {"extensions": name}


def _older_extensions(harness: PackageHarness) -> dict[str, JsonValue]:
    name = "installer-extensions-v4.0.2-x86.tar"
    harness.extensions(name)
    return {"extensions": name}


def _missing_extensions(harness: PackageHarness) -> dict[str, JsonValue]:
    return {"extensions": EXTENSIONS}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_no_core, {"BND-CORE": Outcome.FAIL}),
        (_no_such_core, {"BND-CORE": Outcome.FAIL, "BND-CORE-NAME": Outcome.WARN}),
        (_a_folder, {"BND-CORE": Outcome.FAIL, "BND-CORE-NAME": Outcome.WARN}),
        (_other_name, {"BND-CORE-NAME": Outcome.WARN}),
        (_extensions_as_core, {"BND-CORE-NAME": Outcome.FAIL}),
        (_not_installable, {"BND-TAR-OK": Outcome.FAIL}),
        (_cut_off, {"BND-TAR-OK": Outcome.FAIL, "BND-SIGN": Outcome.FAIL}),
        (_stranger, {"BND-SIGN": Outcome.FAIL}),
        (_other_key_file, {"BND-SIGN": Outcome.UNKNOWN, "BND-KEY-FPR": Outcome.FAIL}),
        (_no_key_file, {"BND-SIGN": Outcome.UNKNOWN, "BND-KEY-FPR": Outcome.UNKNOWN}),
        (_no_signature, {"BND-SIGN": Outcome.UNKNOWN, "BND-KEY-FPR": Outcome.NOT_APPLICABLE}),
        (_target_is_a_file, {"BND-WORKDIR": Outcome.WARN}),
        (_other_extensions, {"BND-EXT-ARCH": Outcome.FAIL}),
        (_older_extensions, {"BND-EXT-ARCH": Outcome.WARN}),
        (_missing_extensions, {"BND-TAR-OK": Outcome.FAIL}),
    ],
)
async def test_fault_is_found(harness: PackageHarness, change: Change, expected: dict[str, Outcome]) -> None:
    work, plan = harness.work(), harness.plan(**change(harness))
    found = await work.verify(plan)
    found = tuple(v for v in found if v.outcome is not Outcome.PASS)
    assert outcomes(found) == expected
    assert all(verdict.observed for verdict in found)


async def test_package_of_another_release_is_a_warning(harness: PackageHarness) -> None:
    found = [v for v in await harness.work().verdicts(harness.plan("4.2")) if v.requirement == "BND-CORE-NAME"]
    assert [v.outcome for v in found] == [Outcome.WARN]
    assert "4.2" in found[0].observed


async def test_missing_space_and_wrong_host_fail(harness: PackageHarness) -> None:
    found = outcomes(await harness.work(free=REQUIRED_FREE + 1_000_000, here=False).verdicts(harness.plan()))
    assert found["BND-FREE-100G"] is Outcome.FAIL  # the package itself needs 3 MB
    assert found["BND-INSTNODE"] is Outcome.FAIL


async def test_unpacking_does_not_start_without_enough_space(harness: PackageHarness) -> None:
    events: list[Progress] = []
    with pytest.raises(UnpackFailed, match="3 MB more free space"):
        await harness.work(free=100_000).unpack(harness.plan(), events.append)
    assert not events
    assert not (harness.folder / "target").exists()


async def test_unpacked_package_needs_no_additional_space(harness: PackageHarness) -> None:
    await harness.work().unpack(harness.plan())
    found = outcomes(await harness.work(free=REQUIRED_FREE).verdicts(harness.plan()))
    assert found["BND-FREE-100G"] is Outcome.PASS


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
async def test_unreadable_folder_is_a_finding(harness: PackageHarness) -> None:
    closed = harness.folder / "closed"
    closed.mkdir(mode=0)
    try:
        plan = harness.plan(core="closed/a.tar", public_key="closed/key", install_dir="closed/target")
        found = outcomes(await harness.work().verify(plan))
    finally:
        closed.chmod(0o700)
    assert found["BND-CORE"] is Outcome.FAIL


async def test_package_is_verified_and_unpacked_in_one_pass(harness: PackageHarness) -> None:
    events: list[Progress] = []
    plan = harness.plan()
    assert await harness.work().unpack(plan, events.append)
    assert (harness.installer / "setup.sh").exists()
    assert [p.done for p in events].count(0) == 1  # one pass verifies and unpacks
    assert not await harness.work().unpack(plan)


async def test_unchanged_package_is_verified_once(harness: PackageHarness) -> None:
    work, plan, events = harness.work(), harness.plan(), list[Progress]()
    await work.verify(plan)
    await work.verify(plan, events.append)
    assert events == []
    os.utime(harness.folder / CORE, ns=(1, 1))
    assert outcomes(await work.verdicts(plan))["BND-SIGN"] is Outcome.UNKNOWN
    await work.verify(plan, events.append)
    assert events != []


async def test_extensions_are_unpacked_only_for_release_4_0(harness: PackageHarness) -> None:
    harness.extensions()
    await harness.work().unpack(harness.plan("4.1", extensions=EXTENSIONS))
    assert not (harness.installer / "plugins").exists()
    assert await harness.work().unpack(harness.plan("4.0", extensions=EXTENSIONS))
    assert (harness.installer / "plugins" / "a.tgz").exists()


@pytest.mark.parametrize(
    ("release", "order", "together"),
    [
        ("4.0", "before the install", Outcome.PASS),
        ("4.1", "the Extensions Package is uploaded after the install", Outcome.NOT_APPLICABLE),
    ],
)
async def test_time_and_folder_of_the_extensions_are_reported(
    harness: PackageHarness, release: str, order: str, together: Outcome
) -> None:
    harness.extensions()
    found = {v.requirement: v for v in await harness.work().verdicts(harness.plan(release, extensions=EXTENSIONS))}
    assert order in found["BND-ORDER"].observed
    assert found["BND-SAMEDIR"].outcome is together
    without_extensions = outcomes(await harness.work().verdicts(harness.plan(release)))
    assert not {"BND-ORDER", "BND-SAMEDIR"} & without_extensions.keys()


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
    signature.write_bytes(content)
    assert await harness.work().unpack(waived)  # now it can be verified, so it is unpacked again
    assert outcomes(await harness.work().verdicts(waived))["BND-SIGN"] is Outcome.PASS


async def test_extensions_are_verified_even_if_not_unpacked(harness: PackageHarness) -> None:
    harness.sign(harness.extensions(), "stranger")
    with pytest.raises(PackageBlocked, match="extensions"):
        await harness.work().unpack(harness.plan("4.1", extensions=EXTENSIONS))
    assert not harness.installer.exists()


async def test_truncated_signature_and_truncated_archive_have_different_texts(harness: PackageHarness) -> None:
    signature = harness.folder / f"{CORE}.sig"
    content = signature.read_bytes()
    signature.write_bytes(content[:30])
    observed = {v.requirement: v.observed for v in await harness.work().verify(harness.plan())}
    assert "the signature file is truncated" in observed["BND-SIGN"]
    signature.write_bytes(content)
    _cut_off(harness)
    observed = {v.requirement: v.observed for v in await harness.work().verify(harness.plan())}
    assert "archive is incomplete" in observed["BND-SIGN"]
    assert "truncated" in observed["BND-TAR-OK"] or "complete" in observed["BND-TAR-OK"]


def test_each_signature_outcome_has_its_own_text() -> None:
    texts = {explain_signature(SignatureResult(signed, ("A" * 40,))) for signed in Signed}
    assert len(texts) == len(Signed)


async def test_package_is_found_with_the_key_of_the_fingerprint(harness: PackageHarness) -> None:
    (harness.folder / "verify-key.pub").rename(harness.folder / "key (1).asc")
    (harness.folder / "verify-key.pub").write_bytes(harness.signer.export("stranger"))
    found = await PackageWork(harness.folder, places=(harness.folder,)).find(harness.signer.fingerprint("vendor"))
    assert [(package.core, package.signed) for package in found] == [(harness.folder / CORE, True)]
    assert found[0].public_key == harness.folder / "key (1).asc"  # found by its content, not by its name


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
