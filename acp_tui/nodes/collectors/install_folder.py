"""The collector for the install folder on the installer node: its free space, and the packages in it (BND-FREE-100G).

The plan contains the path of the folder, so only the installer node has this collector.
"""

import json
from collections.abc import Mapping
from functools import partial
from shlex import quote

from acp_tui.core.text import fill_template
from acp_tui.nodes.collectors.disks import parse_df_row
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.fact_types import InstallFolder
from acp_tui.nodes.script import Collector, CollectorOutput
from acp_tui.plan.package_name import STAMP

# A folder that does not exist yet gets the file system of its nearest existing parent. `df` follows links.
_SHELL = f"""
local folder=@FOLDER@ at unit all free available rows=()
at=$folder
while [ ! -e "$at" ]; do at=${{at%/*}}; at=${{at:-/}}; done
if [ ! -d "$at" ]; then echo file; fi
if [ -e "$folder/installer/setup.sh" ]; then
  echo installer
  if [ -e "$folder/{STAMP}" ]; then echo "stamp $(show "$folder/{STAMP}")"; fi
fi
mapfile -n 2 -t rows < <(limit 3 df -P -B1 "$at")
if [ "${{#rows[@]}}" -eq 2 ]; then echo "df ${{rows[1]}}"; return 0; fi
read -r unit all free available < <(limit 2 stat -f -c '%S %b %f %a' "$at")
echo "df - $((unit * all)) $((unit * (all - free))) $((unit * available)) - /"
"""


def install_folder_collector(folder: str) -> Collector:
    """Return the collector for the install folder. `folder`: its absolute path."""
    shell = fill_template(_SHELL, FOLDER=quote(folder))
    return Collector("install_folder", ("install_folder",), shell, partial(_parse, folder), timeout=6, early=True)


def _parse(folder: str, output: CollectorOutput) -> Mapping[str, object]:
    """Parse the lines `file`, `installer`, `stamp JSON` and `df ROW`. Raises ValueError without a row of df."""
    rows = {kind: rest for kind, _blank, rest in (line.partition(" ") for line in lines(output))}
    if "file" in rows:
        raise ValueError("a part of the path of the install folder is not a folder")
    filesystem = parse_df_row(folder, rows.get("df", ""))
    if filesystem is None or filesystem.size == 0:
        raise ValueError("the output of df contains no file system")
    return {
        "install_folder": InstallFolder(
            path=folder,
            available=filesystem.available,
            installer="installer" in rows,
            unpacked=_unpacked(rows["stamp"]) if "stamp" in rows else None,
        )
    }


def _unpacked(stamp: str) -> frozenset[tuple[str, int]]:
    """Return file name and size of each package in the stamp. A damaged stamp names no package."""
    try:
        entries = json.loads(stamp)
        files = [entry["file"] for entry in entries.values() if entry["files"]]
        return frozenset((str(file["name"])[:255], int(file["size"])) for file in files)
    except (ArithmeticError, AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return frozenset()
