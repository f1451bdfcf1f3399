"""Inspect and unpack a package: read once from start to end, into a staging folder.

Files are moved into place only after the complete archive was read, verified and written. Blocks: run it in a thread.
"""

import errno
import os
import tarfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from acp_tui.core.clock import now
from acp_tui.core.events import Progress
from acp_tui.core.files import open_regular_file
from acp_tui.core.i18n import _
from acp_tui.package.file_type import describe_other_type
from acp_tui.package.forward_reader import Forward, Skim
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
from acp_tui.package.signature.status import SignatureResult, Signed
from acp_tui.package.tar_members import Guard, PackageRefused, link_target
from acp_tui.plan.package_name import Kind

SETUP = "installer/setup.sh"
INIT = "installer/res/init.sh"
_END = 2 * tarfile.BLOCKSIZE
"""A complete archive ends with two blocks of zeros."""


@dataclass(frozen=True)
class PackageContents:
    """The contents of a complete and harmless archive. `size`: bytes of its files."""

    members: int
    size: int
    setup: bool
    init: bool

    @property
    def installable(self) -> bool:
        """Whether this can be a Core Package (BND-TAR-OK)."""
        return self.setup and self.init


def inspect(package: Path) -> PackageContents:
    """Check every member without reading the files themselves.

    Raises PackageRefused if the file is not a tar archive, is truncated, or has a member that would leave its folder;
    OSError if it cannot be read."""
    guard, members, size, names = Guard(), 0, 0, set[str]()
    with _open(package) as file, _readable(), tarfile.open(fileobj=cast(IO[bytes], Skim(file)), mode="r:") as tar:
        while (member := _next(tar)) is not None:
            name = guard.place(member)
            members += 1
            size += _written(member)
            if (member.isreg() or member.islnk()) and name in (SETUP, INIT):
                names.add(name)
        file.seek(tar.offset)
        rest = Feed(file, package.name, 0)
        rest.drain()
        _check_end(rest, 0)
    return PackageContents(members, size, SETUP in names, INIT in names)


@dataclass(frozen=True)
class Check:
    """The verification of the signature while a package is unpacked."""

    verify: Callable[[PackageReader], SignatureResult]
    """Reads the package to its end."""
    accepts: Callable[[SignatureResult], bool]
    """Whether the package may be put in place after this result."""
    fingerprint: str
    """The trusted key."""


class SignatureRefused(Exception):
    """The package was not put in place because of its signature."""

    def __init__(self, result: SignatureResult) -> None:
        super().__init__(result.signed.value)
        self.result = result


@dataclass(frozen=True)
class Extracted:
    """A package is in place now. `signature`: the result of the verification; None if it was not requested."""

    signature: SignatureResult | None


def extract(
    package: Path,
    target: Path,
    on_progress: OnProgress = silent,
    cancelled: Callable[[], bool] = never,
    *,
    kind: Kind = "core",
    check: Check | None = None,
) -> Extracted | None:
    """Unpack `package` into `target`; return None if it is already unpacked. Progress is in bytes of the package.

    The file is opened and read once: the verified bytes are the unpacked bytes (BND-SIGN).
    Raises PackageRefused (the archive), SignatureRefused, UnpackFailed (the folder: not ours, in use, full), Cancelled;
    then `target` is unchanged.
    """
    try:
        with _open(package) as file:
            identity = FileIdentity.of(package, file.fileno())
            before = placed(target, kind, identity)
            if before is not None and (check is None or before.signer == check.fingerprint):
                on_progress(Progress(package.name, identity.size, identity.size))
                return None
            with locked_install_dir(target) as staging:
                check_free_to_use(target, kind)
                new = staging / "new"
                new.mkdir()
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
                opened = _Opened(file, package.name, identity.size, on_progress, cancelled)
                try:
                    signature = _unpack_checked(opened, new, check) if check else None
                    if check is None:
                        unpack(opened.feed(), new)
                except (PackageRefused, SignatureRefused):
                    _check_unchanged(package, file, identity)
                    raise
                if cancelled():  # while gpg was still reading the rest
                    raise Cancelled
                _check_unchanged(package, file, identity)
                signer = check.fingerprint if check and signature and signature.signed is Signed.GOOD else ""
                moment = now().isoformat(timespec="seconds")
                put_in_place(new, target, kind, Placed(identity, signer, moment if signer else ""))
    except OSError as error:
        raise UnpackFailed(_error_text(error, package, target)) from error
    return Extracted(signature)


@dataclass(frozen=True)
class _Opened:
    file: IO[bytes]
    name: str
    size: int
    on_progress: OnProgress
    cancelled: Callable[[], bool]

    def feed(self, also: Callable[[bytes], None] | None = None, enough: Callable[[], bool] = never) -> Feed:
        """Return a reader of the package. `enough`: whether the rest need not be read."""
        return Feed(self.file, self.name, self.size, self.on_progress, lambda: self.cancelled() or enough(), also)


