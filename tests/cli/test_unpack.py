"""Tests that `acp-tui unpack`, ended by a signal, removes its partial files."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.gpg_signer import Signer
from tests.support.package_builder import core

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")


@pytest.mark.parametrize(
    ("ended_by", "status"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)],
    ids=lambda one: str(one),
)
def test_signal_ends_without_partial_files(tmp_path: Path, ended_by: signal.Signals, status: int) -> None:
    signer, package, marker = Signer(), core(tmp_path), tmp_path / "verifying"
    try:
        fingerprint = signer.make_key("vendor")
        package.with_name(f"{package.name}.sig").write_bytes(signer.sign("vendor", package))
        (tmp_path / "key.pub").write_bytes(signer.export("vendor"))
    finally:
        signer.close()
    gpg = tmp_path / "bin" / "gpg"
    gpg.parent.mkdir()
    slow = f'case "$*" in *--verify*) touch {marker}; sleep 1;; esac'
    gpg.write_text(f'#!/bin/sh\n{slow}\nexec {shutil.which("gpg")} "$@"\n')
    gpg.chmod(0o755)
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        f"acp_tui: 1\nscenario: single-cluster\npackage: {{core: {package}, public_key: {tmp_path}/key.pub,"
        f" fingerprint: {fingerprint}, install_dir: {tmp_path}/target}}\n"
    )
    environment = {**os.environ, "PATH": f"{gpg.parent}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "acp_tui", "unpack", str(plan)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as running:
        while not marker.exists() and running.poll() is None:
            time.sleep(0.01)
        running.send_signal(ended_by)
        errors = running.communicate()[1]
    assert (running.returncode, errors) == (status, b"")
    assert list((tmp_path / "target").iterdir()) == []
