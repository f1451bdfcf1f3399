"""Collectors for swap (SYS-SWAP): the swap in use, and everything that activates swap at the next boot."""

import re
from collections.abc import Iterable, Mapping

from acp_tui.nodes.collectors.fstab import FSTAB_SHELL, FstabEntry, fstab_entry, swap_unit
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.fact_types import SwapAtBoot
from acp_tui.nodes.script import Collector, CollectorOutput

_SERVICES = (
    "zramswap", "zram-config", "zram-swap", "zram", "armbian-zram-config", "zramd", "zram-init", "dphys-swapfile",
    "swapspace", "systemd-swap",
)  # fmt: skip
"""Services of distributions and packages that activate swap at boot."""
_OFF = re.compile(r"zram-size=0+\Z|fs-type=(?!swap\Z)|mount-point=")


def _swaps(output: CollectorOutput) -> Mapping[str, object]:
    """Parse /proc/swaps. Raises ValueError if the file has neither its header nor an entry."""
    rows = lines(output)
    if output.text.strip() and not rows[0].startswith("Filename"):
        raise ValueError("the file /proc/swaps has no header")
    return {"swaps": tuple(row.split()[0] for row in rows[1:])}


def _boot_swaps(output: CollectorOutput) -> Mapping[str, object]:
    """Parse the lines of the collector `boot_swaps`.

    `fstab NUMBER LINE`; `masked UNIT`; `unit UNIT SOURCE`: a unit that the next boot starts; `gpt DEVICE`: a swap
    partition on the disk of the root file system; `script SOURCE`: a file that runs swapon; `memory KIB`; `zram FILE`,
    followed by the lines `| ROW` of the file."""
    entries: list[FstabEntry] = []
    masked: set[str] = set()
    found: list[SwapAtBoot] = []
    gpt: list[SwapAtBoot] = []
    zram: list[tuple[str, str]] = []
    memory = 0
    file = ""
    for line in lines(output):
        kind, _space, rest = line.partition(" ")
        first, _space, second = rest.partition(" ")
        if kind == "fstab" and (entry := fstab_entry(rest)) and entry.type == "swap":
            entries.append(entry)
        elif kind == "masked":
            masked.add(first)
        elif kind == "unit" and first.endswith((".swap", ".service")):
            found.append(SwapAtBoot("", first, second or first, "unit" if first.endswith(".swap") else "service"))
        elif kind == "gpt":
            gpt.append(SwapAtBoot(first, swap_unit(first), "GPT", "gpt"))
        elif kind == "script":
            found.append(SwapAtBoot("", "", rest, "script"))
        elif kind == "memory" and re.fullmatch(r"[0-9]{1,15}", first):
            memory = int(first) // 1024
        elif kind == "zram":
            file = rest
        elif kind == "|":
            zram.append((file, rest))
    found = [
        *(SwapAtBoot(e.device, swap_unit(e.device), e.source, "fstab") for e in entries if e.at_boot),
        *found,
        *([] if entries else gpt),  # systemd-gpt-auto-generator ignores the partition if fstab has a swap line
        *_zram(zram, memory),
    ]
    return {
        "boot_swaps": tuple({s.unit or s.source: s for s in reversed(found) if not _masked(s, masked)}.values())[::-1]
    }


def _masked(swap: SwapAtBoot, masked: set[str]) -> bool:
    template = re.sub(r"@.*\.", "@.", swap.unit, count=1)
    units = {swap.unit, template} | ({swap_unit(swap.device)} if swap.device else set())
    of_target = swap.unit.endswith(".swap") or swap.kind == "zram"
    return bool(units & masked) or (of_target and "swap.target" in masked)


def _zram(rows: Iterable[tuple[str, str]], memory: int) -> list[SwapAtBoot]:
    """Return the devices of zram-generator.conf(5) from `(FILE, ROW)`. `memory`: of the node in MiB."""
    devices: dict[str, tuple[str, dict[str, str]]] = {}
    name = ""
    for file, row in rows:
        if match := re.fullmatch(r"\[(zram[0-9]{1,3})\]", row):
            name = match[1]
            devices.setdefault(name, (file, {}))
        elif name and not row.startswith(("#", ";")) and "=" in row:
            key, _equals, value = row.partition("=")
            devices[name][1][key.strip()] = value.strip()
    found = []
    for device, (file, options) in devices.items():
        limit = options.get("host-memory-limit", "")
        too_large = memory and re.fullmatch(r"[0-9]{1,9}", limit) and memory > int(limit)
        if not too_large and not any(_OFF.match(f"{key}={value}") for key, value in options.items() if value):
            found.append(SwapAtBoot(f"/dev/{device}", f"systemd-zram-setup@{device}.service", file, "zram"))
    return found


