"""Collectors for host name, identity, operating system and hardware (OS-*, HW-*, X-HOSTNAME-UNIQUE).

bash reads each file by its canonical path; the collectors do not source any file of the node.
"""

import re
from collections.abc import Mapping

from acp_tui.nodes.collectors.parsing import first, keyed, lines
from acp_tui.nodes.facts import Disk, Filesystem
from acp_tui.nodes.script import Collector, CollectorOutput


def _uname(output: CollectorOutput) -> Mapping[str, object]:
    return dict(zip(("hostname", "arch", "kernel", "kernel_build"), lines(output), strict=False))


def os_release(text: str) -> Mapping[str, str]:
    """Parse os-release(5): KEY=VALUE lines with optional quotes; the last of equal keys is used."""
    values: dict[str, str] = {}
    for line in text.split("\n"):
        key, equals, value = line.strip().partition("=")
        if equals and re.fullmatch(r"[A-Z0-9_]+", key):
            value = value.strip()
            if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            values[key] = re.sub(r"\\(.)", r"\1", value)
    return values


def _os_release(output: CollectorOutput) -> Mapping[str, object]:
    values = os_release(output.text)
    if "ID" not in values:
        raise ValueError("no ID in os-release")
    return {
        "os_id": values["ID"].lower(),
        "os_version_id": values.get("VERSION_ID", ""),
        "os_version": values.get("VERSION", ""),
        "os_name": values.get("PRETTY_NAME") or values.get("NAME", ""),
    }


def _release_file(output: CollectorOutput) -> Mapping[str, object]:
    """Return the first line with a release in /etc/centos-release and /etc/redhat-release."""
    rows = lines(output)
    return {"os_release_file": next((line for line in rows if re.search(r"release \d", line)), "".join(rows[:1]))}


def _ids(output: CollectorOutput) -> Mapping[str, object]:
    values = keyed(output)
    return {name: values[name] for name in ("machine_id", "boot_id") if values.get(name)}


