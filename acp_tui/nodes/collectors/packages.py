"""Collectors for the packages that are installed on a node (PKG-*, SW-LVM2).

Package tools can hang on a locked database. They therefore run last, each with its own timeout.
"""

import re
from collections.abc import Mapping

from acp_tui.core.i18n import _
from acp_tui.nodes.collectors.parsing import lines, yes_or_no
from acp_tui.nodes.script import Collector, CollectorOutput, MissingReason

_INSTALLED_STATES = (
    "installed", "unpacked", "half-configured", "half-installed", "triggers-awaited", "triggers-pending",
)  # fmt: skip
"""The dpkg states in which the files of a package are on the node."""
_ERROR = re.compile(r"error|fail|cannot|can't|corrupt|denied|BDB[0-9]", re.IGNORECASE)
_ERRORS = "stderr "
"""The start of a line that the package tool printed to its standard error."""
_NO_SNAPS = "No snaps are installed"


def _split(output: CollectorOutput) -> tuple[list[str], list[str]]:
    """Return the lines of the answer, and the lines that the tool printed to its standard error."""
    rows = lines(output)
    errors = [row.removeprefix(_ERRORS) for row in rows if row.startswith((_ERRORS, "error:"))]
    return [row for row in rows if not row.startswith((_ERRORS, "error:"))], errors


def _complete(names: frozenset[str], errors: list[str], tool: str) -> frozenset[str] | MissingReason:
    """Return `names`, or the reason why they are not a complete list.

    A tool that cannot read its database often ends with exit status 0. Every system has packages, so an empty list is
    never true."""
    error = next((line for line in errors if _ERROR.search(line)), "")
    if error:
        text = _("{tool} printed an error, so its list is possibly not complete: {error}")
        return MissingReason(text.format(tool=tool, error=error[:200]))
    if not names:
        text = _("{tool} listed no packages. Its database is possibly damaged")
        return MissingReason(text.format(tool=tool))
    return names


def _rpm(output: CollectorOutput) -> Mapping[str, object]:
    """Parse one package name per line.

    Some builds of rpm also print version, release and architecture. The parser removes them."""
    suffix = re.compile(r"-[^-]+-[^-]+\.(?:x86_64|aarch64|noarch|i[3-6]86)$")
    rows, errors = _split(output)
    names = frozenset(suffix.sub("", row) for row in rows if re.fullmatch(r"[^\s():]{1,200}", row))
    return {"rpm_packages": _complete(names - {"gpg-pubkey"}, errors, "rpm")}


def _dpkg(output: CollectorOutput) -> Mapping[str, object]:
    """Parse rows `STATUS<TAB>PACKAGE`, and return the names of installed packages.

    Packages on hold, partly installed and partly configured packages count as installed. Packages of which only
    configuration files remain do not count."""
    rows, errors = _split(output)
    parsed = (re.fullmatch(r"\S+ (?:ok|reinstreq) (\S+)\t(\S+)", row) for row in rows)
    names = frozenset(row[2] for row in parsed if row and row[1] in _INSTALLED_STATES)
    return {"dpkg_packages": _complete(names, errors, "dpkg-query")}


def _snap(output: CollectorOutput) -> Mapping[str, object]:
    """Parse the table of `snap list`, and rows `file NAME` with the snaps in the folder of snapd.

    The files count only if `snap list` gives no answer, for example because snapd does not run."""
    rows, errors = _split(output)
    table = [row.split()[0] for row in rows if not row.startswith(("file ", "folder"))]
    if "Name" in table:
        return {"snap_packages": frozenset(table) - {"Name"}}
    if any(_NO_SNAPS in line for line in (*errors, *rows)):
        return {"snap_packages": frozenset()}
    if "folder" not in rows:
        text = _("snap gave no list: {error}")
        return {"snap_packages": MissingReason(text.format(error=" ".join(errors)[:200] or "-"))}
    return {"snap_packages": frozenset(row[5:] for row in rows if row.startswith("file "))}


def _listing(tool: str, command: str, after: str = 'return "$status"') -> str:
    """Return shell code that runs `command`, prints its standard error after its output, and then runs `after`."""
    return f"""
local said status file end=$'\\n'
tool {tool} || return 127
{{ said=$({command} 2>&1 >&3); status=$?; }} 3>&1
[ -z "$said" ] || {{ said=${{said:0:2000}}; printf '\\n{_ERRORS}%s\\n' "${{said//$end/$end{_ERRORS}}}"; }}
{after}
"""


_SNAP_FILES = """\
if [ -d /var/lib/snapd/snaps ] && [ -r /var/lib/snapd/snaps ]; then
  echo folder
  for file in /var/lib/snapd/snaps/*_*.snap; do
    file=${file##*/}
    [ "$file" = '*_*.snap' ] || echo "file ${file%_*}"
  done
fi
return 0"""

COLLECTORS = (
    Collector(
        "lvm2",
        ("lvm2",),
        """
local answer
if tool lvm; then echo yes; return; fi
if [ -s /var/lib/dpkg/status ] && tool dpkg-query; then answer=$(limit 3 dpkg-query -W -f '${Status}' lvm2 2>&1)
elif tool rpm; then answer=$(limit 3 rpm -q lvm2 2>&1)
else echo no; return
fi
case $answer in
  *[Ee]rror* | *[Ff]ailed*) return 1 ;;
  *" ok installed" | *lvm2-[0-9]*) echo yes ;;
  *"not installed"* | *"no packages found"* | *" ok not-installed" | *" ok config-files") echo no ;;
esac
""",
        yes_or_no("lvm2"),
        timeout=5,
    ),
    Collector(
        "dpkg",
        ("dpkg_packages",),
        _listing("dpkg-query", "dpkg-query -W -f '${Status}\\t${Package}\\n'"),
        _dpkg,
        timeout=10,
    ),
    Collector("rpm", ("rpm_packages",), _listing("rpm", "rpm -qa --qf '%{NAME}\\n'"), _rpm, timeout=15),
    Collector("snap", ("snap_packages",), _listing("snap", "limit 6 snap list", _SNAP_FILES), _snap, timeout=10),
)
