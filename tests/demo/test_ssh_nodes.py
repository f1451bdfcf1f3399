"""Practice nodes over SSH: they run the script and the fixes, and execute no command on this host."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest

from acp_tui.demo.machine_profile import NOT_SIMULATED, base, cluster, recording
from acp_tui.demo.ssh_nodes import PASSWORD, USERNAME, PracticeNode, serve
from acp_tui.install.verify.diagnosis import diagnosis_collectors
from acp_tui.install.verify.queries import verify_collectors
from acp_tui.nodes.collectors import COLLECTORS, facts_from
from acp_tui.nodes.collectors.connectivity import NodeTestSpec, collectors_for
from acp_tui.nodes.path_summary import Peer, peers_of
from acp_tui.nodes.script import LAUNCH, Reader, build

CP1, CP2, CP3, WK1 = "192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.21"


@asynccontextmanager
async def served(folder: Path, *, faults: bool = True) -> AsyncIterator[Mapping[str, PracticeNode]]:
    async with serve(cluster().machines, folder, faults=faults, seconds=0) as nodes:
        yield nodes


@asynccontextmanager
async def login(node: PracticeNode, password: str = PASSWORD) -> AsyncIterator[asyncssh.SSHClientConnection]:
    async with asyncssh.connect(
        "127.0.0.1", node.port, username=USERNAME, password=password, known_hosts=None, client_keys=None, config=None
    ) as connection:
        yield connection


async def run(node: PracticeNode, command: str) -> tuple[int | None, str]:
    async with login(node) as connection:
        done = await connection.run(command)
    return done.exit_status, str(done.stdout)


def test_practice_nodes_have_output_for_every_collector() -> None:
    peers = peers_of((Peer("a", 22, (22,)), Peer("b", 22, (22,))), 0.002)
    spec = NodeTestSpec((("a", 1),), peers, names=("a",), vip="a", registry=("a", 1), install_folder="/a")
    connectivity = collectors_for(spec)
    names = {
        collector.name
        for collector in (*COLLECTORS, *connectivity, *verify_collectors("4.3"), *diagnosis_collectors("4.3"))
    }
    assert set(base().answers) <= names, "a template of a removed collector"
    assert names <= set(base().answers) | set(recording())


async def test_a_practice_node_answers_the_script(tmp_path: Path) -> None:
    async with served(tmp_path) as nodes, login(nodes[CP1]) as connection:
        done = await connection.run(LAUNCH, input=build(COLLECTORS, "0123abcd").encode(), encoding=None)
    output = done.stdout
    assert isinstance(output, bytes)
    facts = facts_from(CP1, Reader("0123abcd").feed(output), no_output="lost")
    assert (facts.hostname, facts.os_version_id, facts.cpu_count) == ("practice-cp-1", "22.04", 16)
    assert set(facts.missing) == {"cpu_threads", "rpm_packages"}, (
        "no rpm on Ubuntu, and no threads on a virtual machine"
    )


@pytest.mark.parametrize(
    "commands", ["systemctl disable --now ufw", "# a comment\n\nsudo systemctl disable --now ufw  # and another\n"]
)
async def test_a_fix_changes_the_node(tmp_path: Path, commands: str) -> None:
    async with served(tmp_path) as nodes:
        assert (await run(nodes[CP2], "systemctl is-enabled ufw"))[1] == "enabled\n"
        assert (await run(nodes[CP2], commands))[0] == 0
        assert (await run(nodes[CP2], "systemctl is-enabled ufw"))[1] == "disabled\n"


async def test_commands_of_one_line_run_in_order(tmp_path: Path) -> None:
    async with served(tmp_path) as nodes:
        status, output = await run(nodes[WK1], "hostnamectl set-hostname practice-wk-1 && hostname; uname -n")
    assert (status, output) == (0, "practice-wk-1\npractice-wk-1\n")


async def test_other_commands_are_rejected_and_never_executed(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    async with served(tmp_path / "nodes") as nodes:
        for command in (
            f"touch {trace}",
            f"hostname; touch {trace}",
            f"bash -c 'touch {trace}'",
            f"hostname $(touch {trace})",
        ):
            status, output = await run(nodes[CP1], command)
            assert status == 127
            assert NOT_SIMULATED in output
    assert not trace.exists()


async def test_an_open_shell_does_not_block_the_shutdown(tmp_path: Path) -> None:
    async with asyncio.timeout(10), served(tmp_path) as nodes:
        connection = await asyncssh.connect(
            "127.0.0.1", nodes[CP1].port, username=USERNAME, password=PASSWORD, known_hosts=None, config=None
        )
        shell = await connection.create_process()
        assert (await shell.stdout.readline()).startswith("PRACTICE node")
    await connection.wait_closed()


async def test_a_wrong_password_is_rejected(tmp_path: Path) -> None:
    async with served(tmp_path) as nodes:
        with pytest.raises(asyncssh.PermissionDenied):
            async with login(nodes[CP1], "guess"):
                pass


async def test_nodes_keep_keys_and_fixes_in_their_folder(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        async with served(tmp_path) as nodes:
            async with login(nodes[CP2]) as connection:
                key = connection.get_server_host_key()
                assert key is not None
                keys.append(key.get_fingerprint())
            await run(nodes[CP2], "systemctl disable --now ufw")
    async with served(tmp_path) as nodes:
        assert (await run(nodes[CP2], "systemctl is-enabled ufw"))[1] == "disabled\n"
    assert keys[0] == keys[1]


@pytest.mark.skipif(shutil.which("ssh") is None, reason="needs the OpenSSH client")
async def test_login_with_openssh(tmp_path: Path) -> None:
    askpass = tmp_path / "askpass"
    askpass.write_text(f"#!/bin/sh\necho {PASSWORD}\n")
    askpass.chmod(0o700)
    environment = {**os.environ, "SSH_ASKPASS": str(askpass), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":"}
    options = [
        "-F",
        "none",
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
        "-o",
        "LogLevel=ERROR",
    ]
    async with served(tmp_path / "nodes") as nodes:
        client = await asyncio.create_subprocess_exec(
            *("ssh", "-tt", *options, "-p", str(nodes[WK1].port), f"{USERNAME}@127.0.0.1"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environment,
        )
        output, _ = await client.communicate(b"hostnamectl set-hostname practice-wk-1\rhostname\rls\rexit\r")
    assert client.returncode == 0
    assert b"root@Practice-WK-1:~# " in output
    assert b":~# practice-wk-1\r\n" in output
    assert NOT_SIMULATED.encode() in output
