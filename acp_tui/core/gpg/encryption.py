"""Use gpg to encrypt and decrypt small data, with a passphrase or a key.

gpg receives a passphrase through a pipe, never in an argument or an environment variable. A key file is imported into a
temporary home folder. A fingerprint selects a key in the keyring of the current user.
"""

import io
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import IO

import gnupg
from pydantic import SecretStr

from acp_tui.core.errors import AcpError
from acp_tui.core.files import error_reason, read_limited, resolve_path
from acp_tui.core.gpg.home import GpgHomeError, gpg_home
from acp_tui.core.gpg.keys import import_keys
from acp_tui.core.i18n import _, pgettext

_MAX_DECRYPTED = 8 << 20
"""Maximum size of decrypted data, in bytes. A small encrypted file can expand to any size."""
_MAX_PASSPHRASE = 1000
"""Maximum size of a passphrase, in bytes. gpg has little memory for it."""
_DECRYPT_TIMEOUT = 60.0
"""Time limit for one decryption, in seconds."""
_CIPHER = "AES256"
_KEY_FROM_PASSPHRASE = ("--s2k-digest-algo", "SHA512", "--s2k-count", "65011712")
"""Options of gpg that derive the key from the passphrase with the highest number of iterations.

Without these options, gpg starts an agent that measures a suitable number."""
_NO_KEY = "no secret key"


@dataclass(frozen=True)
class ToPassphrase:
    """Encryption with a passphrase."""

    passphrase: SecretStr


@dataclass(frozen=True)
class ToKey:
    """Encryption with a public key."""

    key: str
    """The path of a public key file, or the 40-digit fingerprint of a key in the keyring of the current user."""


Lock = ToPassphrase | ToKey


class GpgFailed(AcpError):
    """gpg is missing or failed. The message contains the reason."""


class PassphraseNeeded(GpgFailed):
    """The data is encrypted with a passphrase, but no passphrase was given."""


class PassphraseWrong(GpgFailed):
    """The given passphrase does not decrypt the data."""


def read_passphrase(path: Path) -> SecretStr:
    """Return the first line of the file `path`, which is the passphrase.

    Raises: OSError if the file cannot be read, is not a regular file or is larger than 1 MiB; GpgFailed if the first
    line is empty or too long, or the file is not UTF-8 text."""
    try:
        line = read_limited(path).decode("utf-8").partition("\n")[0].removesuffix("\r")
    except UnicodeDecodeError:
        line = ""
    if not line:
        raise GpgFailed(
            _("{path} has no passphrase. The first line of the file must be the passphrase, as UTF-8 text.").format(
                path=path
            )
        )
    return SecretStr(line)


def encrypt(data: bytes, lock: Lock) -> bytes:
    """Encrypt `data` with the passphrase or public key in `lock`. Return an OpenPGP message.

    Raises: GpgFailed."""
    if isinstance(lock, ToPassphrase):
        with _gpg(temporary=True) as gpg:
            gpg.encoding = "utf-8"  # for the passphrase; the default, Latin-1, can decode every output of gpg
            result = gpg.encrypt(
                data,
                None,
                symmetric=_CIPHER,
                passphrase=_checked_text(lock.passphrase),
                armor=False,
                extra_args=list(_KEY_FROM_PASSPHRASE),
            )
            if not result.ok:
                reason = result.status or pgettext("reason", "unknown")
                raise GpgFailed(
                    _(
                        "gpg cannot encrypt the data: {reason}. Run `gpg --version`, and check that"
                        " /run and /tmp have free space."
                    ).format(reason=reason)
                )
            return bytes(result.data)
    fingerprint = re.sub(r"\s", "", lock.key).upper()
    in_keyring = re.fullmatch(r"[0-9A-F]{40}", fingerprint) is not None
    with _gpg(temporary=not in_keyring) as gpg:
        recipients = (fingerprint,) if in_keyring else _import_keys(gpg, resolve_path(Path(), lock.key))
        result = gpg.encrypt(data, recipients, always_trust=True, armor=False, extra_args=["--no-encrypt-to"])
        if not result.ok:
            text = _("gpg cannot encrypt with the key {key}: {reason}. Use a valid key that allows encryption.")
            raise GpgFailed(text.format(key=lock.key, reason=result.status_detail or result.status))
        return bytes(result.data)


def decrypt(data: bytes, passphrase: SecretStr | None) -> bytes:
    """Return the decrypted content of `data`, an OpenPGP message.

    `passphrase`: the passphrase of the message, or of the private key in the keyring of the current user.

    Raises: PassphraseNeeded, PassphraseWrong; GpgFailed, also if the content is larger than 8 MiB or gpg does not
    finish within a minute."""
    result = _run_decrypt(data, passphrase, temporary=True)
    if result.status == _NO_KEY:
        result = _run_decrypt(data, passphrase, temporary=False)
    if result.ok:
        return bytes(result.data)
    if result.status == _NO_KEY:
        raise GpgFailed(_("the keyring of the current user does not contain the private key that decrypts the data"))
    if passphrase is None and "passphrase" in result.status:
        raise PassphraseNeeded(pgettext("error", "passphrase required"))
    if passphrase is not None and ("passphrase" in result.status or result.status == "decryption failed"):
        raise PassphraseWrong(pgettext("error", "wrong passphrase"))
    reason = result.status or pgettext("reason", "unknown")
    raise GpgFailed(_("gpg cannot decrypt the data: {reason}").format(reason=reason))


