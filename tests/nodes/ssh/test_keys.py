"""Keys that are damaged on purpose: a documented error, and no endless search."""

from pathlib import Path

import asyncssh
import pytest
from pydantic import SecretStr

from acp_tui.nodes.ssh.errors import ConnectError
from acp_tui.nodes.ssh.keys import client_key, host_key_algorithms, public_key
from acp_tui.nodes.ssh.target import Target

KEY = asyncssh.generate_private_key("ssh-ed25519")
PRIVATE = KEY.export_private_key("openssh")
HOSTILE = {
    "expression in the header": PRIVATE.replace(b"BEGIN ", b"BEGIN \x1b[31m").replace(b"END ", b"END \x1b[31m"),
    "expression without end": b"-----BEGIN |(a+)+$|x PRIVATE KEY-----\n" + b"a" * 40 + b"b\n",
    "nested ASN.1": b"0\x84\x00\x00\xff\x00" * 5000,
}


def read_client_key(folder: Path, content: bytes, passphrase: SecretStr | None = None) -> asyncssh.SSHKey | None:
    (folder / "id").write_bytes(content)
    return client_key(Target("10.0.0.1", "10.0.0.1", 22, "root", key_file=folder / "id", key_passphrase=passphrase))


@pytest.mark.parametrize("form", ["openssh", "pkcs1-pem", "pkcs8-pem", "pkcs8-der"])
def test_private_key_in_each_format_is_read(tmp_path: Path, form: str) -> None:
    key = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
    read = read_client_key(tmp_path, b"a comment\n" * (form == "pkcs8-pem") + key.export_private_key(form))
    assert read is not None
    assert read.export_public_key() == key.export_public_key()


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_private_key_is_a_documented_error(tmp_path: Path, content: bytes) -> None:
    for passphrase in (None, SecretStr("a passphrase")):
        with pytest.raises(ConnectError, match="not a supported private key"):
            read_client_key(tmp_path, content, passphrase)


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_public_key_is_a_documented_error(content: bytes) -> None:
    with pytest.raises(asyncssh.KeyImportError):
        public_key(content)
    with pytest.raises(ConnectError):
        host_key_algorithms([content.decode("latin-1")])
