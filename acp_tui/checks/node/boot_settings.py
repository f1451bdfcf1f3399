"""Check swap, the task limit of systemd and the mount of /tmp, now and at the next boot (SYS-*, FS-TMP-NOEXEC)."""

import re
from collections.abc import Iterable
from dataclasses import replace
from shlex import quote

from acp_tui.checks.finding import Finding, NodeSubject, require_fact
from acp_tui.checks.node.next_boot import BootState, boot_finding, next_parameters, not_configured, switched_off
from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import _, pgettext
from acp_tui.nodes.fact_types import SwapAtBoot
from acp_tui.nodes.facts import Facts

_INFINITY = ("infinity", "18446744073709551615")  # the number is how old systemd prints it
_COMMENT_OUT = r"sed -ri 's/^\s*([^#[:space:]]\S*\s+\S+\s+swap(\s|$))/#\1/' /etc/fstab"
_SWITCHES = {
    "fstab": ("fstab", "systemd.swap"),
    "gpt": ("systemd.gpt_auto", "systemd.swap"),
    "unit": ("systemd.swap",),
    "zram": ("systemd.zram",),
}
"""Kinds of swap, and the kernel parameters that switch them off."""


def swap_off(subject: NodeSubject) -> Finding:
    """SYS-SWAP: no swap may be in use. Swap that only the next boot activates gives a warning."""
    swaps = require_fact(subject.facts.swaps, "swaps")
    entries = swaps_at_boot(subject.facts)
    now = pgettext("swap", "on ({names})").format(names=", ".join(swaps)) if swaps else pgettext("swap", "off")
    if entries is None:
        state = BootState(now, None, reason=subject.facts.missing_reason("boot_swaps"))
        return Finding(Outcome.FAIL if swaps else Outcome.UNKNOWN, state.text)
    later = pgettext("swap", "on") if entries else pgettext("swap", "off")
    sources = ", ".join(f"{e.source}: {e.device or e.unit}" if e.device or e.unit else e.source for e in entries)
    finding = boot_finding(BootState(now, later, sources), not swaps, not entries, configured=Outcome.FAIL)
    return replace(finding, remedy=_swap_commands(entries))


def _swap_commands(entries: Iterable[SwapAtBoot]) -> str:
    """Return the commands that turn swap off if fstab is not its only source; else "", for the commands of the row."""
    units = dict.fromkeys(e.unit for e in entries if e.kind != "fstab" and e.unit and e.source != "systemd")
    if not units:
        return ""
    masks = (f"systemctl mask {quote(unit)} || systemctl disable {quote(unit)}" for unit in units)
    return "\n".join(("swapoff -a", "cp -np /etc/fstab /etc/fstab.bak", _COMMENT_OUT, *masks))


def swaps_at_boot(facts: Facts) -> tuple[SwapAtBoot, ...] | None:
    """Return the swap areas of the next boot without those that its kernel parameters switch off; None if unknown."""
    if facts.boot_swaps is None:
        return None
    entries = next_parameters(facts)
    old = facts.os_version_id in ("7", "20.04") or (facts.os_version_id or "").startswith(("7.", "8.", "V10"))

    def active(swap: SwapAtBoot) -> bool:
        # systemd older than version 246 does not know the parameter systemd.swap
        keys = [key for key in _SWITCHES.get(swap.kind, ()) if not (old and key == "systemd.swap")]
        return not all(any(switched_off(parameters, key) for key in keys) for parameters in entries)

    return tuple(swap for swap in facts.boot_swaps if active(swap))


def tasks_max(subject: NodeSubject) -> Finding:
    """SYS-TASKSMAX: the setting DefaultTasksMax of systemd must be infinity or large enough (OQ-TASKSMAX).

    If only a file has a sufficient value, systemd has not read the file yet.
    """
    text = require_fact(subject.facts.tasks_max, "tasks_max")
    now = _limit(subject, text)
    if now is None:
        return Finding(
            Outcome.UNKNOWN,
            _("systemd reports DefaultTasksMax as '{text}', which is not a known value").format(text=text),
        )
    at_boot = subject.facts.tasks_max_at_boot
    if at_boot is None or not at_boot.value:
        reason = not_configured() if at_boot else subject.facts.missing_reason("tasks_max_at_boot")
        return Finding(now, BootState(text, None, reason=reason).text)
    later = _limit(subject, at_boot.value)
    state = BootState(text, at_boot.value, at_boot.source)
    if now is Outcome.PASS and later in (Outcome.FAIL, Outcome.WARN):
        return Finding(Outcome.WARN, state.text)
    if now is Outcome.FAIL and later is Outcome.PASS:
        return Finding(Outcome.PENDING_REBOOT, state.text, remedy="systemctl daemon-reexec")
    return Finding(now, state.text)


def _limit(subject: NodeSubject, text: str) -> Outcome | None:
    """Return the outcome for one value of DefaultTasksMax; None if the value is invalid."""
    if text in _INFINITY:
        return Outcome.PASS
    if re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,2})?%", text):
        return Outcome.FAIL
    match = re.fullmatch(r"([0-9]{1,20})([KMGT]?)", text)
    if match is None:
        return None
    count = int(match[1]) * 1024 ** ("", "K", "M", "G", "T").index(match[2])
    if count >= subject.check.number("enough"):
        return Outcome.PASS
    return Outcome.WARN if count >= subject.check.number("doubtful") else Outcome.FAIL


def tmp_exec(subject: NodeSubject) -> Finding:
    """FS-TMP-NOEXEC: /tmp must be mounted without noexec, now and at the next boot."""
    options = require_fact(subject.facts.tmp_options, "tmp_options")
    now_good = "noexec" not in options
    now = "exec" if now_good else "noexec"
    at_boot = subject.facts.tmp_at_boot
    if at_boot is None:
        reason = subject.facts.missing_reason("tmp_at_boot")
        return boot_finding(BootState(now, None, reason=reason), now_good, None, configured=Outcome.FAIL)
    later_good = not _noexec(at_boot.value.split(","))
    state = BootState(now, "exec" if later_good else "noexec", at_boot.source)
    return boot_finding(state, now_good, later_good, configured=Outcome.FAIL)


def _noexec(options: Iterable[str]) -> bool:
    """Return whether mount options include noexec. `user` and `users` imply it; the last option counts (mount(8))."""
    noexec = False
    for option in options:
        if option in ("noexec", "user", "users") or option.startswith("user="):
            noexec = True
        elif option == "exec":
            noexec = False
    return noexec
