"""Decide which members of an archive can be unpacked: files, folders, and links that stay inside the target folder.

A package is untrusted input, even if it is signed. The decision depends only on the header of the member and on the
headers before it. Inspecting and unpacking therefore always accept the same members.
"""

import os
import tarfile
import unicodedata
from pathlib import PurePosixPath

from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.core.i18n import _

_MAX_NAME = 4096
_MAX_PART = 255
"""The maximum number of bytes that a file system allows in one name."""
_MAX_DEPTH = 100
_MAX_MEMBERS = 200_000
_MAX_REMEMBERED = 64 << 20
"""The maximum length of all folder paths of an archive together, in characters.

Without this limit, a small archive with deep paths could use too much memory."""
_TIMES = (-(1 << 40), 1 << 40)
"""The limits of a valid modification time, in seconds since 1970. No file system rejects a time in this range."""
OURS = ".acp-tui-"
"""The prefix of the files that acp-tui creates in the target folder. An archive must not use this prefix."""


class PackageRefused(AcpError):
    """The archive is not a valid package (BND-TAR-OK). The message has the reason."""

    exit_status = ExitStatus.CHECK_FAILED


class Guard:
    """Checks the members of one archive in their order."""

    def __init__(self) -> None:
        self._folders: set[str] = set()
        self._files: set[str] = set()
        self._links: set[str] = set()
        self._members = 0
        self._remembered = 0

    def place(self, member: tarfile.TarInfo) -> str:
        """Return the path of a member relative to the target folder; "" is the target folder itself.

        Raises PackageRefused if the member must not be unpacked."""
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise _refusal(member, _("the archive has more than {count} members").format(count=_MAX_MEMBERS))
        if member.size < 0 or not _TIMES[0] < member.mtime < _TIMES[1]:
            raise _refusal(member, _("the size or the modification time of the member is invalid"))
        name = _checked(member, member.name)
        if name.startswith(OURS):
            raise _refusal(member, _("a package must not contain names that acp-tui uses for its own files"))
        if self._below_other_than_folder(name):
            raise _refusal(member, _("the parent of the member is a link or a file, not a folder"))
        if member.isdir():
            if name in self._files or name in self._links:
                raise _refusal(member, _("the folder would replace a file or a link"))
            self._folders.add(name)
        elif member.isreg() or member.islnk() or member.issym():
            if name in self._folders or name in self._links or not name:
                raise _refusal(member, _("the member would replace a folder or a link"))
            self._take(member, name)
        else:
            raise _refusal(member, _("devices, pipes and other special files are not allowed in a package"))
        self._remember_folders(member, name)
        return name

    def _remember_folders(self, member: tarfile.TarInfo, name: str) -> None:
        parents = {str(parent) for parent in PurePosixPath(name).parents} - self._folders
        self._remembered += sum(map(len, parents))
        if self._remembered > _MAX_REMEMBERED:
            raise _refusal(member, _("the folder paths of the archive are too long in total"))
        self._folders |= parents

    def _take(self, member: tarfile.TarInfo, name: str) -> None:
        if member.issym():
            if name in self._files:
                raise _refusal(member, _("the link would replace a file"))
            _check_symlink(member, name)
            self._links.add(name)
            return
        if member.islnk():
            target = _checked(member, member.linkname)
            if target not in self._files or target == name:
                raise _refusal(member, _("the link refers to a file that does not come before the link in the archive"))
        self._files.add(name)

    def _below_other_than_folder(self, name: str) -> bool:
        parents = {str(parent) for parent in PurePosixPath(name).parents}
        return not (parents.isdisjoint(self._files) and parents.isdisjoint(self._links))


def link_target(member: tarfile.TarInfo) -> str:
    """Return the file that a hard link refers to, as a path relative to the target folder.

    `Guard` must have accepted the link before."""
    return str(PurePosixPath(member.linkname))


def _check_symlink(member: tarfile.TarInfo, name: str) -> None:
    """Allow `..` only at the start of a link target.

    The meaning of `..` after a name depends on whether the name is itself a link."""
    target = PurePosixPath(member.linkname)
    if not member.linkname or target.is_absolute() or not _plain(member.linkname):
        raise _refusal(member, _("the link target is absolute or is not a valid path"))
    up = 0
    for part in target.parts:
        if part != "..":
            break
        up += 1
    if ".." in target.parts[up:] or up > len(PurePosixPath(name).parent.parts):
        raise _refusal(member, _("the link target is outside the target folder"))


def _checked(member: tarfile.TarInfo, text: str) -> str:
    """Return the name or the link target of a member as a normalised path.

    Raises PackageRefused if the path is not allowed."""
    path = PurePosixPath(text)
    if path.is_absolute():
        raise _refusal(member, _("the path of the member is absolute"))
    if ".." in path.parts:
        raise _refusal(member, _("the path of the member leaves the target folder with '..'"))
    if not text or not _plain(text):
        raise _refusal(member, _("the path of the member is empty, is too long or has control characters"))
    if len(path.parts) > _MAX_DEPTH:
        raise _refusal(member, _("the path of the member has more than {count} folders").format(count=_MAX_DEPTH))
    return "" if str(path) == "." else str(path)


def _plain(text: str) -> bool:
    if len(text) > _MAX_NAME or any(len(os.fsencode(part)) > _MAX_PART for part in text.split("/")):
        return False
    return not any(unicodedata.category(character) == "Cc" for character in text)


def _refusal(member: tarfile.TarInfo, rule: str) -> PackageRefused:
    return PackageRefused(
        _(
            "acp-tui rejects the archive because of its member {member}: {rule}. Copy the package "
            "again from the vendor's portal."
        ).format(member=_shown(member), rule=rule)
    )


def _shown(member: tarfile.TarInfo) -> str:
    return ascii(member.name[:200])
