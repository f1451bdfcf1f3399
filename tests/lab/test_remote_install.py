"""`acp-tui install` on a host that is not a node: it copies all files to the installer node and installs there.

The connection is lost in some of the tests.
"""

import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

import pytest
import yaml
from pydantic import SecretStr

import acp_tui
from acp_tui.demo.installer_behaviour import Behaviour
from acp_tui.demo.package import build_package
from acp_tui.install.remote.start_and_follow import RemoteInstallError, acquire_upload_lock, refresh_upload_lock
from acp_tui.nodes.ssh.connect import connect
from acp_tui.nodes.ssh.target import Target
from acp_tui.plan.known_hosts import confirmed
from tests.lab.kit.nodes import Lab, LabNode
from tests.lab.kit.profiles import NodeProfile
from tests.lab.test_end_to_end import CANARY, becoming_a_cluster, plan
from tests.support.tmux_wizard import confirm_host_keys, wizard

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]  # each checks three nodes twice, and installs

PLACE = "/root/acp-tui-install"


@pytest.fixture
def nodes(lab: Lab, tmp_path: Path) -> Iterator[list[LabNode]]:
    """Three nodes, with a package and a plan in `tmp_path`. The first node has acp-tui and becomes a cluster."""
    ours = (Path(acp_tui.__file__).parents[1], Path(sys.base_prefix))
    nodes = lab.start(NodeProfile(shared=ours), NodeProfile(), NodeProfile())
    package = build_package(tmp_path / "package", Behaviour(seconds=2))
    answers = plan(nodes, package, lab.address(20), Path("/root/cpaas-install"))
    file = tmp_path / "plan.yaml"
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(answers), encoding="utf-8")
    program = f'#!/bin/sh\nexec {quote(sys.executable)} -m acp_tui "$@"\n'
    nodes[0].sh(f"printf %s {quote(program)} >/usr/local/bin/acp-tui; chmod 755 /usr/local/bin/acp-tui")
    read_posts = "cat /root/cpaas-install/installer/practice/posts.json 2>/dev/null; true"
    with becoming_a_cluster(nodes, lab.address(20), tmp_path, lambda: nodes[0].sh(read_posts) != ""):
        yield nodes


def start_install(folder: Path) -> "subprocess.Popen[str]":
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder)}
    return subprocess.Popen(
        (sys.executable, "-m", "acp_tui", "install", "plan.yaml", "--accept-new"),
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def posts(node: LabNode) -> int:
    count: int = json.loads(node.sh("cat /root/cpaas-install/installer/practice/posts.json"))["count"]
    return count


def no_secret(node: LabNode) -> bool:
    return node.sh(f"grep -rl {CANARY} {PLACE} /root/.local 2>/dev/null || true") == ""


def test_install_runs_on_the_node_and_its_result_is_returned(nodes: list[LabNode], tmp_path: Path) -> None:
    with start_install(tmp_path) as command:
        output, errors = command.communicate()
    assert command.returncode == 0, output + errors
    assert "The install succeeded. The platform is at https://" in errors
    assert posts(nodes[0]) == 1
    assert no_secret(nodes[0])
    assert CANARY not in output + errors
    holding = [
        file for file in (tmp_path / "state").rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes()
    ]
    assert holding == []


def test_install_continues_after_this_command_is_killed(nodes: list[LabNode], tmp_path: Path) -> None:
    """The command is killed while the install runs; run again, it follows the same install."""
    with start_install(tmp_path) as first:
        assert first.stderr is not None
        for line in first.stderr:
            if "acp-tui attach or this command again" in line:
                break
        first.send_signal(signal.SIGKILL)
    with start_install(tmp_path) as second:
        output, errors = second.communicate()
    assert second.returncode == 0, output + errors
    assert "An install is already running on" in errors or "The install succeeded." in errors
    assert posts(nodes[0]) == 1


def test_lost_connection_is_retried(nodes: list[LabNode], tmp_path: Path) -> None:
    with start_install(tmp_path) as command:
        assert command.stderr is not None
        lines = iter(command.stderr)
        # From this line on the preflight is over, so only the connection that follows the install is cut.
        assert any("The install now runs in the background" in line for line in lines)
        nodes[0].sh("until pkill -KILL -f '[s]shd: root@'; do sleep 0.02; done")
        rest = "".join(lines)
    assert command.returncode == 0, rest
    assert "acp-tui retries in" in rest
    assert "The install succeeded." in rest


def command(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder)}
    return subprocess.run(
        (sys.executable, "-m", "acp_tui", *arguments), cwd=folder, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
CHECKOUT = Path(acp_tui.__file__).parents[1]


def tool(name: str, *lines: str) -> str:
    """Return shell text that creates a program on the node."""
    text = quote("\n".join(("#!/bin/sh", *lines, "")))
    return f"mkdir -p {Path(name).parent}; printf %s {text} >{name}.new; chmod 755 {name}.new; mv {name}.new {name}"


def without_acp_tui(node: LabNode, *python: str) -> None:
    """Remove acp-tui and its virtual environment from the node. `python`: lines that its Python runs first.

    The fake installer, which is part of the checkout, moves to another folder."""
    node.sh(f"mkdir /root/checkout; mount --bind {CHECKOUT} /root/checkout; mount -t tmpfs lab {CHECKOUT}")
    node.sh("rm /usr/local/bin/acp-tui")
    moved = f'PYTHONPATH=/root/checkout exec /root/checkout/{Path(sys.executable).relative_to(CHECKOUT)} "$@"'
    node.sh(tool(sys.executable, moved))
    for name in (PYTHON, "python3"):
        node.sh(tool(f"/usr/bin/{name}", *python, f'exec {sys.base_prefix}/bin/{PYTHON} "$@"'))


def test_missing_acp_tui_is_copied_to_the_node(nodes: list[LabNode], tmp_path: Path) -> None:
    """The node has the same version of Python, and another version of acp-tui, which counts as missing.

    It also has a program of a user who is not root. Root does not run this program."""
    without_acp_tui(nodes[0])
    nodes[0].sh(tool("/usr/local/bin/acp-tui", "echo acp-tui 0.0.1"))
    attack = "/usr/local/sbin/acp-tui"
    nodes[0].sh(tool(attack, "touch /root/attacked", f"echo acp-tui {acp_tui.__version__}"))
    nodes[0].sh(f"chown nobody {attack}")
    with start_install(tmp_path) as run:
        output, errors = run.communicate()
    assert run.returncode == 0, output + errors
    assert "It is copied now" in errors
    assert nodes[0].sh("ls /root/attacked 2>/dev/null || true") == ""
    assert posts(nodes[0]) == 1
    assert no_secret(nodes[0])
    status = command(tmp_path, "status", "--json")
    assert json.loads(status.stdout)["phase"] == "success", status.stderr
    followed = command(tmp_path, "attach")
    assert followed.returncode == 0
    assert "The cluster is installed and verified" in followed.stderr


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (
            ("/usr/bin/python3", "echo cpython-36"),
            f"requires Python {PYTHON[6:]} on the node. Python versions on the node: python3 (cpython-36)",
        ),
        (("/usr/bin/uname", "echo armv7l"), f"is for the architecture {platform.machine()}, but the node has armv7l"),
    ],
)
def test_unsuitable_node_is_reported_before_anything_is_copied(
    nodes: list[LabNode], tmp_path: Path, fault: tuple[str, str], why: str
) -> None:
    without_acp_tui(nodes[0])
    nodes[0].sh(f"rm /usr/bin/{PYTHON}; {tool(*fault)}")
    with start_install(tmp_path) as run:
        output, errors = run.communicate()
    assert (run.returncode, output) == (3, ""), errors
    assert why in errors
    assert f"install acp-tui {acp_tui.__version__} in a folder of the node's PATH" in errors
    assert nodes[0].sh(f"ls {PLACE} 2>/dev/null || true") == ""


