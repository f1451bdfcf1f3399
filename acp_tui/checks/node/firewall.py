"""Check the host firewall of one node: its units, and the packet filter rules in the kernel (SEC-FIREWALL)."""

from collections.abc import Mapping, Sequence, Set

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.packet_filter import Blocked, blocked_traffic
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext
from acp_tui.nodes.fact_types import Unit
from acp_tui.nodes.facts import Facts

_RUNNING = ("active", "activating", "reloading")
_RETURNS = ("enabled", "enabled-runtime")
_MOST_RULES = 3
_RULE_FILES: Mapping[str, tuple[frozenset[str], ...]] = {
    "nftables": (frozenset({"/etc/nftables.conf"}), frozenset({"/etc/sysconfig/nftables.conf"})),
    "iptables": (frozenset({"/etc/sysconfig/iptables"}),),
    "ip6tables": (frozenset({"/etc/sysconfig/ip6tables"}),),
    "netfilter-persistent": (frozenset({"/etc/iptables/rules.v4", "/etc/iptables/rules.v6"}),),
}
"""The units that only load rules from files. If all files of one group block nothing, the unit is harmless."""


def _only_pings(blocked: Blocked) -> bool:
    """Return True if the rule blocks only pings, which the cluster does not need."""
    return all(" echo " in example for example in blocked.traffic.split(", "))


def firewall_off(subject: NodeSubject) -> Finding:
    """SEC-FIREWALL: no firewall unit may be active or enabled, and no rule may block traffic of the cluster.

    The rules count with or without a unit. On Ubuntu the systemd unit of ufw is always active. If ufw.conf disables
    ufw, the unit filters nothing, and gives only a warning. So does a unit whose rule files block nothing, a unit that
    is enabled for the next boot, and a rule that blocks only pings.
    """
    facts = subject.facts
    blocked = blocked_traffic(subject.plan, facts) if facts.packet_filter is not None else ()
    pings = [entry for entry in blocked if entry.certain and _only_pings(entry)]
    certain = [entry for entry in blocked if entry.certain and entry not in pings]
    if facts.units is None:
        if facts.ufw_enabled:
            return _units(Outcome.FAIL, _("the file ufw.conf enables the firewall {names}"), {"ufw"})
        if certain:
            return _rules(Outcome.FAIL, certain, facts)
    units = require_fact(facts.units, "units")
    watched = {name: units[name] for name in subject.check.texts("units") if name in units}
    running = {name for name, unit in watched.items() if unit.active in _RUNNING}
    idle = running & {"ufw"} if facts.ufw_enabled is False else set()
    harmless = {name for name in running if not blocked and _loads_nothing(name, facts)}
    masked = {"ufw"} if facts.ufw_enabled and not blocked and _never_starts(watched.get("ufw"), facts) else set()
    running = (running - idle - harmless) | ({"ufw"} - masked if facts.ufw_enabled else set())
    enabled = {name for name, unit in watched.items() if unit.enabled in _RETURNS} - running - harmless
    if running and certain:
        text = _(
            "these firewall units are active: {names}; packet filter rules block traffic of the cluster: {rules}"
        ).replace("{rules}", _listed(certain))
        return _units(Outcome.FAIL, text, running, idle | enabled | harmless)
    if running:
        text = pgettext("observed value", "these firewall units are active: {names}")
        return _units(Outcome.FAIL, text, running, idle | enabled | harmless)
    if certain:
        return _rules(Outcome.FAIL, certain, facts, idle | enabled)
    if pings:
        return _rules(Outcome.WARN, pings, facts, idle | enabled, _("packet filter rules block pings: {rules}"))
    unknown = _unknown(facts)
    if unknown:
        return Finding(Outcome.UNKNOWN, unknown)
    if blocked:
        return _rules(Outcome.WARN, blocked, facts, idle | enabled)
    return _now_and_at_next_boot(idle, enabled, harmless, masked)


