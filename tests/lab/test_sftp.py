"""Files on their way to a node: gone on with where they stopped, proved by their sum, refused without room."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from acp_tui.core.events import Progress
from acp_tui.nodes.ssh.connection import ConnectionLost, Target, connect
from acp_tui.nodes.ssh.sftp import Files, Upload, UploadError
from tests.lab.kit.nodes import Lab, LabNode
from tests.lab.kit.profiles import NodeProfile

pytestmark = pytest.mark.lab

_SIZE = 24 * 1024 * 1024


@pytest_asyncio.fixture
async def there(lab: Lab) -> AsyncIterator[tuple[LabNode, Files]]:
    [node] = lab.start(NodeProfile())
    target = Target(node.address, node.address, node.port, "root", SecretStr(node.password))
    connection = await connect(target, node.host_key, lambda stage: None)
    yield node, await Files.of(connection)
    await connection.close()


@pytest.fixture
def package(tmp_path: Path) -> Upload:
    file = tmp_path / "package.tar"
    file.write_bytes(os.urandom(_SIZE))
    return Upload(file, "/root/in/package.tar")


async def send(files: Files, sending: Upload) -> list[Progress]:
    told: list[Progress] = []
    await files.folder("/root/in")
    await files.send(sending, told.append)
    return told


def same(node: LabNode, sending: Upload, tmp_path: Path) -> bool:
    sums = tmp_path / "sums"
    sums.write_text(node.sh(f"sha256sum <{sending.remote}"), encoding="ascii")
    return os.popen(f"sha256sum <{sending.local}").read() == sums.read_text(encoding="ascii")  # noqa: S605 - ours


async def test_it_arrives_and_is_not_sent_twice(there: tuple[LabNode, Files], package: Upload, tmp_path: Path) -> None:
    node, files = there
    told = await send(files, package)
    assert same(node, package, tmp_path)
    assert [told[-1].done, told[-1].total] == [_SIZE, _SIZE]
    assert node.sh("stat -c %a /root/in /root/in/package.tar").split() == ["700", "600"]
    assert len(await send(files, package)) == 1, "it was there: nothing was sent"


async def test_a_part_is_gone_on_with(there: tuple[LabNode, Files], package: Upload, tmp_path: Path) -> None:
    node, files = there
    await send(files, package)
    node.sh(f"cd /root/in; head -c {_SIZE // 2} package.tar >package.tar.part; rm package.tar")
    told = await send(files, package)
    assert same(node, package, tmp_path)
    assert told[0].done >= _SIZE // 2, "the first half was not sent again"


@pytest.mark.parametrize(
    "damage",
    [
        "head -c 12000000 /dev/urandom >package.tar.part",
        "head -c 99000000 /dev/zero >package.tar.part",
        "echo another version >package.tar",
    ],
)
async def test_what_another_file_left_there_does_no_harm(
    there: tuple[LabNode, Files], package: Upload, tmp_path: Path, damage: str
) -> None:
    node, files = there
    node.sh(f"mkdir /root/in; cd /root/in; {damage}")
    await send(files, package)
    assert same(node, package, tmp_path)
    assert node.sh("ls /root/in").split() == ["package.tar"]


async def test_no_room(there: tuple[LabNode, Files], package: Upload) -> None:
    node, files = there
    node.sh("mkdir /root/in; mount -t tmpfs -o size=8m small /root/in")
    with pytest.raises(UploadError, match=r"/root/in on the node has 8 MB free; package.tar needs 26 MB more"):
        await send(files, package)


async def test_a_connection_that_breaks_is_told_from_a_file_that_is_refused(
    there: tuple[LabNode, Files], package: Upload
) -> None:
    node, files = there
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
async def test_a_connection_that_broke_before_a_channel_was_opened_is_lost(
    there: tuple[LabNode, Files], wait: float
) -> None:
    """Lost, which is tried again, and not a node that refuses a session."""
    node, files = there
    node.sh("pkill -KILL -f '[s]shd: root@'")
    await asyncio.sleep(wait)  # the end of the connection is noticed while the channel is opened, or before
    with pytest.raises(ConnectionLost):
        await Files.of(files._connection)
    with pytest.raises(ConnectionLost):
        async for _chunk in files._connection.run("true", "", lambda stage: None, 5):
            pass
