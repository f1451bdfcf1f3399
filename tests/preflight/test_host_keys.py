"""Where the known hosts of a plan come from, and which nodes need a confirmation."""

import os
from pathlib import Path

import asyncssh
import pytest
from pydantic import JsonValue

from acp_tui.nodes.ssh import key_sources
from acp_tui.nodes.ssh.errors import ConnectError
from acp_tui.nodes.ssh.key_sources import KnownHostsError
from acp_tui.nodes.ssh.keys import key_line
from acp_tui.plan.known_hosts import KeySource, KnownHost, confirmed
from acp_tui.plan.model import Plan
from acp_tui.preflight.host_keys import known_hosts_of, read_host_keys, unconfirmed
from tests.support.factories.plans import node, valid_plan
from tests.support.ssh_server import HOST_KEY, Behaviour, server

FILE, OWN, RECORDED = (key_line(asyncssh.generate_private_key("ssh-ed25519")) for _ in range(3))
LOCAL, REMOTE = "127.0.0.1", "192.0.2.11"
SEEN = KnownHost((RECORDED,), KeySource.SEEN)


@pytest.fixture(autouse=True)
def sshd_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of this host's sshd, without key files."""
    folder = tmp_path / "ssh"
    folder.mkdir()
    monkeypatch.setattr(key_sources.keys_of_this_host, "__kwdefaults__", {
        "is_local": lambda address: address == LOCAL, "folder": folder,
    })  # fmt: skip
    return folder


def plan(**ssh: JsonValue) -> Plan:
    return valid_plan(nodes=[node(LOCAL), node(REMOTE)], ssh={"password": "x", **ssh})


def test_recorded_keys_are_the_last_source(tmp_path: Path) -> None:
    assert known_hosts_of(plan(), tmp_path, {REMOTE: SEEN}) == {REMOTE: SEEN}
    assert known_hosts_of(plan(), tmp_path, {"10.9.9.9": SEEN}) == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only files of root count")
def test_key_files_of_this_host_are_known_besides_a_confirmed_key(tmp_path: Path, sshd_folder: Path) -> None:
    (sshd_folder / "ssh_host_ed25519_key.pub").write_text(OWN, encoding="utf-8")
    own = KnownHost((OWN,), KeySource.THIS_HOST)
    assert known_hosts_of(plan(), tmp_path, {REMOTE: SEEN}) == {LOCAL: own, REMOTE: SEEN}
    assert known_hosts_of(plan(), tmp_path, {LOCAL: SEEN}) == {LOCAL: own}
    both = known_hosts_of(plan(), tmp_path, {LOCAL: confirmed(RECORDED)})
    assert both == {LOCAL: KnownHost((RECORDED, OWN), KeySource.CONFIRMED)}


def test_file_of_the_plan_is_the_first_source(tmp_path: Path, sshd_folder: Path) -> None:
    (sshd_folder / "ssh_host_ed25519_key.pub").write_text(OWN, encoding="utf-8")
    (tmp_path / "hosts").write_text(f"{LOCAL} {FILE}\n", encoding="utf-8")
    known = known_hosts_of(plan(known_hosts="hosts"), tmp_path, {LOCAL: confirmed(RECORDED), REMOTE: SEEN})
    assert known == {LOCAL: KnownHost((FILE,), KeySource.FILE), REMOTE: SEEN}


def test_missing_file_of_the_plan_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KnownHostsError, match="hosts"):
        known_hosts_of(plan(known_hosts="hosts"), tmp_path, {})


@pytest.mark.parametrize(
    ("known", "key_login", "changes", "expected"),
    [
        ({}, False, False, [LOCAL, REMOTE]),
        ({REMOTE: SEEN}, False, False, [LOCAL, REMOTE]),
        ({REMOTE: confirmed(RECORDED)}, False, False, [LOCAL]),
        ({}, True, False, []),
        ({REMOTE: SEEN}, True, True, [LOCAL, REMOTE]),
        ({LOCAL: KnownHost((OWN,), KeySource.THIS_HOST), REMOTE: confirmed(RECORDED)}, True, True, []),
    ],
)
def test_nodes_that_need_a_confirmation(
    known: dict[str, KnownHost], key_login: bool, changes: bool, expected: list[str]
) -> None:
    tested = plan(key_file="/root/id") if key_login else plan()
    assert unconfirmed(tested, known, changes=changes) == expected
    assert unconfirmed(tested, known, [REMOTE], changes=changes) == [a for a in expected if a == REMOTE]


async def test_keys_of_all_nodes_are_read_at_the_same_time_without_a_login() -> None:
    behaviour = Behaviour()
    async with server(behaviour) as port:
        ports = {LOCAL: port, REMOTE: 1}
        found = await read_host_keys(plan(), [LOCAL, REMOTE, LOCAL], lambda address, _port: (LOCAL, ports[address]))
    assert found[LOCAL] == key_line(HOST_KEY)
    assert isinstance(found[REMOTE], ConnectError)
    assert behaviour.attempts == []
