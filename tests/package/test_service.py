"""From a plan's package answers to verdicts, and to an unpacked installer, with the real gpg."""

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
from acp_tui.package.signature.status import SignatureResult, Signed
from acp_tui.plan.model import Plan
from tests.support.factories.plans import valid_plan
from tests.support.gpg_signer import Signer
from tests.support.package_builder import CORE, EXTENSIONS, archive, core, file

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")

PLENTY = REQUIRED_FREE * 5


@dataclass(frozen=True)
class Bench:
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
    made = Signer()
    made.make_key("vendor")
    made.make_key("stranger")
    yield made
    made.close()


@pytest.fixture
def bench(signer: Signer, tmp_path: Path) -> Bench:
    made = Bench(tmp_path, signer)
    made.sign(core(tmp_path))
    (tmp_path / "verify-key.pub").write_bytes(signer.export("vendor"))
    return made


def outcomes(verdicts: tuple[Verdict, ...]) -> dict[str, Outcome]:
    return {verdict.requirement: verdict.outcome for verdict in verdicts}


async def test_a_good_package_meets_everything(bench: Bench) -> None:
    work, plan = bench.work(), bench.plan()
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


async def test_before_it_is_verified_nothing_is_claimed(bench: Bench) -> None:
    found = outcomes(await bench.work().verdicts(bench.plan()))
    assert found["BND-SIGN"] is Outcome.UNKNOWN
    assert found["BND-KEY-FPR"] is Outcome.UNKNOWN
    assert found["BND-TAR-OK"] is Outcome.PASS


Change = Callable[[Bench], dict[str, JsonValue]]


def _no_core(bench: Bench) -> dict[str, JsonValue]:
    return {"core": None}


def _no_such_core(bench: Bench) -> dict[str, JsonValue]:
    return {"core": "elsewhere.tar"}


def _a_folder(bench: Bench) -> dict[str, JsonValue]:
    (bench.folder / "folder").mkdir()
    return {"core": "folder"}


def _other_name(bench: Bench) -> dict[str, JsonValue]:
    bench.sign((bench.folder / CORE).rename(bench.folder / "acp.tar"))
    return {"core": "acp.tar"}


def _extensions_as_core(bench: Bench) -> dict[str, JsonValue]:
    bench.sign((bench.folder / CORE).rename(bench.folder / EXTENSIONS))
    return {"core": EXTENSIONS}


def _not_installable(bench: Bench) -> dict[str, JsonValue]:
    bench.sign(archive(bench.folder / CORE, file("readme")))
    return {}


def _cut_off(bench: Bench) -> dict[str, JsonValue]:
    with (bench.folder / CORE).open("r+b") as package:
        package.truncate(100_000)
    return {}


def _stranger(bench: Bench) -> dict[str, JsonValue]:
    bench.sign(bench.folder / CORE, "stranger")
    return {}


def _other_key_file(bench: Bench) -> dict[str, JsonValue]:
    (bench.folder / "verify-key.pub").write_bytes(bench.signer.export("stranger"))
    return {}


def _no_key_file(bench: Bench) -> dict[str, JsonValue]:
    return {"public_key": None}


def _no_signature(bench: Bench) -> dict[str, JsonValue]:
    return {"core_signature": "nowhere.sig"}


def _target_is_a_file(bench: Bench) -> dict[str, JsonValue]:
    (bench.folder / "target").touch()
    return {}


def _other_extensions(bench: Bench) -> dict[str, JsonValue]:
    name = "installer-extensions-v4.0.3-arm.tar"
    bench.extensions(name)
    return {"extensions": name}


def _older_extensions(bench: Bench) -> dict[str, JsonValue]:
    name = "installer-extensions-v4.0.2-x86.tar"
    bench.extensions(name)
    return {"extensions": name}


def _missing_extensions(bench: Bench) -> dict[str, JsonValue]:
    return {"extensions": EXTENSIONS}