COLLECTORS = (
    Collector("swaps", ("swaps",), "[ -e /proc/self ] && maybe /proc/swaps", _swaps),
    Collector(
        "boot_swaps",
        ("boot_swaps",),
        FSTAB_SHELL
        + r"""
local file line name load active folder root at folders=() files=() rows=() scripts base=/etc/systemd/system
declare -A wanted seen owner
shopt -s nullglob
[ ! -e /etc/fstab ] || [ -r /etc/fstab ] || return 66
fstab swap
for folder in /usr/local/lib /usr/lib /lib; do
  [ ! -d "$folder/systemd" ] || { [ "$folder" = /lib ] && [ /lib -ef /usr/lib ]; } || folders+=("$folder/systemd")
done
masked() { { [ -L "$1" ] && [ "$1" -ef /dev/null ]; } || { [ -f "$1" ] && [ ! -s "$1" ]; }; }
for file in "$base"/*.swap "$base"/*.service "$base"/swap.target; do
  ! masked "$file" || echo "masked ${file##*/}"
done
for folder in "$base" "${folders[@]/%//system}" /run/systemd/{system,generator,generator.early,generator.late}; do
  for file in "$folder"/*.wants/* "$folder"/*.requires/*; do
    name=${file##*/}
    wanted[$name]=$file
    case $name in
      *@?*.service) wanted[${name%%@*}@.service]=$file ;;
      *.swap)
        rows=()
        case $folder in */generator*) mapfile -t rows <"$folder/$name" ;; esac
        case ${rows[*]} in *SourcePath=/etc/fstab*|*systemd-fstab-generator*|*zram-generator*) continue ;; esac
        echo "unit $name $file" ;;
    esac
  done
done
for file in /run/systemd/generator.late/*.swap; do echo "unit ${file##*/} $file"; done
for name in @SERVICES@; do
  [ -z "${wanted[$name.service]}" ] || files+=("$name")
done
seen[/]=
while IFS= read -r line; do
  file=${line%%:*} line=${line#*:} name=${file##*/}
  case $file in *.d/*) name=${file%/*} name=${name##*/} name=${name%.d} ;; esac
  case $line in
    *swapoff*) case $line in *swapon*) ;; *) continue ;; esac ;;
    *swapon*-s|*swapon*--show*|*swapon*--summary*) continue ;;
  esac
  case $file in
    "$base"/*) ;;
    *) [ ! -e "$base/$name" ] || continue ;;
  esac
  case $name in *.target) ;; *) [ -n "${wanted[$name]}" ] || continue ;; esac
  case $line in
    Exec*) seen[$name]=1; echo "unit $name $file" ;;
    *.swap*) for line in ${line#*=}; do case $line in *.swap) echo "unit $line $file" ;; esac; done ;;
  esac
done < <(
  files=("$base"/*.service "$base"/*.target "$base"/*.d/*.conf)
  for folder in "${folders[@]}"; do files+=("$folder"/system/*.service); done
  [ "${#files[@]}" -eq 0 ] || grep -HsE \
    -e '^ExecStart(Pre|Post)?=.*(swapon|mkswap|zram|dphys-swapfile|swapspace|systemd-swap)' \
    -e '^(Wants|Requires|BindsTo)=.*[.]swap' "${files[@]}"
)
scripts=()
for file in "$base"/*.service; do
  name=${file##*/}
  [ -f "$file" ] && [ -n "${wanted[$name]}" ] && [ -z "${seen[$name]}" ] || continue
  rows=()
  mapfile -t rows <"$file"
  for line in "${rows[@]}"; do
    case $line in ExecStart*=*) ;; *) continue ;; esac
    for at in ${line#*=}; do
      at=/${at#*/}
      case $at in /bin/*|/sbin/*|/usr/bin/*|/usr/sbin/*|*[^a-zA-Z0-9/._-]*) continue ;; esac
      [ ! -f "$at" ] || scripts+=("$at") owner[$at]=$name
    done
  done
done
if [ "${#scripts[@]}" -gt 0 ]; then
  while IFS= read -r file; do echo "unit ${owner[$file]} $file"; done < <(
    grep -lsIE '^([^#]*[^[:alnum:]#])?swapon([[:space:]]+[^-]|[[:space:]]+-[^s-])' "${scripts[@]}"
  )
fi
for name in "${files[@]}"; do
  file=${wanted[$name.service]}
  [ -z "${seen[$name.service]}" ] || continue
  [ ! -s "$base/$name.service" ] || [ -L "$base/$name.service" ] || continue
  echo "unit $name.service $file"
done
for folder in "${folders[@]}"; do
  if [ -e "$folder/system-generators/zram-generator" ] && ! masked /etc/systemd/system-generators/zram-generator; then
    IFS= read -r line </proc/meminfo; line=${line##*: }; line=${line% kB}; echo "memory ${line//[[:space:]]/}"
    files=()
    for at in /etc/systemd /run/systemd /usr/local/lib/systemd /usr/lib/systemd /lib/systemd; do
      [ ! -e "$at/zram-generator.conf" ] || [ "${#files[@]}" -gt 0 ] || files+=("$at/zram-generator.conf")
    done
    declare -A drop=()
    for at in /lib/systemd /usr/lib/systemd /usr/local/lib/systemd /run/systemd /etc/systemd; do
      for file in "$at"/zram-generator.conf.d/*.conf; do drop[${file##*/}]=$file; done
    done
    for file in /{lib,usr/lib,usr/local/lib,run,etc}/systemd/zram-generator.conf.d/*.conf; do
      [ "${drop[${file##*/}]}" != "$file" ] || files+=("$file")
    done
    for file in "${files[@]}"; do
      echo "zram $file"
      rows=(); mapfile -t rows <"$file"
      for line in "${rows[@]}"; do [ -z "$line" ] || printf '| %s\n' "$line"; done
    done
    break
  fi
done
seen=()
for file in /etc/rc.local /etc/rc.d/rc.local; do
  [ -x "$file" ] || continue
  [ "$file" = /etc/rc.local ] || [ ! /etc/rc.local -ef "$file" ] || continue
  while read -r line; do
    case $line in
      '#'*|*swapon*-s|*swapon*--show*|*swapon*--summary*) ;;
      *swapon*|*init-zram*) echo "script $file"; break ;;
    esac
  done <"$file"
done
for file in /etc/crontab /etc/cron.d/* /var/spool/cron/root /var/spool/cron/crontabs/root; do
  [ -r "$file" ] || continue
  while read -r line; do case $line in @reboot*swapon*) echo "script $file"; break ;; esac; done <"$file"
done
if [ -r /etc/waagent.conf ]; then
  while read -r line; do
    case $line in ResourceDisk.EnableSwap=[yY]*) echo "script /etc/waagent.conf" ;; esac
  done </etc/waagent.conf
fi
for folder in "${folders[@]}"; do
  [ -e "$folder/system-generators/systemd-gpt-auto-generator" ] || continue
  ! masked /etc/systemd/system-generators/systemd-gpt-auto-generator || break
  files=(/run/udev/data/b*)
  [ "${#files[@]}" -gt 0 ] || break
  mapfile -t files < <(grep -lsi 'ID_PART_ENTRY_TYPE=0657fd6d-a4ab-43c4-84e5-0933c84b4f4f' "${files[@]}")
  [ "${#files[@]}" -gt 0 ] || break
  root=
  mapfile -t rows </proc/self/mountinfo
  for line in "${rows[@]}"; do
    line=${line#* } line=${line#* } at=${line%% *} line=${line#* } line=${line#* }
    [ "${line%% *}" != / ] || root=$at
  done
  while rows=(/sys/dev/block/"$root"/slaves/*) && [ "${#rows[@]}" -eq 1 ]; do
    IFS= read -r root <"${rows[0]}/dev" || break
  done
  disk_of() {
    local row rows=() disk= flags=
    mapfile -t rows <"/run/udev/data/b$1"
    for row in "${rows[@]}"; do
      case $row in
        E:ID_PART_ENTRY_DISK=*) disk=${row#*=} ;;
        E:ID_PART_ENTRY_FLAGS=0x[89a-f]???????????????) flags=no-auto ;;
      esac
    done
    echo "$disk$flags"
  }
  at=$(disk_of "$root")
  for file in "${files[@]}"; do
    name=${file##*/b}
    [ -n "$at" ] && [ "$(disk_of "$name")" = "$at" ] || continue
    file=$name
    mapfile -t rows <"/sys/dev/block/$name/uevent"
    for line in "${rows[@]}"; do case $line in DEVNAME=*) file=/dev/${line#*=} ;; esac; done
    echo "gpt $file"
  done
  break
done
if tool systemctl; then
  systemctl list-units --type=swap --state=active --no-legend --no-pager --plain |
  while read -r name load active _; do
    case $name in *.swap) [ "$active" != active ] || echo "unit $name systemd" ;; esac
  done
fi
return 0
""".replace("@SERVICES@", " ".join(_SERVICES)),
        _boot_swaps,
        timeout=10,
    ),
)
