"""Decide whether a path can be trusted, as sshd does for its files with StrictModes (sshd_config(5)).

A path is trusted if only the operator and root can change it or replace it. So its owner, its mode and every parent
folder count.
"""

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from errno import ELOOP, EPERM
from pathlib import Path

from acp_tui.core.errors import AcpError
from acp_tui.core.i18n import _
from acp_tui.core.text import sanitize

_MAX_LINKS = 40
"""The number of symbolic links in one path that Linux follows (path_resolution(7))."""
_ACL = "system.posix_acl_access"


@dataclass(frozen=True)
class Weakness:
    """The reason why a path is not trusted. `path`: the file or folder that another user can change."""

    path: Path
    reason: str


class UntrustedPath(AcpError, PermissionError):
    """Another user can change a file or folder that acp-tui must be able to trust.

    It is also an OSError, so that code that reports unreadable files reports untrusted files too. `strerror` is the
    message."""

    def __init__(self, path: Path, weakness: Weakness) -> None:
        fault = weakness.reason
        if weakness.path != path:  # otherwise the reason names the path
            fault = _("{path} is not trusted: {reason}").format(path=sanitize(str(path)), reason=fault)
        message = _(
            "{fault}. acp-tui uses only files and folders that belong to you or root, and to which no other user can "
            "write. Correct this with chown or chmod, or copy the files to a folder of your own."
        ).format(fault=fault)
        super().__init__(EPERM, message, str(path))
        self.weakness = weakness

    def __str__(self) -> str:
        return str(self.strerror)


def trusted_owners() -> frozenset[int]:
    """Return the user IDs whose files are trusted: root, the current user, and for root the user who called sudo."""
    owners = {0, os.geteuid()}
    caller = os.environ.get("SUDO_UID", "")
    if os.geteuid() == 0 and caller.isascii() and caller.isdigit():
        owners.add(int(caller[:10]))
    return frozenset(owners)


def require_trusted(path: Path) -> None:
    """Raise UntrustedPath if another user can change or replace `path`. Raises OSError if the path cannot be read.

    If `path` does not exist, its existing parents are checked."""
    if weakness := weakness_of(path):
        raise UntrustedPath(path, weakness)


def is_trusted(path: Path) -> bool:
    """Return True if only the operator and root can change `path`. A path that cannot be read is not trusted."""
    try:
        return weakness_of(path) is None
    except OSError:
        return False


def weakness_of(path: Path) -> Weakness | None:
    """Return the first reason why `path` is not trusted; None if it is trusted.

    The check includes every parent folder and every symbolic link on the way. A folder with the sticky bit that root
    owns, such as /tmp, is a safe parent. Write access of a group is allowed if the owner is its only member. If `path`
    does not exist, its existing parents are checked. Raises OSError if a part cannot be read."""
    owners = trusted_owners()
    for part, found, is_parent in _parts(path):
        if reason := _reason(part, found, owners, is_parent=is_parent):
            return Weakness(part, reason)
    return None


def require_own_links(path: Path) -> None:
    """Raise UntrustedPath if a symbolic link on the way to `path` belongs to another user.

    That user decides where the link leads, for example to a file that only root can read. The other rules of trust do
    not apply, so `path` can be in a folder of another user. Raises OSError if a part cannot be read."""
    owners = trusted_owners()
    for part, found, _is_parent in _parts(path):
        if stat.S_ISLNK(found.st_mode) and (reason := _reason(part, found, owners, is_parent=False)):
            raise UntrustedPath(path, Weakness(part, reason))


def own_weakness(path: Path, found: os.stat_result) -> str:
    """Return the reason why a file or folder is not trusted; "" if it is trusted. Its parents are not checked.

    `found`: the status of `path`, from lstat."""
    return _reason(path, found, trusted_owners(), is_parent=False)


def require_trusted_status(path: Path, found: os.stat_result) -> None:
    """Raise UntrustedPath if another user can change the open file `path`. `found`: its status, from fstat.

    In a folder such as /tmp, another user can create or remove a file after the check of its path."""
    if reason := own_weakness(path, found):
        raise UntrustedPath(path, Weakness(path, reason))


def owner_name(path: Path) -> str:
    """Return the name of the owner of `path`, or the user ID if it has no name. Raises OSError."""
    return user_name(path.lstat().st_uid)


def _parts(path: Path) -> Iterator[tuple[Path, os.stat_result, bool]]:
    """Yield each folder, link and file that the kernel visits on the way to `path`, with its status.

    The third value is True for a parent folder. The parts end before the first one that does not exist."""
    here, links = Path("/"), 0
    rest = list((Path.cwd() / path).parts[1:])
    yield here, here.lstat(), bool(rest)
    while rest:
        name = rest.pop(0)
        if name == "..":
            here = here.parent
            continue
        part = here / name
        try:
            found = part.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return
        yield part, found, bool(rest)
        if not stat.S_ISLNK(found.st_mode):
            here = part
            continue
        links += 1
        if links > _MAX_LINKS:
            raise OSError(ELOOP, os.strerror(ELOOP), str(path))
        target = part.readlink()
        rest = [*target.parts[target.is_absolute() :], *rest]
        here = Path("/") if target.is_absolute() else here


def _reason(part: Path, found: os.stat_result, owners: frozenset[int], *, is_parent: bool) -> str:
    """Return the reason why a part of a path is not trusted; "" if it is trusted."""
    name = sanitize(str(part))
    if found.st_uid not in owners:
        return _("{path} belongs to the user {owner}").format(path=name, owner=user_name(found.st_uid))
    if stat.S_ISLNK(found.st_mode):  # its mode has no meaning; only the owner counts in a sticky folder
        return ""
    writable = found.st_mode & stat.S_IWOTH or (found.st_mode & stat.S_IWGRP and not _is_private_group(part, found))
    if not writable or (is_parent and found.st_uid == 0 and found.st_mode & stat.S_ISVTX):
        return ""
    return _("other users can write to {path} (mode {mode:o})").format(path=name, mode=stat.S_IMODE(found.st_mode))


def _is_private_group(part: Path, found: os.stat_result) -> bool:
    """Return True if the owner of a file is the only member of its group, so that no other user has write access.

    With an access control list, the group bits of the mode can stand for any user."""
    try:
        owner, group = pwd.getpwuid(found.st_uid), grp.getgrgid(found.st_gid)
        if owner.pw_gid != found.st_gid or set(group.gr_mem) - {owner.pw_name}:
            return False
        if any(user.pw_gid == found.st_gid and user.pw_uid != found.st_uid for user in pwd.getpwall()):
            return False
    except KeyError:
        return False
    try:
        return not os.getxattr(part, _ACL, follow_symlinks=False)
    except OSError:  # the file has no access control list, or the file system does not support them
        return True


def user_name(uid: int) -> str:
    """Return the name of a user, or the user ID if it has no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
