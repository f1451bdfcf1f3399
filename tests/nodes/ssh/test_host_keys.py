"""A password goes only to a confirmed host key; weak algorithms are not offered."""

from pathlib import Path

import asyncssh
import pytest

from acp_tui.nodes.ssh.connect import connect, read_host_key
from acp_tui.nodes.ssh.errors import ConnectError
from acp_tui.nodes.ssh.keys import host_key_algorithms, key_line
from acp_tui.nodes.state import NodeState
from acp_tui.plan.known_hosts import KeySource, KnownHost
from tests.support.ssh_server import (
    HOST_KEY,
    KNOWN,
    SECRET,
    Behaviour,
    collect,
    finished_event,
    login_target,
    server,
)

SEEN = KnownHost(KNOWN.keys, KeySource.SEEN)


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The private key of a user; its public key is next to it."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    path = tmp_path_factory.mktemp("keys") / "id"
    key.write_private_key(path)
    key.write_public_key(path.with_suffix(".pub"))
    return path


def authorized(key_file: Path) -> str:
    return key_file.with_suffix(".pub").read_text(encoding="utf-8")


@pytest.mark.parametrize("known", [None, SEEN], ids=["unknown", "seen"])
@pytest.mark.parametrize("keyboard", [False, True], ids=["password", "keyboard-interactive"])
async def test_password_is_not_sent_to_an_unconfirmed_host(known: KnownHost | None, keyboard: bool) -> None:
    behaviour = Behaviour(password=not keyboard, keyboard=keyboard)
    async with server(behaviour) as port:
        done = finished_event(await collect(login_target(port), known))
    assert done.state is NodeState.HOST_KEY_UNKNOWN
    assert HOST_KEY.get_fingerprint() in done.detail
    assert done.host_key == key_line(HOST_KEY)
    assert behaviour.attempts == []
    assert behaviour.requested == []


async def test_key_login_reads_a_node_with_an_unknown_host_key(key_file: Path) -> None:
    behaviour = Behaviour(authorized=authorized(key_file))
    async with server(behaviour) as port:
        done = finished_event(await collect(login_target(port, key=key_file), None))
    assert done.state is NodeState.CHECKED
    assert done.host_key == key_line(HOST_KEY)
    assert set(behaviour.attempts) == {"key"}


async def test_password_does_not_follow_a_rejected_key(key_file: Path) -> None:
    behaviour = Behaviour()
    async with server(behaviour) as port:
        done = finished_event(await collect(login_target(port, key=key_file), None))
    assert done.state is NodeState.HOST_KEY_UNKNOWN
    assert "The password was not sent" in done.detail
    assert "password" not in behaviour.attempts


async def test_password_follows_a_rejected_key_on_a_confirmed_host(key_file: Path) -> None:
    behaviour = Behaviour()
    async with server(behaviour) as port:
        assert finished_event(await collect(login_target(port, key=key_file), KNOWN)).state is NodeState.CHECKED
    assert "password" in behaviour.attempts


@pytest.mark.parametrize("known", [None, SEEN], ids=["unknown", "seen"])
async def test_change_needs_a_confirmed_host_key_also_with_a_key_login(key_file: Path, known: KnownHost | None) -> None:
    behaviour = Behaviour(authorized=authorized(key_file))
    async with server(behaviour) as port:
        with pytest.raises(ConnectError) as raised:
            await connect(login_target(port, key=key_file), known, lambda stage: None, changes=True)
        assert raised.value.state is NodeState.HOST_KEY_UNKNOWN
        assert behaviour.attempts == []
        connection = await connect(login_target(port, key=key_file), KNOWN, lambda stage: None, changes=True)
        await connection.close()


async def test_one_of_several_known_keys_is_sufficient() -> None:
    other = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
    known = KnownHost((key_line(other), key_line(HOST_KEY)), KeySource.FILE)
    async with server(Behaviour()) as port:
        assert finished_event(await collect(login_target(port), known)).state is NodeState.CHECKED


async def test_key_that_is_not_in_the_files_of_this_host_is_new_not_changed(key_file: Path) -> None:
    """sshd can use a key in another file. Nothing is sent before the operator confirms it, not even by a key login."""
    own = KnownHost((key_line(asyncssh.generate_private_key("ssh-ed25519")),), KeySource.THIS_HOST)
    behaviour = Behaviour(authorized=authorized(key_file))
    async with server(behaviour) as port:
        done = finished_event(await collect(login_target(port, key=key_file), own))
    assert done.state is NodeState.HOST_KEY_UNKNOWN
    assert behaviour.attempts == []


async def test_host_with_only_revoked_keys_is_refused() -> None:
    behaviour = Behaviour()
    async with server(behaviour) as port:
        done = finished_event(await collect(login_target(port), KnownHost((), KeySource.FILE)))
    assert done.state is NodeState.HOST_KEY_CHANGED
    assert "revokes the host key" in done.detail
    assert behaviour.attempts == []


async def test_reading_a_host_key_sends_no_credential(key_file: Path) -> None:
    behaviour = Behaviour(authorized=authorized(key_file))
    async with server(behaviour) as port:
        assert await read_host_key(login_target(port, key=key_file)) == key_line(HOST_KEY)
        with pytest.raises(ConnectError):
            await read_host_key(login_target(1))
    assert behaviour.attempts == []


@pytest.mark.parametrize(
    ("offer", "part"),
    [
        ({"kex_algs": ["diffie-hellman-group14-sha1"]}, "diffie-hellman-group14-sha1"),
        ({"mac_algs": ["hmac-sha1", "hmac-sha1-etm@openssh.com"], "encryption_algs": ["aes256-ctr"]}, "hmac-sha1"),
        ({"mac_algs": ["umac-64@openssh.com"], "encryption_algs": ["aes256-ctr"]}, "umac-64@openssh.com"),
    ],
    ids=["group14-sha1", "hmac-sha1", "umac-64"],
)
async def test_weak_algorithms_are_not_used(offer: dict[str, list[str]], part: str) -> None:
    listening = await asyncssh.listen("127.0.0.1", 0, server_host_keys=[HOST_KEY], config=None, **offer)
    async with listening:
        done = finished_event(await collect(login_target(listening.get_port())))
    assert done.state is NodeState.UNREACHABLE
    assert part in done.detail
    assert "which acp-tui does not use" in done.detail


def test_rsa_host_keys_are_used_only_with_sha_2() -> None:
    rsa = key_line(asyncssh.generate_private_key("ssh-rsa", key_size=2048))
    assert set(host_key_algorithms([rsa])) == {"rsa-sha2-256", "rsa-sha2-512"}


async def test_secret_is_in_no_error(key_file: Path) -> None:
    async with server(Behaviour()) as port:
        assert SECRET not in repr(finished_event(await collect(login_target(port, key=key_file), None)))
