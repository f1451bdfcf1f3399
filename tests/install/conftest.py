"""The harness for real install runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.install_harness import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Real install runs in a folder of their own, with a document to send and nothing unpacked yet."""
    made = Bench(tmp_path)
    made.write_document()
    yield made
    made.close()
