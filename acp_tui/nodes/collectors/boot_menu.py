"""Find the menu entry that a boot loader starts at the next boot: GRUB, Boot Loader Specification (BLS), extlinux.

The functions are pure. Rows are lines of the configuration files without leading blanks.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise

MAX_COMMAND_LINE = 4096  # characters, which is the limit of the Linux kernels

RESCUE = ("-rescue", " recovery ", " single ", " rescue ", " emergency ", "=rescue.target ", "=emergency.target ")
"""Parts of the entries that a boot loader starts only if a person chooses them."""


_SPECIAL = re.compile(r"""["'\\#]""")


@dataclass(frozen=True)
class MenuEntry:
    """An entry of a boot menu. `command`: the kernel and its parameters; None for a submenu."""

    title: str
    name: str
    command: str | None
    children: tuple["MenuEntry", ...] = ()


@dataclass(frozen=True)
class GrubConfig:
    """The content of a grub.cfg. `defaults`: the values of `set default=`, in the order of the file."""

    entries: tuple[MenuEntry, ...]
    bare: tuple[str, ...]
    """The kernel lines outside of all entries."""
    defaults: tuple[str, ...]
    variables: Mapping[str, str]
    boots_once: bool
    """True if the file reads `next_entry`, the entry of the next boot only."""


@dataclass
class _Block:
    kind: str
    title: str = ""
    name: str = ""
    command: str | None = None
    children: list[MenuEntry] = field(default_factory=list)