@pytest.mark.parametrize(
    ("change", "wanted"),
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
async def test_what_is_wrong_is_found(bench: Bench, change: Change, wanted: dict[str, Outcome]) -> None:
    work, plan = bench.work(), bench.plan(**change(bench))
    found = await work.verify(plan)
    found = tuple(v for v in found if v.outcome is not Outcome.PASS)
    assert outcomes(found) == wanted
    assert all(verdict.observed for verdict in found)


async def test_a_package_of_another_release_than_the_plans(bench: Bench) -> None:
    found = [v for v in await bench.work().verdicts(bench.plan("4.2")) if v.requirement == "BND-CORE-NAME"]
    assert [v.outcome for v in found] == [Outcome.WARN]
    assert "4.2" in found[0].observed


async def test_space_and_place(bench: Bench) -> None:
    found = outcomes(await bench.work(free=REQUIRED_FREE + 1_000_000, here=False).verdicts(bench.plan()))
    assert found["BND-FREE-100G"] is Outcome.FAIL  # the package itself takes three million
    assert found["BND-INSTNODE"] is Outcome.FAIL


async def test_what_does_not_fit_is_not_begun(bench: Bench) -> None:
    told: list[Progress] = []
    with pytest.raises(UnpackFailed, match="3 MB of space are missing"):
        await bench.work(free=100_000).unpack(bench.plan(), told.append)
    assert not told
    assert not (bench.folder / "target").exists()


async def test_unpacked_packages_need_no_more_space(bench: Bench) -> None:
    await bench.work().unpack(bench.plan())
    found = outcomes(await bench.work(free=REQUIRED_FREE).verdicts(bench.plan()))
    assert found["BND-FREE-100G"] is Outcome.PASS


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
async def test_folders_that_may_not_be_entered_are_findings(bench: Bench) -> None:
    closed = bench.folder / "closed"
    closed.mkdir(mode=0)
    try:
        plan = bench.plan(core="closed/a.tar", public_key="closed/key", install_dir="closed/target")
        found = outcomes(await bench.work().verify(plan))
    finally:
        closed.chmod(0o700)
    assert found["BND-CORE"] is Outcome.FAIL


async def test_unpacking(bench: Bench) -> None:
    seen: list[Progress] = []
    plan = bench.plan()
    assert await bench.work().unpack(plan, seen.append)
    assert (bench.installer / "setup.sh").exists()
    assert [p.done for p in seen].count(0) == 1  # one pass verifies and unpacks
    assert not await bench.work().unpack(plan)


async def test_verified_once_is_verified(bench: Bench) -> None:
    work, plan, seen = bench.work(), bench.plan(), list[Progress]()
    await work.verify(plan)
    await work.verify(plan, seen.append)
    assert seen == []
    os.utime(bench.folder / CORE, ns=(1, 1))
    assert outcomes(await work.verdicts(plan))["BND-SIGN"] is Outcome.UNKNOWN
    await work.verify(plan, seen.append)
    assert seen != []


async def test_extensions_are_unpacked_before_the_install_on_4_0_alone(bench: Bench) -> None:
    bench.extensions()
    await bench.work().unpack(bench.plan("4.1", extensions=EXTENSIONS))
    assert not (bench.installer / "plugins").exists()
    assert await bench.work().unpack(bench.plan("4.0", extensions=EXTENSIONS))
    assert (bench.installer / "plugins" / "a.tgz").exists()


@pytest.mark.parametrize(
    ("release", "order", "together"),
    [("4.0", "before the install", Outcome.PASS), ("4.1", "uploaded after the install", Outcome.NOT_APPLICABLE)],
)
async def test_when_and_where_extensions_go_is_told(bench: Bench, release: str, order: str, together: Outcome) -> None:
    bench.extensions()
    found = {v.requirement: v for v in await bench.work().verdicts(bench.plan(release, extensions=EXTENSIONS))}
    assert order in found["BND-ORDER"].observed
    assert found["BND-SAMEDIR"].outcome is together
    alone = outcomes(await bench.work().verdicts(bench.plan(release)))
    assert not {"BND-ORDER", "BND-SAMEDIR"} & alone.keys()


async def test_a_package_that_is_not_signed_by_the_vendor_is_not_unpacked(bench: Bench) -> None:
    bench.sign(bench.folder / CORE, "stranger")
    with pytest.raises(PackageBlocked) as blocked:
        await bench.work().unpack(bench.plan())
    assert [v.requirement for v in blocked.value.verdicts] == ["BND-SIGN"]
    assert list((bench.folder / "target").iterdir()) == []


async def test_a_waiver_lets_an_unsigned_package_pass(bench: Bench) -> None:
    (bench.folder / f"{CORE}.sig").unlink()
    waivers: list[JsonValue] = [{"requirement": "BND-SIGN", "reason": "checked by hand", "by": "me"}]
    plan = Plan.model_validate({**bench.plan().model_dump(), "waivers": waivers})
    assert await bench.work().unpack(plan)


async def test_a_hostile_package_is_not_unpacked_though_signed(bench: Bench) -> None:
    bench.sign(core(bench.folder, file("../outside")))
    with pytest.raises(PackageBlocked, match="outside"):
        await bench.work().unpack(bench.plan())
    assert not (bench.folder / "target").exists()


async def test_what_was_verified_is_remembered_with_what_was_unpacked(bench: Bench) -> None:
    """By another run, without reading the package; signature and key may be gone by then."""
    plan, seen = bench.plan(), list[Progress]()
    await bench.work().unpack(plan)
    (bench.folder / f"{CORE}.sig").unlink()
    (bench.folder / "verify-key.pub").unlink()
    found = {verdict.requirement: verdict for verdict in await bench.work().verify(plan, seen.append)}
    assert seen == []
    assert found["BND-SIGN"].outcome is Outcome.PASS
    assert "verified on 20" in found["BND-SIGN"].observed
    assert found["BND-KEY-FPR"].outcome is Outcome.PASS
    assert not await bench.work().unpack(plan)


async def test_what_was_remembered_is_verified_again_when_asked_to(bench: Bench) -> None:
    plan = bench.plan()
    await bench.work().unpack(plan)
    bench.sign(bench.folder / CORE, "stranger")
    assert outcomes(await bench.work().verify(plan))["BND-SIGN"] is Outcome.PASS
    assert outcomes(await bench.work().verify(plan, again=True))["BND-SIGN"] is Outcome.FAIL


async def test_another_file_or_another_key_is_not_what_was_remembered(bench: Bench) -> None:
    plan = bench.plan()
    await bench.work().unpack(plan)
    other = bench.plan(fingerprint=bench.signer.fingerprint("stranger"))
    assert outcomes(await bench.work().verdicts(other))["BND-SIGN"] is Outcome.UNKNOWN
    os.utime(bench.folder / CORE, ns=(1, 1))
    assert outcomes(await bench.work().verdicts(plan))["BND-SIGN"] is Outcome.UNKNOWN


async def test_a_stamp_that_is_damaged_is_no_stamp(bench: Bench) -> None:
    plan = bench.plan()
    await bench.work().unpack(plan)
    stamp = bench.folder / "target" / STAMP
    whole = stamp.read_text()
    for damaged in ("", "[]", "{}", '{"core": 1}', '{"core": {}}', whole.replace('"verified": "2', '"verified": "x')):
        stamp.write_text(damaged)
        assert outcomes(await bench.work().verdicts(plan))["BND-SIGN"] is Outcome.UNKNOWN
    assert await bench.work().unpack(plan)


async def test_what_a_waiver_let_pass_is_not_remembered_as_verified(bench: Bench) -> None:
    signature = bench.folder / f"{CORE}.sig"
    content = signature.read_bytes()
    signature.unlink()
    waivers: list[JsonValue] = [{"requirement": "BND-SIGN", "reason": "checked by hand", "by": "me"}]
    waived = Plan.model_validate({**bench.plan().model_dump(), "waivers": waivers})
    assert await bench.work().unpack(waived)
    assert not await bench.work().unpack(waived)
    assert outcomes(await bench.work().verdicts(waived))["BND-SIGN"] is Outcome.UNKNOWN
    signature.write_bytes(content)
    assert await bench.work().unpack(waived)  # now it can be verified: once more, on the way to the disk
    assert outcomes(await bench.work().verdicts(waived))["BND-SIGN"] is Outcome.PASS


async def test_extensions_that_are_not_unpacked_now_are_verified_all_the_same(bench: Bench) -> None:
    bench.sign(bench.extensions(), "stranger")
    with pytest.raises(PackageBlocked, match="extensions"):
        await bench.work().unpack(bench.plan("4.1", extensions=EXTENSIONS))
    assert not bench.installer.exists()


async def test_each_way_to_be_cut_off_has_its_words(bench: Bench) -> None:
    signature = bench.folder / f"{CORE}.sig"
    content = signature.read_bytes()
    signature.write_bytes(content[:30])
    observed = {v.requirement: v.observed for v in await bench.work().verify(bench.plan())}
    assert "the signature file is truncated" in observed["BND-SIGN"]
    signature.write_bytes(content)
    _cut_off(bench)
    observed = {v.requirement: v.observed for v in await bench.work().verify(bench.plan())}
    assert "archive is incomplete" in observed["BND-SIGN"]
    assert "truncated" in observed["BND-TAR-OK"] or "complete" in observed["BND-TAR-OK"]


def test_every_outcome_has_its_own_words() -> None:
    told = {explain_signature(SignatureResult(signed, ("A" * 40,))) for signed in Signed}
    assert len(told) == len(Signed)


async def test_the_package_that_lies_around_is_offered(bench: Bench) -> None:
    (bench.folder / "verify-key.pub").rename(bench.folder / "key (1).asc")
    (bench.folder / "verify-key.pub").write_bytes(bench.signer.export("stranger"))
    found = await PackageWork(bench.folder, places=(bench.folder,)).find(bench.signer.fingerprint("vendor"))
    assert [(one.core, one.signed) for one in found] == [(bench.folder / CORE, True)]
    assert found[0].public_key == bench.folder / "key (1).asc"  # by what it holds, and not by its name


async def test_a_target_in_use(bench: Bench) -> None:
    with locked_install_dir(bench.folder / "target"), pytest.raises(UnpackFailed):
        await bench.work().unpack(bench.plan())


async def test_cancelling_stops_and_cleans_up(bench: Bench) -> None:
    started = asyncio.Event()
    unpacking = asyncio.create_task(bench.work().unpack(bench.plan(), lambda _progress: started.set()))
    await started.wait()
    unpacking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await unpacking
    assert not bench.installer.exists()
