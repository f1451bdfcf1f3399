"""Limits for the headers of an archive, so that reading them takes little time and memory.

The headers are read before the signature is verified, so anybody could have written them. tarfile has no limits of its
own: it calls itself again for each extended header before a member, and copies the records of all global headers to
each member. A package of the vendor has some thousand members, each with at most a few short headers.
"""

import re
import tarfile
from typing import Protocol, cast

from acp_tui.core.i18n import _
from acp_tui.package.archive_safety import PackageRefused

_MAX_EXTENDED = 64 << 10
"""The maximum length of one extended header or long name, in bytes."""
_MAX_OF_MEMBER = 1 << 20
"""The maximum length of all headers of one member, in bytes. The map of a sparse file is part of the headers."""
_MAX_TOTAL = 128 << 20
"""The maximum length of all headers of an archive, in bytes."""
_MAX_CHAIN = 10
"""The maximum number of extended headers before one member."""
_MAX_RECORDS = 1000
"""The maximum number of records in one extended header."""
_MAX_GLOBAL_RECORDS = 100
"""The maximum number of records in all global headers of an archive together."""
_MAX_DIGITS = 100
"""The maximum number of digits in succession in an extended header.

Python needs quadratic time to convert a long number, and tarfile to search for one. No path and no size is as long."""

_PAX = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
_EXTENDED = (*_PAX, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_RECORD = re.compile(rb"([0-9]{1,8}) [^=]+=")
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % (_MAX_DIGITS + 1))


class HeaderLimits:
    """Counts the headers of one archive while they are read. Each method raises PackageRefused above a limit."""

    def __init__(self) -> None:
        self._of_member = self._total = self._chain = self._global_records = 0

    def start_member(self) -> None:
        """Prepare for the headers of the next member."""
        self._of_member = self._chain = 0

    def count_bytes(self, size: int) -> None:
        """Count `size` bytes of a header before they are read."""
        if not 0 <= size <= _MAX_OF_MEMBER:
            raise _refusal(_("the length in a header is invalid"))
        self._of_member += size
        self._total += size
        if self._of_member > _MAX_OF_MEMBER:
            raise _refusal(_("the headers of one member are longer than {size} KiB").format(size=_MAX_OF_MEMBER >> 10))
        if self._total > _MAX_TOTAL:
            raise _refusal(_("its headers are longer than {size} MiB in total").format(size=_MAX_TOTAL >> 20))

    def count_extended(self, size: int) -> None:
        """Count one extended header with a content of `size` bytes."""
        self._chain += 1
        if self._chain > _MAX_CHAIN:
            raise _refusal(_("one member has more than {count} extended headers").format(count=_MAX_CHAIN))
        if not 0 <= size <= _MAX_EXTENDED:
            raise _refusal(
                _("the length of an extended header is not between 0 and {size} KiB").format(size=_MAX_EXTENDED >> 10)
            )

    def check_records(self, content: bytes, size: int, *, of_archive: bool) -> None:
        """Check the records of an extended header. Only the first `size` bytes of `content` may be records.

        `of_archive`: True for a global header, whose records apply to all members after it."""
        if _LONG_NUMBER.search(content):
            raise _refusal(_("an extended header has a number with more than {count} digits").format(count=_MAX_DIGITS))
        records = at = 0
        while at < size:
            record = _RECORD.match(content, at, size)
            end = at + int(record[1]) if record else at
            if record is None or not record.end() < end <= size or content[end - 1 : end] != b"\n":
                raise _refusal(_("a record of an extended header is invalid"))
            records, at = records + 1, end
            if records > _MAX_RECORDS:
                raise _refusal(_("an extended header has more than {count} records").format(count=_MAX_RECORDS))
        if content[size:].strip(b"\0"):
            raise _refusal(_("a record of an extended header is invalid"))
        if of_archive:
            self._global_records += records
        if self._global_records > _MAX_GLOBAL_RECORDS:
            raise _refusal(_("its global headers have more than {count} records").format(count=_MAX_GLOBAL_RECORDS))


class HeaderReader(Protocol):
    """A file object for tarfile that counts the headers."""

    limits: HeaderLimits

    def peek(self, size: int, /) -> bytes:
        """Return the next `size` bytes, or fewer at the end. The next read returns them again."""


class BoundedTarInfo(tarfile.TarInfo):
    """A member of an archive whose extended headers are checked before tarfile parses them.

    The archive must be opened with a `HeaderReader`."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _EXTENDED:
            reader = cast(HeaderReader, tar.fileobj)
            reader.limits.count_extended(self.size)
            if self.type in _PAX:
                length = -(-self.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
                content = reader.peek(length)
                if len(content) < length:
                    raise tarfile.ReadError(_("the archive ends before its last file is complete"))
                reader.limits.check_records(content, self.size, of_archive=self.type == tarfile.XGLTYPE)
        return super()._proc_member(tar)  # type: ignore[misc,no-any-return] # the hook for subclasses is not typed


def _refusal(rule: str) -> PackageRefused:
    return PackageRefused(
        _(
            "acp-tui rejects the archive because of its headers: {rule}. Copy the package again from the vendor's"
            " portal."
        ).format(rule=rule)
    )
