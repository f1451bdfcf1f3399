"""The shell code that looks for the leftovers of a table on a node."""

import re
from collections.abc import Iterable, Sequence
from shlex import quote

from acp_tui.nodes.leftovers.row import Kind, Leftover

PROGRAM_FOLDERS = ("/usr/local/bin", "/usr/local/sbin", "/opt/bin", "/opt/kube/bin")
MAX_PLACES = 40
"""The number of places of one row that the collector reports at most."""

# The manual requires the file encryption-provider.conf on the nodes of a standby cluster before the install.

_SCRIPT = """\
local path line rows text count=0
shopt -s nullglob
put() {{ [ "$((count += 1))" -gt {limit} ] || printf '%s %s\\n' "$1" "$2"; }}
exists() {{
  case ${{1##*/}} in lost+found | encryption-provider.conf) return 1 ;; esac
  [ -e "$1" ] || [ -L "$1" ]
}}
paths() {{ local id=$1 path; shift; count=0; for path; do ! exists "$path" || put "$id" "$path"; done; }}
folder() {{
  local id=$1 place=$2 path; shift 2
  for path; do ! exists "$path" || {{ echo "$id $place"; return; }}; done
}}
settings() {{
  local id=$1 path line rows; shift; count=0
  for path; do
    rows=(); [ ! -f "$path" ] || mapfile -t -n 400 rows <"$path"
    for line in "${{rows[@]}}"; do
      line=${{line//[[:space:]]/}}
      case $line in '' | [#\\;\\[]* | *= | *=\\"\\" | *=\\'\\') ;; *) put "$id" "$path"; break ;; esac
    done
  done
}}
content() {{
  rows=() text=
  [ ! -f "$1" ] || mapfile -t -n 400 rows <"$1"
  text="${{rows[*]}}" text=${{text//[[:space:]]/}}
}}
networks() {{
  local id=$1 path; shift; count=0
  for path; do
    content "$path"; text=${{text//'"type":"loopback"'/loopback-only}}
    case $text in *'"type":'*) put "$id" "$path" ;; *loopback-only*) ;; *) put "$id" "$path" ;; esac
  done
}}
docker_settings() {{
  local id=$1 path; shift; count=0
  for path; do
    exists "$path" || continue
    content "$path"
    case $text in '' | '{{}}') ;; *,*) put "$id" "$path" ;; '{{"bip":'*) ;; *) put "$id" "$path" ;; esac
  done
}}
if [ "$EUID" -ne 0 ]; then
  for path in {folders}; do [ ! -d "$path" ] || {{ [ -r "$path" ] && [ -x "$path" ]; }} || echo "denied $path"; done
fi
{rows}
count=0
for path in {programs}; do
  ! exists "$path" || case ${{path##*/}} in
{program_cases}
  esac
done
{system_programs}
count=0
for path in /etc/systemd/system/*.wants/* /etc/systemd/system/*.requires/*; do
  [ ! -e "$path" ] || case ${{path##*/}} in
{unit_cases}
  esac
done
count=0
for path in /sys/class/net/*; do
  case ${{path##*/}} in
{interface_cases}
  esac
done
count=0
mapfile -t rows </proc/mounts || return 66
for line in "${{rows[@]}}"; do
  path=${{line#* }} path=${{path%% *}}
  case $path in
{mount_cases}
  esac
done
rows=(); [ ! -r /proc/net/ip_vs ] || mapfile -t -n 400 rows </proc/net/ip_vs
for line in "${{rows[@]}}"; do
  case $line in TCP* | UDP* | SCTP* | FWM*) {ipvs}; break ;; esac
done
echo end
"""

_SYSTEM_PROGRAMS = """\
for path in {paths}; do
  exists "$path" || continue
  if [ -s /var/lib/dpkg/status ] && tool dpkg-query; then
    text=$(limit 3 dpkg-query -S "*/${{path##*/}}" 2>&1)
    case $text in '' | *"/bin/${{path##*/}}"* | *"/sbin/${{path##*/}}"* | *error*) ;; *) put {id} "$path" ;; esac
  elif tool rpm; then
    case $(limit 3 rpm -qf "$path" 2>&1) in *"not owned by any package"*) put {id} "$path" ;; esac
  fi
done"""


def shell(table: Sequence[Leftover]) -> str:
    """Return the body of the collector that looks for the rows of `table`.

    Each line of its output is `ID PLACE`, or `denied FOLDER` for a folder that only root can read. The last line is
    `end`."""

    def of(*kinds: Kind) -> list[Leftover]:
        return [row for row in table if row.kind in kinds]

    def cases(kind: Kind, place: str) -> str:
        return "\n".join(f"    {' | '.join(row.patterns)}) put {row.id} {place} ;;" for row in of(kind)) or "    '') ;;"

    system = of(Kind.SYSTEM_PROGRAM)
    return _SCRIPT.format(
        limit=MAX_PLACES,
        folders=" ".join(_folders(table)),
        rows="\n".join(_row(row) for row in of(*_FUNCTIONS)),
        programs=" ".join(f"{folder}/*" for folder in PROGRAM_FOLDERS),
        program_cases=cases(Kind.PROGRAM, '"$path"'),
        system_programs="\n".join(
            _SYSTEM_PROGRAMS.format(
                id=row.id, paths=" ".join(f"/usr/bin/{name} /usr/sbin/{name}" for name in row.patterns)
            )
            for row in system
        ),
        unit_cases=cases(Kind.UNIT, '"$path"'),
        interface_cases=cases(Kind.INTERFACE, '"${path##*/}"'),
        mount_cases=cases(Kind.MOUNT, '"$path"'),
        ipvs="; ".join(f"echo '{row.id} {row.patterns[0]}'" for row in of(Kind.IPVS)) or ":",
    )


_FUNCTIONS = {
    Kind.PATH: "paths",
    Kind.SETTINGS: "settings",
    Kind.NETWORK_CONFIG: "networks",
    Kind.DOCKER_CONFIG: "docker_settings",
}


def _row(row: Leftover) -> str:
    if row.place:
        return f"folder {row.id} {quote(row.place)} {' '.join(row.patterns)}"
    return f"{_FUNCTIONS[row.kind]} {row.id} {' '.join(row.patterns)}"


def _folders(table: Iterable[Leftover]) -> list[str]:
    """Return all folders below the second level that the patterns of paths name, such as /var/lib/kubelet."""
    found: dict[str, None] = {}
    for row in table:
        if row.kind in _FUNCTIONS:
            for pattern in row.patterns:
                parts = re.split(r"[*?\[{]", pattern)[0].split("/")[1:-1]
                found.update({"/" + "/".join(parts[:depth]): None for depth in range(2, len(parts) + 1)})
    return [folder for folder in found if folder not in ("/var/lib", "/etc/systemd", "/etc/systemd/system")]


def processes(table: Iterable[Leftover]) -> tuple[str, ...]:
    """Return the names of all processes in `table`, for a `case` of the shell."""
    return tuple(name for row in table if row.kind is Kind.PROCESS for name in row.patterns)


def chains(table: Iterable[Leftover], names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the leftovers among the iptables chains `names`: ID of the row → names of chains."""
    names = tuple(names)
    found: dict[str, tuple[str, ...]] = {}
    for row in table:
        if row.kind is Kind.CHAIN:
            own = tuple(name for name in names if any(re.fullmatch(pattern, name) for pattern in row.patterns))
            if own:
                found[row.id] = own[:MAX_PLACES]
    return found
