"""The check of the unpacked files before setup.sh runs as root: changed, missing, added and other users' files."""

import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from acp_tui.core.ownership import UntrustedPath
from acp_tui.package.archive import INIT, SETUP
from acp_tui.package.extract import extract
from acp_tui.package.file_record import SMALL
from acp_tui.package.install_dir import UnpackFailed, record_path, unpacked
from acp_tui.package.unpacked_package import (
    PackageChanged,
    file_record,
    record_start,
    require_unchanged,
    verified_content,
)
from acp_tui.plan.package_name import STAMP
from tests.support.other_users import STRANGER, needs_root
from tests.support.package_builder import EXTENSIONS, archive, core, file, special

PROGRAM = b"\x7fELF" + bytes(SMALL)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """An install folder with an unpacked package: scripts, a large image, a large program, and links."""
    package = core(
        tmp_path,
        special("installer/same.sh", tarfile.LNKTYPE, "installer/setup.sh"),
        file("installer/bin/tool", PROGRAM, 0o777),
        file("installer/deep/er/values.yaml", b"a: 1\n", 0o666),
        file("top.txt", b"top"),
    )
    extract(package, tmp_path / "target")
    return tmp_path / "target"


def overwrite_in_place(path: Path) -> None:
    """Change one byte, and restore the modification time as an attacker would."""
    before = path.stat()
    with path.open("r+b") as content:
        content.seek(before.st_size - 1)
        content.write(b"#")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_by_copy(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_parent_by_link(path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))
    path.parent.symlink_to("moved")


def relink(path: Path) -> None:
    path.unlink()
    path.symlink_to("res/init.sh")


def test_unpacked_files_are_unchanged_and_only_their_owner_can_write_to_them(target: Path) -> None:
    require_unchanged(target)
    for path in (target / "installer").rglob("*"):
        assert path.is_symlink() or not path.stat().st_mode & 0o022


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("installer/setup.sh", overwrite_in_place, "changed"),
        ("installer/res/init.sh", overwrite_in_place, "changed"),
        ("installer/deep/er/values.yaml", overwrite_in_place, "changed"),
        ("installer/bin/tool", overwrite_in_place, "changed"),
        ("installer/images/big.img", overwrite_in_place, "changed"),
        ("installer/images/big.img", replace_by_copy, "changed"),
        ("installer/setup.sh", replace_by_folder, "changed"),
        ("installer/setup", relink, "changed"),
        ("top.txt", Path.unlink, "missing"),
        ("installer/setup.sh", lambda path: path.chmod(0o757), "mode 757"),
        ("installer/deep", lambda path: path.chmod(0o777), "mode 777"),
    ],
)
@pytest.mark.parametrize("started", [False, True])
def test_changed_file_is_named(
    target: Path, name: str, change: Callable[[Path], None], reason: str, started: bool
) -> None:
    if started:
        record_start(target)
    change(target / name)
    with pytest.raises((PackageChanged, UntrustedPath), match=reason) as changed:
        require_unchanged(target)
    assert name in str(changed.value)


def test_folder_replaced_by_a_link_is_a_change(target: Path) -> None:
    replace_parent_by_link(target / "installer" / "deep" / "er" / "values.yaml")
    with pytest.raises(PackageChanged, match="installer/deep/er: changed"):
        require_unchanged(target)


def test_copy_of_a_small_file_with_the_same_content_is_no_change(target: Path) -> None:
    replace_by_copy(target / "installer" / "res" / "init.sh")
    require_unchanged(target)


def test_additional_files_count_until_setup_is_started(target: Path) -> None:
    """setup.sh can create files in its folder, and a second run of it must stay possible."""
    (target / "installer" / "res" / "extra.sh").touch()
    (target / "beside").touch()
    with pytest.raises(PackageChanged, match=r"cannot be used: installer/res/extra\.sh: added\."):
        require_unchanged(target)
    record_start(target)
    require_unchanged(target)


def test_message_names_five_files_and_counts_the_others(target: Path) -> None:
    for number in range(8):
        (target / "installer" / str(number)).touch()
    with pytest.raises(PackageChanged, match=r"installer/4: added; and 3 more\. Remove .* acp-tui unpack PLAN"):
        require_unchanged(target)


@needs_root
def test_folder_that_another_user_added_is_refused(target: Path) -> None:
    (target / "installer" / "plugins").mkdir()
    os.chown(target / "installer" / "plugins", STRANGER, -1)
    with pytest.raises(PackageChanged, match=r"installer/plugins: .* belongs to the user nobody"):
        require_unchanged(target)


