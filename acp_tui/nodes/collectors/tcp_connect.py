"""The collector of X-FIREWALL. It needs only bash, and opens TCP connections to many targets at the same time.

One process can test many ports of a reachable host within a few milliseconds. All targets without a reply together take
as long as one timeout. The timeout is long enough for the kernel to send a lost packet again.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from shlex import quote

from acp_tui.core.i18n import _
from acp_tui.core.text import fill_template
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.fact_types import TcpPath, TcpResult
from acp_tui.nodes.script import Collector, CollectorOutput
from acp_tui.plan.field_types import is_ip

_MOST_CHILDREN = 200  # at a time on one node
_FEW_PORTS = 3  # of one host; up to this number each port has its own child

# Hundredths of a second.
_QUIET = 15  # without a result: ports that wait for a slow one get a child of their own
_ONE_RETRANSMIT = 120  # for a connect: a lost packet is sent again after one second (RFC 6298)
_TWO_RETRANSMITS = 320  # and after three: if the host replies on other ports, or no host has replied
_MAX_WAIT = 400  # also for a name, because it must be resolved first
_SLOWEST_TIMES = 5  # or this multiple of the slowest reply so far: a busy node gets more time


# A child connects to a host's ports one after another and adds the time to each result. The wait is the time that the
# child sleeps for the network, and does not depend on when its parent reads the result.
# bash's `read -t` may report a timeout although it has read the complete line, without its newline. Angle brackets
# therefore mark complete results, with or without a newline.
_SHELL = """
local queue=(@TARGETS@) next=0 fds=() hosts=() pending=() parts=() pids=() waits=() since=()
local i now until last_result slowest=0 line port TIMEFORMAT=' %3R'
declare -A replied
clock() { local up; read -r up _ </proc/uptime || up=$SECONDS.00; now=$((10#${up/./})); }
connect_all() {
  local port now
  clock; echo "<from $BASHPID $now>"
  for port in ${2//,/ }; do
    { time { : 3<>"/dev/tcp/$1/$port" && echo ': connected'; }; } 2>&1
    clock; echo "<port $port $now>"
  done
}
start_child() {
  local fd target=${queue[next]}
  i=$next next=$((next + 1)) hosts[i]=${target%%=*} waits[i]=${target##*=} since[i]=$now
  target=${target#*=} pending[i]=,${target%=*},
  exec {fd}< <(connect_all "${hosts[i]}" "${target%=*}")
  fds[i]=$fd
}
end_child() {
  local fd=${fds[i]}
  exec {fd}<&-
  unset "fds[i]"
  [ -z "${pids[i]}" ] || kill -9 "${pids[i]}"
}
handle_result() {
  local message=${parts[i]%<*} port=${parts[i]##*<} mark stamp
  mark=${port%% *} stamp=${port##* } port=${port#* } message=${message##*: } parts[i]=
  stamp=${stamp%>} port=${port% *} last_result=${stamp%>}
  case "$mark $message" in
    from* | *connected* | *refused*) [ $((stamp - since[i])) -le "$slowest" ] || slowest=$((stamp - since[i])) ;;
  esac
  since[i]=$stamp
  if [ "$mark" = from ]; then pids[i]=$port; return; fi
  replied[${hosts[i]}]=1
  case ${pending[i]} in *",$port,"*) printf '%s %s %s\\n' "${hosts[i]}" "$port" "${message//$'\\n'/ }" ;; esac
  pending[i]=${pending[i]/,$port,/,}
  [ "${pending[i]}" != , ] || end_child
}
read_results() {
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
      *'<'*'>') handle_result ;;
      *) [ "$got" -ne 0 ] || parts[i]+=$'\n' ;;
    esac
    if [ "$got" -gt 128 ] || [ -z "${fds[i]}" ]; then return; fi
    if [ "$got" -ne 0 ]; then # the child was ended from outside: another one continues
      line=${pending[i]#,} queue+=("${hosts[i]}=${line%,}=${waits[i]}")
      end_child
      return
    fi
  done
}
asleep() {
  local stat=
  read -r stat <"/proc/${pids[i]}/stat"; stat=${stat##*) }
  [ "${stat%% *}" = S ]
}
still_waiting() {
  local most
  until=0
  for i in "${!fds[@]}"; do
    most=${waits[i]}
    if [ "${#replied[@]}" -eq 0 ] || [ -n "${replied[${hosts[i]}]}" ]; then most=@TWICE@; fi
    [ $((slowest * @TIMES@)) -le "$most" ] || most=$((slowest * @TIMES@))
    [ "${waits[i]}" -lt @MOST@ ] && [ "$most" -le @MOST@ ] || most=@MOST@
    asleep || since[i]=$now
    [ $((since[i] + most)) -le "$until" ] || until=$((since[i] + most))
  done
  [ "$now" -lt "$until" ]
}
clock
while [ "$next" -lt "${#queue[@]}" ] || [ "${#fds[@]}" -gt 0 ]; do
  while [ "$next" -lt "${#queue[@]}" ] && [ "${#fds[@]}" -lt @CHILDREN@ ]; do start_child; done
  clock; last_result=$now
  while [ "${#fds[@]}" -gt 0 ] && [ "$now" -lt $((last_result + @QUIET@)) ]; do
    for i in "${!fds[@]}"; do until=$((last_result + @QUIET@)); read_results; done
    clock
  done
  for i in "${!fds[@]}"; do
    line=${pending[i]#,} pending[i]=,${line%%,*}, line=${line#*,}
    for port in ${line//,/ }; do queue+=("${hosts[i]}=$port=${waits[i]}"); done
  done
  [ "$next" -ge "${#queue[@]}" ] || [ "${#fds[@]}" -ge @CHILDREN@ ] || continue
  while [ "${#fds[@]}" -gt 0 ] && still_waiting; do
    for i in "${!fds[@]}"; do read_results; done
    clock
  done
  for i in "${!fds[@]}"; do
    printf '%s %s (silent)\n' "${hosts[i]}" "${pending[i]//,/}"
    end_child
  done
done
"""

_RESULTS: Mapping[str, TcpResult] = {
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
"""Errors of connect(2) in the C locale. A blackhole route on the node itself causes "Invalid argument"."""


def tcp_connect_collector(tcp_targets: tuple[tuple[str, int], ...]) -> Collector:
    """Return the collector that connects to each host and port of `tcp_targets`."""
    by_host: dict[str, list[str]] = defaultdict(list)
    for host, port in tcp_targets:
        by_host[host].append(str(port))
    targets = []
    for host, ports in by_host.items():
        wait = _ONE_RETRANSMIT if is_ip(host) else _MAX_WAIT
        targets += [f"{host}={group}={wait}" for group in (ports if len(ports) <= _FEW_PORTS else [",".join(ports)])]
    shell = fill_template(
        _SHELL,
        TARGETS=" ".join(map(quote, targets)),
        CHILDREN=str(_MOST_CHILDREN),
        QUIET=str(_QUIET),
        TWICE=str(_TWO_RETRANSMITS),
        MOST=str(_MAX_WAIT),
        TIMES=str(_SLOWEST_TIMES),
    )
    timeout = 5 * -(-len(tcp_targets) // _MOST_CHILDREN) + 8
    return Collector(
        "paths", ("paths",), shell, lambda output: _paths(tcp_targets, output), timeout=timeout, early=True
    )


_DETAIL_LENGTH = 80
_SECONDS = re.compile(r"\b(\d{1,4}[.,]\d{3})\b")


def _paths(tcp_targets: tuple[tuple[str, int], ...], output: CollectorOutput) -> Mapping[str, object]:
    """Parse lines `HOST PORT[,PORT...] MESSAGE`. The message includes the duration of the connect in seconds.

    Each target becomes a TcpPath. Its result is UNKNOWN if the output has no line for it, or if the message is unknown.
    If the output contains no result at all, the fact `paths` is missing."""
    targets, results = {(host, str(port)): (host, port) for host, port in tcp_targets}, dict[tuple[str, int], TcpPath]()
    for line in lines(output):
        host, _space, rest = line.partition(" ")
        ports, _space, message = rest.partition(" ")
        result, seconds = _parse_message(message)
        if result is TcpResult.FORBIDDEN and "Invalid argument" in message and not is_ip(host):
            result = TcpResult.UNRESOLVED  # bash's message for a name that it cannot resolve
        detail = message.strip()[:_DETAIL_LENGTH] if result is TcpResult.UNKNOWN else ""
        for port in ports.split(","):
            if (target := targets.get((host, port))) is not None:
                results[target] = TcpPath(*target, result, seconds, detail)
    if tcp_targets and not results:
        return {}
    reason = _("the node did not report the result of the TCP connect")
    return {
        "paths": tuple(
            results.get(target) or TcpPath(*target, TcpResult.UNKNOWN, detail=reason)
            for target in dict.fromkeys(tcp_targets)
        )
    }


@lru_cache(maxsize=256)
def _parse_message(message: str) -> tuple[TcpResult, float | None]:
    """Return the result of the connect that `message` reports, and its duration in seconds.

    The results are cached, because many connects have the same message."""
    took = _SECONDS.search(message)
    result = next((result for text, result in _RESULTS.items() if text in message), TcpResult.UNKNOWN)
    return result, float(took[1].replace(",", ".")) if took else None
