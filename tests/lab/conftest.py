"""Fixtures of the tests with real sshd nodes."""

import pytest

from tests.lab.kit.nodes import Lab, LabNode
from tests.lab.kit.profiles import NodeProfile


@pytest.fixture
def nodes(lab: Lab) -> list[LabNode]:
    """Three healthy nodes."""
    return lab.start(*[NodeProfile()] * 3)
