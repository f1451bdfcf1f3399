"""Collectors for the disks and file systems on which the install stores files (HW-DISK-*)."""

import re
from collections.abc import Mapping

from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.fact_types import Disk, Filesystem
from acp_tui.nodes.script import Collector, CollectorOutput

_DF_ROW = re.compile(r"(.+?) ([0-9]{1,18}) ([0-9]{1,18}) ([0-9]{1,18}) (?:[0-9]{1,3}%|-) /.*")


_COMBINED = re.compile(
    r"PERC|MegaRAID|\bMR\d|ServeRAID|LOGICAL VOLUME|Smart ?Array|\bRAID|AVAGO|^(?:LSI|Adaptec|ASR)\b|"
    r"^(?:DGC|EMC|NETAPP|HITACHI|3PARdata|PURE|HUAWEI XSG1|IBM 2145|HP HSV|HPE? (?:MSA|P2000)|LIO-ORG|NIMBLE)\b",
    re.IGNORECASE,
)
"""Vendor and model of RAID controllers and storage systems. They report one disk for several real disks."""


def parse_df_row(path: str, row: str) -> Filesystem | None:
    """Parse a row of df: device, bytes, used, available, per cent, mount point. None if it is not such a row."""
    match = _DF_ROW.fullmatch(" ".join(row.split()))  # runs of spaces would make the search slow
    return Filesystem(path, match[1], int(match[2]), int(match[4]), int(match[3])) if match else None


def _filesystems(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `PATH|ROW`, in which ROW is a row of df."""
    pairs = (line.partition("|") for line in lines(output))
    rows = [row for path, _bar, text in pairs if (row := parse_df_row(path, text)) is not None]
    if not rows:
        raise ValueError("the output of df contains no file system")
    return {"filesystems": tuple(rows)}


def _disks(output: CollectorOutput) -> Mapping[str, object]:
    """Find the disks that store the files in each path, also if they are on a partition, LVM or RAID.

    The output has lines `mount MAJ:MIN POINT SOURCE`, `path PATH [REAL-PATH]`, `block NAME MAJ:MIN ROTATIONAL DM-NAME
    SLAVE...`, `model NAME VENDOR MODEL` and `part DISK NAME MAJ:MIN`. A dash in place of DM-NAME means that the device
    has no such name."""
    paths: dict[str, str] = {}
    mounts: dict[str, tuple[str, str]] = {}
    names: dict[str, str] = {}  # device number, kernel name or device file → kernel name of the block device
    rotational: dict[str, bool] = {}
    below: dict[str, tuple[str, ...]] = {}
    combined: set[str] = set()
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
            case ["model", name, *words] if _COMBINED.search(" ".join(words)):
                combined.add(name)
            case ["part", disk, name, number]:
                names[number] = names[f"/dev/{name}"] = names[name] = disk

    def bottom(name: str) -> set[str]:
        found, seen, pending = set(), set(), [name]
        while pending:
            if (current := pending.pop()) in seen:
                continue
            seen.add(current)
            under = [names.get(slave, slave) for slave in below.get(current, ())]
            pending += under
            if not under:
                found.add(current)
        return found or {name}

    disks = []
    for path, real in paths.items():
        points = [p for p in mounts if p == "/" or real == p or real.startswith(f"{p}/")]
        if not points:
            continue
        number, source = mounts[max(points, key=len)]
        device = names.get(number) or names.get(source)
        behind = sorted(bottom(device)) if device else [source]
        disks += [Disk(path, disk, rotational.get(disk), disk in combined) for disk in behind]
    if not disks:
        raise ValueError("the output contains no mount point for the path")
    return {"disks": tuple(disks)}


COLLECTORS = (
    Collector(
        "disks",
        ("disks",),
        r"""
local path at ats=() inside number point source block part map slave rows row vendor model
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
  vendor= model=
  [ ! -r "$block/device/vendor" ] || read -r vendor <"$block/device/vendor"
  [ ! -r "$block/device/model" ] || { read -r model <"$block/device/model"; echo "model ${block##*/} $vendor $model"; }
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
