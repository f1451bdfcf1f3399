"""A full disk under the files of a run: log lines may be dropped, with a note; the install continues."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from acp_tui.demo.installer_behaviour import Behaviour
from acp_tui.install.run.state import Phase, status
from tests.support.install_harness import InstallHarness, wait, wait_until_at_rest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[InstallHarness]:
    created = InstallHarness(tmp_path)
    created.write_document()
    created.unpack(Behaviour(seconds=0.4, setup_seconds=0.1))
    disk = tmp_path / "state"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(disk)], check=True)
    yield created
    created.close()
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_full_disk_drops_log_lines_and_the_install_succeeds(harness: InstallHarness) -> None:
    setup = harness.setup_dir / "setup.sh"
    # With `set -e` a failed write would end setup.sh, and the install.
    verbose_setup = "set -e\nyes loading an image | head -c 20000000\n"
    setup.write_text(verbose_setup + setup.read_text(encoding="utf-8"), encoding="utf-8")
    run_dir = harness.start()
    assert wait_until_at_rest(run_dir).phase is Phase.SUCCESS
    assert harness.posts.count == 1
    log = (run_dir / "setup.log").read_text(encoding="utf-8")
    assert "bytes of the output were dropped, because the disk was full" in log
    assert log.startswith("loading an image\n")
    assert len(log) < 4_000_000


def test_configuration_is_not_sent_while_the_disk_is_full(harness: InstallHarness) -> None:
    setup = harness.setup_dir / "setup.sh"
    fill_disk = f"dd if=/dev/zero of={harness.root}/state/filler bs=4k || true\n"
    setup.write_text(fill_disk + setup.read_text(encoding="utf-8"), encoding="utf-8")
    run_dir = harness.start()
    state = wait(run_dir, lambda state: "full" in state.message)
    assert not state.at_rest
    wait(run_dir, lambda _state: (harness.setup_dir / "practice" / "pid").exists())
    assert harness.posts.count == 0
    (harness.root / "state" / "filler").unlink()
    assert wait_until_at_rest(run_dir).phase is Phase.SUCCESS
    assert harness.posts.count == 1
    assert "full" not in status(run_dir).message
