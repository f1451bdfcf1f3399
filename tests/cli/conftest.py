"""Fixtures with bundles, plain and encrypted, and with their plan."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bundles import PHRASE, bundle, write_plan


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A plan file whose only node is a closed port on this host."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return write_plan(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Bundles that are written once: `plain` and, if gpg is installed, `sealed`."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        plan = write_plan(folder)
        (folder / "phrase").write_text(f"{PHRASE}\n")
        bundles = {"plain": bundle(plan, "plain")}
        if shutil.which("gpg"):
            bundles["sealed"] = bundle(plan, "sealed", "--passphrase-file", str(folder / "phrase"))
        yield bundles


@pytest.fixture
def plain(made: dict[str, Path], plan: Path) -> Path:
    return Path(shutil.copytree(made["plain"], plan.parent.parent / "bundle"))


@pytest.fixture
def sealed(made: dict[str, Path], plan: Path) -> Path:
    return Path(shutil.copytree(made["sealed"], plan.parent.parent / "bundle"))


@pytest.fixture
def phrase_file(tmp_path: Path) -> str:
    (tmp_path / "phrase").write_text(f"{PHRASE}\n")
    return str(tmp_path / "phrase")
