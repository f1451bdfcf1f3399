"""Collectors of installed software and folders, run by bash on test files."""

import subprocess
from dataclasses import replace
from pathlib import Path

from acp_tui.nodes.collectors import COLLECTORS, facts_from
from acp_tui.nodes.fact_types import Directory
from acp_tui.nodes.script import Reader, build
from tests.support.collector_shell import MARKER, facts_of, put


def test_tmp_options_of_a_linked_tmp(tmp_path: Path) -> None:
    (tmp_path / "var/tmp").mkdir(parents=True)
    (tmp_path / "tmp").symlink_to(tmp_path / "var/tmp")
    put(
        tmp_path,
        {"/proc/mounts": f"a / ext4 rw 0 0\nb {tmp_path}/var ext4 rw,noexec 0 0\nc {tmp_path}/v ext4 ro 0 0\n"},
    )
    shell = next(s.shell for s in COLLECTORS if s.name == "tmp").replace("/tmp", f"{tmp_path}/tmp")
    collector = replace(
        next(s for s in COLLECTORS if s.name == "tmp"), shell=shell.replace("/proc/", f"{tmp_path}/proc/")
    )
    completed = subprocess.run(
        ["bash", "-s"], input=build([collector], MARKER).encode(), capture_output=True, check=True
    )
    assert facts_from("x", Reader(MARKER).feed(completed.stdout), None, (collector,)).tmp_options == ("rw", "noexec")


def test_state_of_directories(tmp_path: Path) -> None:
    for name in ("var/lib/docker/overlay2", "var/lib/containerd/lost+found", "var/lib/kubelet", "var/log", "opt"):
        (tmp_path / name).mkdir(parents=True)
    put(
        tmp_path,
        {"/proc/mounts": f"/dev/sdb1 {tmp_path}/var/lib/containerd ext4 rw 0 0\n", "/var/lib/docker/a": "x" * 9},
    )
    facts = facts_of("directories", tmp_path, "/var/l", "/opt/nerdctl", "/proc/mounts")
    directories = facts.directories
    assert directories is not None
    assert directories["/var/log/pods"] == Directory(exists=False)
    assert (directories["/var/lib/containerd"].empty, directories["/var/lib/containerd"].mount_point) == (True, True)
    docker = directories["/var/lib/docker"]
    assert (docker.exists, docker.empty, docker.mount_point) == (True, False, False)
    assert docker.size is not None
    assert docker.size > 0
    assert docker.newest


def test_the_installer_container_is_found(tmp_path: Path) -> None:
    assert facts_of("installer", tmp_path, tools={"nerdctl": "echo minialauda-control-plane"}).installer_running is True
    assert facts_of("installer", tmp_path, tools={"nerdctl": "echo other"}).installer_running is False
