"""Collector of the rules of nftables and iptables in the kernel (SEC-FIREWALL, X-FIREWALL).

The collector reads all lists that the kernel can have: nftables, and iptables in both variants. A command that would
load a kernel module is not run. If a list cannot be read completely, the reason becomes a part of the fact.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from acp_tui.core.i18n import _
from acp_tui.nodes.packet_filter import iptables, nft
from acp_tui.nodes.packet_filter.iptables_options import Sets
from acp_tui.nodes.packet_filter.model import Chain, PacketFilter
from acp_tui.nodes.script import Collector, CollectorOutput

MOST_BYTES = 240_000
"""The most bytes of rules that a node sends. A longer list is cut, and the fact then has the reason."""

_PREFIX = re.compile(r"[A-Za-z0-9]{1,20}[-_.]?")
_BUILT_IN = frozenset(("INPUT", "OUTPUT", "FORWARD", "PREROUTING", "POSTROUTING"))


@dataclass
class _List:
    """The output of one command: its name, exit status and rows. `variant`: of iptables, `nft`, `legacy` or `other`."""

    command: str
    variant: str = ""
    status: str = ""
    cut: bool = False
    rows: list[str] = field(default_factory=list)

    @property
    def of_nft(self) -> bool:
        """True if the list has tables of nftables that iptables manages."""
        return self.variant == "nft" or "-nft-" in self.command or any("(nf_tables)" in row for row in self.rows[:3])


@dataclass
class _Parts:
    lists: list[_List] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    boot: list[str] = field(default_factory=list)
    harmless: dict[str, bool] = field(default_factory=dict)
    """Rule file that blocks nothing → True if it contains no rule at all."""
    done: bool = False


def _parts(output: CollectorOutput) -> _Parts:
    """Split the output at its lines `@ ...`. A list begins with `@ list COMMAND` and ends with `@ end STATUS`."""
    parts = _Parts()
    rows: list[str] | None = None
    for row in output.text.split("\n"):
        if not row.startswith("@ "):
            if rows is not None:
                rows.append(row)
            continue
        _at, kind, *words = row.split(" ")
        word = words[0] if words else ""
        if kind == "list":
            parts.lists.append(_List(word, words[1] if len(words) > 1 else ""))
            rows = parts.lists[-1].rows
        elif kind == "end" and rows is not None:
            parts.lists[-1].status, parts.lists[-1].cut, rows = word, "cut" in words, None
        elif kind == "missing":
            parts.missing.append(word)
        elif kind == "boot":
            parts.boot.append(word[:200])
        elif kind == "harmless":
            parts.harmless[word[:200]] = "empty" in words
        elif kind == "done":
            parts.done = True
    return parts


def _packet_filter(output: CollectorOutput) -> Mapping[str, object]:
    """Parse the lists. Raises ValueError if the output does not end as it should."""
    parts = _parts(output)
    if not parts.done:
        raise ValueError("the list of rules is incomplete")
    found = _Found()
    sets = iptables.parse_sets(row for part in parts.lists if part.command == "ipset" for row in part.rows)
    for part in parts.lists:
        if part.command not in ("nft", "ipset"):
            found.add_save(part, sets)
    for part in parts.lists:
        if part.command == "nft":
            found.add_nft(part)
    unread = [
        *found.reasons(),
        *(
            _("the kernel can have packet filter rules, but the command {command} is not installed").format(
                command=name
            )
            for name in parts.missing
        ),
    ]
    return {
        "packet_filter": PacketFilter(
            chains=tuple(found.chains),
            unread=tuple(dict.fromkeys(unread)),
            chain_prefixes=tuple(sorted({prefix for chain in found.chains for prefix in _prefix(chain)})),
            tables=tuple(sorted(set(found.tables))),
            boot_files=tuple(dict.fromkeys(parts.boot)),
            # A file with chains that the kernel does not have is not the file that the unit has loaded.
            harmless_files=tuple(path for path, empty in parts.harmless.items() if empty or found.chains),
        )
    }


def _prefix(chain: Chain) -> Iterator[str]:
    match = _PREFIX.match(chain.name)
    if chain.hook is None and chain.name not in _BUILT_IN and match is not None:
        yield match[0]


class _Found:
    """The chains of the lists that were parsed, and the reasons why others were not."""

    def __init__(self) -> None:
        self.chains: list[Chain] = []
        self.tables: list[str] = []
        self.unread: list[str] = []
        self._unread_of_nft: list[str] = []
        """Reasons that do not count if nft lists the same rules."""
        self._by_iptables: set[tuple[str, str]] = set()
        """The tables of nftables that iptables manages and has listed."""

    def _incomplete(self, part: _List) -> str:
        """Return why the list is not complete; "" if it is. The rows of such a list are not parsed."""
        if part.cut:
            return _("the list of rules from {command} is too long").format(command=part.command)
        if part.status != "0":
            return _problem(part.command, next(filter(str.strip, part.rows), part.status))
        return ""

    def add_save(self, part: _List, sets: Sets) -> None:
        family = "ip6" if part.command.startswith("ip6") else "ip"
        reason, chains = self._incomplete(part), []
        if not reason:
            try:
                chains = iptables.parse_save(part.rows, family, part.command.removesuffix("-save"), sets)
            except iptables.NotAList as error:
                reason = _problem(part.command, str(error))
        if reason:
            (self._unread_of_nft if part.of_nft else self.unread).append(reason)
            return
        self.chains += chains
        if part.of_nft:
            self._by_iptables |= {(family, chain.table) for chain in chains}

    def add_nft(self, part: _List) -> None:
        reason = self._incomplete(part)
        if not reason:
            try:
                chains, tables = nft.parse_ruleset(part.rows, self._by_iptables)
            except nft.NotAList as error:
                reason = _problem(part.command, str(error))
            else:
                self.chains += chains
                self.tables += tables
                self._unread_of_nft.clear()
        if reason:
            self.unread.append(reason)

    def reasons(self) -> list[str]:
        """Return why rules were not read. nft must be added last."""
        return [*self.unread, *self._unread_of_nft]


def _problem(command: str, message: str) -> str:
    return _("the list of rules from {command} cannot be read: {message}").format(
        command=command, message=message.strip()[:200]
    )


_SHELL = """
root || return
local rows=() listed=() names row path status left=@MOST@ family command kind nft= cut=
local families= saved= sets= blocks= seen=
can_have_nft() {
  local rows release
  [ -e /proc/modules ] && [ -e /sys/module/printk ] || return 0
  [ ! -e /sys/module/nf_tables ] || return 0
  read -r release </proc/sys/kernel/osrelease
  mapfile -t rows <"/lib/modules/$release/modules.builtin" || return 0
  [[ ${rows[*]} == */nf_tables.ko* ]]
}
fetch() {
  mapfile -t -n 200000 rows < <("$@" 2>&1; printf '\\n%s' "$?")
  status=${rows[${#rows[@]} - 1]}
  unset "rows[${#rows[@]} - 1]"
}
send() {
  local row kept=() skip=
  cut=
  for row in "${rows[@]}"; do
    case $row in
      *' KUBE-'*|:KUBE-*)
        case $row in
          -A\\ KUBE-S[VE][CPL]-*|-A\\ KUBE-EXT-*|-A\\ KUBE-FW-*|-A\\ KUBE-XLB-*) continue ;;
          :KUBE-S[VE][CPL]-*|:KUBE-EXT-*|:KUBE-FW-*|:KUBE-XLB-*) continue ;;
          -A\\ KUBE-*\\ -j\\ KUBE-S[VE][CPL]-*|-A\\ KUBE-*\\ -j\\ KUBE-EXT-*|-A\\ KUBE-*\\ -j\\ KUBE-FW-*) continue ;;
          -A\\ KUBE-*\\ -j\\ KUBE-XLB-*) continue ;;
        esac ;;
      'table ip'*) case $saved in *" ${row% "{"} "*) skip=1 ;; esac ;;
      '}') [ -z "$skip" ] || { skip=; continue; } ;;
    esac
    [ -z "$skip" ] || continue
    case $row in
      *[Dd][Rr][Oo][Pp]*|*[Rr][Ee][Jj][Ee][Cc][Tt]*) blocks=1 ;;
    esac
    case $row in *--match-set*) sets=1 ;; esac
    left=$((left - ${#row} - 1))
    [ "$left" -gt 0 ] || { cut=cut; break; }
    kept+=("$row")
  done
  echo "@ list $1 $2"
  [ "${#kept[@]}" -eq 0 ] || printf '%s\\n' "${kept[@]}"
  echo "@ end $status $cut"
}
variant() {
  local folder IFS=:
  kind=
  for folder in $PATH; do
    [ -x "$folder/$1" ] || continue
    kind=other
    if [ "$folder/$1" -ef "$folder/xtables-nft-multi" ]; then kind=nft
    elif [ "$folder/$1" -ef "$folder/xtables-legacy-multi" ] || [ "$folder/$1" -ef "$folder/xtables-multi" ]; then
      kind=legacy
    fi
    return
  done
}
if can_have_nft; then
  if tool nft; then
    fetch nft list ruleset
    nft=$status listed=("${rows[@]}")
    for row in "${rows[@]}"; do
      case $row in
        'table ip filter {'|'table ip nat {'|'table ip mangle {'|'table ip raw {'|'table ip security {')
          families+=' ip ' ;;
        'table ip6 filter {'|'table ip6 nat {'|'table ip6 mangle {'|'table ip6 raw {'|'table ip6 security {')
          families+=' ip6 ' ;;
      esac
    done
  else
    families=' ip  ip6 '
    echo '@ missing nft'
  fi
