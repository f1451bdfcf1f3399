"""Near misses of settings that the next boot changes: boot entries, swap, /tmp, limits, SELinux and AppArmor."""

from tests.lab.kit.near_misses.case import U20, C, K, R, U, case
from tests.lab.kit.shell import BOOT_FILES, append, new_file, selinux, without_parameter

_THP = "transparent_hugepage=never"
_NO_THP = f"{without_parameter(_THP)}; sed -i 's/{_THP}//' {BOOT_FILES}"
_UNITS = "/etc/systemd/system"
_BLS = "/boot/loader/entries"


def _menu(path: str, default: str, *parameters: str) -> str:
    """Return shell text that writes a grub.cfg with one entry for each item of `parameters`: "0", "1", ..."""
    head = (
        'if [ "${next_entry}" ] ; then',
        '   set default="${next_entry}"',
        "   set next_entry=",
        "else",
        f'   set default="{default}"',
        "fi",
    )
    entries = [
        row
        for number, text in enumerate(parameters)
        for row in (
            f"menuentry 'Linux {number}' --class os $menuentry_id_option 'linux-{number}' {{",
            "\tset root='hd0,gpt2'",
            f"\tlinux\t/vmlinuz-{number} root=/dev/a ro {text}",
            "\tinitrd\t/initrd",
            "}",
        )
    ]
    return new_file(path, *head, *entries)


def _service(name: str, start: str) -> str:
    wants = f"{_UNITS}/multi-user.target.wants"
    text = new_file(f"/lib/systemd/system/{name}", "[Unit]", "[Service]", "Type=oneshot", f"ExecStart={start}")
    return f"{text}\nmkdir -p {wants}; ln -s /lib/systemd/system/{name} {wants}/{name}"


