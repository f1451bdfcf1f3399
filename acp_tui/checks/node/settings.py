"""Checks of what a node was set to: boot parameters, modules, security modules, firewall, swap, limits, login, sshd."""

import re
from collections.abc import Callable, Mapping, Set

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _

_RUNNING = ("active", "activating", "reloading")
_RETURNS = ("enabled", "enabled-runtime")
_INFINITY = ("infinity", "18446744073709551615")  # the number is how old systemd prints it


def boot_parameter(s: NodeSubject) -> Finding:
    """KRN-THP, KRN-NOKMEM: in effect, or waiting in the boot loader. The last value counts, unless values add up.

    What stands behind `--` is not for the kernel."""
    token = s.given.text("token")
    key = token.split("=")[0] + "="
    cmdline = require_fact(s.facts.cmdline, "cmdline")
    own = cmdline[: cmdline.index("--")] if "--" in cmdline else cmdline
    given = [t for t in own if t.startswith(key)]
    adds = bool(s.given.texts("adds"))
    if any(token.removeprefix(key) in t.removeprefix(key).split(",") for t in (given if adds else given[-1:])):
        return Finding(Outcome.PASS, _("in effect"))
    now = given[-1] if given else _("not on the kernel's command line")
    if token in (s.facts.boot_tokens or ()):
        anew = "update-grub" if s.facts.os_id == "ubuntu" else f"grubby --update-kernel=ALL --args={token}"
        words = _("{now}; the boot loader or /etc/default/grub has it").format(now=now)
        return Finding(Outcome.PENDING_REBOOT, words, remedy=f"{anew}\nreboot")
    advice_only = s.facts.os_id in s.given.texts("advice_on")
    return Finding(Outcome.WARN if advice_only else Outcome.FAIL, now)


def modules_loaded(s: NodeSubject) -> Finding:
    """KRN-IPVS and its like: loaded or built in."""
    loaded = require_fact(s.facts.modules, "modules")
    missing = tuple(name for name in s.given.texts("names") if name not in loaded)
    if not missing:
        return Finding(Outcome.PASS, _loaded(s))
    observed = _("not loaded: {names}").format(names=", ".join(missing))
    if s.facts.modules_available is not None:
        absent = [name for name in missing if name not in s.facts.modules_available]
        if absent:
            observed += "; " + _("and this kernel has none: {names}").format(names=", ".join(absent))
    return Finding(Outcome.FAIL, observed, names=missing)


def _loaded(s: NodeSubject) -> str:
    """That a module was loaded by hand alone is said, and no more: something may load it again."""
    names = s.given.texts("names")
    observed = _("loaded: {names}").format(names=", ".join(names))
    at_boot = s.facts.modules_at_boot
    by_hand = [name for name in names if at_boot is not None and name not in at_boot]
    if not by_hand:
        return observed
    return observed + "; " + _("not in modules-load.d: {names}").format(names=", ".join(by_hand))


def apparmor_off(s: NodeSubject) -> Finding:
    """SEC-APPARMOR: off in the kernel; on without profiles confines nothing, yet is worth a look (OQ-APPARMOR)."""
    if not require_fact(s.facts.apparmor, "apparmor"):
        return Finding(Outcome.PASS, _("off in the kernel"))
    profiles = s.facts.apparmor_profiles
    if profiles == 0:
        return Finding(Outcome.WARN, _("on in the kernel, no profile loaded"))
    if "apparmor=0" in (s.facts.boot_tokens or ()):
        return Finding(Outcome.PENDING_REBOOT, _("on; the boot loader turns it off"), remedy="update-grub\nreboot")
    if profiles is None:
        return Finding(Outcome.FAIL, _("on in the kernel; its profiles could not be counted"))
    return Finding(Outcome.FAIL, _("on, profiles loaded: {count}").format(count=profiles))


def selinux_off(s: NodeSubject) -> Finding:
    """SEC-SELINUX: disabled now and at the next boot. Permissive is not disabled (OQ-PERMISSIVE)."""
    mode = require_fact(s.facts.selinux, "selinux")
    config = s.facts.selinux_config or ""
    if mode == "enforcing" and config == "disabled":
        return Finding(Outcome.FAIL, _("enforcing; disabled from the next boot"), remedy="reboot")
    if mode == "enforcing":
        return Finding(Outcome.FAIL, mode)
    if mode == "permissive" and config == "disabled":
        return Finding(Outcome.PENDING_REBOOT, _("permissive; disabled from the next boot"), remedy="reboot")
    if mode == "permissive":
        return Finding(Outcome.WARN, mode)
    at_boot = s.facts.boot_tokens or s.facts.cmdline or ()
    if config in ("enforcing", "permissive") and "selinux=0" not in at_boot:
        observed = _("disabled, but the configuration says {mode} for the next boot").format(mode=config)
        return Finding(Outcome.WARN, observed)
    return Finding(Outcome.PASS, mode)


