"""Collectors for tools, folders, existing container runtimes and Kubernetes components (SW-*, FS-*)."""

import re
from collections.abc import Mapping

from acp_tui.core.i18n import _
from acp_tui.nodes.collectors.parsing import lines, yes_or_no
from acp_tui.nodes.fact_types import Directory
from acp_tui.nodes.leftovers import LEFTOVERS
from acp_tui.nodes.leftovers.find import MAX_PLACES, processes, shell
from acp_tui.nodes.script import Collector, CollectorOutput, MissingReason

TOOLS = ("ip", "ss", "tar", "swapoff", "modprobe", "sysctl", "md5sum", "scp", "sftp")
DIRECTORIES = (
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/log/pods",
    "/var/lib/kubelet/pki",
    "/var/lib/nerdctl",
    "/opt/nerdctl",
)
_PROCESSES = processes(LEFTOVERS)


def _tools(output: CollectorOutput) -> Mapping[str, object]:
    present = set(lines(output))
    return {"tools": {tool: tool in present for tool in TOOLS}}


def _directories(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `absent PATH` and `present PATH EMPTY MOUNTED SIZE NEWEST`.

    EMPTY and MOUNTED are yes or no. A dash means that the value is unknown."""
    directories: dict[str, Directory] = {}
    for line in lines(output):
        columns = line.split()
        if columns[0] == "absent" and len(columns) == 2:
            directories[columns[1]] = Directory(exists=False)
        elif columns[0] == "present" and len(columns) >= 5:
            size = int(columns[4]) if re.fullmatch(r"[0-9]{1,18}", columns[4]) else None
            newest = " ".join(columns[5:])
            directories[columns[1]] = Directory(True, columns[2] == "yes", columns[3] == "yes", size, newest or None)
    if any(path not in directories for path in DIRECTORIES):
        raise ValueError("the output does not contain all directories")
    return {"directories": directories}


def _running(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `process NAME` and `time TEXT`. A line `hidden` means that the processes of root are not visible."""
    found: dict[str, None] = {}
    daemons: dict[str, None] = {}
    time_states: list[str] = []
    for line in lines(output):
        kind, _space, rest = line.partition(" ")
        if kind == "process" and rest in _PROCESSES:
            found[rest] = None
        elif kind == "process":
            daemons[{"systemd-timesyn": "systemd-timesyncd"}.get(rest, rest)] = None
        elif kind == "time":
            time_states.append(rest)
    ntp = ", ".join([*daemons, *dict.fromkeys(time_states)]) if daemons else ""
    hidden = "hidden" in lines(output) and not found
    reason = MissingReason(_("the node hides the processes of other users"))
    return {"cluster_processes": reason if hidden else tuple(found), "ntp": ntp}


def _leftovers(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `ID PLACE`, `denied FOLDER` and the last line `end`.

    Without the last line, the list is not complete."""
    ids = {row.id for row in LEFTOVERS}
    found: dict[str, tuple[str, ...]] = {}
    unreadable: list[str] = []
    rows = lines(output)
    for line in rows:
        name, _space, place = line.partition(" ")
        if name == "denied" and place:
            unreadable.append(place)
        elif name in ids and place and place not in found.get(name, ()):
            found[name] = (*found.get(name, ()), place)[:MAX_PLACES]
    if rows[-1:] != ["end"]:
        raise ValueError("the list of leftovers is not complete")
    return {"leftovers": found, "unreadable_folders": tuple(unreadable)}


COLLECTORS = (
    Collector(
        "tools",
        ("tools",),
        f"""
local name
for name in {" ".join(TOOLS)}; do ! tool "$name" || echo "$name"; done
return 0
""",
        _tools,
    ),
    Collector(
        "running",
        ("cluster_processes", "ntp"),
        f"""
local file name word chrony= other=
for file in /proc/[0-9]*/comm; do
  {{ read -r name <"$file"; }} || continue
  case $name in
    {"|".join(_PROCESSES)}|chronyd|ntpd|systemd-timesyn) echo "process $name" ;;
  esac
  case $name in chronyd) chrony=1 ;; ntpd | systemd-timesyn) other=$name ;; esac
done
[ -r /proc/1/comm ] || echo hidden
[ ! -e /run/systemd/timesync/synchronized ] || echo "time synchronised"
if [ -n "$chrony" ]; then
  while read -r name word; do
    case $name$word in
      Leap*"Not synchronised") echo "time not synchronised" ;;
      Leap*Normal) echo "time synchronised" ;;
      Reference*"("?*")") word=${{word##*"("}}; echo "time from ${{word%")"}}" ;;
    esac
  done < <(chronyc -n tracking)
elif [ "$other" = ntpd ]; then
  while read -r name _; do
    case $name in "*"?*) echo "time synchronised"; echo "time from ${{name#"*"}}" ;; esac
  done < <(limit 3 ntpq -pn)
elif [ -n "$other" ]; then
  name=$(limit 3 timedatectl show-timesync --property=ServerName --value)
  [ -z "$name" ] || echo "time from $name"
fi
return 0
""",
        _running,
    ),
    Collector("leftovers", ("leftovers", "unreadable_folders"), shell(LEFTOVERS), _leftovers, timeout=15),
    Collector(
        "package_tools",
        ("package_tools",),
        """
local name
for name in rpm dpkg-query snap; do ! tool "$name" || echo "$name"; done
return 0
""",
        lambda output: {"package_tools": frozenset(lines(output))},
    ),
    Collector(
        "directories",
        ("directories",),
        f"""
local path parent mounted empty entry size rows
mapfile -t rows </proc/mounts
for path in {" ".join(DIRECTORIES)}; do
  parent=${{path%/*}}
  [ ! -d "$parent" ] || [ -x "$parent" ] || return 77
  [ -e "$path" ] || [ -L "$path" ] || {{ echo "absent $path"; continue; }}
  mounted=no empty=yes size='- -'
  for entry in "${{rows[@]}}"; do case $entry in *" $path "*) mounted=yes ;; esac; done
  if [ ! -d "$path" ] || [ ! -r "$path" ]; then empty=no
  else
    for entry in "$path"/* "$path"/.[!.]*; do
      case ${{entry##*/}} in lost+found) ;; *) [ ! -e "$entry" ] && [ ! -L "$entry" ] || empty=no ;; esac
    done
    if tool timeout; then size=$(timeout 2 du -s -x -B1 --time "$path") || size='- -'; fi
  fi
  size=${{size%$'\\t'*}}
  size=${{size/$'\\t'/ }}
  echo "present $path $empty $mounted $size"
done
""",
        _directories,
        timeout=15,
    ),
    Collector(
        "installer",
        ("installer_running",),
        """
local runtime line
for runtime in docker nerdctl; do
  tool "$runtime" || continue
  root || return
  while read -r line; do
    case " $line" in *" minialauda-control-plane") echo yes; return ;; esac
  done < <(limit 3 "$runtime" ps --format '{{.Names}}')
done
echo no
""",
        yes_or_no("installer_running"),
    ),
)