def _run_decrypt(data: bytes, passphrase: SecretStr | None, *, temporary: bool) -> gnupg.Crypt:
    """Run gpg, and end it when its output is too large or it takes too long. python-gnupg has no such limits."""
    with _gpg(temporary=temporary) as gpg:
        # Without a terminal, a passphrase prompt of gpg would wait without end.
        no_prompt = ["--pinentry-mode", "loopback"] if passphrase is None and gpg.version >= (2, 1) else []
        start = f"{_checked_text(passphrase)}\n".encode() if passphrase else b""
        command = gpg.make_args(["--decrypt", *no_prompt], passphrase is not None)
        result = gnupg.Crypt(gpg)
        pipe = subprocess.PIPE
        with (
            ThreadPoolExecutor(2, "gpg") as threads,
            subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=gpg.env) as running,
        ):
            assert running.stdin is not None
            assert running.stdout is not None
            assert running.stderr is not None
            timer = Timer(_DECRYPT_TIMEOUT, running.kill)
            timer.start()
            try:
                threads.submit(_write, running.stdin, start + data)
                statuses = threads.submit(
                    gpg._read_response, io.TextIOWrapper(running.stderr, "utf-8", "replace", "\n"), result
                )
                result.data = running.stdout.read(_MAX_DECRYPTED + 1)
                if len(result.data) > _MAX_DECRYPTED:
                    raise GpgFailed(
                        _("the decrypted data is larger than {size} MiB; acp-tui does not write such files").format(
                            size=_MAX_DECRYPTED >> 20
                        )
                    )
                statuses.result()
                running.wait()
                if not timer.is_alive():
                    raise GpgFailed(
                        _("gpg did not decrypt the data within {seconds:g} s").format(seconds=_DECRYPT_TIMEOUT)
                    )
            finally:
                timer.cancel()
                running.kill()
        return result


def _write(pipe: IO[bytes], data: bytes) -> None:
    with suppress(BrokenPipeError), pipe:  # gpg stops reading if it cannot decrypt the data
        pipe.write(data)


def _checked_text(passphrase: SecretStr) -> str:
    text = passphrase.get_secret_value()
    if not text or set(text) & set("\n\r\x00"):
        raise GpgFailed(_("the passphrase must be one line of text and must not be empty"))
    try:
        size = len(text.encode())
    except UnicodeEncodeError:  # a byte from the environment that is not UTF-8
        raise GpgFailed(_("the passphrase must be UTF-8 text")) from None
    if size > _MAX_PASSPHRASE:
        raise GpgFailed(
            _("the passphrase is longer than {count} bytes; gpg cannot use it").format(count=_MAX_PASSPHRASE)
        )
    return text


def _import_keys(gpg: gnupg.GPG, key_file: Path) -> tuple[str, ...]:
    """Import a public key file and return the fingerprints of its keys."""
    try:
        fingerprints = import_keys(gpg, read_limited(key_file)).fingerprints
    except TimeoutError as error:
        raise GpgFailed(
            _("gpg did not import the key file {key} in time. Use a file that contains only this key.").format(
                key=key_file
            )
        ) from error
    except OSError as error:
        text = _(
            "cannot read the key file {key}: {reason}. Enter the path of a public key file, or a fingerprint of 40 "
            "hexadecimal digits."
        )
        raise GpgFailed(text.format(key=key_file, reason=error_reason(error))) from error
    if not fingerprints:
        raise GpgFailed(
            _("{key} contains no public key that gpg can read. Enter the path of a public key file.").format(
                key=key_file
            )
        )
    return fingerprints


@contextmanager
def _gpg(*, temporary: bool) -> Iterator[gnupg.GPG]:
    """Yield a gpg client with a temporary home folder, or with the home folder of the current user.

    Raises: GpgFailed if gpg is missing or does not run."""
    own = {name: os.environ[name] for name in ("HOME", "GNUPGHOME") if name in os.environ and not temporary}
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", **own}
    try:
        with gpg_home() if temporary else nullcontext() as home:
            gpg = _start(home, environment)
            try:
                yield gpg
            finally:
                if home is not None:
                    with suppress(FileNotFoundError):  # gpg 1 has no agent and no gpgconf
                        end = ["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"]
                        subprocess.run(end, env=environment, check=False, capture_output=True)
    except GpgHomeError as error:
        raise GpgFailed(
            _("gpg cannot run, because it has no temporary folder: {reason}").format(reason=error)
        ) from error


def _start(home: Path | None, environment: Mapping[str, str]) -> gnupg.GPG:
    try:
        gpg = gnupg.GPG(gnupghome=str(home) if home else None, options=["--no-auto-key-locate"], env=dict(environment))
        if gpg.version is None:
            raise ValueError("not gpg")
    except (OSError, ValueError) as error:
        raise GpgFailed(_("gpg is not installed on this host or does not run. Install the package gnupg.")) from error
    return gpg
