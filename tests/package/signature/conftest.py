"""Fixtures for signatures: keys of each kind, and a package with a trusted key."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gpg_signer import PAST, Signer
from tests.support.package_builder import core
from tests.support.signature_case import Case


@pytest.fixture(scope="module")
def signer() -> Iterator[Signer]:
    created = Signer()
    created.make_key("good")
    created.make_key("other")
    created.make_key("revoked")
    created.make_key("expired", expires="10d", at=PAST)
    created.make_key("old", at=PAST)
    created.gpg("--quick-gen-key", "rsa <rsa@example.com>", "rsa2048", "sign", "0")
    created.make_key("branch")
    created.add_signing_subkey("branch")
    yield created
    created.close()


@pytest.fixture
def case(signer: Signer, tmp_path: Path) -> Case:
    return Case(signer, core(tmp_path), signer.fingerprint("good"))
