"""Collectors for the packages that are installed on a node (PKG-*, SW-LVM2).

Package tools can hang on a locked database. They therefore run last, each with its own timeout.
"""

import re
from collections.abc import Mapping

from acp_tui.nodes.collectors.parsing import lines, yes_or_no
from acp_tui.nodes.script import Collector, CollectorOutput

_INSTALLED_STATES = ("installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending")
"""The dpkg states in which the files of a package are on the node."""


def _rpm(output: CollectorOutput) -> Mapping[str, object]:
    """Parse one package name per line.

    Some builds of rpm also print version, release and architecture. The parser removes them."""
    suffix = re.compile(r"-[^-]+-[^-]+\.(?:x86_64|aarch64|noarch|i[3-6]86)$")
    return {"rpm_packages": frozenset(suffix.sub("", line) for line in lines(output))}


def _dpkg(output: CollectorOutput) -> Mapping[str, object]:
    """Parse rows `STATUS<TAB>PACKAGE`, and return the names of installed packages.

    Packages on hold and partly configured packages count as installed. Packages of which only configuration files
    remain do not count."""
    rows = (re.fullmatch(r"\S+ ok (\S+)\t(\S+)", line) for line in lines(output))
    return {"dpkg_packages": frozenset(row[2] for row in rows if row and row[1] in _INSTALLED_STATES)}


def _snap(output: CollectorOutput) -> Mapping[str, object]:
    names = (line.split()[0] for line in lines(output))
    return {"snap_packages": frozenset(name for name in names if name != "Name")}


COLLECTORS = (
    Collector(
        "lvm2",
        ("lvm2",),
        """
if tool lvm || rpm -q lvm2 >/dev/null; then echo yes; return; fi
case $(dpkg-query -W -f '${Status}' lvm2) in *" ok installed") echo yes ;; *) echo no ;; esac
""",
        yes_or_no("lvm2"),
        timeout=5,
    ),
    Collector(
        "dpkg",
        ("dpkg_packages",),
        "tool dpkg-query || return 127; dpkg-query -W -f '${Status}\\t${Package}\\n'",
        _dpkg,
        timeout=10,
    ),
    Collector(
        "rpm",
        ("rpm_packages",),
        "tool rpm || return 127; rpm -qa --qf '%{NAME}\\n'",
        _rpm,
        timeout=15,
    ),
    Collector(
        "snap",
        ("snap_packages",),
        """
local file line rows=0
tool snap || return 127
limit 6 snap list | while [ "$rows" -lt 1000 ] && read -r -n 300 line; do echo "$line"; rows=$((rows + 1)); done
[ "${PIPESTATUS[0]}" -ne 0 ] || return 0
[ -d /var/lib/snapd/snaps ] || return 1
for file in /var/lib/snapd/snaps/*_*.snap; do
  file=${file##*/}
  [ "$file" = '*_*.snap' ] || echo "${file%_*}"
done
return 0
""",
        _snap,
        timeout=10,
    ),
)
