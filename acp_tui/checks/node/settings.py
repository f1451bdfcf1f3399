"""Check the settings of one node: boot parameters, modules, swap, limits, login, sshd."""

import re

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, ngettext, pgettext

_INFINITY = ("infinity", "18446744073709551615")  # the number is how old systemd prints it


def boot_parameter(subject: NodeSubject) -> Finding:
    """KRN-THP, KRN-NOKMEM: the required kernel boot parameter must be in effect.

    If it is only set in the boot loader, the outcome is `pending-reboot`. If the parameter occurs several times, its
    last value counts; all its values count if the requirement has the key `adds`. Parameters after `--` do not count,
    because they are not for the kernel.
    """
    token = subject.check.text("token")
    key = token.split("=")[0] + "="
    cmdline = require_fact(subject.facts.cmdline, "cmdline")
    own = cmdline[: cmdline.index("--")] if "--" in cmdline else cmdline
    values = [t for t in own if t.startswith(key)]
    adds = bool(subject.check.texts("adds"))
    if any(token.removeprefix(key) in t.removeprefix(key).split(",") for t in (values if adds else values[-1:])):
        return Finding(Outcome.PASS, pgettext("observed value", "the required boot parameter is in effect"))
    now = values[-1] if values else _("the required boot parameter is not on the kernel command line")
    if token in (subject.facts.boot_tokens or ()):
        update = "update-grub" if subject.facts.os_id == "ubuntu" else f"grubby --update-kernel=ALL --args={token}"
        observed = _(
            "current state of the boot parameter: {now}; the required value is set in the boot loader or in "
            "/etc/default/grub, and takes effect after a reboot"
        )
        return Finding(Outcome.PENDING_REBOOT, observed.format(now=now), remedy=f"{update}\nreboot")
    advice_only = subject.facts.os_id in subject.check.texts("advice_on")
    return Finding(Outcome.WARN if advice_only else Outcome.FAIL, now)


def modules_loaded(subject: NodeSubject) -> Finding:
    """KRN-IPVS and others: the kernel modules that the requirement lists must be loaded or built in."""
    loaded = require_fact(subject.facts.modules, "modules")
    missing = tuple(name for name in subject.check.texts("names") if name not in loaded)
    if not missing:
        return Finding(Outcome.PASS, _loaded(subject))
    observed = pgettext("observed value", "these kernel modules are not loaded: {names}")
    available = subject.facts.modules_available
    absent = [name for name in missing if available is not None and name not in available]
    if absent:
        observed = _("these kernel modules are not loaded: {names}; the running kernel does not provide {absent}")
    observed = observed.format(names=", ".join(missing), absent=", ".join(absent))
    return Finding(Outcome.FAIL, observed, names=missing)


def _loaded(subject: NodeSubject) -> str:
    """Return a text that names the loaded modules, and those without an entry in modules-load.d.

    A module without such an entry also passes, because a service can load it after the next boot.
    """
    names = subject.check.texts("names")
    at_boot = subject.facts.modules_at_boot
    without = [name for name in names if at_boot is not None and name not in at_boot]
    observed = (
        _("the kernel modules {names} are loaded, but modules-load.d has no entry for {without}")
        if without
        else pgettext("observed value", "these kernel modules are loaded: {names}")
    )
    return observed.format(names=", ".join(names), without=", ".join(without))


def apparmor_off(subject: NodeSubject) -> Finding:
    """SEC-APPARMOR: AppArmor must be disabled in the kernel.

    AppArmor without loaded profiles has no effect, so it gives only a warning (OQ-APPARMOR).
    """
    if not require_fact(subject.facts.apparmor, "apparmor"):
        return Finding(Outcome.PASS, _("AppArmor is disabled in the kernel"))
    profiles = subject.facts.apparmor_profiles
    if profiles == 0:
        return Finding(Outcome.WARN, _("AppArmor is enabled in the kernel, with 0 loaded profiles"))
    if "apparmor=0" in (subject.facts.boot_tokens or ()):
        return Finding(
            Outcome.PENDING_REBOOT,
            _("AppArmor is enabled now; the boot loader disables it at the next boot"),
            remedy="update-grub\nreboot",
        )
    if profiles is None:
        return Finding(Outcome.FAIL, _("AppArmor is enabled in the kernel; the number of loaded profiles is unknown"))
    observed = ngettext(
        "AppArmor is enabled, with {count} loaded profile",
        "AppArmor is enabled, with {count} loaded profiles",
        profiles,
    )
    return Finding(Outcome.FAIL, observed.format(count=profiles))


