"""Check SELinux and AppArmor of one node, now and at the next boot (SEC-SELINUX, SEC-APPARMOR)."""

from collections.abc import Sequence

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.node.next_boot import BootState, last_value, next_parameters
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import ngettext, pgettext
from acp_tui.nodes.facts import Facts

_CONFIG = "/etc/selinux/config"


def apparmor_off(subject: NodeSubject) -> Finding:
    """SEC-APPARMOR: AppArmor must be disabled in the kernel, now and at the next boot.

    AppArmor without loaded profiles has no effect, so it gives only a warning (OQ-APPARMOR).
    """
    facts = subject.facts
    enabled = require_fact(facts.apparmor, "apparmor")
    profiles = facts.apparmor_profiles
    later = _apparmor_later(facts, enabled)
    state = BootState(
        _apparmor_now(enabled, profiles),
        pgettext("AppArmor", "enabled") if later else pgettext("AppArmor", "disabled"),
        _boot_source(facts),
    )
    if not enabled:
        return Finding(Outcome.WARN if later else Outcome.PASS, state.text)
    if profiles == 0:
        return Finding(Outcome.WARN, state.text)
    if not later:
        return Finding(Outcome.PENDING_REBOOT, state.text, remedy="reboot")
    return Finding(Outcome.FAIL, state.text)


def _apparmor_now(enabled: bool, profiles: int | None) -> str:
    if not enabled:
        return pgettext("AppArmor", "disabled")
    if profiles is None:
        return pgettext("AppArmor", "enabled, with an unknown number of profiles")
    return ngettext("enabled, with {count} loaded profile", "enabled, with {count} loaded profiles", profiles).format(
        count=profiles
    )


def _apparmor_later(facts: Facts, enabled: bool) -> bool:
    """Return whether AppArmor is enabled after the next boot.

    If it is disabled now without a kernel parameter, the kernel has no AppArmor, or disables it by default."""
    if any(_apparmor_disabled(parameters) for parameters in next_parameters(facts)):
        return False
    return enabled or (facts.os_id == "ubuntu" and _apparmor_disabled(facts.cmdline or ()))


def _apparmor_disabled(parameters: Sequence[str]) -> bool:
    modules = last_value(parameters, "lsm")
    if modules is not None and "apparmor" not in modules.split(","):
        return True
    security = last_value(parameters, "security")
    if modules is None and security is not None and security != "apparmor":
        return True
    return last_value(parameters, "apparmor", ("0", "1")) == "0"


def _boot_source(facts: Facts) -> str:
    entries = facts.boot_entries or ()
    return entries[0].source if len(entries) == 1 else ""


def selinux_off(subject: NodeSubject) -> Finding:
    """SEC-SELINUX: SELinux must be disabled now and at the next boot.

    The mode `permissive` does not count as disabled (OQ-PERMISSIVE).
    """
    facts = subject.facts
    mode = require_fact(facts.selinux, "selinux")
    modes = [_selinux_mode(facts, parameters) for parameters in next_parameters(facts)]
    later = next((state for state in modes if state[0] == "disabled"), modes[0])
    state = BootState(mode, later[0], later[1])
    if facts.selinux_config is None and later[0] == "disabled" and later[1] == _CONFIG:
        state = BootState(mode, None, reason=facts.missing_reason("selinux_config"))
    if mode == "enforcing":
        return Finding(Outcome.FAIL, state.text, remedy="reboot" if later[0] == "disabled" else "")
    if mode == "permissive" and state.later == "disabled":
        return Finding(Outcome.PENDING_REBOOT, state.text, remedy="reboot")
    if mode == "permissive" or later[0] != "disabled":
        return Finding(Outcome.WARN, state.text)
    return Finding(Outcome.PASS, state.text)


def _selinux_mode(facts: Facts, parameters: Sequence[str]) -> tuple[str, str]:
    """Return the mode of SELinux after a boot with these kernel parameters, and what sets the mode."""
    modules, security = last_value(parameters, "lsm"), last_value(parameters, "security")
    off = last_value(parameters, "selinux", ("0", "1")) == "0"
    chosen = "selinux" in modules.split(",") if modules is not None else security == "selinux"
    given = modules is not None or security is not None
    if off or (given and not chosen):
        return "disabled", _boot_source(facts) if off or given else ""
    config = facts.selinux_config
    if not config or config == "disabled":
        return "disabled", _CONFIG if config or config is None else ""
    enforcing = last_value(parameters, "enforcing", ("0", "1"))
    if enforcing is not None:
        return ("enforcing" if enforcing == "1" else "permissive"), _boot_source(facts)
    return config, _CONFIG
