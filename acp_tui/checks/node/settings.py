"""Check the settings of one node: firewall, login, sshd."""

from collections.abc import Set

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext

_RUNNING = ("active", "activating", "reloading")
_RETURNS = ("enabled", "enabled-runtime")


def firewall_off(subject: NodeSubject) -> Finding:
    """SEC-FIREWALL: no firewall unit may be active, and none may be enabled for the next boot.

    On Ubuntu the systemd unit of ufw is always active. If ufw.conf disables ufw, the unit filters nothing, and
    gives only a warning.
    """
    if subject.facts.units is None and subject.facts.ufw_enabled:
        return _firewall(Outcome.FAIL, _("the file ufw.conf enables the firewall {names}"), {"ufw"})
    units = require_fact(subject.facts.units, "units")
    watched = {name: units[name] for name in subject.check.texts("units") if name in units}
    running = {name for name, unit in watched.items() if unit.active in _RUNNING}
    idle = running & {"ufw"} if subject.facts.ufw_enabled is False else set()
    running = (running - idle) | ({"ufw"} if subject.facts.ufw_enabled else set())
    enabled = {name for name, unit in watched.items() if unit.enabled in _RETURNS} - running
    if running:
        return _firewall(
            Outcome.FAIL,
            pgettext("observed value", "these firewall units are active: {names}"),
            running,
            idle | enabled,
        )
    if idle:
        return _firewall(
            Outcome.WARN,
            _("the systemd unit of ufw is active, but the file ufw.conf disables the firewall"),
            idle,
            enabled,
        )
    if enabled:
        return _firewall(
            Outcome.WARN, _("these firewall units are not active, but enabled for the next boot: {names}"), enabled
        )
    return Finding(Outcome.PASS, _("no firewall unit is active"))


def _firewall(outcome: Outcome, text: str, shown: Set[str], others: Set[str] = frozenset()) -> Finding:
    """Return a finding that names the firewall units `shown`. Its fix disables the units `shown` and `others`.

    For ufw, the fix also changes the setting in ufw.conf.
    """
    units = shown | others
    names = tuple(sorted(units))
    remedy = f"systemctl disable --now {' '.join(names)}"
    if "netfilter-persistent" in units:
        remedy = f"netfilter-persistent flush\n{remedy}"  # its rules stay when its unit stops
    if "ufw" in units:
        remedy = f"ufw disable\n{remedy}"
    return Finding(outcome, text.format(names=", ".join(sorted(shown))), remedy=remedy, names=names)


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
