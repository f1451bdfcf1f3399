"""Decide which members of an archive may be unpacked: files, folders, and links that stay inside the target.

A package is untrusted input, signed or not. A member is judged by its name and by the members before it, so the same
rules apply to inspecting an archive and to unpacking it in one pass.
"""

import os
import tarfile
import unicodedata
from pathlib import PurePosixPath

from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.core.i18n import _

_MAX_NAME = 4096
_MAX_PART = 255
"""Bytes that a filesystem allows in one name."""
_MAX_DEPTH = 100
_MAX_MEMBERS = 1_000_000
_MAX_REMEMBERED = 256 << 20
"""Characters in the names of all folders together: deep paths need much more memory here than in the archive."""
_TIMES = (-(1 << 40), 1 << 40)
"""Seconds since 1970 that a filesystem can store, or at least round."""
OURS = ".acp-tui-"
"""The prefix of acp-tui's own files in the target; no archive may contain such a name."""


class PackageRefused(AcpError):
    """The archive is not a valid package (BND-TAR-OK); the text names the member and the rule."""

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
        """Return the path of a member relative to the target; "" is the target itself.

        Raises PackageRefused if the member must not be unpacked."""
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise _refusal(member, _("there are more than {count} members before it").format(count=_MAX_MEMBERS))
        if member.size < 0 or not _TIMES[0] < member.mtime < _TIMES[1]:
            raise _refusal(member, _("its size or time is invalid"))
        name = _checked(member, member.name)
        if name.startswith(OURS):
            raise _refusal(member, _("acp-tui uses this name for its own files"))
        if self._below_other_than_folder(name):
            raise _refusal(member, _("its parent is a link or file of the archive"))
        if member.isdir():
            if name in self._files or name in self._links:
                raise _refusal(member, _("the folder would replace a file or link"))
            self._folders.add(name)
        elif member.isreg() or member.islnk() or member.issym():
            if name in self._folders or name in self._links or not name:
                raise _refusal(member, _("it would replace a folder or link"))
            self._take(member, name)
        else:
            raise _refusal(member, _("devices, pipes and other special files are not allowed in a package"))
        self._remember_folders(member, name)
        return name

    def _remember_folders(self, member: tarfile.TarInfo, name: str) -> None:
        parents = {str(parent) for parent in PurePosixPath(name).parents} - self._folders
        self._remembered += sum(map(len, parents))
        if self._remembered > _MAX_REMEMBERED:
            raise _refusal(member, _("the folder names before it are too many and too long"))
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
                raise _refusal(member, _("it links to a file that the archive does not contain before it"))
        self._files.add(name)

    def _below_other_than_folder(self, name: str) -> bool:
        parents = {str(parent) for parent in PurePosixPath(name).parents}
        return bool(parents & (self._files | self._links))


def link_target(member: tarfile.TarInfo) -> str:
    """Return the target file of a hard link that `Guard` accepted, relative to the target folder."""
    return str(PurePosixPath(member.linkname))


def _check_symlink(member: tarfile.TarInfo, name: str) -> None:
    """Allow `..` only at the start of a link target: after another name, it would depend on what that name is."""
    target = PurePosixPath(member.linkname)
    if not member.linkname or target.is_absolute() or not _plain(member.linkname):
        raise _refusal(member, _("its link target is absolute or not a valid path"))
    up = 0
    for part in target.parts:
        if part != "..":
            break
        up += 1
    if ".." in target.parts[up:] or up > len(PurePosixPath(name).parent.parts):
        raise _refusal(member, _("its link leaves the target folder"))


def _checked(member: tarfile.TarInfo, text: str) -> str:
    """Return the name or link target of a member as a normal path. Raises PackageRefused if it is not allowed."""
    path = PurePosixPath(text)
    if path.is_absolute():
        raise _refusal(member, _("the path is absolute"))
    if ".." in path.parts:
        raise _refusal(member, _("the path leaves the target folder with '..'"))
    if not text or not _plain(text):
        raise _refusal(member, _("the path is empty, too long or has control characters"))
    if len(path.parts) > _MAX_DEPTH:
        raise _refusal(member, _("the path has more than {count} folders").format(count=_MAX_DEPTH))
    return "" if str(path) == "." else str(path)


def _plain(text: str) -> bool:
    if len(text) > _MAX_NAME or any(len(os.fsencode(part)) > _MAX_PART for part in text.split("/")):
        return False
    return not any(unicodedata.category(character) == "Cc" for character in text)


def _refusal(member: tarfile.TarInfo, rule: str) -> PackageRefused:
    return PackageRefused(
        _("The archive is rejected because of its member {member}: {rule}.").format(member=_shown(member), rule=rule)
    )


def _shown(member: tarfile.TarInfo) -> str:
    return ascii(member.name[:200])
