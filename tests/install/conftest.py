"""The fixture with the harness for real install runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.install_harness import InstallHarness


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[InstallHarness]:
    """A harness in a new folder, with a configuration but without an unpacked package."""
    created = InstallHarness(tmp_path)
    created.write_document()
    yield created
    created.close()
