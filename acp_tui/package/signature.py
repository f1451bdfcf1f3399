"""Is this file what the holder of the pinned key signed? Asked of gpg, in a home that lives for one question.

The answer is read from gpg's status lines (GOODSIG with VALIDSIG and its full fingerprint), never from its text, trust
levels or exit status. The only file that knows python-gnupg; nothing of the user's own keyring is read or changed.
"""

import io
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import gnupg

from acp_tui.files import open_plain
from acp_tui.gpghome import NoHome, gpg_home
from acp_tui.package.name import parse_name
from acp_tui.package.stream import Cancelled, Feed, OnProgress, Source, never, silent

_MAX_BYTES = 1 << 20
"""More than any signature or public key file has; a package taken for one is not read into memory."""
_NO_PUBLIC_KEY = "9"
_UNSUPPORTED = "4"
_NEWER_SIGNATURE = re.compile(r"packet\(2\) with unknown version [5-9]\b")
_NEWER_KEY = re.compile(r"packet\(6\) with unknown version [5-9]\b")
"""What gpg says in the C locale of what is newer than it is: there is no status line for it. This only picks words."""
_SEND_BUFFER = 4 << 20
"""Bytes on their way to gpg: enough that neither waits for the other's turn on the processor."""
_SO_SNDBUFFORCE = 32


class Signed(StrEnum):
    """What became of the verification. Only `GOOD` is good."""

    GOOD = "good"
    OTHER_KEY = "other-key"
    """A sound signature, but not by the pinned key."""
    EXPIRED_KEY = "expired-key"
    EXPIRED_SIGNATURE = "expired-signature"
    REVOKED = "revoked"
    OTHER_FILE = "other-file"
    """Not of this package; by its name the signature is that of another one."""
    BAD = "bad"
    """The package is not what was signed."""
    UNREADABLE = "unreadable"
    """The signature file is cut off, or no detached signature."""
    NO_PUBLIC_KEY = "no-public-key"
    """Signed by a key that the key file does not have."""
    UNSUPPORTED = "unsupported"
    """This gpg is too old for the signature's algorithm."""
    KEY_UNSUPPORTED = "key-unsupported"
    """This gpg is too old for the keys of the key file."""
    KEY_UNREADABLE = "key-unreadable"
    KEY_PRIVATE = "key-private"
    """The key file holds somebody's private key, which nobody should have sent."""
    KEY_OTHER = "key-other"
    """The key file does not have the pinned key."""
    KEY_MISSING = "key-missing"
    SIGNATURE_MISSING = "signature-missing"
    PACKAGE_MISSING = "package-missing"
    GPG_MISSING = "gpg-missing"
    GPG_FAILED = "gpg-failed"


@dataclass(frozen=True)
class SignatureResult:
    signed: Signed
    fingerprints: tuple[str, ...] = ()
    """Who signed (BAD and NO_PUBLIC_KEY: a short key ID at worst), or which keys the key file has (KEY_OTHER)."""
    detail: str = ""
    """What the system said, where it said something."""
    verified: datetime | None = None
    """When, if it was remembered from an earlier run."""


Status = tuple[str, str]
"""Keyword and rest of one `[GNUPG:]` line."""


class _Statuses:
    """Takes the place of python-gnupg's own reading of the status lines, which stops at the last one it knows."""

    def __init__(self) -> None:
        self.lines: list[Status] = []
        self.stderr = ""
        self.data = b""
        self.returncode: int | None = None

    def handle_status(self, key: str, value: str) -> None:
        self.lines.append((key, value))


def default_signature(package: Path) -> Path:
    """Where the signature of `package` lies unless said otherwise: `.sig`, else `.asc` beside it (BND-SIG-NAME)."""
    binary, armored = (package.with_name(package.name + ending) for ending in (".sig", ".asc"))
    # os.access and not Path.exists: a folder that may not be entered is no error, there is just nothing to find.
    return armored if os.access(armored, os.F_OK) and not os.access(binary, os.F_OK) else binary


