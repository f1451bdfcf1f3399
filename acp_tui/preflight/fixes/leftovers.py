"""Fixes for leftovers of a former cluster or runtime, from the table of `nodes/leftovers`.

No step deletes data: files are moved into the backup folder of the fix, and undo.sh moves them back. While a process of
a cluster or runtime runs, and on nodes with the data of a cluster, acp-tui removes nothing.
"""

import re
from collections.abc import Iterator, Mapping
from shlex import quote

from acp_tui.checks.node.leftovers import Found, belongs, found_leftovers
from acp_tui.core.i18n import _
from acp_tui.nodes.leftovers import LEFTOVERS, Kind
from acp_tui.nodes.leftovers.find import processes
from acp_tui.preflight.fixes.step import FixContext, FixStep, Recipe, unexpected_names

SHOW_FOLDERS = """\
for path in {paths}; do
  [ -e "$path" ] || [ -L "$path" ] || continue
  timeout 20 du -sxh "$path"
  newest=$(timeout 20 find "$path" -xdev -type f -printf '%TY-%Tm-%Td %TH:%TM  %p\\n' | sort -r | head -n 1)
  echo "newest file: ${{newest:-none}}"
done
true"""
"""Show the size of each path and its newest file."""

_WANTED = "/etc/systemd/system/multi-user.target.wants/kubelet.service"
_PLACE = r"/[A-Za-z0-9/._:@+-]{1,300}|[A-Za-z0-9._@-]{1,15}"
_MOVED = (
    Kind.PATH, Kind.SETTINGS, Kind.NETWORK_CONFIG, Kind.DOCKER_CONFIG, Kind.PROGRAM, Kind.SYSTEM_PROGRAM,
)  # fmt: skip


def _recipe(*, by_default: bool, guarded: bool) -> Recipe:
    """Return the recipe of a requirement of the table.

    `by_default`: the step runs by default if it fixes a blocker. `guarded`: the step also checks on the node that no
    process of a cluster runs.
    """

    def recipe(case: FixContext) -> FixStep | str:
        running = case.facts.cluster_processes or ()
        if running and guarded:
            return _(
                "these processes run on the node: {names}. Find out which cluster or runtime they belong to "
                "(CAP-FRESH-ENV)"
            ).format(names=", ".join(running))
        found = found_leftovers(case.facts, case.verdict.requirement, case.plan)
        data = [place for item in found if item.row.data for place in item.places]
        if data:
            return _(
                "the node has data of a cluster: {paths}. Make sure that nobody needs this cluster, and back up the "
                "data. Then reset the node with the tool that created the cluster"
            ).format(paths=", ".join(data))
        strange = [p for item in found for p in item.places if not _accepted(item, p)]
        if strange or not found:
            return unexpected_names(strange)
        return _step(case, found, by_default=by_default, guarded=guarded)

    return recipe


def _accepted(item: Found, place: str) -> bool:
    return re.fullmatch(_PLACE, place) is not None and "/../" not in f"{place}/" and belongs(item.row, place)


def _step(case: FixContext, found: tuple[Found, ...], *, by_default: bool, guarded: bool) -> FixStep:
    moved = [place for item in found if item.row.kind in _MOVED for place in item.places]
    commands = [f"not_running {' '.join(processes(LEFTOVERS))}"] if guarded else []
    for item in found:
        commands += _commands(item)
    commands += [f"move_away {quote(path)}" for path in moved]
    undo = [f'mv -n -T "$folder"/moved{quote(path)} {quote(path)}' for path in moved]
    units = [place.rpartition("/")[2] for item in found if item.row.kind is Kind.UNIT for place in item.places]
    undo += [f"systemctl enable {' '.join(map(quote, units))}"] if units else []
    if any("/systemd/" in place for item in found for place in item.places):
        commands.append("systemctl daemon-reload")
        undo.append("systemctl daemon-reload")
    return FixStep(
        case.verdict.requirement,
        case.title,
        "\n".join(commands),
        undo="\n".join(undo) or None,
        files=(_WANTED,) if case.verdict.requirement == "FS-KUBELET-UNIT" else (),
        applied_by_default=by_default,
        preview=SHOW_FOLDERS.format(paths=" ".join(map(quote, moved))) if moved and not by_default else None,
        note="" if by_default else _("Check first which software each of these leftovers belongs to."),
    )


def _commands(item: Found) -> Iterator[str]:
    """Yield the commands that remove what is not a file."""
    places = " ".join(map(quote, item.places))
    match item.row.kind:
        case Kind.INTERFACE:
            yield f"delete_links {places}"
        case Kind.TUNNEL:
            yield from (f"ip -4 addr flush dev {quote(name)}" for name in item.places)
        case Kind.UNIT:
            yield f"systemctl disable {' '.join(quote(place.rpartition('/')[2]) for place in item.places)}"
        case Kind.MOUNT:
            yield f"umount {places}"
        case Kind.IPVS:
            yield "ipvsadm --clear"
        case Kind.CHAIN:
            yield 'echo "Restart the node to remove the iptables chains."'
        case Kind.PATH if item.row.id == "kubelet-unit":
            yield "systemctl disable kubelet || true"


LEFTOVER_RECIPES: Mapping[str, Recipe] = {
    "CAP-FRESH-ENV": _recipe(by_default=False, guarded=True),
    "FS-KUBELET-UNIT": _recipe(by_default=True, guarded=True),
    "PKG-LEFTOVER-BIN": _recipe(by_default=False, guarded=False),
}