def _now_and_at_next_boot(idle: Set[str], enabled: Set[str], harmless: Set[str], masked: Set[str]) -> Finding:
    """Return the finding of a node on which nothing blocks traffic now."""
    if harmless:
        text = _("these firewall units are active, but their rule files block no packets: {names}")
        return _units(Outcome.WARN, text, harmless, idle | enabled)
    if idle:
        text = _("the systemd unit of ufw is active, but the file ufw.conf disables the firewall")
        return _units(Outcome.WARN, text, idle, enabled)
    if enabled:
        text = _("these firewall units are not active, but enabled for the next boot: {names}")
        return _units(Outcome.WARN, text, enabled, masked)
    if masked:
        text = _("the file ufw.conf enables the firewall {names}, but systemd never starts it, because it is masked")
        return _units(Outcome.WARN, text, masked)
    return Finding(Outcome.PASS, _("no firewall unit is active, and no packet filter rule blocks cluster traffic"))


def _loads_nothing(name: str, facts: Facts) -> bool:
    """Return True if the unit only loads rules from files, and these files contain no rule that blocks packets."""
    packet_filter = facts.packet_filter
    return packet_filter is not None and any(
        files <= set(packet_filter.harmless_files) for files in _RULE_FILES.get(name, ())
    )


def _never_starts(unit: Unit | None, facts: Facts) -> bool:
    """Return True if the unit is masked, and the packet filter was read completely."""
    read = facts.packet_filter is not None and not facts.packet_filter.unread
    return read and unit is not None and unit.enabled == "masked" and unit.active not in _RUNNING


def _unknown(facts: Facts) -> str:
    """Return why the rules of the kernel are not known completely; "" if they are."""
    text = _("no active firewall unit was found, but the packet filter rules of the kernel are not known: {reason}")
    if facts.packet_filter is None:
        return text.format(reason=facts.missing_reason("packet_filter"))
    return text.format(reason="; ".join(facts.packet_filter.unread)) if facts.packet_filter.unread else ""


def _listed(blocked: Sequence[Blocked]) -> str:
    shown = "; ".join(f"{entry.rule} ({entry.traffic})" for entry in blocked[:_MOST_RULES])
    return shown if len(blocked) <= _MOST_RULES else f"{shown}; ..."


def _rules(
    outcome: Outcome, blocked: Sequence[Blocked], facts: Facts, units: Set[str] = frozenset(), text: str = ""
) -> Finding:
    """Return a finding that names rules, with the commands that remove them. `units`: also to be disabled."""
    text = text or (
        _("packet filter rules block traffic of the cluster: {rules}")
        if outcome is Outcome.FAIL
        else _("these packet filter rules possibly block traffic of the cluster: {rules}")
    )
    files = facts.packet_filter.boot_files if facts.packet_filter is not None else ()
    source = (
        _("# These files add packet filter rules at boot. Remove the lines that do so: {files}").format(
            files=" ".join(files)
        )
        if files
        else _("# Find out which program or script adds these rules, and disable it. Otherwise the rules return.")
    )
    commands = dict.fromkeys(command for entry in blocked for command in entry.commands)
    lines = [source, *_disabling(units), *commands] if units else [source, *commands]
    return Finding(outcome, text.format(rules=_listed(blocked)), remedy="\n".join(lines), names=tuple(sorted(units)))


def _disabling(units: Set[str]) -> list[str]:
    """Return the commands that stop and disable the units. The firewall ufw has a command of its own."""
    names = " ".join(sorted(units))
    return [
        *(("ufw disable",) if "ufw" in units else ()),
        *(("netfilter-persistent flush",) if "netfilter-persistent" in units else ()),  # its rules stay when it stops
        f"systemctl disable --now {names}",
    ]


def _units(outcome: Outcome, text: str, shown: Set[str], others: Set[str] = frozenset()) -> Finding:
    """Return a finding that names the firewall units `shown`. Its fix disables the units `shown` and `others`."""
    units = shown | others
    return Finding(
        outcome,
        text.format(names=", ".join(sorted(shown))),
        remedy="\n".join(_disabling(units)),
        names=tuple(sorted(units)),
    )
