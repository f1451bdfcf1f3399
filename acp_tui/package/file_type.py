"""What a file is that has a package's name but is no tar: the commonest mistakes, each with its way out.

A browser or proxy may pack a download anew, or save a login page under its name.
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
    b"7z\xbc\xaf\x27\x1c": N_("a 7z archive"),
    b"\xed\xab\xee\xdb": N_("an RPM package"),
    b"-----BEGIN PGP SIGNATURE": N_("a signature"),
    b"-----BEGIN PGP PUBLIC": N_("a public key"),
    b"<": N_("a web page, such as the portal's login or an error"),
}
_HEAD = 1024
_TAR_MAGIC = slice(257, 262)
_ISO_MAGIC, _ISO_AT = b"CD001", 32769


def what_else(handle: int, path: Path) -> str:
    """Why the open file at `path` is no tar archive and what to do; "" where it may be one. OSError: not readable."""
    head = os.pread(handle, _HEAD, 0)
    if head[_TAR_MAGIC] == b"ustar":
        return ""
    for magic, (name, command) in _PACKED.items():
        if head.startswith(magic):
            words = _("It is no plain tar archive but packed with {name}. Unpack it: {command}")
            return words.format(name=name, command=command.replace("{file}", shlex.quote(str(path))))
    for magic, what in _OTHER.items():
        if head.lstrip().startswith(magic):
            return _("It is no tar archive but {what}. Copy the package again.").format(what=_(what))
    if os.pread(handle, len(_ISO_MAGIC), _ISO_AT) == _ISO_MAGIC:
        words = _("It is no tar archive but the image of a disc. Open it, and take the package out: {command}")
        return words.format(command=f"mount -o loop,ro {shlex.quote(str(path))} /mnt")
    return ""
