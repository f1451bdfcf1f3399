"""Files with the name of a package that are not archives: the error names the type and a command that works."""

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
from acp_tui.package.archive_safety import PackageRefused
from acp_tui.package.extract import extract
from tests.support import package_builder as archives


def zip_file(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr(archives.CORE, content)
    return out.getvalue()


def zstd(content: bytes) -> bytes:
    return subprocess.run(["zstd", "-cq"], input=content, capture_output=True, check=True).stdout


COMPRESSORS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zstd": zstd,
    "zip": zip_file,
}
DECOMPRESSORS = {"gzip": "gunzip", "xz": "unxz", "bzip2": "bunzip2", "zstd": "unzstd", "zip": "unzip"}


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compressed_package_is_rejected_with_a_command_that_decompresses_it(kind: str, tmp_path: Path) -> None:
    if shutil.which(DECOMPRESSORS[kind]) is None:
        pytest.skip(f"needs {DECOMPRESSORS[kind]}")
    folder = tmp_path / "with a space"
    folder.mkdir()
    package = archives.core(folder)
    content = package.read_bytes()
    package.write_bytes(COMPRESSORS[kind](content))
    with pytest.raises(PackageRefused, match=kind) as refused:
        inspect(package)
    command = str(refused.value).partition("Decompress it: ")[2]
    subprocess.run(["sh", "-c", command], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    assert package.read_bytes() == content
    assert inspect(package).installable


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\n<!DOCTYPE html><html><title>Log in</title>", "a web page"),
        (b"-----BEGIN PGP SIGNATURE-----\n\niQ", "a signature"),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ", "a public key"),
        (bytes(32_769) + b"CD001\x01" + bytes(2000), "mount -o loop,ro"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(2000), "7z"),
        (b"\xed\xab\xee\xdb" + bytes(2000), "RPM"),
    ],
)
def test_other_file_type_is_named_in_the_error(content: bytes, text: str, tmp_path: Path) -> None:
    package = tmp_path / archives.CORE
    package.write_bytes(content)
    for read in (inspect, lambda path: extract(path, tmp_path / "target")):
        with pytest.raises(PackageRefused, match=text):
            read(package)
    assert not (tmp_path / "target").exists()


def test_archive_is_recognised_despite_a_misleading_first_name(tmp_path: Path) -> None:
    package = archives.archive(tmp_path / archives.CORE, archives.file("<PK.7z"), form=tarfile.USTAR_FORMAT)
    assert inspect(package).members == 1


def test_pipe_or_device_is_rejected_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(OSError, match="a device or a pipe"):
            inspect(path)
