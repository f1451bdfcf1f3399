"""Check the settings of one node: boot parameters, modules, firewall, swap, limits, login, sshd."""

import re
from collections.abc import Set

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, ngettext, pgettext

_RUNNING = ("active", "activating", "reloading")
_RETURNS = ("enabled", "enabled-runtime")
_INFINITY = ("infinity", "18446744073709551615")  # the number is how old systemd prints it


def boot_parameter(subject: NodeSubject) -> Finding:
    """KRN-THP, KRN-NOKMEM: in effect, or in the boot loader. The last value counts, unless values add up.

    Parameters after `--` are not for the kernel."""
    token = subject.check.text("token")
    key = token.split("=")[0] + "="
    cmdline = require_fact(subject.facts.cmdline, "cmdline")
    own = cmdline[: cmdline.index("--")] if "--" in cmdline else cmdline
    values = [t for t in own if t.startswith(key)]
    adds = bool(subject.check.texts("adds"))
    if any(token.removeprefix(key) in t.removeprefix(key).split(",") for t in (values if adds else values[-1:])):
        return Finding(Outcome.PASS, pgettext("observed value", "in effect"))
    now = values[-1] if values else _("not on the kernel command line")
    if token in (subject.facts.boot_tokens or ()):
        update = "update-grub" if subject.facts.os_id == "ubuntu" else f"grubby --update-kernel=ALL --args={token}"
        observed = _("{now}; set in the boot loader or /etc/default/grub, effective after a reboot")
        return Finding(Outcome.PENDING_REBOOT, observed.format(now=now), remedy=f"{update}\nreboot")
    advice_only = subject.facts.os_id in subject.check.texts("advice_on")
    return Finding(Outcome.WARN if advice_only else Outcome.FAIL, now)


def modules_loaded(subject: NodeSubject) -> Finding:
    """KRN-IPVS and similar rows: the modules are loaded or built in."""
    loaded = require_fact(subject.facts.modules, "modules")
    missing = tuple(name for name in subject.check.texts("names") if name not in loaded)
    if not missing:
        return Finding(Outcome.PASS, _loaded(subject))
    observed = pgettext("observed value", "not loaded: {names}")
    available = subject.facts.modules_available
    absent = [name for name in missing if available is not None and name not in available]
    if absent:
        observed = _("not loaded: {names}; not available for this kernel: {absent}")
    observed = observed.format(names=", ".join(missing), absent=", ".join(absent))
    return Finding(Outcome.FAIL, observed, names=missing)


def _loaded(subject: NodeSubject) -> str:
    """Describe the loaded modules. Modules without an entry for the next boot pass, because a service may load them."""
    names = subject.check.texts("names")
    at_boot = subject.facts.modules_at_boot
    without = [name for name in names if at_boot is not None and name not in at_boot]
    observed = (
        _("loaded: {names}; not in modules-load.d: {without}")
        if without
        else pgettext("observed value", "loaded: {names}")
    )
    return observed.format(names=", ".join(names), without=", ".join(without))


def apparmor_off(subject: NodeSubject) -> Finding:
    """SEC-APPARMOR: disabled in the kernel. Enabled without profiles has no effect, and warns (OQ-APPARMOR)."""
    if not require_fact(subject.facts.apparmor, "apparmor"):
        return Finding(Outcome.PASS, _("disabled in the kernel"))
    profiles = subject.facts.apparmor_profiles
    if profiles == 0:
        return Finding(Outcome.WARN, _("enabled in the kernel, 0 profiles loaded"))
    if "apparmor=0" in (subject.facts.boot_tokens or ()):
        return Finding(
            Outcome.PENDING_REBOOT, _("enabled; disabled after a reboot (boot loader)"), remedy="update-grub\nreboot"
        )
    if profiles is None:
        return Finding(Outcome.FAIL, _("enabled in the kernel, number of profiles unknown"))
    observed = ngettext("enabled, {count} profile loaded", "enabled, {count} profiles loaded", profiles)
    return Finding(Outcome.FAIL, observed.format(count=profiles))


def selinux_off(subject: NodeSubject) -> Finding:
    """SEC-SELINUX: disabled now and at the next boot. Permissive is not disabled (OQ-PERMISSIVE)."""
    mode = require_fact(subject.facts.selinux, "selinux")
    config = subject.facts.selinux_config or ""
    if mode == "enforcing" and config == "disabled":
        return Finding(Outcome.FAIL, _("enforcing; disabled after a reboot"), remedy="reboot")
    if mode == "enforcing":
        return Finding(Outcome.FAIL, mode)
    if mode == "permissive" and config == "disabled":
        return Finding(Outcome.PENDING_REBOOT, _("permissive; disabled after a reboot"), remedy="reboot")
    if mode == "permissive":
        return Finding(Outcome.WARN, mode)
    at_boot = subject.facts.boot_tokens or subject.facts.cmdline or ()
    if config in ("enforcing", "permissive") and "selinux=0" not in at_boot:
        observed = _("disabled, but {mode} after the next boot (configuration)").format(mode=config)
        return Finding(Outcome.WARN, observed)
    return Finding(Outcome.PASS, mode)


