"""`acp-tui install` on the first control plane node, from the package to a verified cluster.

Package and installer are those of the practice, because the real ones are not public. All else is real: three OpenSSH
nodes, the signature, the preflight, the detached run, the one POST.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from pydantic import JsonValue

from acp_tui.demo.fake_installer import stop
from acp_tui.demo.installer_behaviour import Behaviour
from acp_tui.demo.package import PracticePackage, build_package
from tests.lab.kit.nodes import PASSWORD, Lab, LabNode
from tests.lab.kit.profiles import NodeProfile
from tests.support.fake_kubectl import make_cluster
from tests.support.kubectl_tables import self_signed

pytestmark = pytest.mark.lab

CANARY = "canary-5a1e77"
TO_CONFIRM = {
    "BND-FREE-100G": "a test machine has less",
    "HW-CPU-CLOCK": "a test machine may be slower",
    "HW-CPU-NOOVER": "virtual",
    "HW-MEM-NOOVER": "virtual",
    "HW-CPU-POWER": "virtual",
    "HW-DISK-SSD": "virtual",
    "HW-DISK-IOPS": "not measured here",
    "HW-DISK-TPUT": "not measured here",
    "PRE-INIT": "these nodes are made ready by the lab",
    "X-FIREWALL": "one bridge",
    "NETCFG-LAT-INTRA": "one bridge",
    "NETCFG-BW-INTRA": "one bridge",
    "LB-443": "no load balancer",
    "LB-6443": "no load balancer",
    "LB-11443": "no load balancer",
    "NETRES-VIP": "no load balancer",
    "VIP-FREE": "no load balancer",
}


def plan(nodes: list[LabNode], package: PracticePackage, vip: str, install_dir: Path) -> dict[str, JsonValue]:
    waivers: list[JsonValue] = [
        {"requirement": rule, "node": "*", "reason": reason, "by": "test"} for rule, reason in TO_CONFIRM.items()
    ]
    return {
        "release": "4.0",
        "scenario": "single-cluster",
        "package": {
            "core": str(package.core),
            "public_key": str(package.public_key),
            "fingerprint": package.fingerprint,
            "install_dir": str(install_dir),
        },
        "admin": {"password": CANARY},
        "ssh": {"username": "root", "password": PASSWORD},
        "nodes": [{"address": node.address, "deployable": True} for node in nodes],
        "address": {"cluster_endpoint": vip},
        "waivers": waivers,
    }


def acp_tui(node: LabNode, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command in the network and with the host name of this node, with its files below `folder`."""
    program = ("nsenter", "--target", str(node.pid), "--net", "--uts", "--", sys.executable, "-m", "acp_tui")
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder)}
    return subprocess.run(
        (*program, *arguments), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@contextmanager
def becoming_a_cluster(nodes: list[LabNode], vip: str, folder: Path, posted: Callable[[], bool]) -> Iterator[None]:
    """Turn the first node into a cluster, with console and registry at the VIP, once the configuration is `posted`."""
    pem = self_signed(folder, vip)
    serving = "import sys; from tests.support.kubectl_tables import serve; serve(*sys.argv[1:])"
    inside = ("nsenter", "--target", str(nodes[0].pid), "--net", "--", sys.executable, "-c", serving, vip, str(pem))
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
    servers: list[subprocess.Popen[bytes]] = []
    closed = threading.Event()

    def become() -> None:
        while not posted():
            if closed.wait(0.1):
                return
        make_cluster(nodes[0], [node.address for node in nodes])
        nodes[0].sh(f"ip addr add {vip}/32 dev lo")
        servers.append(subprocess.Popen(inside, env=paths))

    thread = threading.Thread(target=become)
    thread.start()
    try:
        yield
    finally:
        closed.set()
        thread.join()
        for server in servers:
            server.kill()
            server.wait()


def test_install_from_the_package_to_a_verified_cluster(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(NodeProfile(), NodeProfile(), NodeProfile())
    package = build_package(tmp_path / "package", Behaviour(seconds=2))
    answers = plan(nodes, package, lab.address(20), tmp_path / "cpaas-install")
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(answers), encoding="utf-8")

    posted = (tmp_path / "cpaas-install/installer/practice/posts.json").exists
    try:
        with becoming_a_cluster(nodes, lab.address(20), tmp_path, posted):
            done = acp_tui(nodes[0], tmp_path, "install", "plan.yaml", "--accept-new")
    finally:
        stop(tmp_path / "cpaas-install" / "installer" / "practice")

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"The install succeeded. The platform is at https://{lab.address(20)}" in done.stdout
    assert f"The cluster is installed and verified. The platform is at https://{lab.address(20)}" in done.stdout
    completion = next((tmp_path / "state" / "acp-tui" / "bundles").glob("*/completion.json"))
    assert json.loads(completion.read_text(encoding="utf-8"))["verified"] is True
    status = json.loads(acp_tui(nodes[0], tmp_path, "status", "--json").stdout)
    assert (status["phase"], status["post_status"]) == ("success", 200)
    posts = json.loads((tmp_path / "cpaas-install/installer/practice/posts.json").read_text(encoding="utf-8"))
    assert posts["count"] == 1
    assert CANARY not in done.stdout + done.stderr
    holding = [file for file in tmp_path.rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes()]
    assert holding == [tmp_path / "plan.yaml"], "the run's own bundle keeps no secrets after a success"
