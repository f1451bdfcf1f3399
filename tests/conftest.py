"""What all tests share: a test whose tool is not here skips itself and names it."""

import locale
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import install_bench
import lab_nodes
import pytest
from hypothesis import settings

from screens.formatting.glyphs import glyphs

# How long an example takes says something about the machine, not about the code.
settings.register_profile("default", deadline=None)
settings.register_profile("nightly", deadline=None, max_examples=10_000)
# `make nightly`: 10,000 cases for each property.
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# A shell that starts the tests in its background has them ignore Ctrl-C, and so would all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reasons = {
        "lab": lab_nodes.missing() if any(item.get_closest_marker("lab") for item in items) else "",
        "tmux": "" if shutil.which("tmux") else "needs tmux",
    }
    for item in items:
        for name, reason in reasons.items():
            if reason and item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def lab() -> Iterator[lab_nodes.Lab]:
    """A new lab of real sshd nodes, without nodes yet: `lab.start(...)` adds them. For tests marked `lab`."""
    with lab_nodes.Lab() as made:
        yield made


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[install_bench.Bench]:
    """Real install runs in a folder of their own, with a document to send and nothing unpacked yet."""
    made = install_bench.Bench(tmp_path)
    made.write_document()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def rich_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Screens under test are shown by a terminal that can show everything, whatever this one can."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(locale, "getpreferredencoding", lambda _do_setlocale=True: "UTF-8")
    glyphs.cache_clear()
    yield
    glyphs.cache_clear()
