"""Which members of an archive may be unpacked: plain files, folders and links that stay inside the target.

A package is input, signed or not. Each member is judged by its name alone and by the members before it, so the same
rules hold for looking into an archive and for unpacking it in one pass.
"""

import os
import tarfile
import unicodedata
from pathlib import PurePosixPath

from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.core.i18n import _

_MAX_NAME = 4096
_MAX_PART = 255
"""Bytes of one name that a filesystem takes."""
_MAX_DEPTH = 100
_MAX_MEMBERS = 1_000_000
_MAX_REMEMBERED = 256 << 20
"""Characters of all folders' names together: deep paths cost memory many times what they take in the archive."""
_TIMES = (-(1 << 40), 1 << 40)
"""Seconds since 1970 that a filesystem can keep, or at least round."""
OURS = ".acp-tui-"
"""What our own files in the target are called at first; no archive may bring such a one."""


class PackageRefused(AcpError):
    """The archive is not what it should be; the text names the member and the rule. BND-TAR-OK."""

    exit_status = ExitStatus.CHECK_FAILED


class Guard:
    """Judges the members of one archive in their order."""

    def __init__(self) -> None:
        self._folders: set[str] = set()
        self._files: set[str] = set()
        self._links: set[str] = set()
        self._members = 0
        self._remembered = 0

    def place(self, member: tarfile.TarInfo) -> str:
        """Where a member goes, relative to the target; "" is the target itself. PackageRefused: it may not go there."""
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise _refusal(member, _("there are more than {count} members before it").format(count=_MAX_MEMBERS))
        if member.size < 0 or not _TIMES[0] < member.mtime < _TIMES[1]:
            raise _refusal(member, _("its size or its time is impossible"))
        name = _checked(member, member.name, _("its name"))
        if name.startswith(OURS):
            raise _refusal(member, _("acp-tui keeps its own notes under that name"))
        if self._below_other_than_folder(name):
            raise _refusal(member, _("it lies below a link or a file of the same archive"))
        if member.isdir():
            if name in self._files or name in self._links:
                raise _refusal(member, _("a folder takes the place of a file or link"))
            self._folders.add(name)
        elif member.isreg() or member.islnk() or member.issym():
            if name in self._folders or name in self._links or not name:
                raise _refusal(member, _("it takes the place of a folder or link"))
            self._take(member, name)
        else:
            raise _refusal(member, _("devices, pipes and other special files have no place in a package"))
        self._remember_folders(member, name)
        return name

    def _remember_folders(self, member: tarfile.TarInfo, name: str) -> None:
        parents = {str(parent) for parent in PurePosixPath(name).parents} - self._folders
        self._remembered += sum(map(len, parents))
        if self._remembered > _MAX_REMEMBERED:
            raise _refusal(member, _("the folders before it have too many and too long names"))
        self._folders |= parents

    def _take(self, member: tarfile.TarInfo, name: str) -> None:
        if member.issym():
            if name in self._files:
                raise _refusal(member, _("a link takes the place of a file"))
            _check_symlink(member, name)
            self._links.add(name)
            return
        if member.islnk():
            target = _checked(member, member.linkname, _("its link target"))
            if target not in self._files or target == name:
                raise _refusal(member, _("it is a link to a file that is not in the archive before it"))
        self._files.add(name)

    def _below_other_than_folder(self, name: str) -> bool:
        parents = {str(parent) for parent in PurePosixPath(name).parents}
        return bool(parents & (self._files | self._links))


def link_target(member: tarfile.TarInfo) -> str:
    """Of a hard link that `Guard` let pass: the file it is another name of, relative to the target."""
    return str(PurePosixPath(member.linkname))


def _check_symlink(member: tarfile.TarInfo, name: str) -> None:
    """`..` may only lead a link's target: behind another name it would depend on where that one points to."""
    target = PurePosixPath(member.linkname)
    if not member.linkname or target.is_absolute() or not _plain(member.linkname):
        raise _refusal(member, _("its link target is absolute or not a plain path"))
    up = 0
    for part in target.parts:
        if part != "..":
            break
        up += 1
    if ".." in target.parts[up:] or up > len(PurePosixPath(name).parent.parts):
        raise _refusal(member, _("its link leaves the target folder"))


def _checked(member: tarfile.TarInfo, text: str, what: str) -> str:
    path = PurePosixPath(text)
    if path.is_absolute():
        raise _refusal(member, _("{what} is an absolute path").format(what=what))
    if ".." in path.parts:
        raise _refusal(member, _("{what} leaves the target folder with '..'").format(what=what))
    if not text or not _plain(text):
        raise _refusal(member, _("{what} is empty, too long or has control characters").format(what=what))
    if len(path.parts) > _MAX_DEPTH:
        raise _refusal(member, _("{what} goes through more than {count} folders").format(what=what, count=_MAX_DEPTH))
    return "" if str(path) == "." else str(path)


def _plain(text: str) -> bool:
    if len(text) > _MAX_NAME or any(len(os.fsencode(part)) > _MAX_PART for part in text.split("/")):
        return False
    return not any(unicodedata.category(character) == "Cc" for character in text)


def _refusal(member: tarfile.TarInfo, rule: str) -> PackageRefused:
    return PackageRefused(
        _("The archive is refused because of its member {member}: {rule}.").format(member=_shown(member), rule=rule)
    )


def _shown(member: tarfile.TarInfo) -> str:
    return ascii(member.name[:200])