fi
for family in ip ip6; do
  names=() seen=
  [ ! -e "/proc/net/${family}_tables_names" ] || mapfile -t names <"/proc/net/${family}_tables_names"
  for command in "${family}tables-legacy-save" "${family}tables-nft-save" "${family}tables-save"; do
    variant "$command"
    case $seen in *" $kind "*) continue ;; esac
    case $kind in
      '') continue ;;
      legacy) [ "${#names[@]}" -gt 0 ] || continue ;;
      nft) case $families in *" $family "*) ;; *) continue ;; esac ;;
      other) [ -z "$seen" ] || continue; seen+=' legacy  nft ' ;;
    esac
    seen+=" $kind "
    fetch "$command"
    send "$command" "$kind"
    case $kind-$command-$status$cut in nft-*-0|other-*-nft-save-0) ;; *) continue ;; esac
    for row in "${rows[@]}"; do case $row in '*'*) saved+=" table $family ${row#'*'} " ;; esac; done
  done
  case "${#names[@]}:$seen" in 0:*|*' legacy '*) ;; *) echo "@ missing ${family}tables-legacy-save" ;; esac
done
if [ -n "$nft" ]; then
  rows=("${listed[@]}") status=$nft
  send nft nft
fi
if [ -n "$sets" ]; then
  if tool ipset; then fetch ipset save; send ipset -; fi
