"""Settings and markers of all tests. A test is skipped with a reason if its tool is missing."""

import locale
import os
import shutil
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from screens.formatting.glyphs import glyphs

if TYPE_CHECKING:
    from tests.lab.kit.nodes import Lab

# The time of an example depends on the machine, not on the code.
settings.register_profile("default", deadline=None)
settings.register_profile("nightly", deadline=None, max_examples=10_000)
# `make nightly`: 10,000 cases for each property.
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# Processes that a shell starts in the background ignore Ctrl-C, and their children inherit this.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reasons = {
        "lab": _missing_for_lab() if any(item.get_closest_marker("lab") for item in items) else "",
        "tmux": "" if shutil.which("tmux") else "needs tmux",
    }
    for item in items:
        for name, reason in reasons.items():
            if reason and item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=reason))


def _missing_for_lab() -> str:
    from tests.lab.kit.nodes import missing  # imported late: most runs need no lab

    return missing()


@pytest.fixture
def lab() -> "Iterator[Lab]":
    """Create a lab of real sshd nodes, without nodes at first: `lab.start(...)` adds them. For tests marked `lab`."""
    from tests.lab.kit.nodes import Lab  # imported late: most runs need no lab

    with Lab() as created:
        yield created


@pytest.fixture(autouse=True)
def rich_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Test screens with a terminal that has all features, independent of the current one."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(locale, "getpreferredencoding", lambda _do_setlocale=True: "UTF-8")
    glyphs.cache_clear()
    yield
    glyphs.cache_clear()
