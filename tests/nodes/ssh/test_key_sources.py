"""Host keys from known hosts files of OpenSSH, and from the key files of this host's sshd."""

import os
import subprocess
from pathlib import Path

import asyncssh
import pytest

from acp_tui.nodes.ssh.key_sources import (
    KnownHostsError,
    KnownHostsFile,
    keys_in_file,
    keys_of_this_host,
    read_openssh_known_hosts,
    resolve_known_hosts,
)
from acp_tui.nodes.ssh.keys import key_line
from acp_tui.nodes.ssh.target import Target
from acp_tui.plan.known_hosts import KeySource, KnownHost
from tests.support.other_users import STRANGER, needs_root

ED = key_line(asyncssh.generate_private_key("ssh-ed25519"))
EC = key_line(asyncssh.generate_private_key("ecdsa-sha2-nistp256"))
ADDRESS = "10.20.0.11"


def found(tmp_path: Path, text: str, address: str = ADDRESS, port: int = 22) -> KnownHost | None:
    file = tmp_path / "known_hosts"
    file.write_text(text, encoding="utf-8")
    return keys_in_file(read_openssh_known_hosts(file), address, port)


@pytest.mark.parametrize(
    ("text", "port", "keys"),
    [
        (f"{ADDRESS} {ED}\n", 22, (ED,)),
        (f"{ADDRESS} {ED} a comment\n# {ADDRESS} {EC}\n\n", 22, (ED,)),
        (f"other,{ADDRESS} {ED}\n{ADDRESS} {EC}\n", 22, (ED, EC)),
        (f"[{ADDRESS}]:2222 {ED}\n", 2222, (ED,)),
        (f"10.20.0.* {ED}\n", 22, (ED,)),
    ],
    ids=["plain", "comments", "two types", "port", "pattern"],
)
def test_keys_of_a_node(tmp_path: Path, text: str, port: int, keys: tuple[str, ...]) -> None:
    known = found(tmp_path, text, port=port)
    assert known == KnownHost(keys, KeySource.FILE)
    assert known.confirmed


@pytest.mark.parametrize(
    ("text", "port"),
    [(f"10.20.0.12 {ED}\n", 22), (f"[{ADDRESS}]:2222 {ED}\n", 22), (f"!{ADDRESS},10.20.0.* {ED}\n", 22), ("", 22)],
    ids=["other node", "other port", "excluded", "empty"],
)
def test_node_that_the_file_does_not_name(tmp_path: Path, text: str, port: int) -> None:
    assert found(tmp_path, text, port=port) is None


def test_revoked_key_is_not_accepted(tmp_path: Path) -> None:
    revoked = f"{ADDRESS} {ED}\n@revoked * {ED}\n"
    assert found(tmp_path, revoked) == KnownHost((), KeySource.FILE)
    assert found(tmp_path, f"{revoked}{ADDRESS} {EC}\n") == KnownHost((EC,), KeySource.FILE)


def test_hashed_names(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"{ADDRESS} {ED}\n", encoding="utf-8")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    assert ADDRESS not in file.read_text(encoding="utf-8")
    assert keys_in_file(read_openssh_known_hosts(file), ADDRESS, 22) == KnownHost((ED,), KeySource.FILE)


def test_ipv6_address(tmp_path: Path) -> None:
    assert found(tmp_path, f"fd00::11 {ED}\n", "fd00::11") == KnownHost((ED,), KeySource.FILE)
    assert found(tmp_path, f"[fd00::11]:2222 {ED}\n", "fd00::11", 2222) == KnownHost((ED,), KeySource.FILE)


HOSTILE = {
    "missing": None,
    "not text": b"\xff\xfe",
    "too large": b"x" * 2_000_000,
    "no key": b"10.0.0.1\n",
    "unknown marker": b"@unknown 10.0.0.1 ssh-ed25519 AAAA\n",
    "short hash": f"|1|x {ED}\n".encode(),
    "expression without end": b"h -----BEGIN |(a+)+$|" + b"a" * 40 + b"b PUBLIC KEY-----\n",
    "many names": f"{'10.0.0.*,' * 30_000}x {ED}\n".encode(),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "hosts"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(KnownHostsError, match=str(file)) as error:
        read_openssh_known_hosts(file)
    assert len(error.value.message) < 500 + len(str(file))


def test_error_during_the_comparison_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(KnownHostsError, match="hosts"):
        keys_in_file(KnownHostsFile(tmp_path / "hosts", asyncssh.import_known_hosts("")), "not an address", 22)


def test_user_stands_for_the_file_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve_known_hosts("user", Path("/plans")) == tmp_path / ".ssh" / "known_hosts"
    assert resolve_known_hosts("hosts", Path("/plans")) == Path("/plans/hosts")


@pytest.fixture
def sshd_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "ssh"
    folder.mkdir()
    (folder / "ssh_host_ed25519_key.pub").write_text(f"{ED} root@here\n", encoding="utf-8")
    (folder / "ssh_host_ecdsa_key.pub").write_text(EC, encoding="utf-8")
    (folder / "ssh_host_dsa_key.pub").write_text("not a key", encoding="utf-8")
    return folder


def own(folder: Path, *, local: bool = True, host: str = ADDRESS, port: int = 22) -> KnownHost | None:
    return keys_of_this_host(Target(ADDRESS, host, port, "root"), is_local=lambda address: local, folder=folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only files of root count")
def test_key_files_of_this_host_are_known(sshd_folder: Path) -> None:
    assert own(sshd_folder) == KnownHost((EC, ED), KeySource.THIS_HOST)


@needs_root
@pytest.mark.parametrize("fault", ["owner", "mode", "folder"])
def test_key_file_that_others_can_change_does_not_count(sshd_folder: Path, fault: str) -> None:
    file = sshd_folder / "ssh_host_ed25519_key.pub"
    if fault == "owner":
        os.chown(file, STRANGER, -1)
    elif fault == "mode":
        file.chmod(0o666)
    else:
        sshd_folder.chmod(0o777)
    assert own(sshd_folder) == (None if fault == "folder" else KnownHost((EC,), KeySource.THIS_HOST))


def test_other_addresses_and_ports_are_not_this_host(sshd_folder: Path) -> None:
    assert own(sshd_folder, local=False) is None
    assert own(sshd_folder, port=2222) is None
    assert own(sshd_folder, host="127.0.0.1") is None, "the practice cluster maps its nodes to this host"
