"""Collector for DefaultTasksMax of systemd, now and in its files (SYS-TASKSMAX)."""

import re
from collections.abc import Mapping

from acp_tui.nodes.fact_types import AtBoot
from acp_tui.nodes.script import Collector, CollectorOutput


def _tasks_max(output: CollectorOutput) -> Mapping[str, object]:
    """Parse `now DefaultTasksMax=VALUE` from systemctl, and `file PATH` followed by its rows `| ROW`."""
    values: dict[str, object] = {}
    at_boot = AtBoot("")
    section = path = continued = ""
    for line in output.text.split("\n"):
        kind, _space, rest = line.partition(" ")
        if kind == "now" and rest.startswith("DefaultTasksMax=") and rest != "DefaultTasksMax=":
            values["tasks_max"] = rest.partition("=")[2].strip()
        elif kind == "file":
            path, section, continued = rest, "", ""
        elif kind == "|":
            row = rest.strip()
            if row.startswith(("#", ";")):
                continue
            row, continued = continued + row, ""
            if row.endswith("\\"):
                continued = row[:-1] + " "
            elif match := re.fullmatch(r"\[(\w+)\]", row):
                section = match[1]
            elif section == "Manager" and (match := re.match(r"DefaultTasksMax[ \t]*=(.*)", row)):
                at_boot = AtBoot(match[1].strip(), path if match[1].strip() else "")
    return {**values, "tasks_max_at_boot": at_boot}


COLLECTORS = (
    Collector(
        "tasks_max",
        ("tasks_max", "tasks_max_at_boot"),
        r"""
local file name line rows more
declare -A last=()
tool systemctl || return 127
echo "now $(systemctl show --property=DefaultTasksMax)"
shopt -s nullglob
for file in /{lib,usr/lib,usr/local/lib,run,etc}/systemd/system.conf.d/*.conf; do last[${file##*/}]=$file; done
parse() {
  [ -s "$1" ] && [ -f "$1" ] || return 0
  echo "file $1"
  rows=() more=
  mapfile -t rows <"$1"
  for line in "${rows[@]}"; do
    case $more$line in more*|*TasksMax*|*[[]*|*\\) printf '| %s\n' "$line" ;; esac
    case $line in *\\) more=more ;; *) more= ;; esac
  done
}
parse /etc/systemd/system.conf
mapfile -t rows < <([ "${#last[@]}" -eq 0 ] || printf '%s\n' "${!last[@]}" | sort)
for name in "${rows[@]}"; do parse "${last[$name]}"; done
return 0
""",
        _tasks_max,
        timeout=5,
    ),
)
