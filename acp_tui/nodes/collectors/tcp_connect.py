"""TCP connects from a node to many places at once, with bash alone: who answers, refuses or is silent (X-FIREWALL).

A healthy network costs one process a host and a few milliseconds. Silence costs one wait, for all that is silent at
once, and nobody is called silent before the kernel has asked again.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from shlex import quote

from acp_tui.core.i18n import _
from acp_tui.core.text import fill_template
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.facts import TcpPath, TcpResult
from acp_tui.nodes.script import Collector, CollectorOutput
from acp_tui.plan.field_types import is_ip

_AT_ONCE = 200  # children of a node at a time
_FEW = 3  # ports of a host up to which each is dialled by a child of its own

# Hundredths of a second.
_QUIET = 15  # without any news: now the ports that wait behind a silent one are dialled, too
_AGAIN = 120  # for a connect: a lost packet is sent again after one second (RFC 6298)
_TWICE = 320  # and after three: where the host answers at other ports, or nobody has answered at all
_MOST = 400  # also for a name, which has to be looked up first
_TIMES = 5  # or so many times longer than it took to hear any answer: a busy node is given more


# A child dials a host's ports one after another and stamps each answer with the time. What counts is how long it has
# waited for the network, asleep, and not how late its parent looks.
# bash's `read -t` may say that it is late when it has taken the whole line, and then nobody knows of the newline. So
# what counts stands in angle brackets: it is whole with or without a newline around it.
_SHELL = """
local queue=(@DIALS@) next=0 fds=() hosts=() rests=() parts=() pids=() waits=() since=() i now until news late=0
local line port TIMEFORMAT=' %3R'
declare -A answers
clock() { local up; read -r up _ </proc/uptime || up=$SECONDS.00; now=$((10#${up/./})); }
dial() {
  local port now
  clock; echo "<from $BASHPID $now>"
  for port in ${2//,/ }; do
    { time { : 3<>"/dev/tcp/$1/$port" && echo ': connected'; }; } 2>&1
    clock; echo "<port $port $now>"
  done
}
begin_dial() {
  local fd way=${queue[next]}
  i=$next next=$((next + 1)) hosts[i]=${way%%=*} waits[i]=${way##*=} since[i]=$now
  way=${way#*=} rests[i]=,${way%=*},
  exec {fd}< <(dial "${hosts[i]}" "${way%=*}")
  fds[i]=$fd
}
end_dial() {
  local fd=${fds[i]}
  exec {fd}<&-
  unset "fds[i]"
  [ -z "${pids[i]}" ] || kill -9 "${pids[i]}"
}
heard() {
  local told=${parts[i]%<*} port=${parts[i]##*<} mark stamp
  mark=${port%% *} stamp=${port##* } port=${port#* } told=${told##*: } parts[i]=
  stamp=${stamp%>} port=${port% *} news=${stamp%>}
  case "$mark $told" in
    from* | *connected* | *refused*) [ $((stamp - since[i])) -le "$late" ] || late=$((stamp - since[i])) ;;
  esac
  since[i]=$stamp
  if [ "$mark" = from ]; then pids[i]=$port; return; fi
  answers[${hosts[i]}]=1
  case ${rests[i]} in *",$port,"*) printf '%s %s %s\\n' "${hosts[i]}" "$port" "${told//$'\\n'/ }" ;; esac
  rests[i]=${rests[i]/,$port,/,}
  [ "${rests[i]}" != , ] || end_dial
}
hear() {
  local line left got=0
  clock; left=$((until - now))
  if [ "$left" -le 0 ]; then
    read -r -t 0 <&"${fds[i]}" || return
    left=1
  fi
  printf -v left '%d.%02d' $((left / 100)) $((left % 100))
  while [ -n "${fds[i]}" ]; do
    IFS= read -r -t "$left" line <&"${fds[i]}"; got=$?
    parts[i]+=$line
    case ${parts[i]} in
      *'<'*'>') heard ;;
      *) [ "$got" -ne 0 ] || parts[i]+=$'\n' ;;
    esac
    if [ "$got" -gt 128 ] || [ -z "${fds[i]}" ]; then return; fi
    if [ "$got" -ne 0 ]; then # it ended before its time: another one goes on where it was
      line=${rests[i]#,} queue+=("${hosts[i]}=${line%,}=${waits[i]}")
      end_dial
      return
    fi
  done
}
asleep() {
  local stat=
  read -r stat <"/proc/${pids[i]}/stat"; stat=${stat##*) }
  [ "${stat%% *}" = S ]
}
patience() {
  local most
  until=0
  for i in "${!fds[@]}"; do
    most=${waits[i]}
    if [ "${#answers[@]}" -eq 0 ] || [ -n "${answers[${hosts[i]}]}" ]; then most=@TWICE@; fi
    [ $((late * @TIMES@)) -le "$most" ] || most=$((late * @TIMES@))
    [ "${waits[i]}" -lt @MOST@ ] && [ "$most" -le @MOST@ ] || most=@MOST@
    asleep || since[i]=$now
    [ $((since[i] + most)) -le "$until" ] || until=$((since[i] + most))
  done
  [ "$now" -lt "$until" ]
}
clock
while [ "$next" -lt "${#queue[@]}" ] || [ "${#fds[@]}" -gt 0 ]; do
  while [ "$next" -lt "${#queue[@]}" ] && [ "${#fds[@]}" -lt @CHILDREN@ ]; do begin_dial; done
  clock; news=$now
  while [ "${#fds[@]}" -gt 0 ] && [ "$now" -lt $((news + @QUIET@)) ]; do
    for i in "${!fds[@]}"; do until=$((news + @QUIET@)); hear; done
    clock
  done
  for i in "${!fds[@]}"; do
    line=${rests[i]#,} rests[i]=,${line%%,*}, line=${line#*,}
    for port in ${line//,/ }; do queue+=("${hosts[i]}=$port=${waits[i]}"); done
  done
  [ "$next" -ge "${#queue[@]}" ] || [ "${#fds[@]}" -ge @CHILDREN@ ] || continue
  while [ "${#fds[@]}" -gt 0 ] && patience; do
    for i in "${!fds[@]}"; do hear; done
    clock
  done
  for i in "${!fds[@]}"; do
    printf '%s %s (silent)\n' "${hosts[i]}" "${rests[i]//,/}"
    end_dial
  done
done
"""

_WORDS: Mapping[str, TcpResult] = {
    "connected": TcpResult.CONNECTED,
    "Connection refused": TcpResult.REFUSED,
    "Connection timed out": TcpResult.TIMEOUT,
    "(silent)": TcpResult.TIMEOUT,
    "No route to host": TcpResult.NO_ROUTE,
    "Host is down": TcpResult.NO_ROUTE,
    "Network is unreachable": TcpResult.FORBIDDEN,
    "Permission denied": TcpResult.FORBIDDEN,
    "Operation not permitted": TcpResult.FORBIDDEN,
    "Invalid argument": TcpResult.FORBIDDEN,
}
"""connect(2)'s errors in the C locale. A black hole among the node's own routes is an "Invalid argument"."""


def dialling(dials: tuple[tuple[str, int], ...]) -> Collector:
    """The question what becomes of a connect to each host and port of `dials`."""
    by_host: dict[str, list[str]] = defaultdict(list)
    for host, port in dials:
        by_host[host].append(str(port))
    ways = []
    for host, ports in by_host.items():
        wait = _AGAIN if is_ip(host) else _MOST
        ways += [f"{host}={way}={wait}" for way in (ports if len(ports) <= _FEW else [",".join(ports)])]
    shell = fill_template(
        _SHELL,
        DIALS=" ".join(map(quote, ways)),
        CHILDREN=str(_AT_ONCE),
        QUIET=str(_QUIET),
        TWICE=str(_TWICE),
        MOST=str(_MOST),
        TIMES=str(_TIMES),
    )
    waves = -(-len(dials) // _AT_ONCE)
    return Collector("paths", ("paths",), shell, lambda r: _paths(dials, r), timeout=5 * waves + 8, early=True)


_WORDS_SHOWN = 80
_SECONDS = re.compile(r"\b(\d{1,4}[.,]\d{3})\b")


def _paths(dials: tuple[tuple[str, int], ...], reading: CollectorOutput) -> Mapping[str, object]:
    """Lines `HOST PORT[,PORT...] WORDS`, with the seconds of the connect among the words: hundreds of them.

    Each of `dials` becomes a path: one that the answer does not tell, or in words that are not known here, says so. An
    answer that tells of none at all leaves a gap."""
    asked, found = {(host, str(port)): (host, port) for host, port in dials}, dict[tuple[str, int], TcpPath]()
    for line in lines(reading):
        host, _space, rest = line.partition(" ")
        ports, _space, said = rest.partition(" ")
        reach, seconds = _told(said)
        if reach is TcpResult.FORBIDDEN and "Invalid argument" in said and not is_ip(host):
            reach = TcpResult.UNRESOLVED  # what bash says of a name that it cannot look up
        words = said.strip()[:_WORDS_SHOWN] if reach is TcpResult.UNTOLD else ""
        for port in ports.split(","):
            if (way := asked.get((host, port))) is not None:
                found[way] = TcpPath(*way, reach, seconds, words)
    if dials and not found:
        return {}
    why = _("the node's answer does not tell it")
    return {
        "paths": tuple(found.get(way) or TcpPath(*way, TcpResult.UNTOLD, words=why) for way in dict.fromkeys(dials))
    }


@lru_cache(maxsize=256)
def _told(said: str) -> tuple[TcpResult, float | None]:
    """What became of a connect, and the seconds it took. Most answers say the same, to the millisecond."""
    took = _SECONDS.search(said)
    reach = next((reach for words, reach in _WORDS.items() if words in said), TcpResult.UNTOLD)
    return reach, float(took[1].replace(",", ".")) if took else None
