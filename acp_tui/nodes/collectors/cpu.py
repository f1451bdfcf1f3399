"""Collectors for the processor of a node (HW-CPU-*).

Only the nominal clock counts. A boost clock is higher, and a momentary clock is higher or lower. A hypervisor can
report any number: QEMU reports 2000 MHz for each ARM machine. If only such numbers are known, the nominal clock is not.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from acp_tui.core.i18n import _
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.script import Collector, CollectorOutput, MissingReason

_BOOST_DRIVERS = ("intel_pstate", "intel_cpufreq", "amd-pstate", "amd_pstate", "amd-pstate-epp")
"""The cpufreq drivers whose `cpuinfo_max_freq` is the boost clock. With other drivers, it is the nominal clock."""

_HYPERVISORS = (
    "qemu", "kvm", "vmware", "virtualbox", "innotek", "xen", "bochs", "parallels", "hyper-v", "openstack", "ovirt",
    "rhev", "nutanix", "virtual machine", "alibaba", "amazon", "google", "huaweicloud", "microsoft", "tencent",
)  # fmt: skip
"""Words in the SMBIOS data of a virtual machine."""

_NO_PROCESSOR = re.compile(r"(?:(?:virt|pc|q35)\b.*|not specified|unknown|)", re.IGNORECASE)
"""The version of the processor in the SMBIOS data of a hypervisor: QEMU gives the type of the machine."""

_KEPT = ("flags", "siblings", "cpu cores", "CPU implementer", "CPU part", "cpufreq driver", "virtual")


@dataclass
class _Lines:
    """The values that the collector found, before they are judged."""

    count: int = 0
    model: str = ""
    fixed: dict[str, str] = field(default_factory=dict)
    """The first value of each key in `_KEPT`."""
    running: list[float] = field(default_factory=list)
    """The values `cpu MHz` of /proc/cpuinfo, in MHz."""
    base: float | None = None
    """`base_frequency` of cpufreq or `nominal_freq` of ACPI, in MHz."""
    highest: float | None = None
    """`cpuinfo_max_freq` of cpufreq, in MHz."""
    smbios: list[float] = field(default_factory=list)
    """The values `Current Speed` of the populated sockets, in MHz."""
    makers: list[str] = field(default_factory=list)
    """The makers of the processors in the SMBIOS data."""
    vendors: list[str] = field(default_factory=list)
    """The vendor and the product name of the machine in the SMBIOS data."""


def _number(text: str, scale: float = 1) -> float | None:
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(?: MHz)?", text)
    return float(match[1]) / scale if match and float(match[1]) else None


def _read(output: CollectorOutput) -> _Lines:
    found = _Lines()
    for line in lines(output):
        key, _colon, value = line.partition(":")
        key, value = key.strip(), value.strip()
        if key == "processor" and value.isdecimal():
            found.count += 1
        elif key in ("model name", "Model Name", "Version"):
            found.model = found.model or value
        elif key in _KEPT:
            found.fixed.setdefault(key, value)
        elif key == "cpu MHz" and (speed := _number(value)):
            found.running.append(speed)
        elif key == "Current Speed" and (speed := _number(value)):
            found.smbios.append(speed)
        elif key == "cpufreq base kHz":
            found.base = _number(value, 1000) or found.base
        elif key == "acpi nominal MHz":
            found.base = found.base or _number(value)
        elif key == "cpufreq highest kHz":
            found.highest = _number(value, 1000)
        elif key == "Manufacturer":
            found.makers.append(value)
        elif key in ("system vendor", "system product"):
            found.vendors.append(value)
    return found


def _by_hypervisor(texts: list[str]) -> bool:
    return any(word in text.lower() for text in texts for word in _HYPERVISORS)


def _nominal(found: _Lines, *, virtual: bool) -> tuple[float | MissingReason, float | None]:
    """Return the nominal clock in MHz or the reason why it is unknown, and an upper limit of the nominal clock."""
    named = re.search(r"@ *([0-9]{1,3}(?:\.[0-9]{1,4})?) *GHz", found.model)
    if named and float(named[1]):
        return float(named[1]) * 1000, None
    if found.base:
        return found.base, None
    if found.highest and found.fixed.get("cpufreq driver", "") not in _BOOST_DRIVERS:
        return found.highest, None
    if found.highest:
        reason = _("the node reports only the boost clock of the CPU ({speed:.4g} GHz), not the nominal clock")
        return MissingReason(reason.format(speed=found.highest / 1000)), found.highest
    if found.running and "aperfmperf" not in found.fixed.get("flags", "").split():
        return max(found.running), None  # without cpufreq and these counters, it is the constant clock of the TSC
    if found.running:
        return MissingReason(_("the node reports only the momentary clock of the CPU, not the nominal clock")), None
    if found.smbios and (_by_hypervisor(found.makers) or (virtual and _NO_PROCESSOR.fullmatch(found.model))):
        reason = _("the hypervisor reports {speed:g} MHz, which can be a placeholder")
        return MissingReason(reason.format(speed=min(found.smbios))), None
    if found.smbios:
        return min(found.smbios), None
    return MissingReason(_("the node does not report the clock of the CPU")), None


def _cpu(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `KEY: VALUE` from /proc/cpuinfo, cpufreq, the DMI files of /sys and dmidecode."""
    found = _read(output)
    if not found.count:
        raise ValueError("/proc/cpuinfo contains no processor")
    values: dict[str, object] = {
        "cpu_count": found.count,
        "cpu_model": found.model,
        "cpu_implementer": found.fixed.get("CPU implementer", "").lower(),
        "cpu_part": found.fixed.get("CPU part", "").lower(),
    }
    flags = found.fixed.get("flags", "").split()
    virtual: bool | None = None
    if flags:
        virtual = "hypervisor" in flags
    elif "virtual" in found.fixed:
        virtual = found.fixed["virtual"] == "yes"
    elif found.vendors:
        virtual = _by_hypervisor(found.vendors + found.makers)
    if virtual is not None:
        values["virtual"] = virtual
    nominal, limit = _nominal(found, virtual=virtual is not False)
    values["cpu_ghz"] = nominal if isinstance(nominal, MissingReason) else nominal / 1000
    highest = nominal if limit is None else limit
    values["cpu_ghz_limit"] = highest if isinstance(highest, MissingReason) else highest / 1000
    package = [found.fixed.get(key, "") for key in ("siblings", "cpu cores")]
    if all(re.fullmatch(r"[1-9][0-9]{0,4}", number) for number in package):
        values["cpu_threads"] = max(1, int(package[0]) // int(package[1]))
    return values


def _governor(output: CollectorOutput) -> Mapping[str, object]:
    """Join the governors of all CPUs: one name if they agree, else all names in the order of the alphabet."""
    return {"governor": ", ".join(sorted({line.strip() for line in lines(output)}))}


COLLECTORS = (
    Collector(
        "cpu",
        ("cpu_count", "cpu_threads", "cpu_model", "cpu_ghz", "cpu_ghz_limit", "cpu_implementer", "cpu_part", "virtual"),
        """
local line seen= clocked= named= flags= file speed rows folder=/sys/devices/system/cpu/cpu0
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
entry() { [ ! -r "$2" ] || { read -r speed <"$2"; echo "$1: $speed"; }; }
entry 'cpufreq driver' "$folder/cpufreq/scaling_driver"
entry 'cpufreq base kHz' "$folder/cpufreq/base_frequency"
entry 'cpufreq highest kHz' "$folder/cpufreq/cpuinfo_max_freq"
entry 'acpi nominal MHz' "$folder/acpi_cppc/nominal_freq"
entry 'system vendor' /sys/class/dmi/id/sys_vendor
entry 'system product' /sys/class/dmi/id/product_name
[ ! -r "$folder/cpufreq/cpuinfo_max_freq" ] || clocked=1
case $clocked$seen in 1*"|model name"*|1*"|CPU part"*) named=1 ;; esac
if [ -z "$named" ] && [ "$EUID" -eq 0 ]; then
  while read -r line; do
    case $line in Version:*|"Current Speed:"*|Manufacturer:*) printf '%s\\n' "$line" ;; esac
  done < <(limit 3 dmidecode -t processor)
fi
if [ -z "$flags" ] && tool systemd-detect-virt; then
  if systemd-detect-virt -q --vm; then echo "virtual: yes"; else echo "virtual: no"; fi
fi
return 0
""",
        _cpu,
    ),
    Collector(
        "governor",
        ("governor",),
        """
local file
for file in /sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor; do [ ! -e "$file" ] || maybe "$file"; done
return 0
""",
        _governor,
    ),
)
