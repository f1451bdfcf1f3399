"""Check the login and sshd of one node: root, sudo, UseDNS, UsePAM."""

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext


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
    """USR-USEDNS, USR-USEPAM: the sshd setting must be `no` in a configuration file, and in the running sshd.

    If the value `no` is only the default of sshd, the outcome is a warning. If sshd has not read its files since they
    were changed, its value is unknown, unless acp-tui observes it.
    """
    name = subject.check.text("setting")
    setting = require_fact(subject.facts.sshd, "sshd").get(name)
    if subject.facts.sshd_error:
        observed = _("sshd cannot read its configuration, and does not start again: {error}")
        return Finding(Outcome.FAIL, observed.format(error=subject.facts.sshd_error))
    if setting is None:
        return Finding(Outcome.UNKNOWN, _("sshd does not report the setting {name}").format(name=name))
    restart = "# keep this session open and try a second login before you close it\n"
    restart += f"sshd -t && systemctl restart {'ssh' if subject.facts.os_id == 'ubuntu' else 'sshd'}"
    if setting.effective == "no" and setting.running not in (None, "no"):
        observed = _("the files of sshd set {name} to 'no', but the running sshd still uses '{value}'")
        return Finding(Outcome.FAIL, observed.format(name=name, value=setting.running), remedy=restart)
    if setting.effective != "no":
        return Finding(Outcome.FAIL, f"{name} {setting.effective}")
    if setting.doubt:
        return Finding(Outcome.UNKNOWN, setting.doubt, remedy=restart)
    if not setting.explicit:
        return Finding(
            Outcome.WARN, _("the default of {name} is 'no', but no configuration file sets {name}").format(name=name)
        )
    return Finding(Outcome.PASS, f"{name} no")