def test_changed_package_is_unpacked_again(tmp_path: Path, target: Path) -> None:
    package = tmp_path / "installer-core-v4.0.3-x86.tar"
    assert not extract(package, target)
    overwrite_in_place(target / "installer" / "setup.sh")
    assert extract(package, target)
    require_unchanged(target)


def test_files_of_the_extensions_package_count(tmp_path: Path, target: Path) -> None:
    """They can replace files of the Core Package."""
    extensions = archive(tmp_path / EXTENSIONS, file("installer/res/init.sh", b"newer"), file("installer/plugins/a"))
    extract(extensions, target, kind="extensions")
    require_unchanged(target)
    assert verified_content(target, INIT, 100) == b"newer"
    overwrite_in_place(target / "installer" / "plugins" / "a")
    with pytest.raises(PackageChanged, match="installer/plugins/a: changed"):
        require_unchanged(target)
    assert extract(tmp_path / "installer-core-v4.0.3-x86.tar", target)
    assert not record_path(target, "extensions").exists()
    require_unchanged(target)


def test_stamp_of_an_earlier_version_is_not_believed(tmp_path: Path, target: Path) -> None:
    """It has no digest, so nothing shows whether the files are those of the package. The package is unpacked again."""
    stamp = json.loads((target / STAMP).read_text())
    del stamp["core"]["files"], stamp["core"]["started"]
    (target / STAMP).write_text(json.dumps(stamp))
    assert unpacked(target) == {}
    with pytest.raises(PackageChanged, match="an earlier version unpacked it"):
        file_record(target)
    assert extract(tmp_path / "installer-core-v4.0.3-x86.tar", target)
    require_unchanged(target)


def test_changed_record_is_refused(target: Path) -> None:
    path = record_path(target, "core")
    path.write_text(path.read_text().replace("top.txt", "top.text"))
    with pytest.raises(PackageChanged, match=f"{path.name}, was changed"):
        file_record(target)
    path.unlink()
    with pytest.raises(PackageChanged, match="No such file"):
        file_record(target)


@needs_root
@pytest.mark.parametrize("owned", ["", "installer", "installer/setup.sh", STAMP])
def test_files_that_another_user_placed_are_not_believed(tmp_path: Path, target: Path, owned: str) -> None:
    """Their stamp says that the package is unpacked and verified, with the vendor's fingerprint."""
    os.chown(target / owned, STRANGER, -1)
    with pytest.raises((UntrustedPath, PackageChanged)):
        file_record(target)
    if owned == STAMP:
        assert unpacked(target) == {}
    if owned == "":
        with pytest.raises(UnpackFailed, match="belongs to the user nobody"):
            extract(tmp_path / "installer-core-v4.0.3-x86.tar", target)


def test_install_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(UnpackFailed, match="other users can write to"):
        extract(core(tmp_path), shared / "target")
    assert list(shared.iterdir()) == []


@pytest.mark.parametrize("form", ["gnu", "posix"])
def test_small_sparse_script_is_used_until_it_changes(tmp_path: Path, form: str) -> None:
    files, package = tmp_path / "in", tmp_path / "package.tar"
    script, content = files / INIT, b"#!/bin/bash\n" + bytes(500_000) + b"exit\n"
    script.parent.mkdir(parents=True)
    (files / SETUP).write_text("#!/bin/bash\n")
    with script.open("wb") as sparse:
        sparse.write(content[:12])
        sparse.seek(len(content) - 5)
        sparse.write(b"exit\n")
    tar = ["tar", "-S", f"--format={form}", "-cf", str(package), "-C", str(files), "installer"]
    subprocess.run(tar, check=True)
    assert package.stat().st_size < 100_000, "the file is not sparse"
    extract(package, tmp_path / "target")
    assert verified_content(tmp_path / "target", INIT, SMALL) == content
    require_unchanged(tmp_path / "target")
    overwrite_in_place(tmp_path / "target" / INIT)
    with pytest.raises(PackageChanged, match="init"):
        verified_content(tmp_path / "target", INIT, SMALL)


def test_changed_init_script_is_not_used(target: Path) -> None:
    assert verified_content(target, INIT, 100) == b"#!/bin/bash\n"
    overwrite_in_place(target / INIT)
    with pytest.raises(PackageChanged, match="init"):
        verified_content(target, INIT, 100)


@needs_root
def test_pipe_of_another_user_is_refused_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "theirs" / "installer" / "res"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "init.sh")  # opening it would wait for a writer
    for path in (tmp_path / "theirs", folder):
        os.chown(path, STRANGER, -1)
    with pytest.raises(UntrustedPath):
        verified_content(tmp_path / "theirs", "installer/res/init.sh", 100)
