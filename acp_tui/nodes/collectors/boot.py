"""Collectors for kernel parameters and modules (KRN-*).

They read the values in effect, and the values that take effect at the next boot.

Comments in the files of the boot loader are ignored.
"""

import re
import shlex
from collections.abc import Mapping

from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.script import Collector, CollectorOutput

REQUIRED_MODULES = (
    "ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", "nf_conntrack_ipv4", "nf_conntrack_ipv6", "geneve", "openvswitch",
    "ipip",
)  # fmt: skip
"""The kernel modules that KRN-IPVS, KRN-CT4, KRN-CT6, KRN-OVN or NETCFG-IPIP require, depending on the plan."""


_MAX_COMMAND_LINE = 4096  # characters, which is the limit of the Linux kernels


def _cmdline(output: CollectorOutput) -> Mapping[str, object]:
    return {"cmdline": tuple(output.text.split())}


def _assignments(text: str) -> Mapping[str, str]:
    """Return the variables of a file in shell syntax. A value can refer to a variable that is set above it."""
    values: dict[str, str] = {}
    for line in text.split("\n"):
        match = re.fullmatch(r"\s*(?:export\s+)?([A-Za-z_]\w*)(\+?=)(.*)", line, re.ASCII)
        if not match:
            continue
        name, sign, raw = match[1], match[2], match[3][:_MAX_COMMAND_LINE]
        try:
            value = "".join(shlex.split(raw, comments=True)[:1])
        except ValueError:
            value = raw.strip("\"' ")
        value = re.sub(r"\$\{?([A-Za-z_]\w*)\}?", lambda m: values.get(m[1], ""), value, flags=re.ASCII)
        values[name] = ((values.get(name, "") + value) if sign == "+=" else value)[:_MAX_COMMAND_LINE]
    return values


_LAST_WINS = ("transparent_hugepage=", "apparmor=", "selinux=")
"""If one of these kernel parameters is set several times, only its last value counts.

All values of any other parameter count."""
_RESCUE = ("-rescue-", " recovery ", " single ", " rescue ", " emergency ", "=rescue.target ", "=emergency.target ")


def _effective_tokens(command_line: str) -> frozenset[str]:
    """Return the parameters of a kernel command line, without the values that a later value overrides."""
    tokens: set[str] = set()
    decided: set[str] = set()
    for token in reversed(command_line.replace('"', " ").split()):
        key = token[: token.find("=") + 1]
        if key not in decided:
            tokens.add(token)
        if key in _LAST_WINS:
            decided.add(key)
    return frozenset(tokens)


def _boot_tokens(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `grub ...` from /etc/default/grub, and lines `boot ...` from the files of the boot loader.

    Rescue entries are ignored, because the boot loader does not start them automatically."""
    defaults: list[str] = []
    entries: list[str] = []
    kernelopts = ""
    for line in lines(output):
        kind, _, rest = line.partition(" ")
        if kind == "grub":
            defaults.append(rest)
        elif kind == "boot" and (match := re.match(r"(set\s+)?kernelopts=(.*)", rest)):
            kernelopts = (
                kernelopts if match[1] and kernelopts else match[2]
            )  # `set` is only the default of the value in grubenv
        elif kind == "boot" and not any(mark in f"{rest} " for mark in _RESCUE):
            match = re.match(r"(?:linux(?:16|efi)?\s+\S+|options)\s+(.*)", rest)
            entries += [match[1]] if match else []
    values = _assignments("\n".join(defaults))
    entries.append(" ".join(values.get(name, "") for name in ("GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT")))
    if kernelopts and not any("$kernelopts" in entry or "${kernelopts}" in entry for entry in entries):
        entries.append(kernelopts)
    expanded = (
        re.sub(r"\$kernelopts\b|\$\{kernelopts\}", lambda _: kernelopts[:_MAX_COMMAND_LINE], entry[:_MAX_COMMAND_LINE])
        for entry in entries
    )
    tokens = frozenset[str]().union(*map(_effective_tokens, expanded))
    return {"boot_tokens": frozenset(token for token in tokens if not token.startswith("$"))}


def _modules_at_boot(output: CollectorOutput) -> Mapping[str, object]:
    """Parse files of modules-load.d(5). Each line is the name of a module. `#` and `;` begin a comment."""
    names = {line.split()[0].replace("-", "_") for line in lines(output) if line[0] not in "#;"}
    return {"modules_at_boot": frozenset(names)}


def _modules(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `loaded NAME` and `available NAME`. A line `no-modprobe` means that modprobe is not installed."""
    loaded: set[str] = set()
    available: set[str] = set()
    modprobe_found = True
    for line in lines(output):
        kind, _, name = line.partition(" ")
        name = name.replace("-", "_")
        if kind == "loaded":
            loaded.add(name)
        elif kind == "available":
            available.add(name)
        elif kind == "no-modprobe":
            modprobe_found = False
    values: dict[str, object] = {"modules": frozenset(loaded)}
    if modprobe_found:
        values["modules_available"] = frozenset(available | loaded.intersection(REQUIRED_MODULES))
    return values


COLLECTORS = (
    Collector("cmdline", ("cmdline",), "show /proc/cmdline", _cmdline),
    Collector(
        "modules",
        ("modules", "modules_available"),
        f"""
local name line known=' ' rows
mapfile -t rows </proc/modules
for line in "${{rows[@]}}"; do known+="${{line%% *}} "; echo "loaded ${{line%% *}}"; done
rows=()
mapfile -t rows <"/lib/modules/$(uname -r)/modules.builtin"
for line in "${{rows[@]}}"; do
  name=${{line##*/}} name=${{name%.ko*}}; known+="${{name//-/_}} "
  case " {" ".join(REQUIRED_MODULES)} " in *" ${{name//-/_}} "*) echo "loaded $name" ;; esac
done
tool modprobe || echo no-modprobe
for name in {" ".join(REQUIRED_MODULES)}; do
  case $known in *" $name "*) continue ;; esac
  if [ -d "/sys/module/$name" ]; then echo "loaded $name"
  elif modprobe -n -q "$name"; then echo "available $name"; fi
done
return 0
""",
        _modules,
    ),
    Collector(
        "modules_at_boot",
        ("modules_at_boot",),
        """
local file
shopt -s nullglob
for file in /etc/modules /{etc,run,usr/lib}/modules-load.d/*.conf; do maybe "$file"; done
return 0
""",
        _modules_at_boot,
    ),
    Collector(
        "boot_tokens",
        ("boot_tokens",),
        """
root || return
local file line rows joined
shopt -s nullglob
for file in /etc/default/grub /etc/default/grub.d/*.cfg; do
  joined=
  while IFS= read -r line || [ -n "$line" ]; do
    joined+=${line%\\\\}
    case $line in *\\\\) continue ;; esac
    case $joined in *=*) printf 'grub %s\\n' "$joined" ;; esac
    joined=
  done <"$file"
done
for file in /boot/grub2/grubenv /boot/grub/grubenv /boot/efi/EFI/*/grubenv /boot/grub2/grub.cfg /boot/grub/grub.cfg \\
            /boot/efi/EFI/*/grub.cfg /boot/loader/entries/*.conf; do
  rows=()
  mapfile -t rows <"$file"
  case $file:${rows[*]} in /boot/loader/*-rescue[-.]*) continue ;; esac
  for line in "${rows[@]}"; do
    line=${line#"${line%%[![:space:]]*}"}
    case $line in
      linux*|options*|kernelopts=*|"set kernelopts="*) printf 'boot %s\\n' "$line" ;;
    esac
  done
done
return 0
""",
        _boot_tokens,
    ),
)
