"""Check that the unpacked package is unchanged, before its scripts run as root."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from acp_tui.core.errors import AcpError
from acp_tui.core.files import read_trusted
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.ownership import UntrustedPath, require_trusted
from acp_tui.package.archive import SETUP
from acp_tui.package.file_record import FileRecord, differences, matches, reason_text
from acp_tui.package.install_dir import record_path, unpacked, write_stamp

_LARGEST_RECORD = 64 << 20
"""The maximum size in bytes of the record of a package's files. It has a line of text for each of some thousand."""


class PackageChanged(AcpError):
    """The files in the install folder are not those that acp-tui unpacked. The message names them and the way out."""

    def __init__(self, target: Path, reason: str) -> None:
        text = _(
            "The unpacked package in {folder} cannot be used: {reason}. Remove added files, and unpack the package "
            "again: acp-tui unpack PLAN"
        )
        super().__init__(text.format(folder=target, reason=reason))


def file_record(target: Path) -> FileRecord:
    """Return the record of all files that acp-tui unpacked in `target`. The files are not read.

    Raises UntrustedPath if another user can change the folder or setup.sh, and PackageChanged without a valid record.
    """
    require_trusted(target / SETUP)
    stamps = unpacked(target)
    if "core" not in stamps:
        raise PackageChanged(target, _("acp-tui did not unpack it completely, or an earlier version unpacked it"))
    files: dict[str, str] = {}
    for kind in ("core", "extensions"):  # files of the Extensions Package can replace those of the Core Package
        if kind in stamps:
            path = record_path(target, kind)
            try:
                content = read_trusted(path, _LARGEST_RECORD)
            except UntrustedPath:
                raise
            except OSError as error:
                raise PackageChanged(target, f"{path.name}: {error.strerror}") from error
            if hashlib.sha256(content).hexdigest() != stamps[kind].files:
                raise PackageChanged(target, _("the record of its files, {file}, was changed").format(file=path.name))
            files |= json.loads(content)
    return files


def is_unchanged(target: Path) -> bool:
    """Return True if all files that acp-tui unpacked in `target` are unchanged. Additional files do not count.

    Raises UntrustedPath if another user can change the folder, and OSError if a file cannot be read."""
    try:
        return not any(differences(target, file_record(target), added=False))
    except PackageChanged:
        return False


def require_unchanged(target: Path) -> None:
    """Raise PackageChanged if a file was changed or removed after unpacking, or if another user can change it.

    Until setup.sh is started for the first time, additional files are refused too. Later they are not, because setup.sh
    can create files in its folder. The call takes seconds. Raises UntrustedPath, and OSError if a file cannot be read.
    """
    files = file_record(target)
    if found := list(differences(target, files, added=not unpacked(target)["core"].started)):
        raise PackageChanged(target, reason_text(found))


def record_start(target: Path) -> None:
    """Record in the stamp that setup.sh is started from the files in `target`. Raises OSError."""
    stamps = unpacked(target)
    if not stamps["core"].started:
        write_stamp(target, {**stamps, "core": replace(stamps["core"], started=True)})


def verified_content(target: Path, name: str, limit: int) -> bytes:
    """Return the content of the unpacked file `name`, after its SHA-256 was compared with the record.

    `limit`: the maximum number of bytes. Raises UntrustedPath, PackageChanged, and OSError if it cannot be read."""
    path = target / name
    entry = file_record(target).get(name, "")
    content = read_trusted(path, limit)
    if not matches(content, entry):
        raise PackageChanged(target, pgettext("file", "{path} was changed").format(path=name))
    return content
