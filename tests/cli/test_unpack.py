"""Tests that `acp-tui unpack`, ended by a signal, removes its partial files."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acp_tui.cli.main import main
from acp_tui.core.errors import ExitStatus
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


def test_unpacked_package_without_a_signature_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = core(tmp_path)
    plan = tmp_path / "plan.yaml"
    waiver = "{requirement: BND-SIGN, reason: lab, by: me}"
    plan.write_text(f"package: {{core: {package}, install_dir: target}}\nwaivers: [{waiver}]\n")
    for message in ("The packages are unpacked in", "The packages are already unpacked in"):
        assert main(["unpack", str(plan)]) == ExitStatus.DONE
        error = capsys.readouterr().err
        assert f"NOT VERIFIED: {package.name}: the signature file is missing" in error
        assert f"{message} {tmp_path}/target" in error


def test_other_key_is_a_warning_of_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    signer, package = Signer(), core(tmp_path)
    try:
        fingerprint = signer.make_key("somebody")
        package.with_name(f"{package.name}.sig").write_bytes(signer.sign("somebody", package))
        (tmp_path / "key.pub").write_bytes(signer.export("somebody"))
    finally:
        signer.close()
    command = ["verify", str(package), "--key", str(tmp_path / "key.pub"), "--fingerprint", fingerprint]
    assert main(command) == ExitStatus.DONE
    assert "instead of the vendor's key 09EE E7B9" in capsys.readouterr().out
