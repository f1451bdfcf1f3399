"""What has a package's name but is something else: told what it is, and the way out works."""

import bz2
import gzip
import io
import lzma
import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from acp_tui.package.archive import inspect
from acp_tui.package.extract import extract
from acp_tui.package.tar_members import PackageRefused
from tests.support import package_builder as archives


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr(archives.CORE, content)
    return out.getvalue()


def zstd(content: bytes) -> bytes:
    return subprocess.run(["zstd", "-cq"], input=content, capture_output=True, check=True).stdout


PACKED: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zstd": zstd,
    "zip": zipped,
}
TOOLS = {"gzip": "gunzip", "xz": "unxz", "bzip2": "bunzip2", "zstd": "unzstd", "zip": "unzip"}


@pytest.mark.parametrize("kind", PACKED)
def test_a_packed_package_tells_the_command_that_mends_it(kind: str, tmp_path: Path) -> None:
    if shutil.which(TOOLS[kind]) is None:
        pytest.skip(f"needs {TOOLS[kind]}")
    folder = tmp_path / "with a space"
    folder.mkdir()
    package = archives.core(folder)
    content = package.read_bytes()
    package.write_bytes(PACKED[kind](content))
    with pytest.raises(PackageRefused, match=kind) as refused:
        inspect(package)
    command = str(refused.value).partition("Decompress it: ")[2]
    subprocess.run(["sh", "-c", command], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    assert package.read_bytes() == content
    assert inspect(package).installable


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\n<!DOCTYPE html><html><title>Log in</title>", "a web page"),
        (b"-----BEGIN PGP SIGNATURE-----\n\niQ", "a signature"),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ", "a public key"),
        (bytes(32_769) + b"CD001\x01" + bytes(2000), "mount -o loop,ro"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(2000), "7z"),
        (b"\xed\xab\xee\xdb" + bytes(2000), "RPM"),
    ],
)
def test_something_else_is_called_by_its_name(content: bytes, told: str, tmp_path: Path) -> None:
    package = tmp_path / archives.CORE
    package.write_bytes(content)
    for read in (inspect, lambda path: extract(path, tmp_path / "target")):
        with pytest.raises(PackageRefused, match=told):
            read(package)
    assert not (tmp_path / "target").exists()


def test_an_archive_is_what_it_is_whatever_its_first_file_is_called(tmp_path: Path) -> None:
    package = archives.archive(tmp_path / archives.CORE, archives.file("<PK.7z"), form=tarfile.USTAR_FORMAT)
    assert inspect(package).members == 1


def test_a_pipe_or_device_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(OSError, match="a device or a pipe"):
            inspect(path)
