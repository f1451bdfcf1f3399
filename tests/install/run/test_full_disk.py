"""A full disk under the files of a run: log lines may be dropped, with a note; the install continues."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from acp_tui.demo.installer_behaviour import Behaviour
from acp_tui.install.run.state import Phase, status
from tests.support.install_harness import Bench, rest, wait

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.write_document()
    made.unpack(Behaviour(seconds=0.4, setup_seconds=0.1))
    disk = tmp_path / "state"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(disk)], check=True)
    yield made
    made.close()
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_log_that_fills_its_disk_costs_lines_and_not_the_install(bench: Bench) -> None:
    setup = bench.setup_dir / "setup.sh"
    # With `set -e` a failed write would end setup.sh, and the install.
    loud = "set -e\nyes loading an image | head -c 20000000\n"
    setup.write_text(loud + setup.read_text(encoding="utf-8"), encoding="utf-8")
    run_dir = bench.start()
    assert rest(run_dir).phase is Phase.SUCCESS
    assert bench.posts.count == 1
    log = (run_dir / "setup.log").read_text(encoding="utf-8")
    assert "bytes dropped: disk full" in log
    assert log.startswith("loading an image\n")
    assert len(log) < 4_000_000


def test_on_a_full_disk_nothing_is_sent_until_there_is_room(bench: Bench) -> None:
    setup = bench.setup_dir / "setup.sh"
    full = f"dd if=/dev/zero of={bench.root}/state/filler bs=4k || true\n"
    setup.write_text(full + setup.read_text(encoding="utf-8"), encoding="utf-8")
    run_dir = bench.start()
    state = wait(run_dir, lambda state: "full" in state.message)
    assert not state.at_rest
    wait(run_dir, lambda _state: (bench.setup_dir / "practice" / "pid").exists())
    assert bench.posts.count == 0
    (bench.root / "state" / "filler").unlink()
    assert rest(run_dir).phase is Phase.SUCCESS
    assert bench.posts.count == 1
    assert "full" not in status(run_dir).message