def verify(
    package: Path,
    signature: Path,
    key_file: Path,
    fingerprint: str,
    on_progress: OnProgress = silent,
    cancelled: Callable[[], bool] = never,
) -> SignatureResult:
    """Hold `package` against its detached `signature` (BND-SIGN, BND-KEY-FPR). Blocks; meant for a thread.

    `fingerprint`: 40 hexadecimal digits of the only trusted key. Raises `Cancelled`; anything else is in the result.
    """
    try:
        with open_plain(package) as file:
            feed = Feed(file, package.name, os.fstat(file.fileno()).st_size, on_progress, cancelled)
            result = hold_against(feed, package.name, signature, key_file, fingerprint)
    except OSError as error:
        return SignatureResult(Signed.PACKAGE_MISSING, detail=_reason(error))
    if feed.stopped:
        raise Cancelled
    return result


def hold_against(source: Source, name: str, signature: Path, key_file: Path, fingerprint: str) -> SignatureResult:
    """As `verify`, for bytes that somebody else reads; `name`: the file name of the package they come from."""
    try:
        signature_bytes = _bounded(signature)
    except FileNotFoundError as error:
        return SignatureResult(Signed.SIGNATURE_MISSING, detail=_reason(error))
    except OSError as error:
        return SignatureResult(Signed.UNREADABLE, detail=_reason(error))
    try:
        key_bytes = _bounded(key_file)
    except FileNotFoundError as error:
        return SignatureResult(Signed.KEY_MISSING, detail=_reason(error))
    except OSError as error:
        return SignatureResult(Signed.KEY_UNREADABLE, detail=_reason(error))
    if shutil.which("gpg") is None:
        return SignatureResult(Signed.GPG_MISSING)
    try:
        return _held(source, name, signature, signature_bytes, key_bytes, fingerprint)
    except NoHome as error:
        return SignatureResult(Signed.GPG_FAILED, detail=str(error))


def _held(
    source: Source, name: str, signature: Path, signature_bytes: bytes, key_bytes: bytes, fingerprint: str
) -> SignatureResult:
    with _throwaway_gpg() as (gpg, home):
        if gpg is None:
            return SignatureResult(Signed.GPG_FAILED)
        if b"PGP PRIVATE KEY BLOCK" in key_bytes:
            return SignatureResult(Signed.KEY_PRIVATE)
        known, unsupported = _import(gpg, key_bytes)
        if not known:
            return SignatureResult(Signed.KEY_UNSUPPORTED if unsupported else Signed.KEY_UNREADABLE)
        if fingerprint not in known:
            return SignatureResult(Signed.KEY_OTHER, known)
        copy = home / "signature"
        try:
            copy.write_bytes(signature_bytes)
        except OSError as error:
            raise NoHome(_reason(error)) from error
        said = _ask(gpg, copy, source)
        result = judge(said.lines, fingerprint)
        if result.signed is Signed.UNREADABLE and _NEWER_SIGNATURE.search(said.stderr):
            return SignatureResult(Signed.UNSUPPORTED)
        # A bad signature does not tell what it was made for; that it is called after another package does.
        if result.signed is Signed.BAD and signature.stem != name and parse_name(signature.stem) is not None:
            return replace(result, signed=Signed.OTHER_FILE)
        return result


@contextmanager
def _throwaway_gpg() -> Iterator[tuple[gnupg.GPG | None, Path]]:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    options = ["--no-options", "--trust-model", "always", "--no-auto-key-locate"]
    with gpg_home() as home:
        try:
            gpg = gnupg.GPG(gnupghome=str(home), options=options, env=environment)
        except (OSError, ValueError):  # it is there, but does not run
            gpg = None
        yield gpg, home


def _import(gpg: gnupg.GPG, key: bytes) -> tuple[tuple[str, ...], bool]:
    """Fingerprints of all keys and subkeys in a key file, primary keys first; and whether there are keys that this gpg
    does not understand: of a version, or with an algorithm that it cannot check the key's own signature by."""
    imported = gpg.import_keys(key)
    unsupported = bool(_NEWER_KEY.search(imported.stderr)) or int(imported.no_user_id or 0) > 0
    keys = gpg.list_keys()
    return (*(k["fingerprint"] for k in keys), *(subkey[2] for k in keys for subkey in k["subkeys"])), unsupported


