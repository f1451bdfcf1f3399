"""Read /etc/fstab exactly as getmntent(3) and systemd-fstab-generator(8) do, and name its systemd units."""

import re
from dataclasses import dataclass

FSTAB_SHELL = """\
fstab() {
  local line number=0
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1)) line=${line//$'\\r'/\\\\015} line=${line//$'\\xef\\xbb\\xbf'/\\\\ufeff}
    case $line in *"$1"*) printf 'fstab %s %s\\n' "$number" "$line" ;; esac
  done </etc/fstab
}
"""
"""A shell function that prints the lines of /etc/fstab with the text `$1`: `fstab NUMBER LINE`.

Carriage returns and byte order marks are printed visibly, because acp-tui removes them from the output, but getmntent
does not."""

_ESCAPE = re.compile(r"\\(040|011|012|134|\\)")
_ESCAPED = {"040": " ", "011": "\t", "012": "\n", "134": "\\", "\\": "\\"}
_TAGS = {"UUID": "by-uuid", "LABEL": "by-label", "PARTUUID": "by-partuuid", "PARTLABEL": "by-partlabel"}


@dataclass(frozen=True)
class FstabEntry:
    line: int
    device: str
    folder: str
    type: str
    options: tuple[str, ...]

    @property
    def source(self) -> str:
        return f"/etc/fstab line {self.line}"

    @property
    def at_boot(self) -> bool:
        """False with the option `noauto`. Of `noauto` and `auto`, the last one counts."""
        return next((option == "auto" for option in reversed(self.options) if option in ("noauto", "auto")), True)


def fstab_entry(text: str) -> FstabEntry | None:
    """Parse `NUMBER LINE`. Returns None for a comment, an empty line and a line without a type."""
    number, _space, line = text.partition(" ")
    line = line.lstrip(" \t")
    if not line or line.startswith("#") or re.fullmatch(r"[0-9]{1,6}", number) is None:
        return None
    columns = [_ESCAPE.sub(lambda m: _ESCAPED[m[1]], column) for column in re.split(r"[ \t]+", line, maxsplit=4)[:4]]
    if len(columns) < 3:
        return None
    options = columns[3].split(",") if len(columns) > 3 else []
    return FstabEntry(int(number), columns[0], columns[1], columns[2], tuple(options))


def swap_unit(device: str) -> str:
    """Return the name of the systemd unit that activates a swap device or file of /etc/fstab."""
    tag, equals, value = device.partition("=")
    if equals and tag in _TAGS:
        encoded = "".join(c if re.match(r"[\w#+.:=@-]", c) else _hex(c) for c in value.strip('"'))
        device = f"/dev/disk/{_TAGS[tag]}/{encoded}"
    return f"{escape_path(device)}.swap"


def escape_path(path: str) -> str:
    """Return a path as `systemd-escape --path` does."""
    parts = [part for part in path.split("/") if part]
    escaped = "-".join("".join(c if re.match(r"[A-Za-z0-9:_.]", c) else _hex(c) for c in part) for part in parts)
    return ("\\x2e" + escaped[1:] if escaped.startswith(".") else escaped) or "-"


def _hex(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode())