def selinux_off(subject: NodeSubject) -> Finding:
    """SEC-SELINUX: SELinux must be disabled now and at the next boot.

    The mode `permissive` does not count as disabled (OQ-PERMISSIVE).
    """
    mode = require_fact(subject.facts.selinux, "selinux")
    config = subject.facts.selinux_config or ""
    if mode == "enforcing" and config == "disabled":
        return Finding(Outcome.FAIL, _("SELinux is enforcing now; it is disabled after the next boot"), remedy="reboot")
    if mode == "enforcing":
        return Finding(Outcome.FAIL, mode)
    if mode == "permissive" and config == "disabled":
        return Finding(
            Outcome.PENDING_REBOOT, _("SELinux is permissive now; it is disabled after the next boot"), remedy="reboot"
        )
    if mode == "permissive":
        return Finding(Outcome.WARN, mode)
    at_boot = subject.facts.boot_tokens or subject.facts.cmdline or ()
    if config in ("enforcing", "permissive") and "selinux=0" not in at_boot:
        observed = _("SELinux is disabled now, but its configuration sets the mode {mode} for the next boot").format(
            mode=config
        )
        return Finding(Outcome.WARN, observed)
    return Finding(Outcome.PASS, mode)


def swap_off(subject: NodeSubject) -> Finding:
    """SYS-SWAP: no swap may be in use. Swap that is only enabled for the next boot gives a warning."""
    swaps = require_fact(subject.facts.swaps, "swaps")
    if swaps:
        return Finding(
            Outcome.FAIL, pgettext("observed value", "swap is in use: {names}").format(names=", ".join(swaps))
        )
    entries = subject.facts.fstab_swaps
    if entries is None:
        reason = subject.facts.missing_reason("fstab_swaps")
        observed = _("no swap is in use; it is unknown whether the next boot enables swap: {reason}")
        return Finding(Outcome.PASS, observed.format(reason=reason))
    if entries:
        return Finding(
            Outcome.WARN,
            _("swap is off, but /etc/fstab or systemd enables it at the next boot: {names}").format(
                names=", ".join(entries)
            ),
        )
    return Finding(Outcome.PASS, pgettext("observed value", "swap is off"))


def tasks_max(subject: NodeSubject) -> Finding:
    """SYS-TASKSMAX: the setting DefaultTasksMax of systemd must be infinity or large enough (OQ-TASKSMAX)."""
    text = require_fact(subject.facts.tasks_max, "tasks_max")
    if text in _INFINITY:
        return Finding(Outcome.PASS, text)
    if re.fullmatch(r"[0-9]{1,2}%", text):
        return Finding(Outcome.FAIL, text)
    if re.fullmatch(r"[0-9]{1,20}", text) is None:
        return Finding(
            Outcome.UNKNOWN,
            _("systemd reports DefaultTasksMax as '{text}', which is not a known value").format(text=text),
        )
    if int(text) >= subject.check.number("enough"):
        return Finding(Outcome.PASS, text)
    return Finding(Outcome.WARN if int(text) >= subject.check.number("doubtful") else Outcome.FAIL, text)


def root_access(subject: NodeSubject) -> Finding:
    """USR-ROOT: the SSH user must be root, or must be able to become root with sudo."""
    uid = require_fact(subject.facts.uid, "uid")
    if uid == 0:
        return Finding(Outcome.PASS, pgettext("observed value", "root"))
    return _sudo(subject, _("the SSH user has the ID {uid}, and can become root with sudo").format(uid=uid))


def passwordless_sudo(subject: NodeSubject) -> Finding:
    """USR-SUDO: sudo must work without a password and without a terminal."""
    if subject.facts.sudo_terminal:
        return Finding(Outcome.FAIL, _("sudo requires a terminal (requiretty)"))
    return _sudo(subject, _("sudo works without a password"))


def _sudo(subject: NodeSubject, ok: str) -> Finding:
    if require_fact(subject.facts.sudo, "sudo"):
        return Finding(Outcome.PASS, ok)
    message = subject.facts.sudo_message or _("sudo requires a password, or the SSH user is not allowed to use sudo")
    return Finding(Outcome.FAIL, message)


def sshd_setting_is_no(subject: NodeSubject) -> Finding:
    """USR-USEDNS, USR-USEPAM: the sshd setting must be `no` in a configuration file.

    If the value `no` is only the default of sshd, the outcome is a warning.
    """
    name = subject.check.text("setting")
    setting = require_fact(subject.facts.sshd, "sshd").get(name)
    if setting is None:
        return Finding(Outcome.UNKNOWN, _("sshd does not report the setting {name}").format(name=name))
    if setting.effective != "no":
        return Finding(Outcome.FAIL, f"{name} {setting.effective}")
    if not setting.explicit:
        return Finding(
            Outcome.WARN, _("the default of {name} is 'no', but no configuration file sets {name}").format(name=name)
        )
    return Finding(Outcome.PASS, f"{name} no")