def _ask(gpg: gnupg.GPG, signature: Path, source: Source) -> _Statuses:
    """Feed gpg the bytes of `source`. Through a socket: at a pipe the writer is woken for each page that gpg takes,
    which costs a fifth of the time that gpg needs for a file; at a socket only once most of the buffer is gone."""
    statuses = _Statuses()
    mine, its = socket.socketpair()
    command = gpg.make_args(["--verify", str(signature), "-"], False)
    with (
        mine,
        subprocess.Popen(
            command, stdin=its.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=gpg.env
        ) as running,
        ThreadPoolExecutor(1, "gpg") as listener,
    ):
        its.close()
        assert running.stderr is not None
        said = listener.submit(gpg._read_response, io.TextIOWrapper(running.stderr, "utf-8", "replace"), statuses)
        try:
            _enlarge(mine)
            # gpg stops reading when it has seen enough of a useless signature; what it said before counts.
            with suppress(BrokenPipeError, ConnectionResetError):
                while piece := source.read(Feed.CHUNK):
                    mine.sendall(piece)
        except BaseException:
            running.kill()
            raise
        finally:
            mine.close()
        said.result()
    return statuses


def _enlarge(mine: socket.socket) -> None:
    """As far as we may: only root may go beyond the system's usual."""
    for option in (socket.SO_SNDBUF, _SO_SNDBUFFORCE):
        with suppress(PermissionError):
            mine.setsockopt(socket.SOL_SOCKET, option, _SEND_BUFFER)


def judge(lines: Sequence[Status], fingerprint: str) -> SignatureResult:
    """What gpg's status lines mean. Of several signatures one by the pinned key is enough, but a bad one spoils all."""
    keys = [key for key, _value in lines]
    if "BADSIG" in keys:
        return SignatureResult(Signed.BAD, _first_words(lines, "BADSIG"))
    if "PLAINTEXT" in keys:  # signs a text of its own, not the package
        return SignatureResult(Signed.UNREADABLE)
    verdicts = list(_signatures(lines, fingerprint))
    if not verdicts:
        return SignatureResult(Signed.UNREADABLE)
    return min(verdicts, key=lambda verdict: list(Signed).index(verdict.signed))


_FATE = {
    "EXPKEYSIG": Signed.EXPIRED_KEY,
    "EXPSIG": Signed.EXPIRED_SIGNATURE,
    "REVKEYSIG": Signed.REVOKED,
}


def _signatures(lines: Sequence[Status], fingerprint: str) -> Iterator[SignatureResult]:
    """One result a signature: a line that says how it stands, then VALIDSIG with the signer's full fingerprint."""
    fate: str | None = None
    for key, value in lines:
        words = value.split()
        if key == "GOODSIG" or key in _FATE:
            fate = key
        elif key == "ERRSIG":
            fate = None
            code = words[5] if len(words) > 5 else ""
            signed = {_NO_PUBLIC_KEY: Signed.NO_PUBLIC_KEY, _UNSUPPORTED: Signed.UNSUPPORTED}.get(code)
            signer = words[6] if len(words) > 6 and words[6] != "-" else words[0] if words else ""
            yield SignatureResult(signed or Signed.UNREADABLE, (signer,) if signer else ())
        elif key == "VALIDSIG" and fate is not None and len(words) >= 9:
            signer, primary, binary = words[0], words[-1] if len(words) > 9 else words[0], words[8] == "00"
            if not binary:
                yield SignatureResult(Signed.UNREADABLE, (primary,))
            elif fingerprint not in (signer, primary):
                yield SignatureResult(Signed.OTHER_KEY, (primary,))
            else:
                yield SignatureResult(_FATE.get(fate, Signed.GOOD), (primary,))
            fate = None


def _first_words(lines: Sequence[Status], keyword: str) -> tuple[str, ...]:
    return tuple(value.split()[0] for key, value in lines if key == keyword and value)


def _bounded(path: Path) -> bytes:
    with open_plain(path) as file:
        return file.read(_MAX_BYTES)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
