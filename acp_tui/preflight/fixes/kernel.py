"""Fixes for the kernel: boot parameters, modules, SELinux, AppArmor, firewall (KRN-*, SEC-*).

Boot parameters and SELinux take effect after the next reboot. acp-tui does not reboot nodes.
"""

from collections.abc import Mapping
from shlex import quote

from acp_tui.core.i18n import _, ngettext
from acp_tui.preflight.fixes.step import FixContext, FixStep, Recipe, trusted, unexpected_names

_MODULES_FILE = "/etc/modules-load.d/acp.conf"
_BOOT_FILES = (
    "/etc/default/grub",
    "/etc/default/grub.d/*.cfg",
    "/boot/grub/grub.cfg",
    "/boot/grub2/grub.cfg",
    "/boot/grub2/grubenv",
    "/boot/efi/EFI/*/grub.cfg",
    "/boot/efi/EFI/*/grubenv",
    "/boot/loader/entries/*.conf",
)
_SELINUX = "/etc/selinux/config"


def modules(case: FixContext) -> FixStep | str:
    """KRN-IPVS, KRN-CT*, KRN-OVN: load the modules now and at each boot."""
    names = trusted(case.verdict.names, r"[a-z0-9_]{1,64}")
    if names is None:
        return unexpected_names(case.verdict.names)
    available = case.facts.modules_available
    missing = [name for name in case.verdict.names if available is not None and name not in available]
    if missing:
        return ngettext(
            "this kernel does not have the module {names}",
            "this kernel does not have the modules {names}",
            len(missing),
        ).format(names=", ".join(missing))
    blocked = {name: file for name, file in (case.facts.blocked_modules or {}).items() if name in case.verdict.names}
    if blocked:
        return _("the file {files} prevents that {names} are loaded. Remove its install commands yourself").format(
            files=", ".join(dict.fromkeys(blocked.values())), names=", ".join(blocked)
        )
    commands = f"modprobe -a {names}\nadd_lines {_MODULES_FILE} {names}"
    return FixStep(case.verdict.requirement, case.title, commands, files=(_MODULES_FILE,))


def _boot_parameter(token: str) -> Recipe:
    def recipe(case: FixContext) -> FixStep:
        return FixStep(
            case.verdict.requirement,
            case.title,
            f"boot_parameter {quote(token)}",
            files=_BOOT_FILES,
            reboot_needed=True,
        )

    return recipe


def apparmor(case: FixContext) -> FixStep | str:
    """SEC-APPARMOR: disable the unit now. AppArmor in the kernel is disabled after the next reboot."""
    unit = (case.facts.units or {}).get("apparmor")
    installed = unit is not None and unit.enabled not in ("not-found", "")
    back = [
        verb
        for verb, state in (("enable", "enabled"), ("start", "active"))
        if unit and state in (unit.enabled, unit.active)
    ]
    return FixStep(
        case.verdict.requirement,
        case.title,
        ("systemctl disable --now apparmor\n" if installed else "") + "boot_parameter apparmor=0",
        undo="\n".join(f"systemctl {verb} apparmor" for verb in back) or None,
        files=_BOOT_FILES,
        reboot_needed=True,
    )


def selinux(case: FixContext) -> FixStep | str:
    """SEC-SELINUX: set SELinux to permissive now, and disable it from the next reboot on."""
    running = case.facts.selinux != "disabled"
    commands = [
        f"sed -i -E 's/^[[:space:]]*SELINUX=.*/SELINUX=disabled/' {_SELINUX}",
        f"grep -q '^SELINUX=disabled$' {_SELINUX} || add_lines {_SELINUX} SELINUX=disabled",
    ]
    if running:
        commands.append("echo 0 >/sys/fs/selinux/enforce")
    return FixStep(
        case.verdict.requirement,
        case.title,
        "\n".join(commands),
        undo="echo 1 >/sys/fs/selinux/enforce" if case.facts.selinux == "enforcing" else None,
        files=(_SELINUX,),
        reboot_needed=running,
    )


def firewall(case: FixContext) -> FixStep | str:
    """SEC-FIREWALL: stop and disable every firewall unit. The firewall ufw is disabled with its own command.

    Rules that no unit has loaded are not removed: acp-tui does not know what they are for, and something else would add
    them again. The check after the fix shows whether rules remain.
    """
    names = case.verdict.names
    if not names:
        return _(
            "no firewall unit has loaded the rules. First find out what adds them; the result of the check has the "
            "commands that remove them"
        )
    units = {name: unit for name, unit in (case.facts.units or {}).items() if name in names}
    if not names or trusted(names, r"[a-z0-9][a-z0-9-]{0,31}") is None:
        return unexpected_names(names)
    ufw = "ufw" in names and bool(case.facts.ufw_enabled)
    switches = ("ufw disable\n" if ufw else "") + ("netfilter-persistent flush\n" * ("netfilter-persistent" in names))
    back = ["ufw --force enable"] if ufw else []
    for name, unit in units.items():
        back += [f"systemctl enable {name}"] if unit.enabled == "enabled" else []
        back += [f"systemctl start {name}"] if unit.active == "active" else []
    return FixStep(
        case.verdict.requirement,
        case.title,
        f"{switches}systemctl disable --now {' '.join(names)}",
        undo="\n".join(back) or None,
        files=("/etc/ufw/ufw.conf",) if ufw else (),
    )


KERNEL_RECIPES: Mapping[str, Recipe] = {
    "KRN-THP": _boot_parameter("transparent_hugepage=never"),
    "KRN-NOKMEM": _boot_parameter("cgroup.memory=nokmem"),
    "KRN-IPVS": modules,
    "KRN-CT4": modules,
    "KRN-CT6": modules,
    "KRN-OVN": modules,
    "SEC-APPARMOR": apparmor,
    "SEC-SELINUX": selinux,
    "SEC-FIREWALL": firewall,
}
