"""How a node's kernel was started and what it has loaded (KRN-*): in effect now, and from the next boot on.

The boot loader's files are read with their comments left out: a commented token is no setting.
"""

import re
import shlex
from collections.abc import Mapping

from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.script import Collector, CollectorOutput

WANTED_MODULES = (
    "ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", "nf_conntrack_ipv4", "nf_conntrack_ipv6", "geneve", "openvswitch",
    "ipip",
)  # fmt: skip
"""Modules that some rule of some plan asks for (KRN-IPVS, KRN-CT4, KRN-CT6, KRN-OVN, NETCFG-IPIP)."""


_LONGEST = 4096  # characters of a kernel's command line: none takes more


def _cmdline(reading: CollectorOutput) -> Mapping[str, object]:
    return {"cmdline": tuple(reading.text.split())}


def _assignments(text: str) -> Mapping[str, str]:
    """Variables of shell-like files, read in order; a later value may quote an earlier one."""
    values: dict[str, str] = {}
    for line in text.split("\n"):
        found = re.fullmatch(r"\s*(?:export\s+)?([A-Za-z_]\w*)(\+?=)(.*)", line, re.ASCII)
        if not found:
            continue
        name, sign, raw = found[1], found[2], found[3][:_LONGEST]
        try:
            value = "".join(shlex.split(raw, comments=True)[:1])
        except ValueError:
            value = raw.strip("\"' ")
        value = re.sub(r"\$\{?([A-Za-z_]\w*)\}?", lambda m: values.get(m[1], ""), value, flags=re.ASCII)
        values[name] = ((values.get(name, "") + value) if sign == "+=" else value)[:_LONGEST]
    return values


_LAST_WINS = ("transparent_hugepage=", "apparmor=", "selinux=")
"""Of the parameters that some rule asks for: those of which the kernel takes the last value. Others add up."""
_RESCUE = ("-rescue-", " recovery ", " single ", " rescue ", " emergency ", "=rescue.target ", "=emergency.target ")


def _in_force(command_line: str) -> frozenset[str]:
    """The words of a kernel's command line, without those that a later value of the same parameter replaces."""
    words: set[str] = set()
    settled: set[str] = set()
    for word in reversed(command_line.replace('"', " ").split()):
        key = word[: word.find("=") + 1]
        if key not in settled:
            words.add(word)
        if key in _LAST_WINS:
            settled.add(key)
    return frozenset(words)


def _boot_tokens(reading: CollectorOutput) -> Mapping[str, object]:
    """Lines `grub ...` from /etc/default/grub, `boot ...` from what the boot loader reads.

    A rescue entry boots nothing by itself, so it tells nothing."""
    defaults: list[str] = []
    entries: list[str] = []
    kernelopts = ""
    for line in lines(reading):
        kind, _, rest = line.partition(" ")
        if kind == "grub":
            defaults.append(rest)
        elif kind == "boot" and (found := re.match(r"(set\s+)?kernelopts=(.*)", rest)):
            kernelopts = kernelopts if found[1] and kernelopts else found[2]  # `set` is only the default for grubenv's
        elif kind == "boot" and not any(sign in f"{rest} " for sign in _RESCUE):
            found = re.match(r"(?:linux(?:16|efi)?\s+\S+|options)\s+(.*)", rest)
            entries += [found[1]] if found else []
    values = _assignments("\n".join(defaults))
    entries.append(" ".join(values.get(name, "") for name in ("GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT")))
    if kernelopts and not any("$kernelopts" in entry or "${kernelopts}" in entry for entry in entries):
        entries.append(kernelopts)
    expanded = (
        re.sub(r"\$kernelopts\b|\$\{kernelopts\}", lambda _: kernelopts[:_LONGEST], entry[:_LONGEST])
        for entry in entries
    )
    tokens = frozenset[str]().union(*map(_in_force, expanded))
    return {"boot_tokens": frozenset(token for token in tokens if not token.startswith("$"))}


def _modules_at_boot(reading: CollectorOutput) -> Mapping[str, object]:
    """modules-load.d(5): a name a line; `#` and `;` begin a comment."""
    names = {line.split()[0].replace("-", "_") for line in lines(reading) if line[0] not in "#;"}
    return {"modules_at_boot": frozenset(names)}


def _modules(reading: CollectorOutput) -> Mapping[str, object]:
    """`loaded NAME`, `available NAME`, `no-modprobe`."""
    loaded: set[str] = set()
    available: set[str] = set()
    asked = True
    for line in lines(reading):
        kind, _, name = line.partition(" ")
        name = name.replace("-", "_")
        if kind == "loaded":
            loaded.add(name)
        elif kind == "available":
            available.add(name)
        elif kind == "no-modprobe":
            asked = False
    values: dict[str, object] = {"modules": frozenset(loaded)}
    if asked:
        values["modules_available"] = frozenset(available | loaded.intersection(WANTED_MODULES))
    return values


SNIPPETS = (
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
  case " {" ".join(WANTED_MODULES)} " in *" ${{name//-/_}} "*) echo "loaded $name" ;; esac
done
tool modprobe || echo no-modprobe
for name in {" ".join(WANTED_MODULES)}; do
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
local file line rows whole
shopt -s nullglob
for file in /etc/default/grub /etc/default/grub.d/*.cfg; do
  whole=
  while IFS= read -r line || [ -n "$line" ]; do
    whole+=${line%\\\\}
    case $line in *\\\\) continue ;; esac
    case $whole in *=*) printf 'grub %s\\n' "$whole" ;; esac
    whole=
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
