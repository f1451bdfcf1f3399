"""The known hosts that acp-tui records for a plan: seen and confirmed keys."""

import os
from pathlib import Path

import pytest

from acp_tui.core.ownership import UntrustedPath
from acp_tui.plan.known_hosts import (
    KeySource,
    KnownHost,
    confirmed,
    fingerprint,
    key_type,
    known_hosts_path,
    read_known_hosts,
    with_seen,
    write_known_hosts,
)
from tests.support.other_users import STRANGER, needs_root

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGHl2p3xk7ZBn5hGzjQF0R4y0a1Yd1vQ6dB9b8YcTjJH"


def test_seen_and_confirmed_keys_are_written_and_read(tmp_path: Path) -> None:
    path = known_hosts_path(tmp_path, tmp_path / "plan.yaml")
    known = {"10.0.0.1": KnownHost((KEY,), KeySource.SEEN), "10.0.0.2": confirmed(KEY)}
    write_known_hosts(path, {**known, "10.0.0.3": KnownHost((KEY,), KeySource.FILE)})
    assert read_known_hosts(path) == known
    assert path.stat().st_mode & 0o777 == 0o600


def test_file_of_an_earlier_version_has_only_seen_keys(tmp_path: Path) -> None:
    """Earlier versions recorded each key at the first connection, without a confirmation."""
    path = tmp_path / "hosts"
    path.write_text(f"10.0.0.1 {KEY}\n10.0.0.2 {KEY}\n", encoding="utf-8")
    assert {host.source for host in read_known_hosts(path).values()} == {KeySource.SEEN}


@pytest.mark.parametrize("text", ["", "\n\n", "# a comment\n", "10.0.0.1\n", "10.0.0.1 ssh-ed25519\n"])
def test_other_lines_are_ignored(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hosts"
    path.write_text(text, encoding="utf-8")
    assert read_known_hosts(path) == {}


def test_file_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_bytes(b"\xff\n")
    with pytest.raises(OSError, match="not UTF-8"):
        read_known_hosts(path)


@needs_root
def test_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text(f"10.0.0.1 {KEY} confirmed\n", encoding="utf-8")
    os.chown(path, STRANGER, -1)
    with pytest.raises(UntrustedPath):
        read_known_hosts(path)


@pytest.mark.parametrize("ending", ["confirmed by me", "unconfirmed", "Confirmed", "x confirmed"])
def test_only_the_exact_word_confirms_a_key(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "hosts"
    path.write_text(f"10.0.0.1 {KEY} {ending}\n", encoding="utf-8")
    assert not read_known_hosts(path)["10.0.0.1"].confirmed


def test_reading_a_node_does_not_change_its_known_host() -> None:
    known = {"10.0.0.1": confirmed(KEY)}
    assert with_seen(known, {"10.0.0.1": "ssh-ed25519 OTHER", "10.0.0.2": KEY}) == {
        "10.0.0.1": confirmed(KEY),
        "10.0.0.2": KnownHost((KEY,), KeySource.SEEN),
    }


def test_fingerprint_and_type_are_those_of_ssh_keygen() -> None:
    assert fingerprint(KEY).startswith("SHA256:")
    assert len(fingerprint(KEY)) == 50
    assert fingerprint("no key") == ""
    names = {"ssh-ed25519 A": "ED25519", "ecdsa-sha2-nistp256 A": "ECDSA", "ssh-rsa A": "RSA"}
    assert {text: key_type(text) for text in names} == names
