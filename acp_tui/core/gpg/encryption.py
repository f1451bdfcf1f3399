"""Encrypting a few bytes with gpg, and reading them again: to a passphrase, or to somebody's public key.

A passphrase goes to gpg through a pipe, never through arguments or the environment. Key files are read into a home that
lives for one question; a fingerprint names a key of the user's own keyring.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import gnupg
from pydantic import SecretStr

from acp_tui.core.errors import AcpError
from acp_tui.core.files import resolve_path
from acp_tui.core.gpg.home import GpgHomeError, gpg_home
from acp_tui.core.i18n import _

_MAX_KEY = 1 << 20
"""Bytes. More than any public key file has."""
_CIPHER = "AES256"
_KEY_FROM_PASSPHRASE = ("--s2k-digest-algo", "SHA512", "--s2k-count", "65011712")
"""The slowest that gpg has. Left to itself it would start an agent, to measure what this machine bears."""
_NO_KEY = "no secret key"


@dataclass(frozen=True)
class ToPassphrase:
    passphrase: SecretStr


@dataclass(frozen=True)
class ToKey:
    key: str
    """A public key file, or the full fingerprint of a key in the user's own keyring."""


Lock = ToPassphrase | ToKey


class GpgFailed(AcpError):
    """gpg is missing, or could not do it; the text says why and what to do."""


class PassphraseNeeded(GpgFailed):
    """Without its passphrase this cannot be read."""


class PassphraseWrong(GpgFailed):
    """This is not the passphrase."""


def read_passphrase(path: Path) -> SecretStr:
    """The first line of a file. OSError: it cannot be read; GpgFailed: there is no passphrase in it."""
    try:
        line = path.read_text(encoding="utf-8").partition("\n")[0].removesuffix("\r")
    except UnicodeDecodeError:
        line = ""
    if not line:
        raise GpgFailed(_("{path}: its first line is to be the passphrase, as UTF-8 text").format(path=path))
    return SecretStr(line)


def encrypt(data: bytes, lock: Lock) -> bytes:
    """`data` as an OpenPGP message. Raises GpgFailed."""
    if isinstance(lock, ToPassphrase):
        with _gpg(throwaway=True) as gpg:
            said = gpg.encrypt(
                data,
                None,
                symmetric=_CIPHER,
                passphrase=_usable(lock.passphrase),
                armor=False,
                extra_args=list(_KEY_FROM_PASSPHRASE),
            )
            if not said.ok:
                raise GpgFailed(_("gpg could not encrypt: {why}").format(why=said.status or _("unknown")))
            return bytes(said.data)
    fingerprint = re.sub(r"\s", "", lock.key).upper()
    in_keyring = re.fullmatch(r"[0-9A-F]{40}", fingerprint) is not None
    with _gpg(throwaway=not in_keyring) as gpg:
        recipients = (fingerprint,) if in_keyring else _imported(gpg, resolve_path(Path(), lock.key))
        said = gpg.encrypt(data, recipients, always_trust=True, armor=False, extra_args=["--no-encrypt-to"])
        if not said.ok:
            words = _(
                "gpg cannot encrypt to {key}: {why}. It takes a key that is known, valid and made for encryption."
            )
            raise GpgFailed(words.format(key=lock.key, why=said.status_detail or said.status))
        return bytes(said.data)


def decrypt(data: bytes, passphrase: SecretStr | None) -> bytes:
    """What `encrypt` was given. A key is looked for in the user's own keyring; `passphrase` opens that key, too.

    Raises PassphraseNeeded, PassphraseWrong, GpgFailed."""
    said = _decrypted(data, passphrase, throwaway=True)
    if said.status == _NO_KEY:
        said = _decrypted(data, passphrase, throwaway=False)
    if said.ok:
        return bytes(said.data)
    if said.status == _NO_KEY:
        raise GpgFailed(_("the key that it was encrypted to is not in the keyring of this user"))
    if passphrase is None and "passphrase" in said.status:
        raise PassphraseNeeded(_("its passphrase is needed"))
    if passphrase is not None and ("passphrase" in said.status or said.status == "decryption failed"):
        raise PassphraseWrong(_("this is not its passphrase"))
    raise GpgFailed(_("gpg cannot read it: {why}").format(why=said.status or _("unknown")))


def _decrypted(data: bytes, passphrase: SecretStr | None, *, throwaway: bool) -> gnupg.Crypt:
    with _gpg(throwaway=throwaway) as gpg:
        # Nobody may be there to answer, so gpg is kept from asking by itself.
        silent = ["--pinentry-mode", "loopback"] if passphrase is None and gpg.version >= (2, 1) else []
        return gpg.decrypt(data, passphrase=_usable(passphrase) if passphrase else None, extra_args=silent)


def _usable(passphrase: SecretStr) -> str:
    text = passphrase.get_secret_value()
    if not text or set(text) & set("\n\r\x00"):
        raise GpgFailed(_("a passphrase is one line of text, and not empty"))
    return text


def _imported(gpg: gnupg.GPG, key_file: Path) -> tuple[str, ...]:
    """Fingerprints of the keys in a public key file."""
    try:
        with key_file.open("rb") as file:
            gpg.import_keys(file.read(_MAX_KEY))
    except OSError as error:
        words = _("{key}: {why}; give a public key file, or the 40 digits of a fingerprint")
        raise GpgFailed(words.format(key=key_file, why=error.strerror or error)) from error
    found = tuple(key["fingerprint"] for key in gpg.list_keys())
    if not found:
        raise GpgFailed(_("{key}: no public key that gpg can read").format(key=key_file))
    return found


@contextmanager
def _gpg(*, throwaway: bool) -> Iterator[gnupg.GPG]:
    """gpg in a home of its own that is gone at the end, or in the user's. Raises GpgFailed: there is none that runs."""
    kept = {name: os.environ[name] for name in ("HOME", "GNUPGHOME") if name in os.environ and not throwaway}
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", **kept}
    try:
        with gpg_home() if throwaway else nullcontext() as home:
            gpg = _started(home, environment)
            try:
                yield gpg
            finally:
                if home is not None:
                    with suppress(FileNotFoundError):  # a gpg that is too old for agents has no gpgconf
                        end = ["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"]
                        subprocess.run(end, env=environment, check=False, capture_output=True)
    except GpgHomeError as error:
        raise GpgFailed(_("gpg does not run: {why}").format(why=error)) from error


def _started(home: Path | None, environment: Mapping[str, str]) -> gnupg.GPG:
    try:
        gpg = gnupg.GPG(gnupghome=str(home) if home else None, options=["--no-auto-key-locate"], env=dict(environment))
        if gpg.version is None:
            raise ValueError("this is no gpg")
    except (OSError, ValueError) as error:
        raise GpgFailed(_("gpg is not installed on this host, or does not run: install gnupg")) from error
    gpg.encoding = "utf-8"
    return gpg
