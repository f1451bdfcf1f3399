"""Verify a detached signature with gpg. The temporary home folder of gpg contains only the given key file.

The module `gpg_status` interprets the output of gpg. The keyring of the current user is not read and not changed.
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
from acp_tui.core.gpg.keys import import_keys
from acp_tui.core.i18n import _, pgettext
from acp_tui.package.reader import Cancelled, Feed, OnProgress, PackageReader, never, silent
from acp_tui.package.signature.gpg_status import SignatureResult, Signed, Status, evaluate_status
from acp_tui.package.signature.openpgp import has_private_key, is_message
from acp_tui.plan.package_name import parse_name

_MAX_BYTES = 1 << 20
"""The maximum number of bytes that are read from a signature file or key file.

Signature files and public key files are always smaller. The limit prevents reading a package into memory by mistake."""
_NEWER_SIGNATURE = re.compile(r"packet\(2\) with unknown version [5-9]\b")
_NEWER_KEY = re.compile(r"packet\(6\) with unknown version [5-9]\b")
_FUTURE_KEY = re.compile(r"was created \d+ \w+ in the future")
"""Patterns for messages of gpg about a newer signature format, a newer key format, and a key from the future.

gpg prints no status line for these errors, only a message. The message is in English, because gpg runs in the C locale.
A match only decides which error is reported. It never makes a signature good."""
_TIMEOUT = 20
"""The number of seconds without progress after which acp-tui ends gpg."""
_SEND_BUFFER = 4 << 20
"""The size, in bytes, of the buffer for data that acp-tui sends to gpg.

