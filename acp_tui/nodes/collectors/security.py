"""Collectors for SELinux, AppArmor and firewall (SEC-*).

The kernel and systemd report the settings in effect. Files contain the settings of the next boot. The collectors read
both.
"""

import re
from collections.abc import Mapping

from acp_tui.nodes.collectors.parsing import first_line, keyed, lines
from acp_tui.nodes.fact_types import Unit
from acp_tui.nodes.script import Collector, CollectorOutput

UNITS = ("firewalld", "ufw", "nftables", "iptables", "ip6tables", "netfilter-persistent", "apparmor")


def _selinux(output: CollectorOutput) -> Mapping[str, object]:
    """Parse the SELinux mode: `0` or `1` from the kernel, or the output of getenforce."""
    value = first_line(output).lower()
    mode = {"": "disabled", "0": "permissive", "1": "enforcing"}.get(value, value)
    if mode not in ("disabled", "permissive", "enforcing"):
        raise ValueError("the file enforce of SELinux contains neither 0 nor 1")
    return {"selinux": mode}


def _selinux_config(output: CollectorOutput) -> Mapping[str, object]:
    """Find the SELinux mode as libselinux does: the first line that begins with SELINUX= and a valid mode counts.

    The output has the lines that begin with SELINUX=. The line `invalid` stands for a line that a person takes for the
    setting, but libselinux does not: with blanks or a byte order mark, for example. If the file has no valid mode,
    SELinux starts in the mode permissive."""
    match = re.search(r"^SELINUX=(enforcing|permissive|disabled)", output.text, re.MULTILINE | re.IGNORECASE)
    unread = bool(output.text.strip())
    return {"selinux_config": match[1].lower() if match else "permissive" if unread else ""}


def _setting(output: CollectorOutput, name: str) -> str:
    """Return the value of the last line `NAME=value` without quotes; "" if no such line exists.

    Comments are ignored."""
    found = re.findall(rf"^[ \t]*{name}[ \t]*=[ \t]*([^\n#]*)", output.text, re.MULTILINE)
    return found[-1].strip().strip("\"'") if found else ""


def _apparmor(output: CollectorOutput) -> Mapping[str, object]:
    values = keyed(output)
    found: dict[str, object] = {"apparmor": values.get("enabled", "").upper() == "Y"}
    if values.get("profiles", "").isascii() and values.get("profiles", "").isdigit():
        found["apparmor_profiles"] = int(values["profiles"][:9])
    elif not found["apparmor"]:
        found["apparmor_profiles"] = 0
    return found


def _units(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `UNIT ACTIVE ENABLED`. A dash means that systemctl printed nothing, because the unit does not exist.

    Raises ValueError if systemctl printed nothing at all, because this means that systemd does not reply."""
    states = {}
    for line in lines(output):
        name, active, enabled = [*line.split(" "), "-", "-"][:3]
        if name in UNITS:
            states[name] = (active, enabled)
    if len(states) < len(UNITS) or all(state == ("-", "-") for state in states.values()):
        raise ValueError("systemd does not reply to systemctl")
    return {
        "units": {
            name: Unit("inactive" if active in ("-", "unknown") else active, "not-found" if enabled == "-" else enabled)
            for name, (active, enabled) in states.items()
        }
    }


COLLECTORS = (
    Collector(
        "selinux",
        ("selinux",),
        """
show /sys/fs/selinux/enforce || [ ! -e /sys/fs/selinux/enforce ] || return 66
[ -e /sys/fs/selinux/enforce ] || ! tool getenforce || getenforce
return 0
""",
        _selinux,
    ),
    Collector(
        "selinux_config",
        ("selinux_config",),
        """
local line rows key file=/etc/selinux/config
[ -e "$file" ] || return 0
mapfile -t rows <"$file" || return 66
for line in "${rows[@]}"; do
  case $line in SELINUX=*) printf '%s\\n' "$line"; continue ;; *=*) key=${line%%=*} ;; *) continue ;; esac
  key=${key#$'\\xef\\xbb\\xbf'}
  [ "${key//[[:space:]]/}" != SELINUX ] || echo invalid
done
return 0
""",
        _selinux_config,
    ),
    Collector(
        "apparmor",
        ("apparmor", "apparmor_profiles"),
        """
local line count=0 file=/sys/kernel/security/apparmor/profiles
echo "enabled $(show /sys/module/apparmor/parameters/enabled)"
[ "$EUID" -eq 0 ] && while read -r line; do count=$((count + 1)); done <"$file" && echo "profiles $count"
return 0
""",
        _apparmor,
    ),
    Collector(
        "ufw",
        ("ufw_enabled",),
        "show /etc/ufw/ufw.conf",
        lambda output: {"ufw_enabled": _setting(output, "ENABLED").lower() == "yes"},
    ),
    Collector(
        "units",
        ("units",),
        f"""
local unit active enabled
tool systemctl || return 127
for unit in {" ".join(UNITS)}; do
  active=$(systemctl is-active "$unit"); enabled=$(systemctl is-enabled "$unit")
  active=${{active%%$'\\n'*}} enabled=${{enabled%%$'\\n'*}}
  echo "$unit ${{active:--}} ${{enabled:--}}"
done
return 0
""",
        _units,
        timeout=10,
    ),
)