def _macs(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `hardware|virtual MAC`. Virtual interfaces count only on a machine without hardware interfaces."""
    found: dict[str, set[str]] = {"hardware": set(), "virtual": set()}
    for line in lines(output):
        kind, _, mac = line.partition(" ")
        if kind in found and re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5,19}", mac) and mac.strip("0:"):
            found[kind].add(mac)
    return {"macs": tuple(sorted(found["hardware"] or found["virtual"]))}


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
            found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,9})?)(?: MHz)?", value)
            mhz = max(mhz, float(found[1]) if found else 0.0)
        elif key in ("siblings", "cpu cores") and re.fullmatch(r"[1-9][0-9]{0,4}", value):
            package[key] = int(value)
        elif key == "cpufreq kHz" and re.fullmatch(r"[0-9]{1,9}", value):
            values.setdefault("cpu_ghz", int(value) / 1e6)
        elif key == "virtual":
            values["virtual"] = value == "yes"
    if not count:
        raise ValueError("no processor line")
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
    found = re.search(r"^MemTotal:\s*([0-9]{1,15}) kB$", output.text, re.MULTILINE)
    if found is None:
        raise ValueError("no MemTotal")
    return {"memory": int(found[1]) * 1024}


def _steal(output: CollectorOutput) -> Mapping[str, object]:
    """Parse the `cpu` line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, in ticks."""
    found = re.match(r"cpu +((?:[0-9]{1,18} ?){8})", output.text)
    if found is None:
        raise ValueError("no cpu line with eight counters")
    ticks = [int(word) for word in found[1].split()]
    return {"steal": ticks[7] / max(1, sum(ticks))}


def _filesystems(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `PATH|df row`: device, bytes, used, available, per cent, mount point."""
    rows = []
    for line in lines(output):
        path, _, row = line.partition("|")
        found = re.fullmatch(r"(.+?) +([0-9]{1,18}) +([0-9]{1,18}) +([0-9]{1,18}) +(?:[0-9]+%|-) +/.*", row.strip())
        if found:
            rows.append(Filesystem(path, found[1], int(found[2]), int(found[4]), int(found[3])))
    if not rows:
        raise ValueError("no file system in the output of df")
    return {"filesystems": tuple(rows)}


def _disks(output: CollectorOutput) -> Mapping[str, object]:
    """Find the disks below each path, through partitions, LVM and RAID. Lines: `mount MAJ:MIN POINT SOURCE`,
    `path PATH [WHERE]`, `block NAME MAJ:MIN ROTATIONAL DM-NAME-or-dash SLAVE...`, `part DISK NAME MAJ:MIN`."""
    paths: dict[str, str] = {}
    mounts: dict[str, tuple[str, str]] = {}
    names: dict[str, str] = {}  # device number, kernel name or device file → kernel name of the block device
    rotational: dict[str, bool] = {}
    below: dict[str, tuple[str, ...]] = {}
    for line in lines(output):
        match line.split(" "):
            case ["path", path, *where]:
                paths[path] = " ".join(where) or path
            case ["mount", number, point, source]:
                mounts[point] = (number, source)
            case ["block", name, number, rotates, mapped, *slaves]:
                names[number] = names[f"/dev/{name}"] = names[name] = name
                if mapped != "-":
                    names[f"/dev/mapper/{mapped}"] = name
                if rotates in ("0", "1"):
                    rotational[name] = rotates == "1"
                below[name] = tuple(slaves)
            case ["part", disk, name, number]:
                names[number] = names[f"/dev/{name}"] = names[name] = disk

    def bottom(name: str, depth: int = 0) -> set[str]:
        under = [names.get(slave, slave) for slave in below.get(name, ())]
        if not under or depth > 8:
            return {name}
        return {disk for slave in under for disk in bottom(slave, depth + 1)}

    found = []
    for path, real in paths.items():
        points = [p for p in mounts if p == "/" or real == p or real.startswith(f"{p}/")]
        if not points:
            continue
        number, source = mounts[max(points, key=len)]
        device = names.get(number) or names.get(source)
        behind = sorted(bottom(device)) if device else [source]
        found += [Disk(path, disk, rotational.get(disk)) for disk in behind]
    if not found:
        raise ValueError("no mount point found")
    return {"disks": tuple(found)}


COLLECTORS = (
    Collector(
        "uname",
        ("hostname", "arch", "kernel", "kernel_build"),
        "uname -n; uname -m; uname -r; uname -v",
        _uname,
    ),
    Collector(
        "os_release",
        ("os_id", "os_version_id", "os_version", "os_name"),
        "show /etc/os-release || show /usr/lib/os-release",
        _os_release,
    ),
    Collector(
        "os_release_file",
        ("os_release_file",),
        "maybe /etc/centos-release && maybe /etc/redhat-release",
        _release_file,
    ),
    Collector(
        "kylin_info",
        ("kylin_info",),
        "maybe /etc/.productinfo && maybe /etc/.kyinfo",
        lambda output: {"kylin_info": "\n".join(lines(output))},
    ),
    Collector(
        "etc_hostname",
        ("etc_hostname",),
        "maybe /etc/hostname",
        lambda output: {"etc_hostname": next((line for line in lines(output) if line[0] != "#"), "")},
    ),
    Collector(
        "ids",
        ("machine_id", "boot_id"),
        """
echo "machine_id $(show /etc/machine-id)"
echo "boot_id $(show /proc/sys/kernel/random/boot_id)"
""",
        _ids,
    ),
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
    Collector(
        "disks",
        ("disks",),
        r"""
local path at ats=() inside number point source block part map slave rows row
for path in / /var/lib /var/lib/etcd /cpaas; do
  [ -e "$path" ] || continue
  cd -P "$path" && at=$PWD || at=$path # resolve links
  echo "path $path $at" && ats+=("${at%/}/")
done
mapfile -t rows </proc/self/mountinfo
for row in "${rows[@]}"; do
  row=${row#* } row=${row#* } number=${row%% *} row=${row#* } row=${row#* } point=${row%% *}
  for at in "${ats[@]}"; do
    inside=${point%/}/
    case $at in "$inside"*) ;; *) continue ;; esac
    source=${row##* - } source=${source#* }; echo "mount $number $point ${source%% *}"
    break
  done
done
for block in /sys/block/*; do
  case ${block##*/} in loop*|ram*|'*') continue ;; esac
  map=$(show "$block/dm/name") || map=-
  echo "block ${block##*/} $(show "$block/dev") $(show "$block/queue/rotational") ${map:--}" \
    $(for slave in "$block"/slaves/*; do [ ! -e "$slave" ] || echo "${slave##*/}"; done)
  for part in "$block/${block##*/}"*; do
    [ ! -e "$part/dev" ] || echo "part ${block##*/} ${part##*/} $(show "$part/dev")"
  done
done
return 0
""",
        _disks,
    ),
    Collector(
        "filesystems",
        ("filesystems",),
        """
local path at number=0 paths=() existing=() rows=() unit all free available
for path in / /var/lib /var/lib/etcd /var/lib/containerd /cpaas /var/log /tmp /root; do
  at=$path
  while [ ! -e "$at" ]; do at=${at%/*}; at=${at:-/}; done
  paths+=("$path") existing+=("$at")
done
mapfile -n 20 -t rows < <(limit 3 df -P -B1 "${existing[@]}")
if [ "${#rows[@]}" -eq $((${#paths[@]} + 1)) ]; then
  for path in "${paths[@]}"; do number=$((number + 1)); echo "$path|${rows[number]}"; done
  return 0
fi
while read -r unit all free available; do
  echo "${paths[number]}|- $((unit * all)) $((unit * (all - free))) $((unit * available)) - /"
  number=$((number + 1))
done < <(limit 2 stat -f -c '%S %b %f %a' "${existing[@]}")
return 0
""",
        _filesystems,
        timeout=6,
    ),
)
