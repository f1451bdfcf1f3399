"""Fixes that remove folders or packages from real nodes: only if named, and shown before."""

from pathlib import Path

import pytest

from tests.lab.kit import faults as f
from tests.lab.kit.check_run import check
from tests.lab.kit.fix_run import fix, single
from tests.lab.kit.nodes import Lab
from tests.lab.kit.profiles import Fault, NodeProfile
from tests.lab.kit.shell import program

pytestmark = pytest.mark.lab


def test_folders_are_removed_only_if_named_and_shown_before(lab: Lab, tmp_path: Path) -> None:
    mounted = Fault("a volume in it", "mkdir -p /var/lib/containerd/x; mount -t tmpfs lab /var/lib/containerd/x")
    full = Fault("something in it", "mkdir -p /var/lib/docker; echo precious >/var/lib/docker/data")
    expected = {"FS-DIR-DOCKER": "fail", "FS-DIR-CONTAINERD": "fail"}
    [node] = lab.start(NodeProfile("centos-7.9", (full, mounted)))
    answers = single(node)
    assert (
        "only if you name them with --only: FS-DIR-DOCKER, FS-DIR-CONTAINERD" in fix(tmp_path, answers, "--yes").output
    )
    assert check(tmp_path, answers).outcomes[node.address] == expected

    shown = fix(tmp_path, answers, "--only", "FS-DIR-DOCKER")
    assert shown.status == 1
    assert "/var/lib/docker/data" in shown.output
    assert "newest file: 20" in shown.output
    assert node.sh("cat /var/lib/docker/data") == "precious\n"

    done = fix(tmp_path, answers, "--yes", "--only", "FS-DIR-DOCKER", "--only", "FS-DIR-CONTAINERD")
    assert done.status == 1
    assert "/var/lib/containerd/x is mounted" in done.errors
    assert check(tmp_path, answers).outcomes[node.address] == {"FS-DIR-CONTAINERD": "fail"}


def test_leftovers_are_shown_then_moved_and_undo_brings_them_back(lab: Lab, tmp_path: Path) -> None:
    config = "/etc/cni/net.d/10-flannel.conflist"
    network = Fault(
        "the network of a former cluster",
        "mkdir -p /etc/cni/net.d /var/lib/cni/networks/cbr0; ip link add cni0 type bridge; "
        f'echo \'{{"plugins":[{{"type":"flannel"}}]}}\' >{config}; touch /var/lib/cni/networks/cbr0/10.244.1.7',
    )
    [node] = lab.start(NodeProfile("centos-7.9", (network,)))
    answers = single(node)
    assert check(tmp_path, answers).outcomes[node.address] == {"CAP-FRESH-ENV": "fail"}
    unnamed = fix(tmp_path, answers, "--yes")
    assert "only if you name them with --only: CAP-FRESH-ENV" in unnamed.output

    named = fix(tmp_path, answers, "--yes", "--only", "CAP-FRESH-ENV")
    assert config in named.output
    assert "newest file: 20" in named.output
    assert named.status == 0
    assert node.sh(f"ls {config} /var/lib/cni /sys/class/net/cni0 2>/dev/null | cat") == ""
    assert check(tmp_path, answers).outcomes[node.address] == {}

    node.sh("bash $(ls -d /var/backups/acp-tui/*/undo.sh | tail -n 1)")
    assert check(tmp_path, answers).outcomes[node.address] == {"CAP-FRESH-ENV": "fail"}


def test_packages_are_removed_only_if_named_and_dependants_are_shown(lab: Lab, tmp_path: Path) -> None:
    yum = program(
        "/usr/bin/yum",
        "case $* in\n"
        "  'remove --assumeno docker-ce') printf 'Loaded\\nRemoving:\\n docker-ce 20.10 90 M\\n"
        "Removing for dependencies:\\n rootless-extras 20 M\\n\\nTransaction Summary\\n' ;;\n"
        "  'remove -y docker-ce') sed -i /docker-ce/d /usr/lib/lab/rpms ;;\n"
        "  *) exit 9 ;;\n"
        "esac",
    )
    [node] = lab.start(NodeProfile("centos-7.9", (f.DOCKER_RPM, Fault("a yum", yum))))
    answers = single(node)
    unnamed = fix(tmp_path, answers, "--yes")
    assert (unnamed.status, "docker-ce" in node.sh("cat /usr/lib/lab/rpms")) == (1, True)
    named = fix(tmp_path, answers, "--yes", "--only", "PKG-CONFLICT-RPM")
    assert "rootless-extras 20 M" in named.output
    assert (named.status, "docker-ce" in node.sh("cat /usr/lib/lab/rpms")) == (0, False)