fi
for path in /etc/nftables.conf /etc/sysconfig/nftables.conf /etc/iptables/rules.v{4,6} /etc/sysconfig/ip{,6}tables; do
  [ -f "$path" ] && mapfile -t -n 5000 rows <"$path" && [ "${#rows[@]}" -lt 5000 ] || continue
  kind=empty
  for row in "${rows[@]}"; do
    row=${row#"${row%%[![:space:]]*}"}
    case $row in
      ''|'#'*|'flush ruleset'*) ;;
      *[Dd][Rr][Oo][Pp]*|*[Rr][Ee][Jj][Ee][Cc][Tt]*|*[Qq][Uu][Ee][Uu][Ee]*|*include*) continue 2 ;;
      *) kind=rules ;;
    esac
  done
  echo "@ harmless $path $kind"
done
if [ -n "$blocks" ]; then
  for path in /etc/rc.local /etc/rc.d/rc.local /etc/network/if-{pre-up,up}.d/* /etc/networkd-dispatcher/*/* \
    /etc/NetworkManager/dispatcher.d/* /etc/crontab /etc/cron.d/* /var/spool/cron/{,crontabs/}root \
    /etc/systemd/system/*.service; do
    [ -f "$path" ] && mapfile -t -n 5000 rows <"$path" || continue
    for row in "${rows[@]}"; do
      row=${row#"${row%%[![:space:]]*}"}
      case $row in
        '#'*) ;;
        *nft\\ *|*iptables\\ *|*ip6tables\\ *|*tables-restore*) echo "@ boot $path"; break ;;
      esac
    done
  done
fi
echo '@ done'
"""

COLLECTORS = (
    Collector(
        "packet_filter",
        ("packet_filter",),
        _SHELL.replace("@MOST@", str(MOST_BYTES)),
        _packet_filter,
        timeout=15,
    ),
)
