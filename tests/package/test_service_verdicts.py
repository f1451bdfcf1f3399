"""Verdicts about the packages of a plan, with the real gpg."""

import os
from collections.abc import Callable

import pytest
from pydantic import JsonValue

from acp_tui.checks.verdict import Outcome
from acp_tui.package.service import PackageWork
from tests.support.gpg_signer import needs_gpg
from tests.support.package_builder import CORE, EXTENSIONS, archive, file
from tests.support.package_harness import PackageHarness, outcomes

pytestmark = needs_gpg


async def test_valid_package_passes_all_checks(harness: PackageHarness) -> None:
    work, plan = harness.work(), harness.plan()
    await work.verify(plan)
    verdicts = await work.verdicts(plan)
    passed = ("BND-CORE", "BND-CORE-NAME", "BND-TAR-OK", "BND-SIGN", "BND-KEY-FPR", "BND-WORKDIR", "BND-INSTNODE")
    no_extensions = ("BND-EXT-NAME", "BND-EXT-ARCH", "BND-ORDER", "BND-SAMEDIR")
    assert outcomes(verdicts) == {
        **dict.fromkeys(passed, Outcome.PASS),
        **dict.fromkeys(no_extensions, Outcome.NOT_APPLICABLE),
    }


async def test_signature_is_unknown_before_the_verification(harness: PackageHarness) -> None:
    found = outcomes(await harness.work().verdicts(harness.plan()))
    assert found["BND-SIGN"] is Outcome.UNKNOWN
    assert found["BND-KEY-FPR"] is Outcome.UNKNOWN
    assert found["BND-TAR-OK"] is Outcome.PASS


UNSEEN = dict.fromkeys(("BND-TAR-OK", "BND-SIGN", "BND-KEY-FPR"), Outcome.UNKNOWN)
"""Verdicts on a package that is not available."""
OF_EXTENSIONS = {"BND-ORDER", "BND-SAMEDIR"}
"""They apply only if the plan has extensions, and have a test of their own."""
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
        (_no_core, {"BND-CORE": Outcome.FAIL, "BND-CORE-NAME": Outcome.UNKNOWN, **UNSEEN}),
        (_no_such_core, {"BND-CORE": Outcome.FAIL, "BND-CORE-NAME": Outcome.WARN, **UNSEEN}),
        (_a_folder, {"BND-CORE": Outcome.FAIL, "BND-CORE-NAME": Outcome.WARN, **UNSEEN}),
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
    absent = set() if plan.package.extensions else {"BND-EXT-NAME", "BND-EXT-ARCH"}
    found = await work.verify(plan)
    found = tuple(v for v in found if v.outcome is not Outcome.PASS and v.requirement not in OF_EXTENSIONS | absent)
    assert outcomes(found) == expected
    assert all(verdict.observed for verdict in found)
    assert all(verdict.remedy for verdict in found if verdict.blocks)


async def test_package_of_another_release_is_a_warning(harness: PackageHarness) -> None:
    found = [v for v in await harness.work().verdicts(harness.plan("4.2")) if v.requirement == "BND-CORE-NAME"]
    assert [v.outcome for v in found] == [Outcome.WARN]
    assert "4.2" in found[0].observed


async def test_other_host_than_the_installer_node_fails(harness: PackageHarness) -> None:
    found = outcomes(await harness.work(here=False).verdicts(harness.plan()))
    assert found["BND-INSTNODE"] is Outcome.FAIL


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


@pytest.mark.parametrize(
    ("release", "order", "together"),
    [
        ("4.0", "before the install", Outcome.PASS),
        ("4.1", "the Extensions Package is uploaded with the tool violet after the install", None),
    ],
)
async def test_time_and_folder_of_the_extensions_are_reported(
    harness: PackageHarness, release: str, order: str, together: Outcome | None
) -> None:
    """From release 4.1 on, BND-SAMEDIR is only information, which the preflight reports without the package."""
    harness.extensions()
    found = await harness.work().verdicts(harness.plan(release, extensions=EXTENSIONS))
    assert [order in v.observed for v in found if v.requirement == "BND-ORDER"] == [True]
    assert outcomes(found).get("BND-SAMEDIR") is together
    without_extensions = outcomes(await harness.work().verdicts(harness.plan(release)))
    assert without_extensions["BND-ORDER"] is Outcome.NOT_APPLICABLE


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


async def test_package_is_found_with_the_key_of_the_fingerprint(harness: PackageHarness) -> None:
    (harness.folder / "verify-key.pub").rename(harness.folder / "key (1).asc")
    (harness.folder / "verify-key.pub").write_bytes(harness.signer.export("stranger"))
    found = await PackageWork(harness.folder, places=(harness.folder,)).find(harness.signer.fingerprint("vendor"))
    assert [(package.core, package.signed) for package in found] == [(harness.folder / CORE, True)]
    assert found[0].public_key == harness.folder / "key (1).asc"  # found by its content, not by its name