_TUNED = "\n".join(
    (
        f"rm -f {_BLS}/*.conf /boot/grub2/grub.cfg",
        new_file(
            f"{_BLS}/1f-4.18.0-372.9.1.conf", "title x", "linux /vmlinuz-4.18", "options $kernelopts $tuned_params"
        ),
        new_file(
            "/boot/grub2/grubenv", "# GRUB Environment Block", "kernelopts=root=/dev/a ro", f"tuned_params={_THP}"
        ),
    )
)
_OLD_SAVED = "\n".join(
    (
        f"rm -f {_BLS}/*.conf",
        new_file(f"{_BLS}/1f-4.18.0-80.conf", "title old", "linux /vmlinuz-4.18.0-80", "options root=/dev/a ro"),
        new_file(
            f"{_BLS}/1f-4.18.0-372.conf", "title new", "linux /vmlinuz-4.18.0-372", f"options root=/dev/a ro {_THP}"
        ),
        new_file("/boot/grub2/grubenv", "# GRUB Environment Block", "saved_entry=1f-4.18.0-80"),
        append("/etc/default/grub", f'GRUB_CMDLINE_LINUX="{_THP}"'),
    )
)
BOOT_ENTRY = (
    case(U, "THP: in another entry of the menu", f"{_NO_THP}\n"
         + _menu("/boot/grub/grub.cfg", "0", "apparmor=0", f"{_THP} apparmor=0"), KRN_THP="fail"),
    case(U, "THP: in the entry that will boot", f"{_NO_THP}\n"
         + _menu("/boot/grub/grub.cfg", "linux-1", "apparmor=0", f"{_THP} apparmor=0"), KRN_THP="pending-reboot"),
    case(U, "THP: the menu was not generated again", f"{_NO_THP}\n"
         + append("/etc/default/grub", f'GRUB_CMDLINE_LINUX="{_THP} apparmor=0"') + "\n"
         + _menu("/boot/grub/grub.cfg", "0", "apparmor=0"), KRN_THP="fail"),
    case(U, "THP: an old kernel without it", _menu("/boot/grub/grub.cfg", "0", f"{_THP} apparmor=0", "apparmor=0")),
    case(R, "THP: in a variable of tuned", f"{_NO_THP}\n{_TUNED}", KRN_THP="pending-reboot"),
    case(R, "THP: the saved entry of an old kernel is without it", f"{_NO_THP}\n{_OLD_SAVED}", KRN_THP="fail"),
    case(C, "THP: after two hyphens", f"{_NO_THP}\n"
         + _menu("/boot/grub2/grub.cfg", "0", f"cgroup.memory=nokmem -- {_THP}"), KRN_THP="fail"),
    case(K, "THP: the next boot is from another entry", f"{_NO_THP}\n"
         + _menu("/boot/grub2/grub.cfg", "${saved_entry}", _THP, "quiet") + f"\nrm -f {_BLS}/*.conf\n"
         + new_file("/boot/grub2/grubenv", "saved_entry=0", "next_entry=1"), KRN_THP="fail"),
    case(K, "THP: in effect, and in a quoted parameter", f"sed -i 's/{_THP}/\"&\"/' /proc/cmdline || :; "
         + _menu("/boot/grub2/grub.cfg", "0", f'"{_THP}"')),
)  # fmt: skip
SWAP_UNITS = (
    case(U, "zram-config", _service("zram-config.service", "/usr/bin/init-zram-swapping"), SYS_SWAP="warn"),
    case(U, "a masked swap unit", append("/etc/fstab", "/dev/sda3 none swap sw 0 0")
         + f"\nln -s /dev/null {_UNITS}/dev-sda3.swap"),
    case(U20, "a masked swap.target", append("/etc/fstab", "/swap.img none swap sw 0 0")
         + f"\nln -s /dev/null {_UNITS}/swap.target"),
    case(U20, "a swap unit for a GPT partition", "mkdir -p /run/systemd/generator.late/swap.target.wants; "
         "echo '[Swap]' >/run/systemd/generator.late/dev-sda3.swap; cd /run/systemd/generator.late; "
         "ln -s ../dev-sda3.swap swap.target.wants/dev-sda3.swap; cd /", SYS_SWAP="warn"),
    case(C, "noauto, with a carriage return", "printf '/dev/sda3 none swap noauto\\r\\n' >>/etc/fstab",
         SYS_SWAP="warn"),
    case(C, "a unit that turns swap off", _service("no-swap.service", "/sbin/swapoff -a")),
    case(R, "a unit that runs swapon", _service("ram.service", "/sbin/swapon /var/swap"), SYS_SWAP="warn"),
    case(R, "noauto", append("/etc/fstab", "/dev/sda3 none swap defaults,noauto 0 0")),
    case(K, "a line with blanks before it", append("/etc/fstab", "   /dev/sda3 none swap sw 0 0"), SYS_SWAP="warn"),
    case(K, "a comment with blanks before it", append("/etc/fstab", "   # /dev/sda3 none swap sw 0 0")),
)  # fmt: skip
TMP = (
    case(U, "noexec at the next boot", append("/etc/fstab", "tmpfs /tmp tmpfs nosuid,noexec 0 0"),
         FS_TMP_NOEXEC="warn"),
    case(U, "noexec for a folder below /tmp", append("/etc/fstab", "tmpfs /tmp/x tmpfs noexec 0 0")),
    case(C, "the option user, which implies noexec", append("/etc/fstab", "/dev/vdb /tmp xfs user 0 0"),
         FS_TMP_NOEXEC="warn"),
    case(C, "noexec, and exec after it", append("/etc/fstab", "/dev/vdb /tmp xfs noexec,exec 0 0")),
    case(R, "noexec, masked", append("/etc/fstab", "tmpfs /tmp tmpfs noexec 0 0")
         + f"\nln -s /dev/null {_UNITS}/tmp.mount"),
    case(R, "noexec in a drop-in of an enabled unit",
         new_file("/usr/lib/systemd/system/tmp.mount", "[Mount]", "What=tmpfs", "Where=/tmp", "Options=mode=1777")
         + "\n" + new_file(f"{_UNITS}/tmp.mount.d/cis.conf", "[Mount]", "Options=mode=1777,noexec")
         + f"\nmkdir -p {_UNITS}/local-fs.target.wants; ln -s /x {_UNITS}/local-fs.target.wants/tmp.mount",
         FS_TMP_NOEXEC="warn"),
)  # fmt: skip
_SYSTEM_CONF = "/etc/systemd/system.conf"
TASK_FILES = (
    case(C, "a file that systemd has not read", "echo 512 >/usr/lib/lab/tasks-max\n"
         + new_file(_SYSTEM_CONF, "[Manager]", "DefaultTasksMax=infinity"), SYS_TASKSMAX="pending-reboot"),
    case(R, "a lower limit at the next boot",
         new_file(f"{_SYSTEM_CONF}.d/99.conf", "[Manager]", "DefaultTasksMax=512"), SYS_TASKSMAX="warn"),
    case(K, "a lower limit in a comment", new_file(_SYSTEM_CONF, "[Manager]", "#DefaultTasksMax=512")),
)  # fmt: skip
ACCESS_CONTROL = (
    case(C, "SELinux: blanks that libselinux does not accept", selinux(None, "SELINUX = disabled"), SEC_SELINUX="warn"),
    case(U20, "AppArmor off until the next boot", f"sed -i 's/apparmor=0//' {BOOT_FILES}", SEC_APPARMOR="warn"),
)  # fmt: skip
BLOCKED = (
    case(R, "a module that the next boot blocks", new_file("/etc/modprobe.d/cis.conf", "install ip_vs /bin/false"),
         KRN_IPVS="warn"),
    case(C, "a module with a comment about blocking", new_file("/etc/modprobe.d/x.conf", "# install ip_vs /bin/false")),
)  # fmt: skip