def firewall_off(subject: NodeSubject) -> Finding:
    """SEC-FIREWALL: no firewall unit is active, and none is enabled for the next boot.

    Ubuntu's unit of ufw is always active. If ufw.conf disables ufw, the unit filters nothing, and only warns."""
    if subject.facts.units is None and subject.facts.ufw_enabled:
        return _firewall(Outcome.FAIL, _("enabled in ufw.conf: {names}"), {"ufw"})
    units = require_fact(subject.facts.units, "units")
    watched = {name: units[name] for name in subject.check.texts("units") if name in units}
    running = {name for name, unit in watched.items() if unit.active in _RUNNING}
    idle = running & {"ufw"} if subject.facts.ufw_enabled is False else set()
    running = (running - idle) | ({"ufw"} if subject.facts.ufw_enabled else set())
    enabled = {name for name, unit in watched.items() if unit.enabled in _RETURNS} - running
    if running:
        return _firewall(Outcome.FAIL, pgettext("observed value", "active: {names}"), running, idle | enabled)
    if idle:
        return _firewall(Outcome.WARN, _("the ufw unit is active, but ufw.conf disables ufw"), idle, enabled)
    if enabled:
        return _firewall(Outcome.WARN, _("not active, but enabled for the next boot: {names}"), enabled)
    return Finding(Outcome.PASS, _("no firewall unit is active"))


def _firewall(outcome: Outcome, text: str, shown: Set[str], others: Set[str] = frozenset()) -> Finding:
    """Return a finding about the units in `shown`; its commands disable these and the `others`.

    In addition to its unit, ufw has a setting of its own."""
    units = shown | others
    names = tuple(sorted(units))
    remedy = f"systemctl disable --now {' '.join(names)}"
    if "netfilter-persistent" in units:
        remedy = f"netfilter-persistent flush\n{remedy}"  # its rules stay when its unit stops
    if "ufw" in units:
        remedy = f"ufw disable\n{remedy}"
    return Finding(outcome, text.format(names=", ".join(sorted(shown))), remedy=remedy, names=names)


def swap_off(subject: NodeSubject) -> Finding:
    """SYS-SWAP: no swap in use; an fstab entry that enables it at the next boot warns."""
    swaps = require_fact(subject.facts.swaps, "swaps")
    if swaps:
        return Finding(Outcome.FAIL, pgettext("observed value", "in use: {names}").format(names=", ".join(swaps)))
    entries = subject.facts.fstab_swaps
    if entries is None:
        reason = subject.facts.missing_reason("fstab_swaps")
        observed = _("no swap in use; entries for the next boot are unknown: {reason}")
        return Finding(Outcome.PASS, observed.format(reason=reason))
    if entries:
        return Finding(Outcome.WARN, _("off, but enabled at the next boot: {names}").format(names=", ".join(entries)))
    return Finding(Outcome.PASS, pgettext("observed value", "no swap"))


def tasks_max(subject: NodeSubject) -> Finding:
    """SYS-TASKSMAX: infinity, or a number that is large enough (OQ-TASKSMAX)."""
    text = require_fact(subject.facts.tasks_max, "tasks_max")
    if text in _INFINITY:
        return Finding(Outcome.PASS, text)
    if re.fullmatch(r"[0-9]{1,2}%", text):
        return Finding(Outcome.FAIL, text)
    if re.fullmatch(r"[0-9]{1,20}", text) is None:
        return Finding(Outcome.UNKNOWN, _("unknown value '{text}' from systemd").format(text=text))
    if int(text) >= subject.check.number("enough"):
        return Finding(Outcome.PASS, text)
    return Finding(Outcome.WARN if int(text) >= subject.check.number("doubtful") else Outcome.FAIL, text)


def root_access(subject: NodeSubject) -> Finding:
    """USR-ROOT: the user is root, or becomes root with sudo."""
    uid = require_fact(subject.facts.uid, "uid")
    if uid == 0:
        return Finding(Outcome.PASS, pgettext("observed value", "root"))
    return _sudo(subject, _("user ID {uid}, root with sudo").format(uid=uid))


def passwordless_sudo(subject: NodeSubject) -> Finding:
    """USR-SUDO: sudo needs neither a password nor a terminal."""
    if subject.facts.sudo_terminal:
        return Finding(Outcome.FAIL, _("sudo needs a terminal (requiretty)"))
    return _sudo(subject, _("sudo without a password"))


def _sudo(subject: NodeSubject, ok: str) -> Finding:
    if require_fact(subject.facts.sudo, "sudo"):
        return Finding(Outcome.PASS, ok)
    message = subject.facts.sudo_message or _("sudo needs a password, or is not allowed")
    return Finding(Outcome.FAIL, message)


def sshd_setting_is_no(subject: NodeSubject) -> Finding:
    """USR-USEDNS, USR-USEPAM: the value is `no` and is set in a file; the default alone warns."""
    name = subject.check.text("setting")
    setting = require_fact(subject.facts.sshd, "sshd").get(name)
    if setting is None:
        return Finding(Outcome.UNKNOWN, _("sshd does not report {name}").format(name=name))
    if setting.effective != "no":
        return Finding(Outcome.FAIL, f"{name} {setting.effective}")
    if not setting.explicit:
        return Finding(Outcome.WARN, _("{name} no (default, not set in a file)").format(name=name))
    return Finding(Outcome.PASS, f"{name} no")
