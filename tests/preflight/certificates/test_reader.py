"""Facts from certificate and key files, and errors of files that cannot be read."""

import os
import subprocess
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue

from acp_tui.checks.certificate_facts import Authority
from acp_tui.core.files import READ_LIMIT
from acp_tui.preflight.certificates.reader import facts_for, read_pair
from tests.support.certificates import (
    CA,
    CA_KEY,
    CHAIN,
    EC,
    GOOD,
    HOSTS,
    KEY,
    ROOT,
    RSA,
    START,
    Key,
    certificate,
    key_pem,
    pem,
)
from tests.support.factories.plans import valid_plan


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "c.pem").write_bytes(pem(certificate(RSA, "leaf", "ca", CA_KEY, HOSTS), CA))
    (tmp_path / "k.pem").write_bytes(key_pem(RSA))
    return tmp_path


@pytest.mark.parametrize("key", [RSA, EC], ids=["RSA", "EC"])
def test_valid_pair_has_its_facts(tmp_path: Path, key: Key) -> None:
    (tmp_path / "c").write_bytes(pem(certificate(key, "leaf", "ca", CA_KEY, HOSTS), CA))
    (tmp_path / "k").write_bytes(key_pem(key))
    read = read_pair(tmp_path / "c", tmp_path / "k")
    assert (read.unreadable, read.errors) == ((), ())
    assert read.subject == "CN=leaf"
    assert (read.not_before, read.not_after) == (START, START + timedelta(days=90))
    assert (read.key_matches, read.key_encrypted) == (True, False)
    assert (read.chain_length, read.chain_ordered, read.self_signed) == (2, True, False)
    assert read.names == ("acp.example.com", "*.apps.example.com")
    assert read.addresses == ("10.20.0.10",)
    assert read.read_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("acp.example.com", True),
        ("Acp.Example.Com.", True),
        ("x.apps.example.com", True),
        ("y.x.apps.example.com", False),
        ("apps.example.com", False),
        ("example.com", False),
        ("leaf", False),
        ("10.20.0.10", True),
        ("10.20.0.11", False),
    ],
)
def test_host_is_covered_as_in_a_browser(folder: Path, host: str, covered: bool) -> None:
    assert read_pair(folder / "c.pem", folder / "k.pem").covers(host) is covered


def test_key_of_another_certificate_does_not_match(folder: Path) -> None:
    (folder / "k.pem").write_bytes(key_pem(EC))
    assert read_pair(folder / "c.pem", folder / "k.pem").key_matches is False


def test_chain_with_the_authority_first_is_out_of_order(folder: Path) -> None:
    (folder / "c.pem").write_bytes(pem(CA, certificate(RSA, "leaf", "ca", CA_KEY, HOSTS)))
    read = read_pair(folder / "c.pem", folder / "k.pem")
    assert (read.key_matches, read.chain_ordered) == (False, False)


def test_encrypted_key_has_no_match_result(folder: Path) -> None:
    (folder / "k.pem").write_bytes(key_pem(RSA, b"canary"))
    read = read_pair(folder / "c.pem", folder / "k.pem")
    assert (read.key_encrypted, read.key_matches, read.errors) == (True, None, ())


def test_self_signed_certificate_is_recognised(folder: Path) -> None:
    (folder / "c.pem").write_bytes(pem(certificate(RSA, "me", "me", RSA)))
    read = read_pair(folder / "c.pem", folder / "k.pem")
    assert (read.self_signed, read.names, read.chain_length) == (True, (), 1)


@pytest.mark.parametrize(
    "content",
    [b"", b"not PEM", b"\x00\xff" * 50, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
)
def test_file_without_pem_is_an_error_with_its_name(folder: Path, content: bytes) -> None:
    (folder / "c.pem").write_bytes(content)
    read = read_pair(folder / "c.pem", folder / "k.pem")
    assert len(read.errors) == 1
    assert "c.pem" in read.errors[0]
    (folder / "k.pem").write_bytes(content.replace(b"CERTIFICATE", b"PRIVATE KEY"))
    read = read_pair(folder / "c.pem", folder / "k.pem")
    assert len(read.errors) == 2


def test_swapped_key_and_certificate_are_errors(folder: Path) -> None:
    read = read_pair(folder / "k.pem", folder / "c.pem")
    assert len(read.errors) == 2


def test_all_unreadable_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"0" * (READ_LIMIT + 1))
    read = read_pair(tmp_path / "gone", tmp_path)
    assert len(read.unreadable) == 2
    assert "gone: No such file" in read.unreadable[0]
    assert "Is a directory" in read.unreadable[1]
    assert "larger than 1 MiB" in read_pair(tmp_path / "big", tmp_path / "big").unreadable[0]


def test_pair_is_read_only_if_the_plan_has_both_files(folder: Path) -> None:
    pair = {"cert_file": "c.pem", "key_file": "k.pem"}
    assert facts_for(valid_plan(), folder) is None
    assert facts_for(valid_plan(certificate={"mode": "existing", "cert_file": "c.pem"}), folder) is None
    read = facts_for(valid_plan(certificate={"mode": "existing", **pair}), folder)
    assert read is not None
    assert read.key_matches is True


def test_home_folder_is_expanded_in_the_paths_of_a_pair(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder))
    pair: JsonValue = {"mode": "existing", "cert_file": "~/c.pem", "key_file": "~/k.pem"}
    read = facts_for(valid_plan(certificate=pair), tmp_path)
    assert read is not None
    assert read.key_matches is True


def test_root_signed_with_sha1_is_accepted(tmp_path: Path) -> None:
    script = """
    openssl req -x509 -sha1 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj /CN=ca -days 3650
    openssl req -newkey rsa:2048 -nodes -keyout k -out r -subj /CN=acp.example.com
    openssl x509 -req -in r -CA ca.crt -CAkey ca.key -set_serial 3 -days 900 -out leaf
    """
    subprocess.run(["sh", "-ec", script], check=True, cwd=tmp_path, capture_output=True)
    (tmp_path / "c").write_bytes((tmp_path / "leaf").read_bytes() + (tmp_path / "ca.crt").read_bytes())
    read = read_pair(tmp_path / "c", tmp_path / "k", roots=())
    assert (read.hashes, read.authority, read.chain_ordered) == (("sha256",), Authority.PRIVATE, True)


def test_authority_trusted_by_this_host_is_known(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(pem(GOOD))
    (tmp_path / "k").write_bytes(KEY)
    assert read_pair(tmp_path / "c", tmp_path / "k", roots=[ROOT]).authority is Authority.KNOWN
    (tmp_path / "c").write_bytes(CHAIN)
    assert read_pair(tmp_path / "c", tmp_path / "k", roots=()).authority is Authority.PRIVATE


def test_pipe_is_unreadable_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert len(read_pair(tmp_path / "pipe", tmp_path / "pipe").unreadable) == 2


def test_facts_have_no_part_of_the_key(folder: Path) -> None:
    secret = key_pem(RSA).decode().splitlines()[3]
    assert secret not in repr(read_pair(folder / "c.pem", folder / "k.pem"))
