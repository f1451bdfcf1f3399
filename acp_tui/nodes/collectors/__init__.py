"""The collectors that run on every node, in the order in which they run, and the conversion of their output into facts.

A new fact needs a field in `facts.py`, a `Collector` in a module of this package, and the output of that collector in a
recording (see tests/support/record.py). If the connection breaks, the facts collected until then are kept. Fast
collectors therefore run first and package tools run last.
"""

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import fields

from acp_tui.core.i18n import _, pgettext
from acp_tui.nodes.collectors import (
    addresses,
    boot,
    boot_loader,
    clock,
    cpu,
    disks,
    firewall,
    hardware,
    name_resolution,
    operating_system,
    packages,
    packet_filter,
    ports,
    security,
    software,
    sshd,
    swap,
    tasks_max,
    tmp_mount,
)
from acp_tui.nodes.collectors.clock import CLOCK, read_clock
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import (
    ABSENT,
    CUT,
    NEEDS_ROOT,
    NOT_FOUND,
    TIMED_OUT,
    Collector,
    CollectorOutput,
    MissingKind,
    MissingReason,
)

__all__ = ["CLOCK", "COLLECTORS", "IDENTITY", "facts_from", "read_clock"]

COLLECTORS: tuple[Collector, ...] = (
    CLOCK,
    *operating_system.COLLECTORS,
    *cpu.COLLECTORS,
    *hardware.COLLECTORS,
    *disks.COLLECTORS,
    *addresses.COLLECTORS,
    *name_resolution.COLLECTORS,
    *ports.COLLECTORS,
    *clock.COLLECTORS,
    *boot.COLLECTORS,
    *sshd.COLLECTORS,
    *boot_loader.COLLECTORS,
    *security.COLLECTORS,
    *swap.COLLECTORS,
    *tasks_max.COLLECTORS,
    *tmp_mount.COLLECTORS,
    *firewall.COLLECTORS,
    *packet_filter.COLLECTORS,
    *software.COLLECTORS,
    *packages.COLLECTORS,
)

IDENTITY = next(collector for collector in COLLECTORS if collector.name == "ids")
"""The collector that reads the machine ID and the boot ID."""

_FIELDS = frozenset(field.name for field in fields(Facts))


Parsed = tuple[Mapping[str, object], str]
"""The parsed output of a collector: field name → value, and the reason why the other fields have no value."""


def facts_from(
    address: str,
    outputs: Iterable[CollectorOutput],
    no_output: str | None = None,
    collectors: tuple[Collector, ...] = COLLECTORS,
    parsed: MutableMapping[CollectorOutput, Parsed] | None = None,
) -> Facts:
    """Return the facts of the node at `address` from the outputs of its collectors. No exception is raised.

    If a collector fails, its fields are missing, each with a reason. `no_output`: the reason for the fields of
    collectors without output, such as a broken connection; None if more output is expected, because these fields then
    get no reason. `parsed`: a cache of parsed outputs, for repeated calls with more outputs."""
    parsed = {} if parsed is None else parsed
    by_name = {collector.name: collector for collector in collectors}
    values: dict[str, object] = {}
    missing: dict[str, str] = {}
    names: set[str] = set()
    for output in outputs:
        collector = by_name.get(output.name)
        if collector is None or output.name in names:
            continue
        names.add(output.name)
        if output not in parsed:
            parsed[output] = _parse(collector, output)
        fields_read, reason = parsed[output]
        present = {
            name: value
            for name, value in fields_read.items()
            if value is not None and not isinstance(value, MissingReason)
        }
        values.update(present)
        for name in collector.fields:
            if name not in present:
                own = fields_read.get(name)
                missing[name] = own if isinstance(own, MissingReason) and own else reason
    if no_output is not None:
        for collector in collectors:
            if collector.name not in names:
                missing.update(dict.fromkeys(collector.fields, MissingReason(no_output, MissingKind.ENDED)))
    known = {name: value for name, value in values.items() if name in _FIELDS}
    return Facts(address, missing=missing, **known)  # type: ignore[arg-type] # tests check the types of parsed values


def _parse(collector: Collector, output: CollectorOutput) -> Parsed:
    if output.status in (TIMED_OUT, CUT, NEEDS_ROOT) or (output.status and not collector.any_status):
        return {}, _failure_reason(collector, output.status)
    try:
        return collector.parse(output), _("the node did not report the value")
    except (ArithmeticError, LookupError, RecursionError, ValueError) as error:
        return {}, _("acp-tui cannot parse the output of the node: {reason}").format(reason=error)


def _failure_reason(collector: Collector, status: int) -> str:
    if status == TIMED_OUT:
        return _("reading the value timed out after {seconds} s").format(seconds=collector.timeout)
    if status == NEEDS_ROOT:
        return MissingReason(pgettext("reason", "reading the value requires root"), MissingKind.NEEDS_ROOT)
    if status == NOT_FOUND:
        text = _("reading the value requires a command that is not installed on the node")
        return MissingReason(text, MissingKind.NO_COMMAND)
    return {
        CUT: _("reading the value failed, because the command printed too much output"),
        ABSENT: _("the file that contains the value does not exist on the node"),
    }.get(status, _("reading the value failed with exit status {status}").format(status=status))
