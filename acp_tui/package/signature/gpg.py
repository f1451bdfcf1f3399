"""Is this file what the holder of the pinned key signed? Asked of gpg, in a home that lives for one question.

Its answer is judged in `signed`. The only file of the package's that knows python-gnupg; nothing of the user's own
keyring is read or changed.
"""

import io
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import gnupg

from acp_tui.core.files import open_regular_file
from acp_tui.core.gpg.home import GpgHomeError, gpg_home
from acp_tui.core.i18n import _
from acp_tui.package.reader import Cancelled, Feed, OnProgress, PackageReader, never, silent
from acp_tui.package.signature.openpgp import has_private_key, is_message
from acp_tui.package.signature.status import SignatureResult, Signed, Status, judge
from acp_tui.plan.package_name import parse_name

_MAX_BYTES = 1 << 20
"""More than any signature or public key file has; a package taken for one is not read into memory."""
_NEWER_SIGNATURE = re.compile(r"packet\(2\) with unknown version [5-9]\b")
_NEWER_KEY = re.compile(r"packet\(6\) with unknown version [5-9]\b")
_FUTURE_KEY = re.compile(r"was created \d+ \w+ in the future")
"""What gpg says in the C locale where there is no status line for it. This only picks words."""
_PATIENCE = 20
"""Seconds in which gpg takes no byte, or says nothing at the end, before it counts as hanging."""
_SEND_BUFFER = 4 << 20
"""Bytes on their way to gpg: enough that neither waits for the other's turn on the processor."""
_SO_SNDBUFFORCE = 32


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
        with open_regular_file(package) as file:
            feed = Feed(file, package.name, os.fstat(file.fileno()).st_size, on_progress, cancelled)
            result = hold_against(feed, package.name, signature, key_file, fingerprint)
    except OSError as error:
        return SignatureResult(Signed.PACKAGE_MISSING, detail=_reason(error))
    if feed.stopped:
        raise Cancelled
    return result


def hold_against(
    source: PackageReader, name: str, signature: Path, key_file: Path, fingerprint: str
) -> SignatureResult:
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
    except GpgHomeError as error:
        return SignatureResult(Signed.GPG_FAILED, detail=str(error))


def _held(
    source: PackageReader, name: str, signature: Path, signature_bytes: bytes, key_bytes: bytes, fingerprint: str
) -> SignatureResult:
    with _throwaway_gpg() as (gpg, home):
        if gpg is None:
            return SignatureResult(Signed.GPG_FAILED)
        if has_private_key(key_bytes):  # gpg would start an agent to keep it
            return SignatureResult(Signed.KEY_PRIVATE)
        known, trouble = _import(gpg, key_bytes)
        if not known:
            return SignatureResult(trouble)
        if fingerprint not in known:
            return SignatureResult(Signed.KEY_OTHER, known)
        copy = home / "signature"
        try:
            copy.write_bytes(signature_bytes)
        except OSError as error:
            raise GpgHomeError(_reason(error)) from error
        try:
            said = _ask(gpg, copy, source)
        except TimeoutError:
            return SignatureResult(Signed.GPG_FAILED, detail=_("it does not answer"))
        if (said.returncode or 0) < 0:
            return SignatureResult(Signed.GPG_FAILED, detail=_("it crashed"))
        result = judge(said.lines, fingerprint)
        if result.signed is Signed.UNREADABLE and is_message(signature_bytes):
            return SignatureResult(Signed.NOT_DETACHED)
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
            # python-gnupg would wait for ever for one that hangs, and cannot read what is no gpg.
            asked = subprocess.run(
                ["gpg", "--version"], stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=_PATIENCE
            )
            works = asked.stdout.startswith(b"gpg ")
            gpg = gnupg.GPG(gnupghome=str(home), options=options, env=environment) if works else None
        except (OSError, ValueError, subprocess.TimeoutExpired):  # it is there, but does not run
            gpg = None
        yield gpg, home


def _import(gpg: gnupg.GPG, key: bytes) -> tuple[tuple[str, ...], Signed]:
    """Fingerprints of all keys and subkeys in a key file, primary keys first; and why, where there are none.

    A key without a user ID is one that gpg could not check the key's own signature of: it does not know its kind."""
    imported = gpg.import_keys(key)
    if (imported.returncode or 0) < 0:
        return (), Signed.GPG_FAILED
    trouble = Signed.KEY_UNREADABLE
    if _FUTURE_KEY.search(imported.stderr):
        trouble = Signed.KEY_FROM_THE_FUTURE
    elif _NEWER_KEY.search(imported.stderr) or int(imported.no_user_id or 0) > 0:
        trouble = Signed.KEY_UNSUPPORTED
    keys = gpg.list_keys()
    return (*(k["fingerprint"] for k in keys), *(subkey[2] for k in keys for subkey in k["subkeys"])), trouble


def _ask(gpg: gnupg.GPG, signature: Path, source: PackageReader) -> _Statuses:
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
                    _send(mine, piece)
            mine.close()
            said.result(_PATIENCE)
        except BaseException:
            running.kill()
            raise
    statuses.returncode = running.returncode
    return statuses


def _send(mine: socket.socket, piece: bytes) -> None:
    """TimeoutError: gpg takes nothing. Second by second, so that a process that was stopped with us is not blamed."""
    mine.settimeout(1)
    rest, waited = memoryview(piece), 0
    while rest:
        try:
            rest, waited = rest[mine.send(rest) :], 0
        except TimeoutError:
            waited += 1
            if waited >= _PATIENCE:
                raise


def _enlarge(mine: socket.socket) -> None:
    """As far as we may: only root may go beyond the system's usual."""
    for option in (socket.SO_SNDBUF, _SO_SNDBUFFORCE):
        with suppress(PermissionError):
            mine.setsockopt(socket.SOL_SOCKET, option, _SEND_BUFFER)


def _bounded(path: Path) -> bytes:
    with open_regular_file(path) as file:
        return file.read(_MAX_BYTES)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