def test_package_is_not_copied_if_acp_tui_does_not_run_on_the_node(nodes: list[LabNode], tmp_path: Path) -> None:
    """The Python of the node cannot run acp-tui."""
    without_acp_tui(nodes[0], "unset PYTHONPATH")
    with start_install(tmp_path) as run:
        output, errors = run.communicate()
    assert (run.returncode, output) == (3, ""), errors
    assert "it does not run on the node: ModuleNotFoundError: No module named 'acp_tui'" in errors
    assert "package" not in nodes[0].sh(f"ls {PLACE}").split()


async def test_second_host_can_take_over_only_after_a_timeout(lab: Lab) -> None:
    """The claim of the first host holds while it is renewed. After a takeover the first host gets an error."""
    [node] = lab.start(NodeProfile())
    login = Target(node.address, node.address, node.port, "root", SecretStr(node.password))
    connection = await connect(login, confirmed(node.host_key), lambda stage: None)
    node.sh(f"mkdir {PLACE}")
    await acquire_upload_lock(connection, PLACE, "root@one 1")
    with pytest.raises(RemoteInstallError, match="root@one is already uploading the files of an install"):
        await acquire_upload_lock(connection, PLACE, "root@two 2")
    await acquire_upload_lock(connection, PLACE, "root@one 3")
    with pytest.raises(RemoteInstallError):
        await refresh_upload_lock(connection, PLACE, "root@one 1")
    node.sh(f"touch -d '5 minutes ago' {PLACE}/sender")
    await refresh_upload_lock(connection, PLACE, "root@one 3")
    with pytest.raises(RemoteInstallError):
        await acquire_upload_lock(connection, PLACE, "root@two 2")
    node.sh(f"touch -d '5 minutes ago' {PLACE}/sender")
    await acquire_upload_lock(connection, PLACE, "root@two 2")
    with pytest.raises(RemoteInstallError):
        await refresh_upload_lock(connection, PLACE, "root@one 3")
    await connection.close()


STEPS = ("Nodes", "Network", "Address", "Certificate", "Registry", "Isolation", "Preflight", "Review", "Install")


@pytest.mark.tmux
def test_wizard_suspends_its_screen_for_the_remote_install(nodes: list[LabNode], tmp_path: Path) -> None:
    """This host is not a node. After the install its files hold no secrets."""
    with wizard(tmp_path, "plan.yaml") as window:
        window.wait_for("▸ Package")
        for step in STEPS:
            window.keys("C-n")
            if step == "Nodes":
                confirm_host_keys(window)
            window.wait_for(f"▸ {step}")
        window.wait_for("Nodes 3/3")
        window.keys("s")
        window.wait_for("is another host")
        window.keys("y")
        window.wait_for("Press Enter to return to the wizard", seconds=100)
        assert "The cluster is installed and verified" in window.screen()
        window.keys("Enter")
        window.wait_for("Run `acp-tui status` to check it")
    assert posts(nodes[0]) == 1
    assert no_secret(nodes[0])
    holding = [
        file for file in (tmp_path / "state").rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes()
    ]
    assert holding == []
    status = command(tmp_path, "status")
    assert (status.returncode, "ended with exit status 0" in status.stderr) == (0, True)
