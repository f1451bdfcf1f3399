"""Collector for the mount options of /tmp, now and at the next boot (FS-TMP-NOEXEC)."""

import re
from collections.abc import Mapping

from acp_tui.nodes.collectors.fstab import FSTAB_SHELL, FstabEntry, fstab_entry
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.fact_types import AtBoot
from acp_tui.nodes.script import Collector, CollectorOutput

_TMP = "/tmp"  # noqa: S108 - on the node, and only read
_UNIT = "/tmp.mount"  # noqa: S108


def _tmp(output: CollectorOutput) -> Mapping[str, object]:
    """Parse `at PATH` (the real path of /tmp), `mount ROW` of /proc/mounts, and lines about the next boot.

    Among the mount points that contain this path, the longest counts. If it has several rows, the last row counts."""
    options: dict[str, str] = {}
    place = _TMP
    for line in lines(output):
        kind, _space, rest = line.partition(" ")
        columns = rest.split()
        if kind == "at" and len(columns) == 1:
            place = columns[0]
        elif kind == "mount" and len(columns) >= 4 and f"{place}/".startswith(columns[1].rstrip("/") + "/"):
            options[columns[1]] = columns[3]
    if not options:
        raise ValueError("/proc/mounts contains neither /tmp nor /")
    return {"tmp_options": tuple(options[max(options, key=len)].split(",")), "tmp_at_boot": _at_boot(output, place)}


def _at_boot(output: CollectorOutput, place: str) -> AtBoot:
    """Return the options of /tmp after the next boot.

    The lines are `fstab NUMBER LINE`, `masked`, `wanted`, and `unit FILE` followed by the rows `| ROW` of the file.
    systemd uses the first line of fstab for a mount point. A unit file in /etc has priority over fstab, and fstab has
    priority over a unit file in /usr/lib. Drop-ins apply to all of them."""
    entry: FstabEntry | None = None
    units: dict[str, list[str]] = {}
    rows: list[str] = []
    masked = wanted = False
    for line in lines(output):
        kind, _space, rest = line.partition(" ")
        if kind == "fstab" and (found := fstab_entry(rest)) and found.folder.rstrip("/") == place:
            entry = entry or found
        elif kind == "unit":
            rows = units.setdefault(rest, [])
        elif kind == "|":
            rows.append(rest)
        elif kind == "masked":
            masked = True
        elif kind == "wanted":
            wanted = True
    if place != _TMP:
        units, masked, wanted = {}, False, False
    mounted = entry is not None and (entry.at_boot or "x-systemd.automount" in entry.options)
    if masked or not (wanted or mounted):
        return AtBoot("")
    own = [path for path in units if path.startswith("/etc/") and path.endswith(_UNIT)]
    shipped = [path for path in units if not path.startswith("/etc/") and path.endswith(_UNIT)]
    if entry and not own:
        value, source = ",".join(entry.options), entry.source
    elif path := next(iter([*own, *shipped]), ""):
        value, source = _options(units[path], ""), path
    else:
        return AtBoot("")
    for path in (path for path in units if path.endswith(".conf")):
        changed = _options(units[path], value)
        value, source = changed, (path if changed != value else source)
    return AtBoot(value or "defaults", source)


def _options(rows: list[str], value: str) -> str:
    """Return the last `Options=` of the section [Mount]; `value` if the file does not set it."""
    section = ""
    for row in rows:
        if match := re.fullmatch(r"\[(\w+)\]", row):
            section = match[1]
        elif section == "Mount" and (match := re.match(r"Options[ \t]*=(.*)", row)):
            value = match[1].strip()
    return value


COLLECTORS = (
    Collector(
        "tmp",
        ("tmp_options", "tmp_at_boot"),
        FSTAB_SHELL
        + r"""
local at=/tmp line rows point file unit=
shopt -s nullglob
[ ! -L /tmp ] || at=$(readlink -f /tmp)
echo "at $at"
mapfile -t rows </proc/mounts
for line in "${rows[@]}"; do
  point=${line#* } point=${point%% *}
  case $at/ in "${point%/}/"*) printf 'mount %s\n' "$line" ;; esac
done
[ ! -r /etc/fstab ] || fstab "$at"
for file in /etc/systemd/system/tmp.mount; do
  if { [ -L "$file" ] && [ "$file" -ef /dev/null ]; } || { [ -f "$file" ] && [ ! -s "$file" ]; }; then echo masked; fi
done
for file in /{etc,usr/local/lib,usr/lib,lib}/systemd/system/*.{wants,requires}/tmp.mount; do echo wanted; break; done
for file in /{etc,usr/local/lib,usr/lib,lib}/systemd/system/tmp.mount \
            /{lib,usr/lib,usr/local/lib,etc}/systemd/system/tmp.mount.d/*.conf; do
  [ -f "$file" ] || continue
  case $file in */tmp.mount) [ -z "$unit" ] || continue; unit=$file ;; esac
  echo "unit $file"
  rows=()
  mapfile -t rows <"$file"
  for line in "${rows[@]}"; do [ -z "$line" ] || printf '| %s\n' "$line"; done
done
return 0
""",
        _tmp,
    ),
)
