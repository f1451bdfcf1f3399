"""Check the kernel parameters and kernel modules of one node, now and at the next boot (KRN-*)."""

from collections.abc import Sequence

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.node.next_boot import (
    BootState,
    boot_finding,
    last_value,
    next_parameters,
    parameter_values,
)
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext
from acp_tui.nodes.fact_types import BootEntry

_DEFAULTS = "/etc/default/grub"
_VALID = {"transparent_hugepage": ("always", "madvise", "never")}
"""Parameters for which the kernel ignores all other values."""


def boot_parameter(subject: NodeSubject) -> Finding:
    """KRN-THP, KRN-NOKMEM: the required kernel boot parameter must be in effect, and set for the next boot.

    If the parameter occurs several times, its last value counts; all its values count if the requirement has the key
    `adds`. If the files do not show which entry will boot, each of them counts.
    """
    cmdline = require_fact(subject.facts.cmdline, "cmdline")
    entries = subject.facts.boot_entries
    now_good = _is_set(subject, cmdline)
    fitting = next((entry for entry in entries or () if _is_set(subject, entry.parameters)), None)
    unseen = entries is not None and all(entry.source == _DEFAULTS for entry in entries)
    if fitting is None and (entries is None or unseen):
        reason = _("the configuration of the boot loader was not found")
        state = BootState(_value(subject, cmdline), None, reason=reason)
        if entries is None:
            state = BootState(state.now, None, reason=subject.facts.missing_reason("boot_entries"))
        finding = boot_finding(state, now_good, None)
    else:
        entry = fitting or (entries or (BootEntry((), ""),))[0]
        state = BootState(_value(subject, cmdline), _value(subject, entry.parameters), entry.source)
        remedy = "reboot" if entry.source != _DEFAULTS else f"{_generate(subject)}\nreboot"
        finding = boot_finding(state, now_good, fitting is not None, remedy=remedy)
        if fitting is None and _is_set(subject, subject.facts.grub_defaults or ()):
            observed = _("{state}; /etc/default/grub sets it, but the menu of the boot loader was not generated again")
            finding = Finding(
                finding.outcome, observed.format(state=state.text), remedy=f"{_generate(subject)}\nreboot"
            )
    advice_only = subject.facts.os_id in subject.check.texts("advice_on")
    if finding.outcome is Outcome.FAIL and advice_only:
        return Finding(Outcome.WARN, finding.observed, remedy=finding.remedy)
    return finding


def _token(subject: NodeSubject) -> tuple[str, str]:
    key, _equals, value = subject.check.text("token").partition("=")
    return key, value


def _is_set(subject: NodeSubject, parameters: Sequence[str]) -> bool:
    key, wanted = _token(subject)
    if subject.check.texts("adds"):
        return any(wanted in value.split(",") for value in parameter_values(parameters, key))
    return last_value(parameters, key, _VALID.get(key, ())) == wanted


def _value(subject: NodeSubject, parameters: Sequence[str]) -> str:
    key, wanted = _token(subject)
    if _is_set(subject, parameters):
        return f"{key}={wanted}"
    values = parameter_values(parameters, key)
    return f"{key}={values[-1]}" if values else pgettext("boot parameter", "not set")


def _generate(subject: NodeSubject) -> str:
    """Return the command that generates the menu of the boot loader again."""
    if subject.facts.os_id == "ubuntu":
        return "update-grub"
    return f"grubby --update-kernel=ALL --args={subject.check.text('token')}"


def modules_loaded(subject: NodeSubject) -> Finding:
    """KRN-IPVS and others: the kernel modules that the requirement lists must be loaded or built in.

    A loaded module without an entry in modules-load.d also passes, because a service can load it after the next boot.
    A loaded module that the next boot blocks gives a warning.
    """
    loaded = require_fact(subject.facts.modules, "modules")
    names = subject.check.texts("names")
    missing = tuple(name for name in names if name not in loaded)
    state = _modules_state(subject, missing)
    blocked = _blocked(subject, names)
    finding = boot_finding(state, not missing, False if blocked else None, names=missing)
    available = subject.facts.modules_available
    absent = [name for name in missing if available is not None and name not in available]
    if absent:
        observed = _("{state}; the running kernel does not provide {absent}")
        return Finding(Outcome.FAIL, observed.format(state=state.text, absent=", ".join(absent)), names=missing)
    if blocked and not missing:
        remedy = "\n".join(f"sed -i -E 's/^\\s*install\\s+{n}\\s/#&/' {f}" for n, f in blocked.items() if f)
        return Finding(finding.outcome, finding.observed, remedy=remedy)
    return finding


def _modules_state(subject: NodeSubject, missing: Sequence[str]) -> BootState:
    names = subject.check.texts("names")
    now = pgettext("observed value", "loaded ({names})").format(names=", ".join(n for n in names if n not in missing))
    if missing:
        now = pgettext("observed value", "not loaded ({names})").format(names=", ".join(missing))
    blocked = _blocked(subject, names)
    if blocked:
        later = pgettext("observed value", "blocked ({names})").format(names=", ".join(blocked))
        return BootState(now, later, ", ".join(dict.fromkeys(f for f in blocked.values() if f)))
    at_boot = subject.facts.modules_at_boot
    if at_boot is None:
        return BootState(now, None, reason=subject.facts.missing_reason("modules_at_boot"))
    without = [name for name in names if name not in at_boot]
    if without:
        reason = _("modules-load.d has no entry for {names}; a service can load it")
        return BootState(now, None, reason=reason.format(names=", ".join(without)))
    return BootState(now, pgettext("module", "loaded"), "modules-load.d")


def _blocked(subject: NodeSubject, names: Sequence[str]) -> dict[str, str]:
    """Return module → file of modprobe.d that blocks it; "" if a kernel parameter of the next boot blocks it."""
    files = subject.facts.blocked_modules or {}
    lists = [
        {
            name.replace("-", "_")
            for value in parameter_values(parameters, "module_blacklist")
            for name in value.split(",")
        }
        for parameters in next_parameters(subject.facts)
    ]
    barred = set.intersection(*lists)
    return {name: files.get(name, "") for name in names if name in files or name in barred}
