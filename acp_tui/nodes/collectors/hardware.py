"""Collectors for the memory, the stolen CPU time and the hardware identifiers of a node (HW-MEM-*)."""

import re
from collections.abc import Mapping

from acp_tui.nodes.collectors.parsing import first, lines
from acp_tui.nodes.script import Collector, CollectorOutput


def _macs(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `hardware MAC` and `virtual MAC`.

    Virtual interfaces count only if the node has no hardware interface."""
    macs: dict[str, set[str]] = {"hardware": set(), "virtual": set()}
    for line in lines(output):
        kind, _, mac = line.partition(" ")
        if kind in macs and re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5,19}", mac) and mac.strip("0:"):
            macs[kind].add(mac)
    return {"macs": tuple(sorted(macs["hardware"] or macs["virtual"]))}


def _memory(output: CollectorOutput) -> Mapping[str, object]:
    match = re.search(r"^MemTotal:\s*([0-9]{1,15}) kB$", output.text, re.MULTILINE)
    if match is None:
        raise ValueError("/proc/meminfo contains no MemTotal")
    reserved = re.search(r"^crash ([0-9]{1,15})$", output.text, re.MULTILINE)
    return {"memory": int(match[1]) * 1024 + (int(reserved[1]) if reserved else 0)}


def _steal(output: CollectorOutput) -> Mapping[str, object]:
    """Parse the `cpu` line of /proc/stat: user, nice, system, idle, iowait, irq, softirq and steal, in ticks."""
    match = re.match(r"cpu +([0-9]{1,18}(?: [0-9]{1,18}){7})", output.text)
    if match is None:
        raise ValueError("/proc/stat contains no cpu line with eight counters")
    ticks = [int(count) for count in match[1].split()]
    return {"steal": ticks[7] / max(1, sum(ticks))}


COLLECTORS = (
    Collector(
        "product_uuid",
        ("product_uuid",),
        "root || return; show /sys/class/dmi/id/product_uuid",
        first("product_uuid"),
    ),
    Collector(
        "macs",
        ("macs",),
        """
local nic kind
for nic in /sys/class/net/*; do
  [ "${nic##*/}" != lo ] && [ ! -d "$nic/bridge" ] || continue
  kind=virtual
  [ ! -e "$nic/device" ] || kind=hardware
  echo "$kind $(show "$nic/address")"
done
""",
        _macs,
    ),
    Collector(
        "memory",
        ("memory",),
        """
local size
show /proc/meminfo || return
! size=$(show /sys/kernel/kexec_crash_size) || echo "crash $size"
return 0
""",
        _memory,
    ),
    Collector("steal", ("steal",), 'local line; read -r line </proc/stat && echo "$line"', _steal),
)