def words(text: str) -> list[str]:
    """Return the words of a line in shell syntax; without quotes if they are not balanced."""
    if not _SPECIAL.search(text):
        return text[:MAX_COMMAND_LINE].split()  # much faster than shlex
    try:
        return shlex.split(text[:MAX_COMMAND_LINE], comments=True)
    except ValueError:
        return text[:MAX_COMMAND_LINE].replace('"', " ").replace("'", " ").split()


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$NAME` and `${NAME}` by the values of the variables. An unknown variable is empty, as in GRUB."""
    text = text[:MAX_COMMAND_LINE]
    return re.sub(
        r"\$(?:\{(\w+)\}|(\w+))", lambda m: variables.get(m[1] or m[2], "")[:MAX_COMMAND_LINE], text, flags=re.ASCII
    )[: 4 * MAX_COMMAND_LINE]


def is_rescue(entry: MenuEntry) -> bool:
    text = f"{entry.name} {entry.title} {entry.command or ''} "
    return any(mark in text for mark in RESCUE)


def grub_config(rows: Iterable[str], bls: Sequence[MenuEntry]) -> GrubConfig:
    """Parse the rows of a grub.cfg. The command `blscfg` in it inserts the entries `bls`."""
    top = _Block("top")
    stack = [top]
    bare: list[str] = []
    defaults: list[str] = []
    variables: dict[str, str] = {}
    boots_once = False
    for row in chain.from_iterable(map(_rows, rows)):
        entry = next((block for block in reversed(stack) if block.kind == "menuentry"), None)
        boots_once = boots_once or "next_entry" in row
        if re.match(r"(menuentry|submenu)\s", row):
            stack.append(_opened(row))
        elif row.startswith("}"):
            if len(stack) > 1:
                _close(stack)
        elif match := re.match(r"linux(?:16|efi)?\s+(.*)", row):
            if entry is None:
                bare.append(match[1])
            else:
                entry.command = match[1]
        elif row.split(" ")[0] == "blscfg" and entry is None:
            stack[-1].children.extend(bls)
        elif match := re.match(r"set\s+(\w+)=(.*)", row, re.ASCII):
            quoted = re.fullmatch(r"""(["'])([^"'\\]*)\1""", match[2])
            value = quoted[2] if quoted else "".join(words(match[2])[:1])
            if match[1] == "default":
                defaults.append(value)
            else:
                variables[match[1]] = value
        elif row.endswith("{"):
            stack.append(_Block("block"))
    while len(stack) > 1:
        _close(stack)
    return GrubConfig(tuple(top.children), tuple(bare), tuple(defaults), variables, boots_once)


def _rows(row: str) -> list[str]:
    """Return a row of grub.cfg, or the commands of an entry that is written on one row."""
    if not row.startswith(("menuentry ", "submenu ")) or row.endswith("{") or "{" not in row:
        return [row]
    head, _brace, body = row.partition("{")
    return [f"{head}{{", *(part.strip() for part in body.replace("}", ";}").split(";"))]


def _opened(row: str) -> _Block:
    """Parse `menuentry 'TITLE' OPTION... --id NAME {`. grub-mkconfig writes `$menuentry_id_option` for `--id`."""
    kind, *rest = words(row)
    block = _Block(kind, title="".join(rest[:1]))
    for before, word in pairwise(rest):
        if before in ("--id", "$menuentry_id_option", "${menuentry_id_option}"):
            block.name = word
        elif word.startswith("--id="):
            block.name = word.removeprefix("--id=")
    return block


def _close(stack: list[_Block]) -> None:
    block = stack.pop()
    if block.kind == "menuentry" and block.command is not None:
        stack[-1].children.append(MenuEntry(block.title, block.name, block.command))
    elif block.kind == "submenu":
        stack[-1].children.append(MenuEntry(block.title, block.name, None, tuple(block.children)))
    elif block.kind == "block":
        stack[-1].children.extend(block.children)


def bls_entry(name: str, rows: Iterable[str]) -> MenuEntry | None:
    """Parse a file of /boot/loader/entries. `name`: its file name. Returns None for a file without parameters."""
    values: dict[str, list[str]] = {}
    for row in rows:
        key, _space, value = row.replace("\t", " ").partition(" ")
        values.setdefault(key, []).append(value.strip())
    if "options" not in values and "linux" not in values:
        return None
    kernel = "".join(values.get("linux", ["-"])[:1])
    command = " ".join((kernel, *values.get("options", ())))
    return MenuEntry("".join(values.get("title", [])[:1]), name.removesuffix(".conf"), command)


def newest_first(entries: Iterable[MenuEntry]) -> list[MenuEntry]:
    """Sort BLS entries as GRUB does: by file name with the version order of RPM, the newest first, then rescue."""
    ordered = sorted(entries, key=lambda entry: _version_key(entry.name), reverse=True)
    return [e for e in ordered if not is_rescue(e)] + [e for e in ordered if is_rescue(e)]


def _version_key(name: str) -> list[tuple[int, int, str]]:
    """Return a key with the order of rpmvercmp: `~` sorts first, numbers sort after letters."""
    parts = re.findall(r"[0-9]+|[A-Za-z]+|~", name[:256], re.ASCII)
    return [(-1, 0, "") if p == "~" else (2, int(p), "") if p.isdigit() else (1, 0, p) for p in parts] + [(0, 0, "")]


def grub_environment(rows: Iterable[str]) -> Mapping[str, str]:
    """Parse grubenv: lines `NAME=VALUE`. The file is padded with `#`."""
    found = (re.fullmatch(r"(\w+)=(.*)", row, re.ASCII) for row in rows)
    return {match[1]: match[2].strip()[:MAX_COMMAND_LINE] for match in found if match}


def chosen(entries: Sequence[MenuEntry], default: str) -> MenuEntry | None:
    """Return the entry that GRUB starts for the value `default`: a number, title or ID, and `>` before a submenu's.

    GRUB starts the first entry if no entry has the value."""
    level: Sequence[MenuEntry] = entries
    found: MenuEntry | None = None
    for part in default.split(">")[:16] if default else ():
        found = _matching(level, part.strip())
        if found is None:
            break
        level = found.children
    return _first_kernel(found) or next((e for entry in entries if (e := _first_kernel(entry))), None)


def matches(entries: Sequence[MenuEntry], value: str) -> bool:
    """Return whether `value` is the title or the ID of an entry."""
    return bool(value) and any(value in (entry.title, entry.name) for entry in entries)


def _matching(level: Sequence[MenuEntry], part: str) -> MenuEntry | None:
    if re.fullmatch(r"[0-9]{1,4}", part):
        return level[int(part)] if int(part) < len(level) else None
    return next((entry for entry in level if part and part in (entry.name, entry.title)), None)


def _first_kernel(entry: MenuEntry | None) -> MenuEntry | None:
    for _level in range(16):
        if entry is None or entry.command is not None:
            return entry
        entry = next(iter(entry.children), None)
    return None


def extlinux_entry(rows: Iterable[str]) -> MenuEntry | None:
    """Return the entry that extlinux or U-Boot starts by default from an extlinux.conf."""
    entries: dict[str, list[str]] = {}
    default, label = "", ""
    for key, value in _keys(rows):
        if key == "default":
            default = value
        elif key == "label":
            label = value
            entries.setdefault(label, [])
        elif key == "menu" and value.lower() == "default":
            default = label
        elif key == "append" and label:
            entries[label] = [value]
    name = default if default in entries else next(iter(entries), None)
    return None if name is None else MenuEntry(name, name, " ".join(("-", *entries[name])))


def _keys(rows: Iterable[str]) -> Iterator[tuple[str, str]]:
    for row in rows:
        key, _space, value = row.replace("\t", " ").partition(" ")
        yield key.lower(), value.strip()
