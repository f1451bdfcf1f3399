"""The value of a setting now and at the next boot: one text form and one table of outcomes for all checks.

Also the meaning of kernel parameters, as the kernel reads them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from acp_tui.checks.finding import Finding
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext
from acp_tui.nodes.facts import Facts


@dataclass(frozen=True)
class BootState:
    """A setting of a node, with the value in effect and the value after the next boot.

    `later`: None if it is unknown; `reason` then has the cause. `source`: the file or unit that sets the value `later`.
    """

    now: str
    later: str | None = None
    source: str = ""
    reason: str = ""

    @property
    def text(self) -> str:
        """The values in one line, in the same form for each setting."""
        if self.later is None:
            form = _("now: {now}; at the next boot: unknown ({reason})")
        elif self.source:
            form = _("now: {now}; at the next boot: {later} ({source})")
        else:
            form = _("now: {now}; at the next boot: {later}")
        return form.format(now=self.now, later=self.later, source=self.source, reason=self.reason)


def boot_finding(
    state: BootState,
    now_good: bool,
    later_good: bool | None,
    *,
    configured: Outcome = Outcome.PENDING_REBOOT,
    remedy: str = "",
    names: tuple[str, ...] = (),
) -> Finding:
    """Return the finding for a setting that must be good now and after the next boot.

    Good now, and later good or unknown: pass. Good now only: warn, because a reboot brings the fault. Good later only:
    `configured`, with the commands `remedy`. Never good: fail.
    """
    if now_good:
        outcome = Outcome.WARN if later_good is False else Outcome.PASS
    else:
        outcome = configured if later_good else Outcome.FAIL
    return Finding(outcome, state.text, remedy=remedy if outcome is configured else "", names=names)


def next_parameters(facts: Facts) -> tuple[tuple[str, ...], ...]:
    """Return the kernel parameters of each entry that may boot next. Without a known entry: those of this boot."""
    entries = tuple(entry.parameters for entry in facts.boot_entries or ())
    return entries or (facts.cmdline or (),)


def of_kernel(parameters: Sequence[str]) -> tuple[str, ...]:
    """Return the parameters before `--`; the others are for init."""
    return tuple(parameters[: parameters.index("--")] if "--" in parameters else parameters)


def parameter_values(parameters: Sequence[str], key: str) -> list[str]:
    """Return the values of a kernel parameter. The kernel ignores quotes, and reads `-` in a key as `_`."""
    found = []
    for parameter in of_kernel(parameters):
        name, equals, value = parameter.strip('"').partition("=")
        if equals and name.replace("-", "_") == key.replace("-", "_"):
            found.append(value.strip('"'))
    return found


def last_value(parameters: Sequence[str], key: str, valid: Iterable[str] = ()) -> str | None:
    """Return the last value of a kernel parameter, or None. The kernel ignores values that are not `valid`."""
    known = tuple(valid)
    return next((v for v in reversed(parameter_values(parameters, key)) if not known or v in known), None)


def switched_off(parameters: Sequence[str], key: str) -> bool:
    """Return whether a parameter of systemd with a boolean value is off."""
    value = last_value(parameters, key)
    return value is not None and value.lower() in ("0", "no", "n", "false", "f", "off")


def not_configured() -> str:
    return pgettext("reason", "no configuration file sets it")
