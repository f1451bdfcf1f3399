"""The collector of the round trip times, the packet loss and the packet sizes between nodes (NETCFG-LAT-INTRA).

Every node sends one burst of full-size pings to every peer. If the burst is healthy, the node only counts the peer.
Otherwise it sends more bursts over some seconds, because one bad burst can also come from a busy node: the burst with
the lowest median counts. A packet counts as lost only if it could no longer be on its way when the burst ended.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from shlex import quote

from acp_tui.core.text import fill_template
from acp_tui.nodes.collectors.children import CHILDREN
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.fact_types import Ping, RoundTrips
from acp_tui.nodes.path_summary import Peers, PingSummary, Spread
from acp_tui.nodes.script import Collector, CollectorOutput

_WAVE = 50  # peers that a node pings at the same time
_MOST_EXAMINED = 100  # peers with a bad burst that get more bursts; one wave of them takes 12 s at most
_FIRST_SECONDS, _MORE_SECONDS = 4, 12

# Times are in microseconds. `read_report` reads the lines that ping prints for each reply:
#     64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.045 ms
# Without `-w`, ping sends exactly `-c` packets. It then waits for the last replies only as long as the interval between
# two packets, or two round trips. So the last packets of a burst can be on their way when ping ends.
# If ping receives nothing, it waits for the one second of `-W`.
_SHELL = """
local own=@OWN@ peers=() again=() reports=() medians=() healthy=0 count=10 gap=0.02 pause=0.05 flying=5 host i
local sent got counted times low median mean high
local -A mtu=()
tool ping || return 127
set -f
[ "$EUID" -eq 0 ] || count=5 gap=0.2 pause=0.2 flying=1
for host in @PEERS@; do
  case " $own " in *" $host "*) ;; *) peers+=("$host") ;; esac
