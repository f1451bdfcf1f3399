"""Upload of files to a node over SFTP: resume, checksum, free space, and lost connections."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from acp_tui.core.events import Progress
from acp_tui.nodes.ssh.connect import connect
from acp_tui.nodes.ssh.errors import ConnectionLost
from acp_tui.nodes.ssh.sftp import Files, Upload, UploadError
from acp_tui.nodes.ssh.target import Target
from acp_tui.plan.known_hosts import confirmed
from tests.lab.kit.nodes import Lab, LabNode
from tests.lab.kit.profiles import Fault, NodeProfile

pytestmark = pytest.mark.lab

_SIZE = 24 * 1024 * 1024


@pytest_asyncio.fixture
async def remote(lab: Lab) -> AsyncIterator[tuple[LabNode, Files]]:
    [node] = lab.start(NodeProfile())
    target = Target(node.address, node.address, node.port, "root", SecretStr(node.password))
    connection = await connect(target, confirmed(node.host_key), lambda stage: None)
    yield node, await Files.of(connection)
    await connection.close()


@pytest.fixture
def package(tmp_path: Path) -> Upload:
    file = tmp_path / "package.tar"
    file.write_bytes(os.urandom(_SIZE))
    return Upload(file, "/root/in/package.tar")


async def send(files: Files, upload: Upload) -> list[Progress]:
    progress: list[Progress] = []
    await files.folder("/root/in")
    await files.send(upload, progress.append)
    return progress


def same_checksum(node: LabNode, upload: Upload, tmp_path: Path) -> bool:
    sums = tmp_path / "sums"
    sums.write_text(node.sh(f"sha256sum <{upload.remote}"), encoding="ascii")
    return os.popen(f"sha256sum <{upload.local}").read() == sums.read_text(encoding="ascii")  # noqa: S605 - ours


async def test_complete_file_is_not_uploaded_again(
    remote: tuple[LabNode, Files], package: Upload, tmp_path: Path
) -> None:
    node, files = remote
    progress = await send(files, package)
    assert same_checksum(node, package, tmp_path)
    assert [progress[-1].done, progress[-1].total] == [_SIZE, _SIZE]
    assert node.sh("stat -c %a /root/in /root/in/package.tar").split() == ["700", "600"]
    assert len(await send(files, package)) == 1, "the file is complete: nothing is sent"


async def test_partial_upload_is_resumed(remote: tuple[LabNode, Files], package: Upload, tmp_path: Path) -> None:
    node, files = remote
    await send(files, package)
    node.sh(f"cd /root/in; head -c {_SIZE // 2} package.tar >package.tar.part; rm package.tar")
    progress = await send(files, package)
    assert same_checksum(node, package, tmp_path)
    assert progress[0].done >= _SIZE // 2, "the first half was not sent again"


@pytest.mark.parametrize(
    "damage",
    [
        "head -c 12000000 /dev/urandom >package.tar.part",
        "head -c 99000000 /dev/zero >package.tar.part",
        "echo another version >package.tar",
    ],
)
async def test_other_content_on_the_node_is_replaced(
    remote: tuple[LabNode, Files], package: Upload, tmp_path: Path, damage: str
) -> None:
    node, files = remote
    node.sh(f"mkdir /root/in; cd /root/in; {damage}")
    await send(files, package)
    assert same_checksum(node, package, tmp_path)
    assert node.sh("ls /root/in").split() == ["package.tar"]


async def test_too_little_free_space_is_an_error(remote: tuple[LabNode, Files], package: Upload) -> None:
    node, files = remote
    node.sh("mkdir /root/in; mount -t tmpfs -o size=8m small /root/in")
    with pytest.raises(
        UploadError, match=r"upload of package.tar needs 26 MB, but .*/root/in on the node has 8 MB of free"
    ):
        await send(files, package)


async def test_lost_connection_and_rejected_file_are_different_errors(
    remote: tuple[LabNode, Files], package: Upload
) -> None:
    node, files = remote
    node.sh("echo file >/root/in")
    with pytest.raises(UploadError, match="/root/in"):
        await send(files, package)
    node.sh("rm /root/in")

    def cut(progress: Progress) -> None:
        if progress.done < _SIZE // 2:
            node.sh("pkill -KILL -f '[s]shd: root@' || true")

    await files.folder("/root/in")
    with pytest.raises(ConnectionLost):
        await files.send(package, cut)


@pytest.mark.parametrize("wait", [0, 0.3])
async def test_connection_broken_before_a_channel_opens_is_lost(remote: tuple[LabNode, Files], wait: float) -> None:
    """A lost connection is retried; a node that rejects a session is not."""
    node, files = remote
    node.sh("pkill -KILL -f '[s]shd: root@'")
    await asyncio.sleep(wait)  # the end of the connection is noticed while the channel is opened, or before
    with pytest.raises(ConnectionLost):
        await Files.of(files._connection)
    with pytest.raises(ConnectionLost):
        async for _chunk in files._connection.run("true", "", lambda stage: None, 5):
            pass


async def test_text_of_a_start_up_file_is_named_as_the_cause(lab: Lab) -> None:
    settings = "/etc/ssh/sshd_config"
    noise = Fault(
        "text of .bashrc",
        f"sed -i 's|^Subsystem.*|Subsystem sftp /usr/lib/openssh/sftp-server|' {settings}; "
        "echo 'echo welcome' >/root/.bashrc",
    )
    [node] = lab.start(NodeProfile(faults=(noise,)))
    target = Target(node.address, node.address, node.port, "root", SecretStr(node.password))
    connection = await connect(target, confirmed(node.host_key), lambda stage: None)
    with pytest.raises(UploadError, match=r"a start-up file of the shell \(\.bashrc\) prints text"):
        await Files.of(connection)
    await connection.close()
