"""Unpack a package into the install folder, and verify its signature at the same time.

The package is read once and written to a staging folder. When the complete archive has been written and verified, its
files are moved to their final places. The functions block, so run them in a thread.
"""

import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from acp_tui.core.clock import now
from acp_tui.core.events import Progress
from acp_tui.core.i18n import _
from acp_tui.package.archive import open_package, unpack
from acp_tui.package.archive_safety import PackageRefused
from acp_tui.package.file_record import FileRecord
from acp_tui.package.install_dir import (
    FileIdentity,
    Placed,
    UnpackFailed,
    check_free_to_use,
    locked_install_dir,
    placed,
    put_in_place,
)
from acp_tui.package.reader import Cancelled, Feed, OnProgress, PackageReader, Relay, never, silent
from acp_tui.package.signature.explain import explain_signature
from acp_tui.package.signature.gpg_status import SignatureResult, Signed
from acp_tui.package.trust import not_verified
from acp_tui.package.unpacked_package import is_unchanged
from acp_tui.plan.package_name import Kind


@dataclass(frozen=True)
class Check:
    """The functions that verify the signature of a package while it is unpacked."""

    verify: Callable[[PackageReader], SignatureResult]
    """A function that reads the package to its end and returns the result of the verification."""
    accepts: Callable[[SignatureResult], bool]
    """A function that receives the result of the verification, and returns True if the package can be unpacked."""
    fingerprint: str
    """The fingerprint of the trusted key."""


class SignatureRefused(Exception):
    """The package was not unpacked, because its signature was not accepted."""

    def __init__(self, result: SignatureResult) -> None:
        super().__init__(result.signed.value)
        self.result = result


@dataclass(frozen=True)
class Extracted:
    """The result of unpacking a package. `signature`: the result of the verification; None if it was not requested."""

    signature: SignatureResult | None


def extract(
    package: Path,
    target: Path,
    on_progress: OnProgress = silent,
    cancelled: Callable[[], bool] = never,
    *,
    kind: Kind = "core",
    check: Check | None = None,
    known: SignatureResult | None = None,
) -> Extracted | None:
    """Unpack `package` into the folder `target`. Return None if it is already unpacked, and its files are unchanged.

    Progress is in bytes of the package. The file is opened and read once, so the verified bytes are the unpacked bytes
    (BND-SIGN). `known`: without `check`, the reason why the signature cannot be verified, for the stamp.

    Raises PackageRefused for an invalid archive, SignatureRefused for a signature that is not accepted, Cancelled after
    cancellation, and UnpackFailed if `target` is in use, is full or contains files that acp-tui did not create. After
    each of these errors, `target` is unchanged."""
    try:
        with open_package(package) as file:
            identity = FileIdentity.of(package, file.fileno())
            before = placed(target, kind, identity)
            verified = before is not None and (check is None or before.signer == check.fingerprint)
            if verified and is_unchanged(target):
                on_progress(Progress(package.name, identity.size, identity.size))
                return None
            with locked_install_dir(target) as staging:
                check_free_to_use(target, kind)
                new = staging / "new"
                new.mkdir()
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
                opened = _Opened(file, package.name, identity.size, on_progress, cancelled)
                try:
                    if check is None:
                        signature, files = None, unpack(opened.feed(), new)
                    else:
                        signature, files = _unpack_checked(opened, new, check)
                except (PackageRefused, SignatureRefused):
                    _check_unchanged(package, file, identity)
                    raise
                if cancelled():  # while gpg was still reading the rest
                    raise Cancelled
                _check_unchanged(package, file, identity)
                signer = check.fingerprint if check and signature and signature.signed is Signed.GOOD else ""
                moment = now().isoformat(timespec="seconds")
                stamp = Placed(identity, signer, moment) if signer else _unverified(identity, signature or known)
                put_in_place(new, target, kind, stamp, files)
    except OSError as error:
        raise UnpackFailed(_error_text(error, package, target)) from error
    return Extracted(signature)


def _unverified(identity: FileIdentity, result: SignatureResult | None) -> Placed:
    """Return the stamp entry of a package without a valid signature, with the reason."""
    reason = explain_signature(result) if result else _("the signature was not verified")
    return Placed(identity, not_verified=not_verified(identity.name, reason))


@dataclass(frozen=True)
class _Opened:
    file: IO[bytes]
    name: str
    size: int
    on_progress: OnProgress
    cancelled: Callable[[], bool]

    def feed(self, also: Callable[[bytes], None] | None = None, enough: Callable[[], bool] = never) -> Feed:
        """Return a reader of the package.

        `enough`: a function that returns True when the rest of the file is not needed."""
        return Feed(self.file, self.name, self.size, self.on_progress, lambda: self.cancelled() or enough(), also)


def _unpack_checked(opened: _Opened, folder: Path, check: Check) -> tuple[SignatureResult, FileRecord]:
    """Unpack in one thread and verify the same bytes in a second thread. The faster thread waits for the slower one."""
    relay = Relay()
    files: FileRecord = {}

    def refused() -> bool:
        return verification.done() and not check.accepts(verification.result())

    with ThreadPoolExecutor(1, "signature") as executor:
        verification = executor.submit(check.verify, relay)
        verification.add_done_callback(lambda _done: relay.abandon())
        try:
            files = unpack(opened.feed(relay.give, refused), folder)
        except Cancelled:
            if opened.cancelled() or not refused():
                raise
        finally:
            relay.end()
        result = verification.result()
    if not check.accepts(result):
        raise SignatureRefused(result)
    return result, files


def _check_unchanged(package: Path, file: IO[bytes], before: FileIdentity) -> None:
    """Raise UnpackFailed if the package changed while it was read.

    The result of the verification is not valid for a changed package."""
    if FileIdentity.of(package, file.fileno()) != before:
        raise UnpackFailed(
            _(
                "The package {package} changed while acp-tui read it. If the package is still being "
                "copied, wait until the copy is complete."
            ).format(package=package)
        )


def _error_text(error: OSError, package: Path, target: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _(
            "The folder {folder} has no free space or no free inodes for {package}. Check the folder with"
            " `df` and `df -i`. Free some space, or choose a different folder."
        ).format(package=package.name, folder=target)
    file = error.filename if isinstance(error.filename, str | Path) and Path(error.filename) != target else ""
    reason = f"{file}: {error.strerror}" if file else error.strerror or error
    return _("Cannot unpack {package} into {folder}: {reason}.").format(
        package=package.name, folder=target, reason=reason
    )
