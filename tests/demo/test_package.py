"""The practice package goes through the product's own verification and unpacking."""

import os
import tempfile
from pathlib import Path

import pytest

from acp_tui.demo.installer_behaviour import BEHAVIOUR_FILE, Behaviour
from acp_tui.demo.package import PracticePackage, PracticeUnavailable, build_package
from acp_tui.package.archive import inspect
from acp_tui.package.extract import extract
from acp_tui.package.signature.gpg import verify
from acp_tui.package.signature.gpg_status import Signed
from acp_tui.plan.package_name import parse_name


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> PracticePackage:
    return build_package(tmp_path_factory.mktemp("package"), Behaviour(seconds=3.5), filler=1)


def test_the_package_is_verified_against_its_fingerprint(package: PracticePackage) -> None:
    result = verify(package.core, package.signature, package.public_key, package.fingerprint)
    assert result.signed is Signed.GOOD
    other = verify(package.core, package.signature, package.public_key, "0" * 40)
    assert other.signed is not Signed.GOOD


def test_a_changed_byte_fails_verification(package: PracticePackage, tmp_path: Path) -> None:
    broken = tmp_path / package.core.name
    data = bytearray(package.core.read_bytes())
    data[-20_000] ^= 1
    broken.write_bytes(data)
    assert verify(broken, package.signature, package.public_key, package.fingerprint).signed is Signed.BAD


def test_the_package_has_the_layout_of_a_core_package(package: PracticePackage, tmp_path: Path) -> None:
    name = parse_name(package.core.name)
    assert name is not None
    assert (name.kind, name.release, name.arch) == ("core", "4.0", "x86")
    assert inspect(package.core).installable
    extract(package.core, tmp_path / "unpacked")
    installer = tmp_path / "unpacked" / "installer"
    assert b"3.5" in (installer / BEHAVIOUR_FILE).read_bytes()
    assert os.access(installer / "python", os.X_OK)


def test_a_folder_keeps_its_package_until_the_content_changes(tmp_path: Path) -> None:
    first = build_package(tmp_path, Behaviour(), filler=1)
    assert build_package(tmp_path, Behaviour(), filler=1) == first
    changed = build_package(tmp_path, Behaviour(seconds=1), filler=1)
    assert changed.fingerprint != first.fingerprint
    assert verify(changed.core, changed.signature, changed.public_key, changed.fingerprint).signed is Signed.GOOD


def test_missing_gpg_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PracticeUnavailable, match="gpg"):
        build_package(tmp_path / "package", Behaviour(), filler=1)


def test_package_has_no_files_of_the_shared_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """setup.sh of the package runs as root, so no other user may add files to the package."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "shared"))  # the folder does not exist
    assert build_package(tmp_path / "package", Behaviour()).core.exists()
