"""Recognise files that have the name of a package but are not tar archives, and suggest what to do.

A browser or proxy sometimes compresses a download, or saves a login page under the name of the package.
"""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from acp_tui.core.i18n import N_, _

_PACKED: Mapping[bytes, tuple[str, str]] = {
    b"\x1f\x8b": ("gzip", "mv {file} {file}.gz && gunzip {file}.gz"),
    b"\xfd7zXZ\0": ("xz", "mv {file} {file}.xz && unxz {file}.xz"),
    b"BZh": ("bzip2", "mv {file} {file}.bz2 && bunzip2 {file}.bz2"),
    b"\x28\xb5\x2f\xfd": ("zstd", "mv {file} {file}.zst && unzstd --rm {file}.zst"),
    b"PK\x03\x04": ("zip", "mv {file} {file}.zip && unzip {file}.zip"),
}
_OTHER: Mapping[bytes, str] = {
    b"7z\xbc\xaf\x27\x1c": N_("The file is a 7z archive, not a tar archive. Copy the package again."),
    b"\xed\xab\xee\xdb": N_("The file is an RPM package, not a tar archive. Copy the package again."),
    b"-----BEGIN PGP SIGNATURE": N_("The file is a signature, not a tar archive. Copy the package again."),
    b"-----BEGIN PGP PUBLIC": N_("The file is a public key, not a tar archive. Copy the package again."),
    b"<": N_("The file is a web page, such as a login or error page, not a tar archive. Copy the package again."),
}
_HEAD = 1024
_TAR_MAGIC = slice(257, 262)
_ISO_MAGIC, _ISO_AT = b"CD001", 32769


def describe_other_type(handle: int, path: Path) -> str:
    """Return why the open file at `path` is not a tar archive, and what to do; "" if it is possibly a tar archive.

    Raises OSError if the file cannot be read."""
    head = os.pread(handle, _HEAD, 0)
    if head[_TAR_MAGIC] == b"ustar":
        return ""
    for magic, (name, command) in _PACKED.items():
        if head.startswith(magic):
            text = _("The file is compressed with {name}. Decompress it: {command}")
            return text.format(name=name, command=command.replace("{file}", shlex.quote(str(path))))
    for magic, message in _OTHER.items():
        if head.lstrip().startswith(magic):
            return _(message)
    if os.pread(handle, len(_ISO_MAGIC), _ISO_AT) == _ISO_MAGIC:
        text = _(
            "The file is a disc image, not a tar archive. Copy the package from the image. Mount it with: {command}"
        )
        return text.format(command=f"mount -o loop,ro {shlex.quote(str(path))} /mnt")
    return ""
