"""Collectors for SELinux, AppArmor, swap, TasksMax, the login and sshd (SEC-*, SYS-*, USR-*).

The kernel and systemd report the settings in effect. Files contain the settings of the next boot. The collectors read
both.
"""

import re
from collections.abc import Mapping

from acp_tui.core.i18n import _
from acp_tui.nodes.collectors.parsing import first_line, keyed, lines
from acp_tui.nodes.fact_types import SshdSetting
from acp_tui.nodes.script import NOT_FOUND, SUDO_PATIENCE, TIMED_OUT, Collector, CollectorOutput, MissingReason


def _selinux(output: CollectorOutput) -> Mapping[str, object]:
    """Parse the SELinux mode: `0` or `1` from the kernel, or the output of getenforce."""
    value = first_line(output).lower()
    mode = {"": "disabled", "0": "permissive", "1": "enforcing"}.get(value, value)
    if mode not in ("disabled", "permissive", "enforcing"):
        raise ValueError("the file enforce of SELinux contains neither 0 nor 1")
    return {"selinux": mode}


def _selinux_config(output: CollectorOutput) -> Mapping[str, object]:
    """Find the SELinux mode as libselinux does: the first line that has SELINUX= and a valid mode counts."""
    match = re.search(r"^SELINUX=(enforcing|permissive|disabled)", output.text, re.MULTILINE | re.IGNORECASE)
    return {"selinux_config": match[1].lower() if match else ""}


def _apparmor(output: CollectorOutput) -> Mapping[str, object]:
    values = keyed(output)
    found: dict[str, object] = {"apparmor": values.get("enabled", "").upper() == "Y"}
    if values.get("profiles", "").isascii() and values.get("profiles", "").isdigit():
        found["apparmor_profiles"] = int(values["profiles"][:9])
    elif not found["apparmor"]:
        found["apparmor_profiles"] = 0
    return found


def _swaps(output: CollectorOutput) -> Mapping[str, object]:
    return {"swaps": tuple(line.split()[0] for line in lines(output) if not line.startswith("Filename"))}


def _fstab_swaps(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `fstab ...` (copied from /etc/fstab) and `unit NAME`.

    Each `unit` line names a systemd unit that provides swap now or after the next boot."""
    swaps: list[str] = []
    for line in lines(output):
        kind, _space, rest = line.partition(" ")
        columns = rest.split()
        in_fstab = kind == "fstab" and columns[2:3] == ["swap"] and not columns[0].startswith("#")
        if in_fstab and "noauto" in "".join(columns[3:4]).split(","):
            continue
        if in_fstab or (kind == "unit" and rest.endswith((".swap", ".service"))):
            swaps.append(columns[0])
    return {"fstab_swaps": tuple(dict.fromkeys(swaps))}


def _tasks_max(output: CollectorOutput) -> Mapping[str, object]:
    value = first_line(output).partition("DefaultTasksMax=")[2]
    return {"tasks_max": value} if value else {}


def _login(output: CollectorOutput) -> Mapping[str, object]:
    """Parse the output of the collector `login`.

    The first line has two numbers: the user ID, and the exit status of `sudo -n true`. The message of sudo follows."""
    head, *message = output.text.split("\n", 1)
    match = re.fullmatch(r"([0-9]{1,10}) ([0-9]{1,3})", head.strip())
    if match is None:
        raise ValueError("the output contains no user ID")
    uid, status = int(match[1]), int(match[2])
    if uid == 0 or status == 0:
        return {"uid": uid, "sudo": True, "sudo_message": ""}
    if status == TIMED_OUT:
        text = _("sudo timed out after {seconds} s. A possible cause is an unreachable name server.")
        return {"uid": uid, "sudo": MissingReason(text.format(seconds=SUDO_PATIENCE)), "sudo_message": ""}
    if status == NOT_FOUND:
        return {"uid": uid, "sudo": False, "sudo_message": _("sudo is not installed on the node")}
    return {"uid": uid, "sudo": False, "sudo_message": "\n".join(message).strip()[-500:]}


def _sshd(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `effective KEY VALUE` (from `sshd -T`) and `file KEY VALUE` (from sshd_config and included files).

    If a key occurs twice, the first value counts."""
    effective: dict[str, str] = {}
    explicit: dict[str, str] = {}
    for line in lines(output):
        kind, _space, rest = line.partition(" ")
        match = re.match(r"(usedns|usepam)(?:\s*=\s*|\s+)\"?([A-Za-z]+)\"?", rest, re.IGNORECASE)
        if match:
            target = effective if kind == "effective" else explicit
            target.setdefault(match[1].lower(), match[2].lower())
    settings = {
        name: SshdSetting(effective.get(name) or explicit.get(name) or built_in, name in explicit)
        for name, built_in in (
            ("usedns", "no"),
            ("usepam", "no"),
        )  # the defaults of OpenSSH, used if sshd -T printed nothing
    }
    return {"sshd": settings}


COLLECTORS = (
    Collector(
        "login",
        ("uid", "sudo", "sudo_message"),
        """
echo "$login_uid $sudo_status"; printf '%s' "$sudo_message" """,
        _login,
    ),
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
        "maybe /etc/selinux/config",
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
    Collector("swaps", ("swaps",), "[ -e /proc/self ] && maybe /proc/swaps", _swaps),
    Collector(
        "fstab_swaps",
        ("fstab_swaps",),
        """
local line name load active file
while IFS= read -r line || [ -n "$line" ]; do
  case $line in *swap*) printf 'fstab %s\\n' "$line" ;; esac
done </etc/fstab
returns() { [ "$(readlink "/etc/systemd/system/$1")" = /dev/null ] || echo "unit $1"; }
for file in /etc/systemd/system/*.wants/*.swap /etc/systemd/system/*.wants/zramswap.service; do
  [ ! -L "$file" ] || returns "${file##*/}"
done
for file in /{usr/,}lib/systemd/system-generators/zram-generator; do
  [ -e "$file" ] || continue
  while read -r line; do
    case $line in "[zram"*"]") line=${line#"["}; returns "systemd-zram-setup@${line%"]"}.service" ;; esac
  done </etc/systemd/zram-generator.conf
done
if tool systemctl; then
  systemctl list-units --type=swap --state=active --no-legend --no-pager --plain |
  while read -r name load active _; do
    case $name in *.swap) [ "$active" != active ] || echo "unit $name" ;; esac
  done
fi
return 0
""",
        _fstab_swaps,
        timeout=5,
    ),
    Collector("tasks_max", ("tasks_max",), "systemctl show --property=DefaultTasksMax", _tasks_max, timeout=5),
    Collector(
        "sshd",
        ("sshd",),
        """
root || return
local line
walk() {
  local line word file
  { while read -r line || [ -n "$line" ]; do
    line=${line%$'\\r'}
    case ${line,,} in
      match[[:space:]=]*) return 0 ;;
      usedns*|usepam*) printf 'file %s\\n' "$line" ;;
      include[[:space:]=]*)
        [ "$2" -lt 8 ] || continue
        for word in ${line#*[[:space:]=]}; do
          word=${word//\\"/}
          case $word in /*) ;; *) word=/etc/ssh/$word ;; esac
          for file in $word; do walk "$file" $(($2 + 1)); done
        done ;;
    esac
  done; true; } <"$1"
}
walk /etc/ssh/sshd_config 0 || return 66
while read -r line; do
  case $line in usedns*|usepam*) printf 'effective %s\\n' "$line" ;; esac
done < <(sshd -T || sshd -T -C user=root,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22)
return 0
""",
        _sshd,
    ),
)
