"""Collectors for used TCP and UDP ports (NET-PORTS-*).

ACP requires the program `ss`, but a node may not have it yet. The collectors therefore always read the ports from
/proc. If `ss` is present, it adds the names of the processes.
"""

import re
from collections.abc import Mapping

from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.fact_types import Listener
from acp_tui.nodes.script import Collector, CollectorOutput


def _listeners(output: CollectorOutput) -> Mapping[str, object]:
    """Parse the ports from rows `proc PORT`, and the process names from rows `ss ...`.

    The ports are hexadecimal and come from /proc/net/tcp and /proc/net/tcp6."""
    ports: set[int] = set()
    named: dict[int, str] = {}
    ports_of_ss: set[int] = set()
    from_proc = False
    for line in lines(output):
        kind, _, rest = line.partition(" ")
        if kind == "proc":
            from_proc = True
            if re.fullmatch(r"[0-9A-F]{4}", rest):
                ports.add(int(rest, 16))
        elif kind == "ss":
            match = re.search(r"\s\S*:(\d{1,5})\s+\S+:\*", f" {rest} ")
            if match:
                ports_of_ss.add(int(match[1]))
                owner = re.search(r'users:\(\("([^"]{1,64})"', rest)
                if owner:
                    named.setdefault(int(match[1]), owner[1])
    if not from_proc and not ports_of_ss:
        raise ValueError("neither /proc/net/tcp nor ss lists TCP sockets")
    return {"listeners": tuple(Listener(port, named.get(port)) for port in sorted(ports | ports_of_ss))}


def _udp(output: CollectorOutput) -> Mapping[str, object]:
    """Parse the hexadecimal ports below the heading of /proc/net/udp and /proc/net/udp6."""
    if "local_address" not in lines(output):
        raise ValueError("cannot read /proc/net/udp")
    return {"udp_ports": frozenset(int(w, 16) for w in lines(output) if re.fullmatch(r"[0-9A-F]{4}", w))}


COLLECTORS = (
    Collector(
        "listeners",
        ("listeners",),
        """
local file line rows count=0
for file in /proc/net/tcp /proc/net/tcp6; do
  rows=()
  mapfile -t rows <"$file" || continue
  case ${rows[0]} in *local_address*) echo proc ;; *) continue ;; esac
  for line in "${rows[@]}"; do
    case $line in *:*:*:*' 0A '*) line=${line#*: }; line=${line%% *}; echo "proc ${line##*:}" ;; esac
  done
done
tool ss || return 0
limit 3 ss -lntp | while [ "$count" -lt 400 ] && read -r -n 400 line; do echo "ss $line"; count=$((count + 1)); done
return 0
""",
        _listeners,
    ),
    Collector(
        "udp",
        ("udp_ports",),
        """
local file line rows
for file in /proc/net/udp /proc/net/udp6; do
  rows=()
  mapfile -t rows <"$file" || continue
  case ${rows[0]} in *local_address*) echo local_address ;; *) continue ;; esac
  for line in "${rows[@]}"; do
    case $line in *:*:*:*' 07 '*) line=${line#*: }; line=${line%% *}; echo "${line##*:}" ;; esac
  done
done
return 0
""",
        _udp,
    ),
)