Because it is large, acp-tui and gpg rarely wait for each other."""
_SO_SNDBUFFORCE = 32


class _Statuses:
    """Collects all status lines of gpg, because the parser of python-gnupg keeps only the last status that it knows."""

    def __init__(self) -> None:
        self.lines: list[Status] = []
        self.stderr = ""
        self.data = b""
        self.returncode: int | None = None

    def handle_status(self, key: str, value: str) -> None:
        self.lines.append((key, value))


def default_signature(package: Path) -> Path:
    """Return the default path of the signature (BND-SIG-NAME).

    It is the path of the package plus `.sig`, or plus `.asc` if only the file with this ending exists."""
    binary, armored = (package.with_name(package.name + ending) for ending in (".sig", ".asc"))
    # Path.exists would raise an error for a folder without access; os.access returns False.
    return armored if os.access(armored, os.F_OK) and not os.access(binary, os.F_OK) else binary


def verify(
    package: Path,
    signature: Path,
    key_file: Path,
    fingerprint: str,
    on_progress: OnProgress = silent,
    cancelled: Callable[[], bool] = never,
) -> SignatureResult:
    """Verify `package` with its detached `signature` (BND-SIGN, BND-KEY-FPR). The call blocks, so run it in a thread.

    `fingerprint`: the 40 hexadecimal digits of the trusted key. Raises Cancelled. All other errors are in the result.
    """
    try:
        with open_regular_file(package) as file:
            feed = Feed(file, package.name, os.fstat(file.fileno()).st_size, on_progress, cancelled)
            result = verify_stream(feed, package.name, signature, key_file, fingerprint)
    except OSError as error:
        return SignatureResult(Signed.PACKAGE_MISSING, detail=_reason(error))
    if feed.stopped:
        raise Cancelled
    return result


def verify_stream(
    source: PackageReader, name: str, signature: Path, key_file: Path, fingerprint: str
) -> SignatureResult:
    """Verify a package like `verify`, but read its bytes from `source`. `name`: the file name of the package."""
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
        return _verify(source, name, signature, signature_bytes, key_bytes, fingerprint)
    except GpgHomeError as error:
        return SignatureResult(Signed.GPG_FAILED, detail=str(error))


def _verify(
    source: PackageReader, name: str, signature: Path, signature_bytes: bytes, key_bytes: bytes, fingerprint: str
) -> SignatureResult:
    with _throwaway_gpg() as (gpg, home):
        if gpg is None:
            return SignatureResult(Signed.GPG_FAILED)
        if has_private_key(key_bytes):  # gpg would start an agent to store the private key
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
            output = _run_gpg(gpg, copy, source)
        except TimeoutError:
            return SignatureResult(Signed.GPG_FAILED, detail=_("gpg did not finish in time"))
        if (output.returncode or 0) < 0:
            return SignatureResult(Signed.GPG_FAILED, detail=pgettext("observed value", "gpg ended unexpectedly"))
        result = evaluate_status(output.lines, fingerprint)
        if result.signed is Signed.UNREADABLE and is_message(signature_bytes):
            return SignatureResult(Signed.NOT_DETACHED)
        if result.signed is Signed.UNREADABLE and _NEWER_SIGNATURE.search(output.stderr):
            return SignatureResult(Signed.UNSUPPORTED)
        # A signature does not name its file. The name of the signature file can be that of a different package.
        if result.signed is Signed.BAD and signature.stem != name and parse_name(signature.stem) is not None:
            return replace(result, signed=Signed.OTHER_FILE)
        return result


@contextmanager
def _throwaway_gpg() -> Iterator[tuple[gnupg.GPG | None, Path]]:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    options = ["--no-options", "--trust-model", "always", "--no-auto-key-locate"]
    with gpg_home() as home:
        try:
            # python-gnupg would wait without end for a gpg that hangs. It cannot handle a program that is not gpg.
            version = subprocess.run(
                ["gpg", "--version"], stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=_TIMEOUT
            )
            works = version.stdout.startswith(b"gpg ")
            gpg = gnupg.GPG(gnupghome=str(home), options=options, env=environment) if works else None
        except (OSError, ValueError, subprocess.TimeoutExpired):  # gpg is installed, but does not run
            gpg = None
        yield gpg, home


def _import(gpg: gnupg.GPG, key: bytes) -> tuple[tuple[str, ...], Signed]:
    """Import a key file into gpg. Return the fingerprints of its keys, and the error that applies if there are none.

    The fingerprints of primary keys come before those of subkeys. If gpg does not support the type of a key, gpg
    cannot verify the self-signature of that key, and counts the key as a key without a user ID."""
    try:
        imported = import_keys(gpg, key)
    except OSError:
        return (), Signed.GPG_FAILED
    if imported.crashed:
        return (), Signed.GPG_FAILED
    trouble = Signed.KEY_UNREADABLE
    if _FUTURE_KEY.search(imported.messages):
        trouble = Signed.KEY_FROM_THE_FUTURE
    elif _NEWER_KEY.search(imported.messages) or imported.without_name:
        trouble = Signed.KEY_UNSUPPORTED
    return imported.fingerprints, trouble


def _run_gpg(gpg: gnupg.GPG, signature: Path, source: PackageReader) -> _Statuses:
    """Send the bytes of `source` to gpg through a socket, and return the status lines of gpg.

    A pipe would wake the writer for each page that gpg reads, which costs a fifth of the time of a verification. A
    socket wakes the writer only when most of its buffer is empty."""
    statuses = _Statuses()
    sender, receiver = socket.socketpair()
    command = gpg.make_args(["--verify", str(signature), "-"], False)
    with (
        sender,
        subprocess.Popen(
            command, stdin=receiver.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=gpg.env
        ) as running,
        ThreadPoolExecutor(1, "gpg") as listener,
    ):
        receiver.close()
        assert running.stderr is not None
        response = listener.submit(
            gpg._read_response, io.TextIOWrapper(running.stderr, "utf-8", "replace", "\n"), statuses
        )
        try:
            _enlarge(sender)
            # gpg stops reading early if the signature is unusable. Its output until then is the result.
            with suppress(BrokenPipeError, ConnectionResetError):
                while piece := source.read(Feed.CHUNK):
                    _send(sender, piece)
            sender.close()
            response.result(_TIMEOUT)
        except BaseException:
            running.kill()
            raise
    statuses.returncode = running.returncode
    return statuses


def _send(sender: socket.socket, piece: bytes) -> None:
    """Send a piece to gpg. Raises TimeoutError if gpg does not read it.

    The function waits in steps of one second. If acp-tui and gpg are suspended during a step, the step still counts as
    one second."""
    sender.settimeout(1)
    rest, waited = memoryview(piece), 0
    while rest:
        try:
            rest, waited = rest[sender.send(rest) :], 0
        except TimeoutError:
            waited += 1
            if waited >= _TIMEOUT:
                raise


def _enlarge(sender: socket.socket) -> None:
    """Enlarge the send buffer as far as allowed. Only root can exceed the limit of the system."""
    for option in (socket.SO_SNDBUF, _SO_SNDBUFFORCE):
        with suppress(PermissionError):
            sender.setsockopt(socket.SOL_SOCKET, option, _SEND_BUFFER)


def _bounded(path: Path) -> bytes:
    with open_regular_file(path) as file:
        return file.read(_MAX_BYTES)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
