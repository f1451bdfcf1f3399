"""Collector for the kernel parameters of the next boot (KRN-*, SEC-*).

It reads the configuration of the boot loader. Only the entry that the boot loader starts by default counts.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from acp_tui.nodes.collectors import boot_menu as menu
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.fact_types import BootEntry
from acp_tui.nodes.script import Collector, CollectorOutput

GRUB_DEFAULTS = "/etc/default/grub"
_YES = ("true", "yes", "y", "1")


@dataclass(frozen=True)
class _BootFiles:
    """The files of the boot loader: path → rows."""

    efi: bool
    files: Mapping[str, Sequence[str]]
    settings: Mapping[str, str]
    """The variables of /etc/default/grub, from which grub.cfg is generated."""

    def named(self, *suffixes: str) -> Iterator[tuple[str, Sequence[str]]]:
        return ((path, rows) for path, rows in self.files.items() if path.endswith(suffixes))

    def environment(self, config: str) -> dict[str, str]:
        """Return the variables of grubenv. The file in the folder of `config` has priority."""
        values: dict[str, str] = {}
        own = f"{config.rpartition('/')[0]}/grubenv"
        for _path, rows in sorted(self.named("/grubenv"), key=lambda item: item[0] == own):
            values.update(menu.grub_environment(rows))
        return values


def _assignments(rows: Sequence[str]) -> Mapping[str, str]:
    """Return the variables of a file in shell syntax. A value can refer to a variable that is set above it."""
    values: dict[str, str] = {}
    for row in rows:
        match = re.fullmatch(r"(?:export\s+)?([A-Za-z_]\w*)(\+?=)(.*)", row, re.ASCII)
        if match:
            name, sign, raw = match.groups()
            value = menu.expand("".join(menu.words(raw)[:1]), values)
            values[name] = ((values.get(name, "") + value) if sign == "+=" else value)[: menu.MAX_COMMAND_LINE]
    return values


def _boot_files(output: CollectorOutput) -> _BootFiles:
    efi = False
    files: dict[str, list[str]] = {}
    settings: list[str] = []
    rows = settings
    for line in lines(output):
        kind, _space, rest = line.partition(" ")
        if kind == "efi":
            efi = True
        elif kind == "file":
            rows = files.setdefault(rest, [])
        elif kind == "|":
            rows.append(rest)
        elif kind == "grub":
            settings.append(rest)
    return _BootFiles(efi, files, _assignments(settings))


def _boot_loader(output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `grub ...` from /etc/default/grub, `efi`, and `file PATH` followed by its rows `| ROW`."""
    boot = _boot_files(output)
    settings = boot.settings
    defaults = " ".join(settings.get(name, "") for name in ("GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"))
    generated = tuple(menu.words(defaults))
    entries = _certain(boot)
    if not entries:
        entries = [*_possible(boot), *([BootEntry(generated, GRUB_DEFAULTS)] if generated else [])]
    return {"boot_entries": tuple(entries), "grub_defaults": generated}


def _certain(boot: _BootFiles) -> list[BootEntry]:
    """Return the entry that will boot, or one entry of each menu if it is unknown which menu the firmware loads.

    Returns [] if the files do not show which entry will boot."""
    bls = _bls(boot)
    configs = {path: menu.grub_config(rows, bls) for path, rows in boot.named("/grub.cfg")}
    complete = {path: config for path, config in configs.items() if menu.chosen(config.entries, "")}
    if complete and not any(config.bare for config in configs.values()):
        preferred = {p: c for p, c in complete.items() if p.startswith("/boot/efi/") == boot.efi} or complete
        return [_of_grub(boot, path, config) for path, config in preferred.items()]
    saved = _default(boot, "", None)
    by_bls = boot.settings.get("GRUB_ENABLE_BLSCFG", "").lower() in _YES or menu.matches(bls, saved)
    if bls and (by_bls or not any(config.bare for config in configs.values())):
        return [_of_bls(boot, bls)]
    if not configs:
        found = ((path, menu.extlinux_entry(rows)) for path, rows in boot.named("linux.cfg", "linux.conf"))
        return [_entry(path, entry, {}) for path, entry in found if entry]
    return []


