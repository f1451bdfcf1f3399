"""Small tar archives for tests, valid and hostile."""

import io
import tarfile
from pathlib import Path

CORE = "installer-core-v4.0.3-x86.tar"
EXTENSIONS = "installer-extensions-v4.0.3-x86.tar"


def file(name: str, content: bytes = b"x", mode: int = 0o644) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = len(content), mode, 1_700_000_000
    return member, content


def special(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    """Return a folder, link, device or pipe; `kind` is a type of tarfile."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mode = kind, target, 0o755
    return member, b""


def symlink(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return special(name, tarfile.SYMTYPE, target)


def archive(path: Path, *members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w", format=form) as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
    return path


def core(folder: Path, *more: tuple[tarfile.TarInfo, bytes], name: str = CORE) -> Path:
    """Write a Core Package with the layout of a real one."""
    return archive(
        folder / name,
        special("installer", tarfile.DIRTYPE),
        file("installer/setup.sh", b"#!/bin/bash\necho setup\n", 0o755),
        file("installer/res/init.sh", b"#!/bin/bash\n", 0o755),
        file("installer/images/big.img", bytes(range(256)) * 12_000),
        symlink("installer/setup", "setup.sh"),
        *more,
    )
