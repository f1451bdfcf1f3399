"""Collectors of boot parameters and kernel modules, run by bash on test files."""

from pathlib import Path

import pytest

from tests.support.collector_shell import facts_of, put


def test_boot_tokens_come_from_all_files_but_not_from_comments(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "/etc/default/grub": '# GRUB_CMDLINE_LINUX="none"\nMORE=b\nGRUB_CMDLINE_LINUX="a=1 \\\n${MORE}"\nT=5\n',
            "/etc/default/grub.d/50.cfg": 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX c"\n',
            "/boot/grub2/grub.cfg": "menuentry x {\n\tlinux16 /vmlinuz root=/dev/a d\n\tinitrd16 /initrd no\n}\n",
            "/boot/loader/entries/1.conf": "title x\noptions root=/dev/a e $kernelopts\n",
            "/boot/grub2/grubenv": "# GRUB Environment Block\nkernelopts=root=/dev/a f \n",
        },
    )
    facts = facts_of("boot_tokens", tmp_path, "/etc/default", "/boot/")
    assert facts.boot_tokens == frozenset({"a=1", "b", "c", "d", "e", "f", "root=/dev/a"})


@pytest.mark.parametrize(
    ("files", "pending"),
    [
        pytest.param({"grub2/grub.cfg": "linux16 /vmlinuz ro x=1 apparmor=0\n"}, True, id="of the entry"),
        pytest.param({"grub2/grub.cfg": "linux /vmlinuz apparmor=0 ro apparmor=1\n"}, False, id="replaced behind it"),
        pytest.param({"grub2/grub.cfg": "linux /vmlinuz ro recovery apparmor=0\n"}, False, id="for recovery"),
        pytest.param({"grub2/grub.cfg": "linux /vmlinuz-0-rescue-1f ro apparmor=0\n"}, False, id="for rescue"),
        pytest.param(
            {"loader/entries/1.conf": "title x (0-rescue-1f)\noptions apparmor=0\n"}, False, id="a rescue title"
        ),
        pytest.param({"loader/entries/1f-0-rescue.conf": "options apparmor=0\n"}, False, id="a rescue file"),
        pytest.param(
            {"loader/entries/1.conf": "options ${kernelopts}\n", "efi/EFI/x/grubenv": "kernelopts=ro apparmor=0\n"},
            True,
            id="by grubenv of EFI",
        ),
        pytest.param(
            {
                "loader/entries/1.conf": "options $kernelopts apparmor=1\n",
                "grub2/grubenv": "kernelopts=ro apparmor=0\n",
            },
            False,
            id="replaced behind grubenv's",
        ),
        pytest.param(
            {
                "grub2/grub.cfg": 'set kernelopts="ro apparmor=0 "\n',
                "loader/entries/1.conf": "options $kernelopts\n",
                "grub2/grubenv": "kernelopts=ro\n",
            },
            False,
            id="a default that grubenv replaces",
        ),
    ],
)
def test_tokens_of_the_next_boot(tmp_path: Path, files: dict[str, str], pending: bool) -> None:
    put(tmp_path, {f"/boot/{name}": text for name, text in files.items()})
    tokens = facts_of("boot_tokens", tmp_path, "/etc/default", "/boot/").boot_tokens
    assert tokens is not None
    assert ("apparmor=0" in tokens) is pending


def test_modules_are_loaded_built_in_or_available(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "/proc/modules": "ip_vs 151552 0 - Live 0x0\nip_vs_rr 16384 0 - Live 0x0\n",
            "/lib/modules/5.1/modules.builtin": "kernel/ip_vs_wrr.ko\nkernel/openvswitch.ko.xz\nkernel/x.ko\n",
        },
    )
    tools = {"uname": "echo 5.1", "modprobe": "case ${@: -1} in geneve) exit 0 ;; *) exit 1 ;; esac"}
    facts = facts_of("modules", tmp_path, "/proc/", "/lib/modules", "/sys/module", tools=tools)
    assert facts.modules == frozenset({"ip_vs", "ip_vs_rr", "ip_vs_wrr", "openvswitch"})
    assert facts.modules_available == frozenset({"ip_vs", "ip_vs_rr", "ip_vs_wrr", "openvswitch", "geneve"})
