"""Fixtures with signed packages: keys of the vendor and of a stranger, and a signed Core Package."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gpg_signer import Signer
from tests.support.package_builder import core
from tests.support.package_harness import PackageHarness


@pytest.fixture(scope="module")
def signer() -> Iterator[Signer]:
    created = Signer()
    created.make_key("vendor")
    created.make_key("stranger")
    yield created
    created.close()


@pytest.fixture
def harness(signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackageHarness:
    """A folder with a package that the vendor has signed. The key `vendor` takes the place of the vendor's real key."""
    monkeypatch.setattr("acp_tui.package.trust.VENDOR_FINGERPRINT", signer.fingerprint("vendor"))
    created = PackageHarness(tmp_path, signer)
    created.sign(core(tmp_path))
    (tmp_path / "verify-key.pub").write_bytes(signer.export("vendor"))
    return created
