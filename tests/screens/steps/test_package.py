"""The package step: packages found on disk, filled in with a key, and unpacking."""

import os
import shutil
from pathlib import Path

import pytest
from pydantic import JsonValue
from textual.widgets import Input

from screens.widgets.form import Form
from tests.support.factories.plans import valid_plan
from tests.support.other_users import STRANGER, needs_root
from tests.support.package_builder import core
from tests.support.wizard_pilot import screen_text, until, wizard


async def test_found_package_is_filled_in_with_one_key(tmp_path: Path) -> None:
    package = core(tmp_path)
    (tmp_path / "verify-key.pub").touch()
    plan = valid_plan(package={})
    async with wizard(tmp_path, plan, "package") as (pilot, session):
        await until(pilot, lambda: "1 package was found" in screen_text(pilot))
        assert "signature missing, public key found" in screen_text(pilot)
        await pilot.press("ctrl+f")
        assert session.plan.package.core == str(package)
        assert session.plan.package.public_key == str(tmp_path / "verify-key.pub")
        await pilot.pause()
        assert "1 package was found" not in screen_text(pilot)


@needs_root
async def test_package_of_another_user_is_listed_with_its_owner(tmp_path: Path) -> None:
    os.chown(core(tmp_path), STRANGER, -1)
    (tmp_path / "verify-key.pub").touch()
    os.chown(tmp_path / "verify-key.pub", STRANGER, -1)
    async with wizard(tmp_path, valid_plan(package={}), "package") as (pilot, session):
        await until(pilot, lambda: "owner nobody" in screen_text(pilot))
        await pilot.press("ctrl+f")
        assert session.plan.package.public_key is None


async def test_filled_in_paths_stay_when_the_cursor_moves(tmp_path: Path) -> None:
    package = core(tmp_path)
    async with wizard(tmp_path, valid_plan(package={}), "package") as (pilot, session):
        await until(pilot, lambda: "1 package was found" in screen_text(pilot))
        form = pilot.app.screen.query_one(Form)
        form.focus_path("package.core")
        await pilot.press("ctrl+f")
        field = next(control for control in form.query(Input) if control.has_focus)
        assert field.value == str(package)
        await pilot.press("tab", "tab")
        assert session.plan.package.core == str(package)


async def test_typed_paths_are_not_replaced(tmp_path: Path) -> None:
    core(tmp_path)
    async with wizard(tmp_path, valid_plan(package={"core": "mine.tar"}), "package") as (pilot, session):
        await pilot.press("ctrl+f")
        assert session.plan.package.core == "mine.tar"


@pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")
async def test_unpacking_can_be_cancelled_and_a_failure_shows_its_full_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpg, release_gpg = tmp_path / "bin" / "gpg", tmp_path / "go"
    gpg.parent.mkdir()
    gpg.write_text(f'#!/bin/sh\nwhile [ ! -e {release_gpg} ]; do sleep 0.05; done\nexec {shutil.which("gpg")} "$@"\n')
    gpg.chmod(0o755)
    monkeypatch.setenv("PATH", f"{gpg.parent}:{os.environ['PATH']}")
    package = core(tmp_path)
    package.with_name(f"{package.name}.sig").write_text("no signature")
    key, install_dir = tmp_path / "verify-key.pub", tmp_path / "target"
    key.write_text("no key")
    plan = valid_plan(package={"core": str(package), "public_key": str(key), "install_dir": str(install_dir)})
    async with wizard(tmp_path, plan, "package") as (pilot, _session):
        await pilot.press("ctrl+v")
        await until(pilot, lambda: "Press ^X to cancel" in screen_text(pilot))
        await pilot.press("ctrl+x")
        release_gpg.touch()
        await until(pilot, lambda: "Unpacking was cancelled. The install folder is unchanged." in screen_text(pilot))
        assert not install_dir.exists() or not list(install_dir.iterdir())
        await pilot.press("ctrl+v")
        await until(pilot, lambda: "BND-SIGN" in screen_text(pilot))
        assert "can read" in screen_text(pilot)


async def test_each_of_several_packages_can_be_filled_in(tmp_path: Path) -> None:
    older = core(tmp_path, name="installer-core-v4.0.3-x86.tar")
    newer = core(tmp_path, name="installer-core-v4.1.0-x86.tar")
    extensions = tmp_path / "installer-extensions-v4.1.0-x86.tar"
    extensions.touch()
    async with wizard(tmp_path, valid_plan(package={}), "package") as (pilot, session):
        await until(pilot, lambda: "2 packages were found" in screen_text(pilot))
        for core_package, extensions_path in ((newer, str(extensions)), (older, None), (newer, str(extensions))):
            await pilot.press("ctrl+f")
            assert (session.plan.package.core, session.plan.package.extensions) == (str(core_package), extensions_path)
        await pilot.pause()
        assert "fill in the next one" in screen_text(pilot)


@pytest.mark.parametrize("step", ["package", "review", "install"])
async def test_package_that_is_not_verified_is_named(tmp_path: Path, step: str) -> None:
    package = core(tmp_path)
    waiver: JsonValue = [{"requirement": "BND-SIGN", "reason": "lab", "by": "me"}]
    names: JsonValue = {"core": str(package), "fingerprint": "A" * 40}
    async with wizard(tmp_path, valid_plan(package=names, waivers=waiver), step) as (pilot, session):
        await session.evaluate_now()
        await pilot.pause()
        text = screen_text(pilot)
        assert f"NOT VERIFIED: {package.name}: the signature" in text
        assert "the plan trusts the key AAAA AAAA" in text
        if step == "package":
            await pilot.press("ctrl+v")
            await until(pilot, lambda: "The package is unpacked, but NOT VERIFIED." in screen_text(pilot))
