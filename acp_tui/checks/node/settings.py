"""Check the firewall of one node."""

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
