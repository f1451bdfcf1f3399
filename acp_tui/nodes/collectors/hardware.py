"""Collectors for the processor, the memory and the hardware identifiers of a node (HW-CPU-*, HW-MEM-*)."""

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


def _cpu(output: CollectorOutput) -> Mapping[str, object]:
    count, model, flags, mhz = 0, "", "", 0.0
    values: dict[str, object] = {}
    package: dict[str, int] = {}  # counts within one CPU package
    for line in lines(output):
        key, _, value = line.partition(":")
        key, value = key.strip(), value.strip()
        if key == "processor" and value.isdecimal():
            count += 1
        elif key in ("model name", "Model Name", "Version"):
            model = model or value
        elif key == "flags":
            flags = value
        elif key == "CPU implementer":
            values["cpu_implementer"] = value.lower()
        elif key == "CPU part":
            values["cpu_part"] = value.lower()
        elif key in ("cpu MHz", "Current Speed"):
            match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,9})?)(?: MHz)?", value)
            mhz = max(mhz, float(match[1]) if match else 0.0)
        elif key in ("siblings", "cpu cores") and re.fullmatch(r"[1-9][0-9]{0,4}", value):
            package[key] = int(value)
        elif key == "cpufreq kHz" and re.fullmatch(r"[0-9]{1,9}", value):
            values.setdefault("cpu_ghz", int(value) / 1e6)
        elif key == "virtual":
            values["virtual"] = value == "yes"
    if not count:
        raise ValueError("/proc/cpuinfo contains no processor")
    named = re.search(r"@ *([0-9]{1,3}(?:\.[0-9]{1,4})?) *GHz", model)
    if named:
        values["cpu_ghz"] = float(named[1])
    elif mhz:
        values.setdefault("cpu_ghz", mhz / 1000)
    if len(package) == 2:
        values["cpu_threads"] = max(1, package["siblings"] // package["cpu cores"])
    if "hypervisor" in flags.split():
        values["virtual"] = True
    return {"cpu_count": count, "cpu_model": model, "cpu_implementer": "", "cpu_part": "", **values}


def _memory(output: CollectorOutput) -> Mapping[str, object]:
    match = re.search(r"^MemTotal:\s*([0-9]{1,15}) kB$", output.text, re.MULTILINE)
    if match is None:
        raise ValueError("/proc/meminfo contains no MemTotal")
    return {"memory": int(match[1]) * 1024}


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
        "cpu",
        ("cpu_count", "cpu_threads", "cpu_model", "cpu_ghz", "cpu_implementer", "cpu_part", "virtual"),
        """
local line seen= clocked= named= flags= file speed rows
mapfile -t rows </proc/cpuinfo
for line in "${rows[@]}"; do
  case $line in
    processor*) printf '%s\\n' "$line" ;;
    "cpu MHz"*) clocked=1; printf '%s\\n' "$line" ;;
    "model name"*|"Model Name"*|flags*|siblings*|"cpu cores"*|"CPU implementer"*|"CPU part"*)
      case $seen in *"|${line%%:*}|"*) ;; *) seen+="|${line%%:*}|"; printf '%s\\n' "$line" ;; esac
      case $line in flags*) flags=1 ;; esac ;;
  esac
done
for file in base_frequency cpuinfo_max_freq; do
  file=/sys/devices/system/cpu/cpu0/cpufreq/$file
  ! speed=$(show "$file") || { clocked=1; echo "cpufreq kHz: $speed"; }
done
case $clocked$seen in 1*"|model name"*|1*"|CPU part"*) named=1 ;; esac
if [ -z "$named" ] && [ "$EUID" -eq 0 ]; then
  while read -r line; do
    case $line in "Version:"*|"Current Speed:"*) printf '%s\\n' "$line" ;; esac
  done < <(limit 3 dmidecode -t processor)
fi
if [ -n "$flags" ]; then echo "virtual: no"
elif tool systemd-detect-virt; then
  if systemd-detect-virt -q --vm; then echo "virtual: yes"; else echo "virtual: no"; fi
fi
return 0
""",
        _cpu,
    ),
    Collector(
        "governor",
        ("governor",),
        "maybe /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
        first("governor"),
    ),
    Collector("memory", ("memory",), "show /proc/meminfo", _memory),
    Collector("steal", ("steal",), 'local line; read -r line </proc/stat && echo "$line"', _steal),
)