done
read_links() {
  local row nic size
  local -A of_nic=()
  tool ip || return
  while read -r row; do
    row=${row#local } host=${row%% *} nic=${row#* dev } nic=${nic%% *}
    size=${of_nic[$nic]}
    [ -n "$size" ] || read -r size <"/sys/class/net/$nic/mtu" || continue
    [ "$size" -lt 65536 ] || size=65535 # the loopback interface has a larger MTU than an IP packet can have
    of_nic[$nic]=$size mtu[$host]=$size
  done < <(printf 'route get %s\\n' "${peers[@]}" | ip -o -force -batch -)
}
send() {
  local ping=ping head=28 size=()
  case $1 in *:*) head=48; ! tool ping6 || ping=ping6 ;; esac
  [ -z "$3" ] || size=(-M do -s $((${mtu[$1]:-1500} - head)))
  exec "$ping" -n -c "$count" -i "$2" -W 1 "${size[@]}" "$1"
}
read_report() {
  local line number time first=1 last=0 sum=0 at=0 seen=() sorted=() IFS=$'\\n'
  sent=${1%% packets transmitted*} sent=${sent##*[!0-9]} got=0 counted=0 low= median= mean= high=
  [ -n "$sent" ] && [ "${#sent}" -lt 5 ] || { sent=0; return; }
  for line in $1; do
    case $line in *'bytes from '*seq=*' time='*) ;; *) continue ;; esac
    number=${line##*seq=} number=${number%% *} time=${line##* time=} time=${time%% *}
    case $number in '' | *[!0-9]*) continue ;; esac
    case $time in '' | *[!0-9.]* | *.*.*) continue ;; esac
    [ "${#number}" -lt 6 ] && [ "${#time}" -lt 10 ] && [ -z "${seen[number]}" ] || continue
    case $time in *.*) line=${time#*.}000 ;; *) line=000 ;; esac
    time=$((10#0${time%%.*} * 1000 + 10#0${line:0:3}))
    seen[number]=1 got=$((got + 1)) sum=$((sum + time)) sorted[time]=$((sorted[time] + 1))
    [ "$number" -le "$last" ] || last=$number
    [ "$number" -gt 0 ] || first=0
  done
  number=$((first + sent - 1 - $2))
  [ "$last" -gt "$number" ] || last=$number
  counted=$((last - first + 1))
  [ "$got" -gt 0 ] || { counted=$sent; return; }
  mean=$((sum / got))
  for time in "${!sorted[@]}"; do
    low=${low:-$time} high=$time at=$((at + sorted[time]))
    [ -n "$median" ] || [ "$at" -lt $(((got + 1) / 2)) ] || median=$time
  done
}
good() { [ "$got" -gt 0 ] && [ "$median" -le @LIMIT@ ] && [ "$mean" -le @LIMIT@ ]; }
first_burst() {
  read_report "$2" "$flying"
  if good && [ "$got" -eq "$sent" ]; then
    healthy=$((healthy + 1)) medians[median]=$((medians[median] + 1))
  else
    again+=("$1") reports+=("$2")
  fi
}
take() {
  read_report "$1" "$2"
  all=$((all + counted)) received=$((received + got))
  [ "$got" -gt 0 ] || return
  if [ -z "$best" ] || [ "$median" -lt "$best" ]; then best=$median figures="$low $median $mean $high"; fi
}
examine() {
  local host=$1 full=1 size=1 round best= figures= all=0 received=0 clean=0 bursts=1
  printf '%s ' "$BASHPID"
  take "$2" "$flying"
  if [ "$got" -eq 0 ]; then
    full=0 all=0
    take "$(send "$host" "$gap")" "$flying"
    [ "$received" -gt 0 ] || take "$(send "$host" 0.2)" 1
    for round in 1 2; do
      [ "$received" -gt 0 ] && [ "$full" -eq 0 ] || break
      read_report "$(send "$host" "$gap" full)" "$flying"
      [ "$got" -eq 0 ] || full=1
    done
    [ "$full" -eq 1 ] || size=
  fi
  while [ "$received" -gt 0 ] && [ "$bursts" -lt 6 ]; do
    sleep 0.2
    take "$(send "$host" "$pause" $size)" 2
    bursts=$((bursts + 1))
    if good && [ "$got" -ge "$counted" ]; then clean=$((clean + 1)); else clean=0; fi
    if [ "$full" -eq 0 ] && [ "$clean" -ge 1 ]; then break; fi
    if [ "$clean" -ge 1 ] && [ $((all - received)) -le 1 ]; then clean=3; fi
    if [ "$clean" -ge 3 ]; then printf 'healthy %s' "$median"; return; fi
  done
  printf 'size %s full %s sent %s received %s times %s' "${mtu[$host]:-0}" "$full" "$all" "$received" "$figures"
}
examined() {
  case $2 in
    'healthy '*) healthy=$((healthy + 1)) median=${2#healthy }; medians[median]=$((medians[median] + 1)) ;;
    *) printf '%s %s\\n' "$1" "$2" ;;
  esac
}
read_links
for host in "${peers[@]}"; do
  exec {fd}< <(printf '%s ' "$BASHPID"; send "$host" "$gap" full)
  fds+=("$fd") targets+=("$host")
  [ "${#fds[@]}" -lt @WAVE@ ] || gather @FIRST@ first_burst
done
gather @FIRST@ first_burst
for i in "${!again[@]}"; do
  if [ "$i" -ge @EXAMINED@ ]; then
    read_report "${reports[i]}" "$flying"
    host=${again[i]}
    printf '%s size %s full 1 sent %s received %s times %s\\n' "$host" "${mtu[$host]:-0}" "$counted" "$got" \\
      "$low $median $mean $high"
    continue
  fi
  exec {fd}< <(examine "${again[i]}" "${reports[i]}")
  fds+=("$fd") targets+=("${again[i]}")
  [ "${#fds[@]}" -lt @WAVE@ ] || gather @MORE@ examined
done
gather @MORE@ examined
low= high= sent=0 median=
for i in "${!medians[@]}"; do
  low=${low:-$i} high=$i sent=$((sent + medians[i]))
  [ -n "$median" ] || [ "$sent" -lt $(((healthy + 1) / 2)) ] || median=$i
done
printf '= healthy %s %s %s %s\\n' "$healthy" "$low" "$median" "$high"
"""


def ping_collector(peers: Peers, own: frozenset[str]) -> Collector:
    """Return the collector that pings all peers except the node itself. `own`: the addresses of the node."""
    shell = fill_template(
        CHILDREN + _SHELL,
        OWN=quote(" ".join(sorted(own))),
        PEERS=_addresses(peers),
        LIMIT=str(round(peers.limit * 1_000_000)),
        WAVE=str(_WAVE),
        EXAMINED=str(_MOST_EXAMINED),
        FIRST=str(_FIRST_SECONDS),
        MORE=str(_MORE_SECONDS),
    )
    others = len(peers.peers) - len(own)
    more = -(-min(others, _MOST_EXAMINED) // _WAVE) * (_MORE_SECONDS + 1)
    seconds = min(60, -(-others // _WAVE) * 2 + _FIRST_SECONDS + more)
    return Collector("pings", ("pings",), shell, lambda output: _pings(peers, own, output), timeout=seconds, early=True)


@lru_cache(maxsize=4)
def _addresses(peers: Peers) -> str:
    return " ".join(quote(peer.address) for peer in peers.peers)


_LINE = re.compile(r"size (\d{1,6}) full ([01]) sent (\d{1,5}) received (\d{1,5}) times ?(.{0,60})")
_HEALTHY = re.compile(r"healthy (\d{1,5})(?: (\d{1,9}) (\d{1,9}) (\d{1,9}))? *")


def _pings(peers: Peers, own: frozenset[str], output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `HOST size MTU full 0|1 sent COUNT received COUNT times [LOW MEDIAN MEAN HIGH]` and the last line
    `= healthy COUNT [LOW MEDIAN HIGH]` with times in microseconds.

    A peer whose line has no such form was not pinged. Raises ValueError if the output does not cover all peers."""
    listed: dict[str, Ping] = {}
    healthy, times = 0, None
    for line in lines(output):
        host, _space, rest = line.partition(" ")
        if host == "=" and (match := _HEALTHY.fullmatch(rest)) is not None:
            healthy = int(match[1])
            times = Spread(*(int(match[at]) / 1e6 for at in (2, 3, 4))) if match[2] else None
        elif host in peers.by_address and host not in own:
            listed[host] = _ping(host, rest)
    if healthy + len(listed) != len(peers.peers) - len(own):
        raise ValueError("the pings do not cover all nodes")
    return {"pings": PingSummary(peers.limit, healthy, times, tuple(listed.values()))}


def _ping(host: str, text: str) -> Ping:
    match = _LINE.fullmatch(text.strip())
    if match is None:
        return Ping(host, 0, 0)
    size, full, sent, received = (int(match[at]) for at in (1, 2, 3, 4))
    figures = [int(figure) / 1e6 for figure in match[5].split() if re.fullmatch(r"[0-9]{1,9}", figure)]
    return Ping(
        host,
        sent,
        min(sent, received),
        RoundTrips(*figures) if len(figures) == len(RoundTrips._fields) and received else None,
        size or None,
        bool(full) if received else None,
    )
