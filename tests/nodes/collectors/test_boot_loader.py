"""The kernel parameters of the entry that the boot loader starts, from many layouts of its files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.collectors.boot_menu import MenuEntry, chosen, newest_first
from acp_tui.nodes.script import CollectorOutput
from tests.support.collector_shell import facts_below

T = "thp=never"
HEAD = """\
if [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="%s"
fi
function savedefault {
  if [ -z "${boot_once}" ]; then
    saved_entry="${chosen}"
  fi
}
"""


def item(title: str, parameters: str, name: str = "", linux: str = "linux16") -> str:
    return (
        f"menuentry '{title}' --class os --unrestricted $menuentry_id_option '{name or title}' {{\n"
        f"\tload_video\n\tset root='hd0,msdos1'\n\tif [ x$y = xy ]; then\n\t  search --set=root 1f\n\tfi\n"
        f"\t{linux} /vmlinuz-1 root=/dev/a ro {parameters}\n\tinitrd16 /initrd\n}}\n"
    )


OLD_NEW = item("new", T) + item("old", "quiet")
SUB = item("Ubuntu", "quiet $vt_handoff", linux="linux\t") + (
    f"submenu 'Advanced' $menuentry_id_option 'adv' {{\n{item('5.15', 'quiet', 'a-5.15')}{item('5.4', T, 'a-5.4')}}}\n"
)
E = "/boot/loader/entries"
BLS = {
    f"{E}/1f-4.18.0-80.el8.conf": "title old\nlinux /vmlinuz-4.18.0-80\noptions ro quiet\n",
    f"{E}/1f-4.18.0-372.9.1.el8.conf": f"title new\nlinux /vmlinuz-4.18.0-372\noptions ro {T}\n",
    f"{E}/1f-0-rescue.conf": "title rescue\nlinux /vmlinuz-0-rescue\noptions ro\n",
}
BLS_VARIABLES = {f"{E}/1f-4.18.conf": "linux /vmlinuz\ninitrd /i $tuned_initrd\noptions $kernelopts ${tuned_params}\n"}
BLSCFG = (
    HEAD % "${saved_entry}"
    + 'if [ -z "${kernelopts}" ]; then\n  set kernelopts="ro quiet "\nfi\ninsmod blscfg\nblscfg\n'
)
G7, G, EFI, ENV = "/boot/grub2/grub.cfg", "/boot/grub/grub.cfg", "/boot/efi/EFI/centos/grub.cfg", "/boot/grub2/grubenv"
DEFAULTS = "/etc/default/grub"
UEFI = "/sys/firmware/efi/x"
EXTLINUX = f"DEFAULT b\nLABEL a\n APPEND ro\nLABEL b\n LINUX /v\n APPEND ro {T}\n"
APPENDED = f'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT {T}"\n'
BLSCFG_T = BLSCFG.replace("quiet", T)
RESCUE_ONLY = {f"{E}/1.conf": "linux /v\noptions ro\n", f"{E}/2f-0-rescue.conf": f"linux /v\noptions {T}\n"}

WITH: list[tuple[str, dict[str, str]]] = [
    ("the first entry", {G7: HEAD % "0" + OLD_NEW}),
    ("the saved entry by its title", {G7: HEAD % "${saved_entry}" + item("a", "") + OLD_NEW, ENV: "saved_entry=new\n"}),
    ("the saved entry by its number", {G7: HEAD % "${saved_entry}" + item("a", "") + OLD_NEW, ENV: "saved_entry=1\n"}),
    ("entries on one row", {G7: f"menuentry a {{ linux /v; }}\nmenuentry b {{ linux /v {T} }}\nset default=b\n"}),
    ("no saved entry", {G7: HEAD % "${saved_entry}" + OLD_NEW, ENV: "# GRUB Environment Block\n#####\n"}),
    ("a saved entry that is gone", {G7: HEAD % "${saved_entry}" + OLD_NEW, ENV: "saved_entry=removed\n"}),
    ("an entry of a submenu", {G: HEAD % "adv>a-5.4" + SUB}),
    ("an entry of a submenu by numbers", {G: HEAD % "1>1" + SUB}),
    ("the next boot only", {G7: HEAD % "0" + item("a", "") + OLD_NEW, ENV: "next_entry=new\nsaved_entry=a\n"}),
    ("the file of EFI", {EFI: HEAD % "0" + OLD_NEW, UEFI: "", G7: HEAD % "0" + item("a", "")}),
    ("the file of BIOS", {G7: HEAD % "0" + OLD_NEW, EFI: HEAD % "0" + item("a", "")}),
    (
        "a file of EFI that only loads the other",
        {EFI: "search.fs_uuid 1f root\nconfigfile $prefix/grub.cfg\n", G: HEAD % "0" + OLD_NEW, UEFI: ""},
    ),
    ("the newest BLS entry", {G7: BLSCFG, **BLS}),
    ("the newest BLS entry without grub.cfg", BLS),
    ("the saved BLS entry", {G7: BLSCFG, **BLS, ENV: "saved_entry=1f-4.18.0-372.9.1.el8\n"}),
    ("a variable of tuned", {G7: BLSCFG, **BLS_VARIABLES, ENV: f"kernelopts=ro\ntuned_params={T}\n"}),
    ("kernelopts of grubenv", {G7: BLSCFG, **BLS_VARIABLES, ENV: f"kernelopts=ro {T}\n"}),
    ("kernelopts of grub.cfg", {G7: BLSCFG_T, **BLS_VARIABLES, ENV: "saved_entry=x\n"}),
    ("another variable", {**BLS, f"{E}/9.conf": "linux /vmlinuz\noptions ro $my_args\n", ENV: f"my_args={T}\n"}),
    ("quotes", {G7: HEAD % "0" + item("a", f'"{T}"')}),
    ("extlinux", {"/boot/extlinux/extlinux.conf": EXTLINUX}),
    # files that do not show which entry will boot: each file counts
    ("a kernel line outside of all entries", {G7: f"linux /vmlinuz ro {T}\n"}),
    ("only the defaults of GRUB", {DEFAULTS: f'MORE={T}\nGRUB_CMDLINE_LINUX="a \\\n${{MORE}}"\n'}),
    ("a drop-in of the defaults", {f"{DEFAULTS}.d/50.cfg": APPENDED}),
]  # fmt: skip
WITHOUT: list[tuple[str, dict[str, str]]] = [
    ("another entry", {G7: HEAD % "0" + item("a", "quiet") + OLD_NEW}),
    ("the saved entry", {G7: HEAD % "${saved_entry}" + OLD_NEW, ENV: "saved_entry=old\n"}),
    ("the first entry in front of a submenu", {G: HEAD % "0" + SUB}),
    ("the next boot only", {G7: HEAD % "0" + OLD_NEW, ENV: "next_entry=old\n"}),
    ("the recovery entry", {G: HEAD % "0" + item("a", "quiet") + item("b", f"recovery {T}")}),
    ("the saved BLS entry", {G7: BLSCFG, **BLS, ENV: "saved_entry=1f-4.18.0-80.el8\n"}),
    ("the saved BLS entry by its title", {**BLS, ENV: "saved_entry=old\n"}),
    ("GRUB_DEFAULT", {**BLS, DEFAULTS: "GRUB_DEFAULT=1\n"}),
    ("the rescue entry", RESCUE_ONLY),
    ("kernelopts of grub.cfg, which grubenv replaces", {G7: BLSCFG_T, **BLS_VARIABLES, ENV: "kernelopts=ro\n"}),
    ("a menu that was not generated again", {G7: HEAD % "0" + item("a", ""), DEFAULTS: f'GRUB_CMDLINE_LINUX="{T}"\n'}),
    ("a comment", {DEFAULTS: f'#GRUB_CMDLINE_LINUX="{T}"\n', G7: "#linux /vmlinuz {T}\nlinux /vmlinuz ro\n"}),
    ("nothing", {}),
]  # fmt: skip


def parameters(tmp_path: Path, files: dict[str, str]) -> list[str]:
    facts = facts_below("boot_loader", tmp_path, files)
    assert facts.boot_entries is not None, facts.missing
    return [parameter for entry in facts.boot_entries for parameter in entry.parameters]


@pytest.mark.parametrize("files", [case[1] for case in WITH], ids=[case[0] for case in WITH])
def test_entry_that_boots_has_the_parameter(tmp_path: Path, files: dict[str, str]) -> None:
    assert T in parameters(tmp_path, files)


@pytest.mark.parametrize("files", [case[1] for case in WITHOUT], ids=[case[0] for case in WITHOUT])
def test_entry_that_boots_does_not_have_the_parameter(tmp_path: Path, files: dict[str, str]) -> None:
    assert T not in parameters(tmp_path, files)


def test_parameters_for_init_stay_behind_the_two_hyphens(tmp_path: Path) -> None:
    assert parameters(tmp_path, {G7: HEAD % "0" + item("a", f"-- {T}")})[-2:] == ["--", T]


def test_entry_names_its_file_and_its_title(tmp_path: Path) -> None:
    facts = facts_below("boot_loader", tmp_path, {G: HEAD % "0" + SUB, DEFAULTS: f"GRUB_CMDLINE_LINUX={T}\n"})
    [entry] = facts.boot_entries or ()
    assert (entry.source, entry.title, facts.grub_defaults) == (G, "Ubuntu", (T,))


def test_newest_entry_is_the_one_of_the_highest_version() -> None:
    names = ["a-4.18.0-80", "a-4.18.0-372.9.1", "a-4.18.0-372.9.1~rc1", "a-0-rescue", "a-5.1"]
    ordered = newest_first(MenuEntry("", name, "") for name in names)
    assert [entry.name for entry in ordered] == [
        "a-5.1",
        "a-4.18.0-372.9.1",
        "a-4.18.0-372.9.1~rc1",
        "a-4.18.0-80",
        "a-0-rescue",
    ]


@given(
    st.lists(
        st.text("set default=}{menuentry'\"$>012 \tlinux>blscfg\n|file/boot/grub/grub.cfg", max_size=30), max_size=60
    )
)
def test_any_output_is_parsed_or_rejected(rows: list[str]) -> None:
    text = "file /boot/grub/grub.cfg\n" + "\n".join(f"| {row}" for row in rows)
    facts = facts_from("x", [CollectorOutput("boot_loader", 0, text)])
    assert facts.boot_entries is not None or facts.missing["boot_entries"]


def test_menu_with_deep_submenus_is_parsed() -> None:
    rows = "\n".join(["| submenu a {"] * 20_000 + ["| linux /v ro"])
    facts = facts_from("x", [CollectorOutput("boot_loader", 0, f"file {G}\n{rows}")])
    assert facts.boot_entries is not None
    assert chosen((), "0>0>0") is None
