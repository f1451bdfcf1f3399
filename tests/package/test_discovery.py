"""Search for packages on the disks of this host, and their order."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from acp_tui.package.discovery import Found, find, look_for, mounted, offers
from acp_tui.plan.package_name import Arch, parse_name
from tests.support.other_users import STRANGER, needs_root

CORE = "installer-core-v4.0.3-x86.tar"
NEWER = "installer-core-v4.1.0-x86.tar"


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_core_package_is_found_with_signature_extensions_and_key(tmp_path: Path) -> None:
    put(
        tmp_path,
        f"a/b/{CORE}",
        f"a/b/{CORE}.sig",
        "a/b/installer-extensions-v4.0.3-x86.tar",
        "a/b/verify-key.pub",
        "installer-extensions-v4.0.3-arm.tar",
        "verify-key.pub",
        "a/notes.tar",
    )
    folder = tmp_path / "a" / "b"
    name = parse_name(CORE)
    assert name is not None
    extensions, key = folder / "installer-extensions-v4.0.3-x86.tar", folder / "verify-key.pub"
    assert find([tmp_path], "x86_64") == (Found(folder / CORE, name, True, extensions, key),)


def test_other_names_hidden_folders_and_links_are_ignored(tmp_path: Path) -> None:
    put(tmp_path, "core.tar", f"{CORE}.sig", f"{CORE}.part", ".hidden/" + CORE, "1/2/3/4/" + CORE)
    (tmp_path / "link").symlink_to(tmp_path / ".hidden")
    (tmp_path / ("folder-" + CORE)).mkdir()
    assert find([tmp_path, tmp_path / "nowhere"], "x86_64") == ()


@pytest.mark.parametrize(
    ("names", "arch", "expected"),
    [
        # Versions are compared by number.
        (("v4.0.9-x86", "v4.0.10-x86", "v4.0.2-x86"), "x86", "v4.0.10-x86"),
        # A package for another architecture comes after those that this host can run.
        (("v4.1.0-arm", "v4.0.3-x86"), "x86", "v4.0.3-x86"),
        (("v4.1.0-arm", "v4.0.3-x86"), "arm", "v4.1.0-arm"),
        (("v4.1.0-hybrid", "v4.0.3-x86"), "x86", "v4.1.0-hybrid"),
        (("v4.0.3-hybrid", "v4.0.3-x86"), "x86", "v4.0.3-x86"),
        (("v4.0.3-arm",), "x86", "v4.0.3-arm"),
        (("v4.0.3-arm", "v4.1.0-x86"), None, "v4.1.0-x86"),
    ],
)
def test_newest_package_for_this_host_is_first(names: Sequence[str], arch: Arch | None, expected: str) -> None:
    packages = offers([Path(f"/p/installer-core-{name}.tar") for name in names], arch)
    assert len(packages) == len(names)
    assert packages[0].core.name == f"installer-core-{expected}.tar"


def test_copy_with_a_signature_is_preferred(tmp_path: Path) -> None:
    put(tmp_path, f"a/{CORE}", f"b/{CORE}", f"b/{CORE}.asc", f"c/{CORE}")
    packages = find([tmp_path], "x86_64")
    assert len(packages) == 1
    assert packages[0].core == tmp_path / "b" / CORE


@needs_root
def test_package_that_another_user_can_change_comes_last_and_names_its_owner(tmp_path: Path) -> None:
    put(tmp_path, f"theirs/{NEWER}", f"open/{CORE}", f"mine/{CORE}")
    os.chown(tmp_path / "theirs" / NEWER, STRANGER, -1)
    (tmp_path / "open").chmod(0o777)
    packages = find([tmp_path], "x86_64")
    assert [(found.core.parent.name, found.caution) for found in packages] == [("mine", ""), ("theirs", "owner nobody")]
    (tmp_path / "mine" / CORE).unlink()
    cautions = {found.core.parent.name: found.caution for found in find([tmp_path], "x86_64")}
    assert cautions == {"theirs": "owner nobody", "open": "other users can write to it"}


@needs_root
def test_key_and_extensions_that_another_user_can_change_are_not_suggested(tmp_path: Path) -> None:
    extensions = "installer-extensions-v4.0.3-x86.tar"
    put(tmp_path, CORE, "verify-key.pub", extensions)
    for name in ("verify-key.pub", extensions):
        os.chown(tmp_path / name, STRANGER, -1)
    (found,) = find([tmp_path], "x86_64")
    assert (found.caution, found.public_key, found.extensions) == ("", None, None)
    put(tmp_path, "other/verify-key.pub")
    assert find([tmp_path], "x86_64")[0].public_key == tmp_path / "other" / "verify-key.pub"


def test_search_is_limited_in_time_depth_and_entries(tmp_path: Path) -> None:
    put(tmp_path, *(f"{number}/{other}" for number in range(20) for other in range(20)))
    put(tmp_path, CORE, f"19/{CORE}")
    assert list(look_for([tmp_path], seconds=0)) == []
    assert list(look_for([tmp_path], depth=0)) == [tmp_path / CORE]
    assert list(look_for([tmp_path], entries=21)) == [tmp_path / CORE]
    assert sorted(look_for([tmp_path])) == [tmp_path / "19" / CORE, tmp_path / CORE]


def test_folder_given_twice_gives_its_files_once(tmp_path: Path) -> None:
    put(tmp_path, f"a/{CORE}")
    assert list(look_for([tmp_path, tmp_path / "a", tmp_path])) == [tmp_path / "a" / CORE]


def test_names_with_control_characters_are_ignored(tmp_path: Path) -> None:
    put(tmp_path, f"a\x1b[2Jb/{CORE}")
    assert list(look_for([tmp_path])) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
def test_unreadable_folder_is_ignored(tmp_path: Path) -> None:
    put(tmp_path, f"open/{CORE}", f"closed/{CORE}")
    (tmp_path / "closed").chmod(0)
    try:
        assert list(look_for([tmp_path])) == [tmp_path / "open" / CORE]
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_mount_points_of_disks_are_found(tmp_path: Path) -> None:
    table = tmp_path / "mounts"
    lines = ["/dev/vda / ext4 rw 0 0", "proc /proc proc rw 0 0", r"/dev/sdb1 /usb\040stick vfat ro 0 0", "/dev/x", ""]
    table.write_text("\n".join(lines))
    assert mounted(table) == (Path("/usb stick"),)
    assert mounted(tmp_path / "nowhere") == ()
