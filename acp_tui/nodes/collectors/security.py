"""Collectors for SELinux and AppArmor (SEC-*).

The kernel and systemd report the settings in effect. Files contain the settings of the next boot. The collectors read
both.
"""

import re
from collections.abc import Mapping

from acp_tui.nodes.collectors.parsing import first_line, keyed
from acp_tui.nodes.script import Collector, CollectorOutput


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


def _apparmor(output: CollectorOutput) -> Mapping[str, object]:
    values = keyed(output)
    found: dict[str, object] = {"apparmor": values.get("enabled", "").upper() == "Y"}
    if values.get("profiles", "").isascii() and values.get("profiles", "").isdigit():
        found["apparmor_profiles"] = int(values["profiles"][:9])
    elif not found["apparmor"]:
        found["apparmor_profiles"] = 0
    return found


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
)
