"""What activates swap at the next boot: fstab, units, generators, GPT, zram and scripts, and what prevents it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.collectors.fstab import escape_path, fstab_entry, swap_unit
from acp_tui.nodes.script import CollectorOutput
from tests.support.collector_shell import facts_below

ETC, USR = "/etc/systemd/system", "/usr/lib/systemd/system"
SDA3 = {"/etc/fstab": "/dev/sda3 none swap sw 0 0\n"}
GENERATOR = {"/usr/lib/systemd/system-generators/zram-generator": "", "/proc/meminfo": "MemTotal:  65769964 kB\n"}
ZRAM_CONFIG = "[Unit]\nDescription=x\n[Service]\nType=oneshot\nExecStart=/usr/bin/init-zram-swapping\n"
UDEV_ROOT = "E:ID_PART_ENTRY_SCHEME=gpt\nE:ID_PART_ENTRY_TYPE=0fc63daf-8483-4772-8e79-3d69d8477de4\n"
UDEV_SWAP = "E:ID_PART_ENTRY_SCHEME=gpt\nE:ID_PART_ENTRY_TYPE=0657fd6d-a4ab-43c4-84e5-0933c84b4f4f\n"
NOT_SYSTEMD = "E:ID_PART_ENTRY_DISK=8:0\nE:ID_PART_ENTRY_FLAGS=0x8000000000000000\n"
GPT = {
    "/usr/lib/systemd/system-generators/systemd-gpt-auto-generator": "",
    "/proc/self/mountinfo": "1 0 8:2 / / rw - ext4 /dev/sda2 rw\n2 1 8:33 / /data rw - ext4 /dev/sdc1 rw\n",
    "/run/udev/data/b8:2": UDEV_ROOT + "E:ID_PART_ENTRY_DISK=8:0\n",
    "/run/udev/data/b8:3": UDEV_SWAP + "E:ID_PART_ENTRY_DISK=8:0\n",
    "/sys/dev/block/8:3/uevent": "MAJOR=8\nMINOR=3\nDEVNAME=sda3\n",
}


def wants(unit: str, target: str = "multi-user.target", folder: str = ETC) -> str:
    return f"{folder}/{target}.wants/{unit}"


RETURNS = [
    ("a line of fstab", SDA3),
    ("a line of fstab with blanks before it", {"/etc/fstab": " \t/dev/sda3 none swap sw 0 0\n"}),
    ("a last line without an end", {"/etc/fstab": "# x\n/swapfile none swap"}),
    ("noauto followed by a carriage return", {"/etc/fstab": "/dev/sda3 none swap noauto\r\n"}),
    ("noauto and auto", {"/etc/fstab": "/dev/sda3 none swap noauto,auto 0 0\n"}),
    ("nofail", {"/etc/fstab": "LABEL=my\\040swap none swap defaults,nofail 0 0\n"}),
    ("a mask that ends with this boot", {**SDA3, "/run/systemd/system/dev-sda3.swap": "-> /dev/null"}),
    ("the mask of another unit", {**SDA3, f"{ETC}/dev-sda4.swap": "-> /dev/null"}),
    ("a unit of an administrator", {wants("srv-swap.swap", "swap.target"): "-> /etc/x", "/etc/x": "[Swap]\n"}),
    ("a unit of a package", {wants("data-swap.swap", "swap.target", USR): "[Swap]\n"}),
    (
        "a unit that a generator made for GPT",
        {"/run/systemd/generator.late/swap.target.wants/dev-sda3.swap": "[Swap]\n"},
    ),
    ("a swap partition on the disk of the root", GPT),
    ("zram-config", {f"{USR}/zram-config.service": ZRAM_CONFIG, wants("zram-config.service"): "[Unit]\n"}),
    ("zram-tools", {wants("zramswap.service"): "[Unit]\n"}),
    ("dphys-swapfile", {wants("dphys-swapfile.service"): "[Unit]\n"}),
    (
        "a unit of an administrator that runs swapon",
        {f"{ETC}/mem.service": "[Service]\nExecStart=/sbin/swapon /x\n", wants("mem.service"): "[Unit]\n"},
    ),
    (
        "an instance of a unit that runs swapon",
        {f"{ETC}/mem@.service": "[Service]\nExecStart=/sbin/swapon %i\n", wants("mem@x.service"): "[Unit]\n"},
    ),
    (
        "a drop-in that runs swapon",
        {
            f"{ETC}/x.service.d/1.conf": "[Service]\nExecStartPost=/sbin/swapon -a\n",
            wants("x.service", folder=USR): "[Unit]\n",
        },
    ),
    (
        "a unit that runs a script with swapon",
        {
            f"{ETC}/mem.service": "[Service]\nExecStart=/bin/sh @ROOT@/opt/mem.sh start\n",
            wants("mem.service"): "[Unit]\n",
            "/opt/mem.sh": "#!/bin/sh\n[ -e /x ] && swapon /x\n",
        },
    ),
    ("a unit in /run", {wants("x.swap", "swap.target", "/run/systemd/system"): "[Swap]\n"}),
    ("a target that requires a swap unit", {f"{ETC}/swap.target.d/1.conf": "[Unit]\nWants=srv-x.swap\n"}),
    ("zram-generator", {**GENERATOR, "/etc/systemd/zram-generator.conf": "[zram0]\nzram-size = ram / 2\n"}),
    ("zram-generator of a package", {**GENERATOR, "/usr/lib/systemd/zram-generator.conf": "[zram0]\n"}),
    ("a drop-in of zram-generator", {**GENERATOR, "/run/systemd/zram-generator.conf.d/1.conf": "[zram1]\n"}),
    ("rc.local", {"/etc/rc.d/rc.local": "+x#!/bin/sh\nswapon /swapfile\n"}),
    ("cron at boot", {"/etc/cron.d/swap": "@reboot root /sbin/swapon /swapfile\n"}),
    ("the agent of Azure", {"/etc/waagent.conf": "ResourceDisk.EnableSwap=y\n"}),
]
STAYS_OFF: list[tuple[str, dict[str, str]]] = [
    ("nothing", {"/etc/fstab": "UUID=1 / ext4 defaults 0 1\n"}),
    ("a comment with blanks before it", {"/etc/fstab": "  # /dev/sda3 none swap sw 0 0\n"}),
    ("a comment without a blank", {"/etc/fstab": "#/dev/sda3 none swap sw 0 0\n"}),
    ("a comment behind a line", {"/etc/fstab": "/dev/vdb /mnt xfs defaults 0 0 # none swap\n"}),
    ("a folder with the name swap", {"/etc/fstab": "/dev/vdb /swap xfs defaults 0 0\n"}),
    ("noauto", {"/etc/fstab": "/dev/sda3 none swap sw,noauto 0 0\n"}),
    ("the type swap followed by a carriage return", {"/etc/fstab": "/dev/sda3 none swap\r\n"}),
    ("a masked unit", {**SDA3, f"{ETC}/dev-sda3.swap": "-> /dev/null"}),
    (
        "a masked unit of a UUID",
        {"/etc/fstab": "UUID=a-b none swap sw\n", f"{ETC}/dev-disk-by\\x2duuid-a\\x2db.swap": "-> /dev/null"},
    ),
    ("an empty unit, which counts as masked", {**SDA3, f"{ETC}/dev-sda3.swap": ""}),
    ("a masked swap.target", {**SDA3, f"{ETC}/swap.target": "-> /dev/null"}),
    ("a unit that is not enabled", {f"{ETC}/srv-swap.swap": "[Swap]\nWhat=/srv/swap\n"}),
    ("a service that is not enabled", {f"{USR}/zram-config.service": ZRAM_CONFIG}),
    ("a service that is masked", {wants("zramswap.service"): "[Unit]\n", f"{ETC}/zramswap.service": "-> /dev/null"}),
    (
        "a service that turns swap off",
        {f"{ETC}/off.service": "[Service]\nExecStart=/sbin/swapoff -a\n", wants("off.service"): "[Unit]\n"},
    ),
    (
        "a unit that runs a script without swapon",
        {
            f"{ETC}/mem.service": "[Service]\nExecStart=@ROOT@/opt/mem.sh\n",
            wants("mem.service"): "[Unit]\n",
            "/opt/mem.sh": "#!/bin/sh\n# swapon /x\nswapon -s\nswapon --show\nswapoff -a\n",
        },
    ),
    (
        "a service that lists swap",
        {f"{ETC}/x.service": "[Service]\nExecStartPre=/sbin/swapon --show\n", wants("x.service"): "[Unit]\n"},
    ),
    (
        "a service of a package that /etc replaces",
        {
            f"{USR}/zram-config.service": ZRAM_CONFIG,
            f"{ETC}/zram-config.service": "[Service]\nExecStart=/bin/true\n",
            wants("zram-config.service"): "[Unit]\n",
        },
    ),
    (
        "a unit of fstab-generator for a line that is gone",
        {
            "/run/systemd/generator/dev-sda3.swap": "# by systemd-fstab-generator\n[Unit]\nSourcePath=/etc/fstab\n",
            "/run/systemd/generator/swap.target.requires/dev-sda3.swap": "-> /run/systemd/generator/dev-sda3.swap",
        },
    ),
    ("settings of a missing zram-generator", {"/etc/systemd/zram-generator.conf": "[zram0]\n"}),
    (
        "an empty file that replaces the settings of a package",
        {**GENERATOR, "/etc/systemd/zram-generator.conf": "", "/usr/lib/systemd/zram-generator.conf": "[zram0]\n"},
    ),
    ("a size of zero", {**GENERATOR, "/etc/systemd/zram-generator.conf": "[zram0]\nzram-size = 0\n"}),
    (
        "more memory than the limit",
        {**GENERATOR, "/etc/systemd/zram-generator.conf": "[zram0]\nhost-memory-limit = 9048\n"},
    ),
    (
        "a zram device that is masked",
        {**GENERATOR, "/etc/systemd/zram-generator.conf": "[zram0]\n", f"{ETC}/dev-zram0.swap": "-> /dev/null"},
    ),
    ("zram as a file system", {**GENERATOR, "/etc/systemd/zram-generator.conf": "[zram0]\nmount-point = /var/tmp\n"}),
    (
        "a generator that is masked",
        {
            **GENERATOR,
            "/etc/systemd/zram-generator.conf": "[zram0]\n",
            "/etc/systemd/system-generators/zram-generator": "-> /dev/null",
        },
    ),
    ("rc.local that is not executable", {"/etc/rc.local": "swapon /swapfile\n"}),
    ("a comment in rc.local", {"/etc/rc.local": "+x#!/bin/sh\n# swapon /swapfile\nswapoff -a\n"}),
    ("the agent of Azure without swap", {"/etc/waagent.conf": "# ResourceDisk.EnableSwap=y\n"}),
    ("a swap partition on another disk", {**GPT, "/run/udev/data/b8:3": UDEV_SWAP + "E:ID_PART_ENTRY_DISK=8:32\n"}),
    (
        "a swap partition that is not for systemd",
        {**GPT, "/run/udev/data/b8:3": UDEV_SWAP + NOT_SYSTEMD},
    ),
    ("a swap partition, and noauto in fstab", {**GPT, "/etc/fstab": "/dev/sda3 none swap noauto 0 0\n"}),
    (
        "a swap partition that is masked",
        {**GPT, f"{ETC}/dev-sda3.swap": "-> /dev/null"},
    ),
]  # fmt: skip


@pytest.mark.parametrize("files", [case[1] for case in RETURNS], ids=[case[0] for case in RETURNS])
def test_swap_of_the_next_boot_is_found(tmp_path: Path, files: dict[str, str]) -> None:
    facts = facts_below("boot_swaps", tmp_path, {"/etc/fstab": "", **files}, {"systemctl": "exit 0"})
    assert facts.boot_swaps is not None, facts.missing
    assert len(facts.boot_swaps) == 1


@pytest.mark.parametrize("files", [case[1] for case in STAYS_OFF], ids=[case[0] for case in STAYS_OFF])
def test_setting_that_activates_no_swap_is_not_found(tmp_path: Path, files: dict[str, str]) -> None:
    facts = facts_below("boot_swaps", tmp_path, {"/etc/fstab": "", **files}, {"systemctl": "exit 0"})
    assert facts.boot_swaps == (), facts.missing


def test_source_is_the_line_of_fstab_or_the_unit(tmp_path: Path) -> None:
    files = {"/etc/fstab": "# x\n\n/dev/sda3 none swap sw 0 0\n", wants("zramswap.service"): "[Unit]\n"}
    facts = facts_below("boot_swaps", tmp_path, files, {"systemctl": "echo x.swap loaded active active"})
    assert [(swap.unit, swap.source) for swap in facts.boot_swaps or ()] == [
        ("dev-sda3.swap", "/etc/fstab line 3"),
        ("zramswap.service", wants("zramswap.service")),
        ("x.swap", "systemd"),
    ]


def test_swaps_without_the_header_of_the_kernel_are_unknown() -> None:
    assert facts_from("x", [CollectorOutput("swaps", 0, "/dev/sda3 partition 1 0 -2\n")]).swaps is None
    assert facts_from("x", [CollectorOutput("swaps", 0, "")]).swaps == ()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/dev/sda3", "dev-sda3"),
        ("/dev/mapper/centos-swap", "dev-mapper-centos\\x2dswap"),
        ("//swap.img/", "swap.img"),
        ("/.swap file", "\\x2eswap\\x20file"),
        ("/", "-"),
    ],
)
def test_path_is_escaped_as_systemd_does(path: str, name: str) -> None:
    assert escape_path(path) == name


def test_unit_of_a_tag_is_the_unit_of_its_device() -> None:
    assert swap_unit("LABEL=a b") == "dev-disk-by\\x2dlabel-a\\x5cx20b.swap"
    assert swap_unit("UUID=1-2") == "dev-disk-by\\x2duuid-1\\x2d2.swap"


@given(st.text(max_size=200))
def test_any_line_of_fstab_is_parsed(line: str) -> None:
    entry = fstab_entry(f"7 {line}")
    assert entry is None or entry.line == 7
    if entry:
        assert swap_unit(entry.device).endswith(".swap")