def firewall_off(s: NodeSubject) -> Finding:
    """SEC-FIREWALL: no firewall unit runs, and none comes back at the next boot.

    Ubuntu's unit of ufw is always active; where ufw.conf says that ufw is off it filters nothing, and only warns."""
    if s.facts.units is None and s.facts.ufw_enabled:
        return _firewall(Outcome.FAIL, _("on by ufw.conf: {names}"), {"ufw"})
    units = require_fact(s.facts.units, "units")
    watched = {name: units[name] for name in s.given.texts("units") if name in units}
    running = {name for name, unit in watched.items() if unit.active in _RUNNING}
    idle = running & {"ufw"} if s.facts.ufw_enabled is False else set()
    running = (running - idle) | ({"ufw"} if s.facts.ufw_enabled else set())
    back = {name for name, unit in watched.items() if unit.enabled in _RETURNS} - running
    if running:
        return _firewall(Outcome.FAIL, _("active: {names}"), running, idle | back)
    if idle:
        return _firewall(Outcome.WARN, _("the unit of ufw is active, but ufw.conf has it off"), idle, back)
    if back:
        return _firewall(Outcome.WARN, _("not active, but enabled for the next boot: {names}"), back)
    return Finding(Outcome.PASS, _("none active"))


def _firewall(outcome: Outcome, words: str, told: Set[str], also: Set[str] = frozenset()) -> Finding:
    """A finding about the units that are told, with the commands for these and those that come back beside them: ufw
    has its own switch beside its unit."""
    units = told | also
    names = tuple(sorted(units))
    remedy = f"systemctl disable --now {' '.join(names)}"
    if "netfilter-persistent" in units:
        remedy = f"netfilter-persistent flush\n{remedy}"  # its rules outlast its unit
    if "ufw" in units:
        remedy = f"ufw disable\n{remedy}"
    return Finding(outcome, words.format(names=", ".join(sorted(told))), remedy=remedy, names=names)


def swap_off(s: NodeSubject) -> Finding:
    """SYS-SWAP: none in use; an entry that brings it back at the next boot is a warning."""
    swaps = require_fact(s.facts.swaps, "swaps")
    if swaps:
        return Finding(Outcome.FAIL, _("in use: {names}").format(names=", ".join(swaps)))
    entries = s.facts.fstab_swaps
    if entries is None:
        why = s.facts.missing_reason("fstab_swaps")
        return Finding(Outcome.PASS, _("none in use (entries for the next boot not seen: {why})").format(why=why))
    if entries:
        return Finding(Outcome.WARN, _("off now, back at the next boot: {names}").format(names=", ".join(entries)))
    return Finding(Outcome.PASS, _("none"))


def tasks_max(s: NodeSubject) -> Finding:
    """SYS-TASKSMAX: infinity, or a number so large that it means the same (OQ-TASKSMAX)."""
    text = require_fact(s.facts.tasks_max, "tasks_max")
    if text in _INFINITY:
        return Finding(Outcome.PASS, text)
    if re.fullmatch(r"[0-9]{1,2}%", text):
        return Finding(Outcome.FAIL, text)
    if re.fullmatch(r"[0-9]{1,20}", text) is None:
        return Finding(Outcome.UNKNOWN, _("systemd answers '{text}'").format(text=text))
    if int(text) >= s.given.number("enough"):
        return Finding(Outcome.PASS, text)
    return Finding(Outcome.WARN if int(text) >= s.given.number("doubtful") else Outcome.FAIL, text)


def root_rights(s: NodeSubject) -> Finding:
    """USR-ROOT: root itself, or a user whom sudo makes root."""
    uid = require_fact(s.facts.uid, "uid")
    if uid == 0:
        return Finding(Outcome.PASS, _("root"))
    return _sudo(s, _("user ID {uid}, root by sudo").format(uid=uid))


def sudo_silent(s: NodeSubject) -> Finding:
    """USR-SUDO: sudo asks for nothing, neither a password nor a terminal."""
    if s.facts.sudo_terminal:
        return Finding(Outcome.FAIL, _("sudo asks for no password, but wants a terminal (requiretty)"))
    return _sudo(s, _("sudo without a password"))


def _sudo(s: NodeSubject, ok: str) -> Finding:
    if require_fact(s.facts.sudo, "sudo"):
        return Finding(Outcome.PASS, ok)
    message = s.facts.sudo_message or _("sudo asks for a password, or is not allowed")
    return Finding(Outcome.FAIL, message)


def sshd_says_no(s: NodeSubject) -> Finding:
    """USR-USEDNS, USR-USEPAM: `no` in effect, and set rather than left to a default."""
    name = s.given.text("setting")
    setting = require_fact(s.facts.sshd, "sshd").get(name)
    if setting is None:
        return Finding(Outcome.UNKNOWN, _("sshd does not tell {name}").format(name=name))
    if setting.effective != "no":
        return Finding(Outcome.FAIL, f"{name} {setting.effective}")
    if not setting.explicit:
        return Finding(Outcome.WARN, _("{name} no by default, not set in a file").format(name=name))
    return Finding(Outcome.PASS, f"{name} no")


SETTING_CHECKS: Mapping[str, Callable[[NodeSubject], Finding]] = {
    "apparmor_off": apparmor_off,
    "boot_parameter": boot_parameter,
    "firewall_off": firewall_off,
    "modules_loaded": modules_loaded,
    "root_rights": root_rights,
    "selinux_off": selinux_off,
    "sshd_says_no": sshd_says_no,
    "sudo_silent": sudo_silent,
    "swap_off": swap_off,
    "tasks_max": tasks_max,
}