def _unpack_checked(opened: _Opened, folder: Path, check: Check) -> SignatureResult:
    """Unpack in one thread and verify the same bytes in another; neither is more than a few pieces ahead."""
    relay = Relay()

    def refused() -> bool:
        return verification.done() and not check.accepts(verification.result())

    with ThreadPoolExecutor(1, "signature") as executor:
        verification = executor.submit(check.verify, relay)
        verification.add_done_callback(lambda _done: relay.abandon())
        try:
            unpack(opened.feed(relay.give, refused), folder)
        except Cancelled:
            if opened.cancelled() or not refused():
                raise
        finally:
            relay.end()
        result = verification.result()
    if not check.accepts(result):
        raise SignatureRefused(result)
    return result


def unpack(feed: Feed, folder: Path) -> None:
    """Write the members of an archive into an empty folder.

    Raises PackageRefused, Cancelled or OSError; then the folder is incomplete."""
    guard = Guard()
    folders: list[tuple[Path, tarfile.TarInfo]] = []
    made = {folder}
    stream = Forward(feed)
    with _readable(feed), tarfile.open(fileobj=cast(IO[bytes], stream), mode="r:") as tar:
        while (member := _next(tar)) is not None:
            place = folder / guard.place(member)
            if place.parent not in made:
                place.parent.mkdir(parents=True, exist_ok=True)
                made.add(place.parent)
            if member.isdir():
                place.mkdir(exist_ok=True)
                folders.append((place, member))
            elif member.issym():
                place.symlink_to(member.linkname)
            elif member.islnk():
                place.unlink(missing_ok=True)
                place.hardlink_to(folder / link_target(member))
            else:
                _write(tar, stream, member, place)
        end = tar.offset
        feed.drain()
        if feed.stopped:
            raise Cancelled
        _check_end(feed, end)
        for place, member in reversed(folders):
            _dress(place, member)


def _open(package: Path) -> IO[bytes]:
    """Open a package. Raises OSError if it is not a readable regular file, PackageRefused if it is not a tar file."""
    file = open_regular_file(package)
    try:
        if problem := describe_other_type(file.fileno(), package):
            raise PackageRefused(problem)
    except BaseException:
        file.close()
        raise
    return file


def _next(tar: tarfile.TarFile) -> tarfile.TarInfo | None:
    member = tar.next()
    tar.members.clear()  # type: ignore[attr-defined] # tarfile keeps them for seeking back; that costs memory here
    if member is not None and member.issparse():
        stored = sum(length for _start, length in _segments(member))
        if stored > tar.offset - member.offset_data:  # more than there is before the next member
            raise tarfile.ReadError(_("invalid sparse file"))
    return member


def _write(tar: tarfile.TarFile, stream: Forward, member: tarfile.TarInfo, place: Path) -> None:
    place.unlink(missing_ok=True)
    with place.open("xb") as out:
        for start, length in _segments(member):
            out.seek(start)
            for piece in stream.pieces(length):
                out.write(piece)
            if out.tell() != start + length:
                raise tarfile.ReadError(_("unexpected end of file"))
        out.truncate(member.size)
    _dress(place, member)


def _segments(member: tarfile.TarInfo) -> Sequence[tuple[int, int]]:
    """Return start and length of the data of a file: a sparse file has holes and is shorter than its header states."""
    if not member.issparse():
        return ((0, member.size),)
    padded, end = cast(Sequence[tuple[int, int]], member.sparse), 0
    segments = [(start, length) for start, length in padded if length]
    for start, length in segments:
        if start < end or length < 0 or start + length > member.size:
            raise tarfile.ReadError(_("invalid sparse file"))
        end = start + length
    return segments


def _written(member: tarfile.TarInfo) -> int:
    """Return the bytes that a member needs on the disk."""
    return sum(length for _start, length in _segments(member)) if member.isreg() else 0


def _dress(place: Path, member: tarfile.TarInfo) -> None:
    """Set mode and time as packed. The owner is the current user; set-user-ID and similar bits are removed."""
    place.chmod(member.mode & 0o777)
    os.utime(place, (member.mtime, member.mtime))


def _check_end(feed: Feed, end: int) -> None:
    """Raise PackageRefused unless the archive has its end mark. `end`: the offset after the last member."""
    if feed.data_end > end or feed.position - end < _END:
        raise PackageRefused(_("The archive is damaged or truncated: its end is missing. Copy it again."))


@contextmanager
def _readable(feed: Feed | None = None) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, ValueError, IndexError, OverflowError) as error:  # hostile headers raise the latter
        if feed is not None and feed.stopped:
            raise Cancelled from None
        text = _("The file is not a complete tar archive ({reason}). Copy it again.")
        raise PackageRefused(text.format(reason=error)) from error


def _check_unchanged(package: Path, file: IO[bytes], before: FileIdentity) -> None:
    """Raise UnpackFailed if another process wrote to the package while it was read: then no result is valid."""
    if FileIdentity.of(package, file.fileno()) != before:
        raise UnpackFailed(
            _("{package} changed while it was read. If it is still being copied, wait until that is finished.").format(
                package=package
            )
        )


def _error_text(error: OSError, package: Path, target: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _(
            "No space (df) or no inodes (df -i) left for {package} in {folder}. Free some, or choose another folder."
        ).format(package=package.name, folder=target)
    file = error.filename if isinstance(error.filename, str | Path) and Path(error.filename) != target else ""
    reason = f"{file}: {error.strerror}" if file else error.strerror or error
    return _("Cannot unpack {package} into {folder}: {reason}.").format(
        package=package.name, folder=target, reason=reason
    )