def _possible(boot: _BootFiles) -> list[BootEntry]:
    """Return one entry of each configuration file, for files that do not show which entry will boot."""
    bls = _bls(boot)
    entries = [_of_bls(boot, bls)] if bls and not menu.is_rescue(bls[0]) else []
    for path, rows in boot.named("/grub.cfg"):
        config = menu.grub_config(rows, bls)
        bare = (menu.MenuEntry("", "", command) for command in config.bare)
        default = _default(boot, path, config)
        first = next((entry for entry in bare if not menu.is_rescue(entry)), None)
        if first is None or menu.matches(config.entries, default):
            first = menu.chosen(config.entries, default)
        if first and not menu.is_rescue(first):
            entries.append(_entry(path, first, {**config.variables, **boot.environment(path)}))
    return entries


def _bls(boot: _BootFiles) -> list[menu.MenuEntry]:
    files = ((path, rows) for path, rows in boot.named(".conf") if "/loader/entries/" in path)
    entries = (menu.bls_entry(path.rpartition("/")[2], rows) for path, rows in files)
    return menu.newest_first(entry for entry in entries if entry)


def _of_bls(boot: _BootFiles, bls: Sequence[menu.MenuEntry]) -> BootEntry:
    entry = menu.chosen(bls, _default(boot, "", None)) or bls[0]
    variables = boot.environment("")
    for path, rows in boot.named("/grub.cfg"):
        variables = {**menu.grub_config(rows, ()).variables, **boot.environment(path)}
    return _entry(f"/boot/loader/entries/{entry.name}.conf", entry, variables)


def _of_grub(boot: _BootFiles, path: str, config: menu.GrubConfig) -> BootEntry:
    entry = menu.chosen(config.entries, _default(boot, path, config))
    if entry is None:
        raise ValueError("the menu of the boot loader has no entry")
    return _entry(path, entry, {**config.variables, **boot.environment(path)})


def _default(boot: _BootFiles, path: str, config: menu.GrubConfig | None) -> str:
    """Return the number, title or ID of the entry that GRUB starts; "" for the first entry.

    Without `set default` in grub.cfg, the variable GRUB_DEFAULT of /etc/default/grub counts."""
    environment = boot.environment(path)
    if environment.get("next_entry") and (config is None or config.boots_once):
        return environment["next_entry"]
    values = [value for value in config.defaults if "next_entry" not in value] if config else []
    if values:
        return menu.expand(values[-1], {**(config.variables if config else {}), **environment})
    wanted = boot.settings.get("GRUB_DEFAULT", "")
    return environment.get("saved_entry", "") if wanted in ("", "saved") else wanted


def _entry(path: str, entry: menu.MenuEntry, variables: Mapping[str, str]) -> BootEntry:
    _kernel, *parameters = menu.words(menu.expand(entry.command or "", variables)) or [""]
    return BootEntry(tuple(parameters), path, entry.title or entry.name)


COLLECTORS = (
    Collector(
        "boot_loader",
        ("boot_entries", "grub_defaults"),
        """
root || return
local file line rows joined
shopt -s nullglob
[ ! -d /sys/firmware/efi ] || echo efi
for file in /etc/default/grub /etc/default/grub.d/*.cfg; do
  joined=
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\\r'} joined+=${line%\\\\}
    case $line in *\\\\) continue ;; esac
    case $joined in *=*) printf 'grub %s\\n' "$joined" ;; esac
    joined=
  done <"$file"
done
for file in /boot/grub2/grubenv /boot/grub/grubenv /boot/efi/EFI/*/grubenv /boot/grub2/grub.cfg /boot/grub/grub.cfg \\
            /boot/efi/EFI/*/grub.cfg /boot/loader/entries/*.conf /boot/extlinux/extlinux.conf; do
  [ -r "$file" ] || continue
  rows=()
  mapfile -t rows <"$file"
  echo "file $file"
  for line in "${rows[@]}"; do
    line=${line#"${line%%[![:space:]]*}"}
    case ${file##*/}:$line in
      *:|grubenv:[#]*|grub.cfg:set\\ root=*|grub.cfg:set\\ *gfx*|grub.cfg:set\\ timeout*) continue ;;
      grub.cfg:linux*|grub.cfg:menuentry*|grub.cfg:submenu*|grub.cfg:"}"*|grub.cfg:*"{") ;;
      grub.cfg:set\\ *|grub.cfg:blscfg*|grub.cfg:*next_entry*) ;;
      grub.cfg:*) continue ;;
    esac
    printf '| %s\\n' "$line"
  done
done
return 0
""",
        _boot_loader,
    ),
)
