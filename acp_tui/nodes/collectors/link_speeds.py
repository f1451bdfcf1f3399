"""The collector for the speed of the network interfaces (NETCFG-BW-INTRA)."""

import re
from collections.abc import Mapping

from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.script import Collector, CollectorOutput


def _speeds(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `NIC SPEED` in Mbit/s, and lines `NIC SPEED below NIC...`.

    `below` lists the interfaces on which this one is built. A device of the machine has itself in this list."""
    speeds: dict[str, int] = {}
    below: dict[str, tuple[str, ...]] = {}
    for line in lines(output):
        nic, _blank, rest = line.partition(" ")
        speed, mark, lower = rest.partition(" below")
        if mark:
            below[nic] = tuple(lower.split())
        if re.fullmatch(r"[0-9]{1,7}", speed) and int(speed):
            speeds[nic] = int(speed)
    devices = {nic for nic, lower in below.items() if nic in lower}
    for _level in range(4):  # a VLAN on a bridge on a bond on a device
        devices |= {nic for nic, lower in below.items() if devices.intersection(lower)}
        for nic in devices - set(speeds):
            known = [speeds[lower] for lower in below[nic] if lower in speeds]
            if known:
                speeds[nic] = max(known)
    return {"link_speeds": speeds, "link_devices": frozenset(devices)}


LINK_SPEEDS = Collector(
    "speeds",
    ("link_speeds", "link_devices"),
    """
local folder nic speed lower below
for folder in /sys/class/net/*; do
  nic=${folder##*/} speed= below=
  [ ! -r "$folder/speed" ] || read -r speed <"$folder/speed"
  [ ! -e "$folder/device" ] || below=" $nic"
  for lower in "$folder"/lower_*; do [ ! -e "$lower" ] || below+=" ${lower##*/lower_}"; done
  [ -z "$speed$below" ] || echo "$nic ${speed:--1} below$below"
done
return 0
""",
    _speeds,
    timeout=5,
    early=True,
)
