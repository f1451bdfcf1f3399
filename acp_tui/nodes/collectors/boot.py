"""Collectors for the kernel parameters in effect, and for kernel modules now and at the next boot (KRN-*)."""

import re
from collections.abc import Mapping

from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.script import Collector, CollectorOutput

REQUIRED_MODULES = (
    "ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", "nf_conntrack_ipv4", "nf_conntrack_ipv6", "geneve", "openvswitch",
    "ipip",
)  # fmt: skip
"""The kernel modules that KRN-IPVS, KRN-CT4, KRN-CT6, KRN-OVN or NETCFG-IPIP require, depending on the plan."""


_NOTHING = ("/bin/false", "/usr/bin/false", "/bin/true", "/usr/bin/true", "false", "true", ":", "/sbin/nologin")
"""Programs in `install` commands of modprobe.d(5) that load nothing."""


def _cmdline(output: CollectorOutput) -> Mapping[str, object]:
    return {"cmdline": tuple(output.text.split())}


def _modules_at_boot(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `load ROW` of modules-load.d(5), `masked`, and `modprobe FILE ROW` of modprobe.d(5).

    A row of modules-load.d is one module name. `#` and `;` begin a comment. A module with the command `blacklist` is
    not loaded from modules-load.d. A module with the command `install` and a program that ends without loading it is
    blocked."""
    names: set[str] = set()
    barred: set[str] = set()
    blocked: dict[str, str] = {}
    masked = False
    for line in lines(output):
        kind, _space, rest = line.partition(" ")
        rest = rest.strip()
        if kind == "load" and re.fullmatch(r"[\w-]{1,64}", rest, re.ASCII):
            names.add(rest.replace("-", "_"))
        elif kind == "masked":
            masked = True
        elif kind == "modprobe":
            file, *columns = rest.split()
            if columns[:1] == ["blacklist"]:
                barred.update(name.replace("-", "_") for name in columns[1:2])
            elif columns[:1] == ["install"] and len(columns) > 2 and columns[2] in _NOTHING:
                blocked[columns[1].replace("-", "_")] = file
    return {
        "modules_at_boot": frozenset(set() if masked else names - barred - blocked.keys()),
        "blocked_modules": blocked,
    }


def _modules(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `loaded NAME` and `available NAME`. A line `no-modprobe` means that modprobe is not installed."""
    loaded: set[str] = set()
    available: set[str] = set()
    modprobe_found = True
    for line in lines(output):
        kind, _, name = line.partition(" ")
        name = name.replace("-", "_")
        if kind == "loaded":
            loaded.add(name)
        elif kind == "available":
            available.add(name)
        elif kind == "no-modprobe":
            modprobe_found = False
    values: dict[str, object] = {"modules": frozenset(loaded)}
    if modprobe_found:
        values["modules_available"] = frozenset(available | loaded.intersection(REQUIRED_MODULES))
    return values


COLLECTORS = (
    Collector("cmdline", ("cmdline",), "show /proc/cmdline", _cmdline),
    Collector(
        "modules",
        ("modules", "modules_available"),
        f"""
local name line known=' ' rows
mapfile -t rows </proc/modules
for line in "${{rows[@]}}"; do known+="${{line%% *}} "; echo "loaded ${{line%% *}}"; done
rows=()
mapfile -t rows <"/lib/modules/$(uname -r)/modules.builtin"
for line in "${{rows[@]}}"; do
  name=${{line##*/}} name=${{name%.ko*}}; known+="${{name//-/_}} "
  case " {" ".join(REQUIRED_MODULES)} " in *" ${{name//-/_}} "*) echo "loaded $name" ;; esac
done
tool modprobe || echo no-modprobe
for name in {" ".join(REQUIRED_MODULES)}; do
  case $known in *" $name "*) continue ;; esac
  if [ -d "/sys/module/$name" ]; then echo "loaded $name"
  elif modprobe -n -q "$name"; then echo "available $name"; fi
done
return 0
""",
        _modules,
    ),
    Collector(
        "modules_at_boot",
        ("modules_at_boot", "blocked_modules"),
        """
local file name line rows
declare -A last=()
shopt -s nullglob
for file in /{lib,usr/lib,usr/local/lib,run,etc}/modules-load.d/*.conf; do last[${file##*/}]=$file; done
[ ! -r /etc/modules ] || last[modules.conf]=/etc/modules
for name in "${!last[@]}"; do
  rows=()
  mapfile -t rows <"${last[$name]}"
  for line in "${rows[@]}"; do
    line=${line#"${line%%[![:space:]]*}"}
    case $line in ''|'#'*|';'*) ;; *) printf 'load %s\\n' "$line" ;; esac
  done
done
[ ! /etc/systemd/system/systemd-modules-load.service -ef /dev/null ] || echo masked
last=()
for file in /{lib,usr/lib,usr/local/lib,run,etc}/modprobe.d/*.conf; do last[${file##*/}]=$file; done
for file in "${last[@]}"; do
  rows=()
  mapfile -t rows <"$file"
  for line in "${rows[@]}"; do
    line=${line#"${line%%[![:space:]]*}"}
    case $line in
      *ip_vs*|*ip-vs*|*conntrack*|*geneve*|*openvswitch*|*ipip*)
        case $line in blacklist[[:space:]]*|install[[:space:]]*) printf 'modprobe %s %s\\n' "$file" "$line" ;; esac ;;
    esac
  done
done
return 0
""",
        _modules_at_boot,
    ),
)
