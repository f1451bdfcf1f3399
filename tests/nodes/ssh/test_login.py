"""Logins to SSH servers on loopback: passwords, keys, and the errors of rejected logins."""

import asyncio
import os
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import asyncssh
import pytest

from acp_tui.nodes.ssh.errors import no_bash
from acp_tui.nodes.state import NodeState
from tests.support.ssh_server import SECRET, Behaviour, collect, finished_event, login_target, server


def write_key(path: Path, passphrase: str | None = None, form: str = "pkcs8-pem") -> str:
    """Write a new private key to `path`; return its public key."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    path.write_bytes(key.export_private_key(form, passphrase))
    return key.export_public_key("openssh").decode()


async def test_keyboard_interactive_gets_the_password() -> None:
    async with server(Behaviour(password=False, keyboard=True)) as port:
        assert finished_event(await collect(login_target(port))).state is NodeState.CHECKED


@pytest.mark.parametrize("passphrase", [None, SECRET])
async def test_login_with_a_key_and_its_passphrase(tmp_path: Path, passphrase: str | None) -> None:
    authorized = write_key(tmp_path / "key", passphrase)
    async with server(Behaviour(password=False, authorized=authorized)) as port:
        done = finished_event(
            await collect(login_target(port, password=None, key=tmp_path / "key", passphrase=passphrase))
        )
    assert done.state is NodeState.CHECKED, done.detail


async def test_login_with_an_encrypted_key_of_ssh_keygen(tmp_path: Path) -> None:
    pytest.importorskip("bcrypt", reason="the format of ssh-keygen is encrypted with bcrypt")
    authorized = write_key(tmp_path / "key", SECRET, "openssh")
    async with server(Behaviour(password=False, authorized=authorized)) as port:
        done = finished_event(await collect(login_target(port, password=None, key=tmp_path / "key", passphrase=SECRET)))
    assert done.state is NodeState.CHECKED, done.detail


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
async def test_login_with_each_common_key_type(tmp_path: Path, kind: str) -> None:
    key = asyncssh.generate_private_key(kind)
    (tmp_path / "key").write_bytes(key.export_private_key())
    behaviour = Behaviour(password=False, authorized=key.export_public_key("openssh").decode(), command="echo no shell")
    async with server(behaviour) as port:
        done = finished_event(await collect(login_target(port, password=None, key=tmp_path / "key")))
    assert "bash did not run: no shell" in done.detail  # after the login


async def test_a_rejected_key_falls_back_to_the_password(tmp_path: Path) -> None:
    write_key(tmp_path / "key")
    async with server(Behaviour(authorized="ssh-ed25519 AAAA")) as port:
        assert finished_event(await collect(login_target(port, key=tmp_path / "key"))).state is NodeState.CHECKED


@pytest.mark.parametrize(
    ("prepare", "passphrase", "message"),
    [
        (lambda path: None, None, "No such file"),
        (lambda path: path.write_text("hello"), None, "the file is not a supported private key"),
        (lambda path: write_key(path, "another"), SECRET, "the passphrase in the plan is wrong"),
        (lambda path: write_key(path, "another"), None, "the plan has no passphrase for it"),
        (lambda path: path.write_text("PuTTY-User-Key-File-3: ssh-ed25519\r\n"), None, "puttygen"),
        (lambda path: path.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me"), None, "the file is a public key"),
        (lambda path: path.mkdir(), None, "Is a directory"),
        (os.mkfifo, None, "a device or a pipe"),
    ],
)
async def test_an_unusable_key_file_is_named_in_the_error(
    tmp_path: Path, prepare: Callable[[Path], object], passphrase: str | None, message: str
) -> None:
    prepare(tmp_path / "key")
    async with server(Behaviour()) as port:
        done = finished_event(await collect(login_target(port, key=tmp_path / "key", passphrase=passphrase)))
    assert done.state is NodeState.AUTH_FAILED
    assert message in done.detail
    assert str(tmp_path / "key") in done.detail


async def test_a_wrong_password_fails_without_a_retry() -> None:
    async with server(Behaviour(keyboard=True)) as port:
        done = finished_event(await collect(login_target(port, password="wrong")))
    assert done.state is NodeState.AUTH_FAILED
    assert "password of the user root" in done.detail
    assert "wrong" not in done.detail


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        (Behaviour(), "a possible cause is that root login is disabled (PermitRootLogin)"),
        (Behaviour(password=False, authorized="ssh-ed25519 AAAA"), "does not allow password login for the user root"),
        (
            Behaviour(password=False, keyboard=True, question=("Password: ", "Code: ")),
            "the node requires a multi-factor login for the user root. Use a key instead. "
            "The prompt is: Two steps. Password: Code:",
        ),
    ],
)
async def test_a_rejected_login_names_the_setting_to_change(behaviour: Behaviour, message: str) -> None:
    async with server(behaviour) as port:
        done = finished_event(await collect(login_target(port, password="wrong")))
    assert done.state is NodeState.AUTH_FAILED
    assert message in done.detail


SECOND_STEP = """the node accepted the key {key} of the user root"""


@pytest.mark.parametrize(
    ("behaviour", "password", "message"),
    [
        (Behaviour(both=True), None, "requires a password too. Add the password"),
        (Behaviour(both=True), "wrong", "requires a password too, but rejected the password"),
        (Behaviour(both=True, password=False, keyboard=True), None, "also asks: Two steps. Password."),
        (Behaviour(both=True, password=False, keyboard=True, question=("Code: ", "Pin: ")), SECRET, "Code: Pin."),
    ],
)
async def test_a_failed_second_step_says_that_the_key_was_accepted(
    tmp_path: Path, behaviour: Behaviour, password: str | None, message: str
) -> None:
    behaviour.authorized = write_key(tmp_path / "key")
    async with server(behaviour) as port:
        done = finished_event(await collect(login_target(port, password=password, key=tmp_path / "key")))
    assert done.state is NodeState.AUTH_FAILED
    assert SECOND_STEP.format(key=tmp_path / "key") in done.detail
    assert message in done.detail


@pytest.mark.parametrize("question", [(), ("Password: ",)])
async def test_a_key_and_a_second_step_that_can_be_answered(tmp_path: Path, question: tuple[str, ...]) -> None:
    """A step without a question needs no password. A PAM module that accepts the key alone has such a step."""
    behaviour = Behaviour(both=True, password=False, keyboard=True, question=question)
    behaviour.authorized = write_key(tmp_path / "key")
    password = SECRET if question else None
    async with server(behaviour) as port:
        done = finished_event(await collect(login_target(port, password=password, key=tmp_path / "key")))
    assert done.state is NodeState.CHECKED, done.detail


@pytest.mark.parametrize(
    ("arguments", "supported"),
    [
        ("pkcs8 -topk8", True),
        ("pkcs8 -topk8 -scrypt", True),
        ("pkcs8 -topk8 -v2 des3", True),
        ("pkcs8 -topk8 -v2 camellia-256-cbc", False),
        ("rsa -traditional -aes256", True),
        ("rsa -traditional -camellia256", False),
    ],
)
async def test_encrypted_keys_of_openssl(tmp_path: Path, arguments: str, supported: bool) -> None:
    key = asyncssh.generate_private_key("ssh-rsa")
    (tmp_path / "plain").write_bytes(key.export_private_key("pkcs1-pem"))
    command = f"openssl {arguments} -in plain -out key -passout env:CANARY"
    process = await asyncio.create_subprocess_shell(command, cwd=tmp_path, env={**os.environ, "CANARY": SECRET})
    assert await process.wait() == 0
    behaviour = Behaviour(password=False, authorized=key.export_public_key("openssh").decode(), command="echo no shell")
    for passphrase, message in (
        (SECRET, "no shell" if supported else "ssh-keygen -p -f"),
        ("wrong", "passphrase in the plan is wrong" if supported else "ssh-keygen -p -f"),
        (None, "the plan has no passphrase for it"),
    ):
        async with server(behaviour) as port:
            login = login_target(port, password=None, key=tmp_path / "key", passphrase=passphrase)
            done = finished_event(await collect(login))
        assert message in done.detail


async def test_a_key_on_a_security_key_is_named(tmp_path: Path) -> None:
    body = b"openssh-key-v1\x00...." + b"sk-ssh-ed25519@openssh.com" + bytes(40)
    text = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{b64encode(body).decode()}\n-----END OPENSSH PRIVATE KEY-----\n"
    (tmp_path / "key").write_text(text)
    async with server(Behaviour()) as port:
        done = finished_event(await collect(login_target(port, key=tmp_path / "key")))
    assert "security key (FIDO)" in done.detail


@pytest.mark.parametrize(
    ("message", "shell"),
    [
        ("fish: Unknown command: main", "fish"),
        ("zsh: parse error near `}'", "zsh"),
        ("tcsh: Too many ('s", "tcsh"),
        ("/bin/ksh: syntax error", ""),
        ("bash: line 3: no such file", ""),
        ("This account is not available.", ""),
    ],
)
def test_another_shell_that_a_start_up_file_starts_is_named(message: str, shell: str) -> None:
    assert (f"starts another shell, {shell}," in no_bash(message)) == bool(shell)
    assert message in no_bash(message)
