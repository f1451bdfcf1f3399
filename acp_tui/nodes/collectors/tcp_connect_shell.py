"""The shell snippet of the collector in `tcp_connect.py`."""

# First, one child for each host connects to the ports of the host one after another. When no result has arrived for
# @QUIET@ hundredths of a second, the ports without a result are tried again in rounds: in each round every such port
# gets one more child, while the earlier ones still wait. All times are in hundredths of a second.
#
# A child adds the time to each result. The wait is the time that the child sleeps for the network, and does not depend
# on when its parent reads the result. bash's `read -t` may report a timeout although it has read the complete line,
# without its newline. Angle brackets therefore mark complete results, with or without a newline.
#
# A host without any reply is either down or silent, and needs fewer attempts if the other hosts have shown that the
# line loses no packets. Its MAC address is possibly unknown: the kernel asks for it once a second, so a lost request
# would hide an existing host. To make the kernel ask again at once, root deletes the unfinished neighbour entry.
SHELL = """
local queue=() fds=() hosts=() pending=() parts=() pids=() since=() spread=() own=@OWN@ key host port
local i at=0 next=0 now start until finish round=0 last_result slowest=0 first=0 late=0 open=0 refused=0 budget=@BUDGET@
local TIMEFORMAT=' %3R'
local -A replied=() ssh_port=() name=() explicit=() done=() waiting=() attempts=() tried_host=() number=()
local -A failed=() asked=() best=() again=()
named() {
  local host=$1 port
  [ "$2" = ip ] || name[$host]=1
  for port in "${@:3}"; do queue+=("$host $port"); explicit["$host $port"]=1; done
}
peers() {
  local host ssh=$1 ports=$2
  for host in "${@:3}"; do
    case " $own " in *" $host "*) continue ;; esac
    ssh_port[$host]=$ssh queue+=("$host $ports")
  done
}
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
  local fd
  clock; i=$next next=$((next + 1)) hosts[i]=$1 pending[i]=,$2, since[i]=$now
  exec {fd}< <(connect_all "$1" "$2")
  fds[i]=$fd
}
end_child() {
  local fd=${fds[i]}
  exec {fd}<&-
  unset "fds[i]"
  [ -z "${pids[i]}" ] || kill -9 "${pids[i]}"
}
settle() {
  local key="$1 $2" message=$3 took=${3##* }
  took=${took//[!0-9]/} took=$((10#0$took))
  case $message in
    connected* | *refused*)
      if [ "$took" -ge 90 ] || [ "${attempts[$key]:-1}" -gt 1 ]; then late=$((late + 1)); else first=$((first + 1)); fi
      [ "$took" -ge 900 ] || [ "$took" -ge "${best[$1]:-900}" ] || best[$1]=$took
      case $message in *refused*) again[$1]=$2 ;; esac
      replied[$1]=1 ;;
    *'No route'*)
      if [ -n "${waiting[$key]}" ] && { [ "$took" -ge 900 ] || [ -n "${asked[$1]}" ]; }; then
        failed[$key]=$message
        return
      fi ;;
  esac
  [ -z "${done[$key]}" ] || return
  done[$key]=1
  waiting[$key]=
  if [ -n "${ssh_port[$1]}" ] && [ -z "${explicit[$key]}" ]; then
    case $message in
      connected*) open=$((open + 1)); return ;;
      *refused*) if [ "$2" != "${ssh_port[$1]}" ]; then refused=$((refused + 1)); return; fi ;;
    esac
  fi
  printf '%s %s\\n' "$key" "${message//$'\\n'/ }"
}
handle_result() {
  local message=${parts[i]%<*} port=${parts[i]##*<} mark stamp
  mark=${port%% *} stamp=${port##* } port=${port#* } message=${message##*: } parts[i]=
  stamp=${stamp%>} port=${port% *} last_result=$now
  case "$mark $message" in
    from* | *connected* | *refused*) [ $((stamp - since[i])) -le "$slowest" ] || slowest=$((stamp - since[i])) ;;
  esac
  since[i]=$stamp
  if [ "$mark" = from ]; then pids[i]=$port; return; fi
  case ${pending[i]} in *",$port,"*) settle "${hosts[i]}" "$port" "$message" ;; esac
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
      *'<'*'>') clock; handle_result ;;
      *) [ "$got" -ne 0 ] || parts[i]+=$'\\n' ;;
    esac
    if [ "$got" -gt 128 ] || [ -z "${fds[i]}" ]; then return; fi
    if [ "$got" -ne 0 ]; then wait_for "${pending[i]}"; end_child; return; fi # the child was ended from outside
  done
}
read_all() { for i in "${!fds[@]}"; do read_results; done; }
wait_for() {
  local port
  for port in ${1//,/ }; do
    key="${hosts[i]} $port"
    [ -n "${done[$key]}${waiting[$key]}" ] || waiting[$key]=$now number[$key]=${#number[@]}
  done
}
any_waiting() {
  local since=${waiting[*]}
  [ -n "${since// /}" ]
}
make_room() {
  while [ "${#fds[@]}" -ge @CHILDREN@ ]; do
    for i in "${!fds[@]}"; do break; done
    until=$((since[i] + @PAUSE@)); read_results; clock
    [ -z "${fds[i]}" ] || end_child
  done
}
asleep() {
  local stat=
  for i in "${!fds[@]}"; do
    [ "${hosts[i]}" = "$1" ] && [ -n "${pids[i]}" ] || continue
    read -r stat <"/proc/${pids[i]}/stat"; stat=${stat##*) }
    [ "${stat%% *}" != S ] || return 0
  done
  return 1
}
silent() {
  local host=${1% *} needed=@ATTEMPTS@ tried=${attempts[$1]:-0} age=$((now - waiting[$1]))
  if [ "$budget" -le 0 ] || [ $((now - start)) -ge @SECONDS@ ]; then return 0; fi
  if [ $((first + late)) -eq 0 ] && [ $((@BUDGET@ - budget)) -ge 150 ]; then return 0; fi # no host replies at all
  if [ -n "${name[$host]}" ]; then needed=400 tried=$age
  elif [ -z "${replied[$host]}" ] && [ -z "${asked[$host]}" ]; then
    [ "$age" -lt 40 ] || tried=${tried_host[$host]}
    if [ -n "${explicit[$1]}" ] && [ "$first" -ge 16 ] && [ "$late" -eq 0 ]; then needed=12; fi
  elif [ -z "${replied[$host]}" ]; then
    tried=$((age / @PAUSE@))
    if [ "$late" -gt 0 ]; then :
    elif [ -n "${explicit[$1]}" ] && [ "$first" -ge 16 ]; then needed=5
    elif [ "$first" -ge 8 ]; then needed=12
    fi
  fi
  if [ "$tried" -lt "$needed" ] || { [ "$age" -lt $((slowest * 5)) ] && [ "$age" -lt 400 ]; }; then return 1; fi
  [ "$age" -ge 800 ] || asleep "$host"
}
ask_again() {
  local row host nic hidden=
  for key in "${!waiting[@]}"; do
    host=${key% *}
    [ -z "${waiting[$key]}" ] || [ -n "${replied[$host]}" ] || hidden+=" $host "
  done
  [ -n "$hidden" ] && [ "$EUID" -eq 0 ] && tool ip || return
  while read -r row; do
    host=${row%% *} nic=${row#* dev } nic=${nic%% *}
    case $hidden in *" $host "*) asked[$host]=1; ip neigh del "$host" dev "$nic" ;; esac
  done < <(ip -o neigh show nud incomplete)
}
summary() {
  local took low= median= high= count=0 seen=0
  for host in "${!ssh_port[@]}"; do
    took=${best[$host]}
    [ -n "$took" ] || continue
    count=$((count + 1)) spread[took]=$((spread[took] + 1))
    [ "$took" -le @LIMIT@ ] || echo "= slow $host $took"
  done
  for took in "${!spread[@]}"; do
    low=${low:-$took} high=$took
    [ -n "$median" ] || [ $((seen += spread[took])) -lt $(((count + 1) / 2)) ] || median=$took
  done
  echo "= healthy $open $refused $low $median $high"
}
try_again() {
  local host=${1% *}
  [ -n "${waiting[$1]}" ] && [ "$budget" -gt 0 ] && [ $((now - start)) -lt @SECONDS@ ] || return
  if [ -n "${name[$host]}" ] && [ $(((now - waiting[$1]) / 100)) -lt "${attempts[$1]:-0}" ]; then return; fi
  if [ -z "${replied[$host]}${explicit[$1]}" ] && [ -n "${attempts[$1]}" ]; then
    [ $(((${number[$1]} + round) % 4)) -eq 0 ] || return # a silent host gets fewer attempts at each of its many ports
  fi
  make_room
  start_child "$host" "${1##* }"
  attempts[$1]=$((${attempts[$1]:-0} + 1)) budget=$((budget - 1))
  tried_host[$host]=$((${tried_host[$host]:-1} + 1))
}
time_slow_hosts() {
  local count=0
  for host in "${!again[@]}"; do
    if [ -n "${ssh_port[$host]}" ] && [ "${best[$host]}" -gt @LIMIT@ ] && [ "$count" -lt 50 ]; then
      port=${again[$host]} count=$((count + 1))
      start_child "$host" "$port,$port,$port,$port"
    fi
  done
  [ "$count" -gt 0 ] || return
  clock; until=$((now + 20)); read_all
  sleep 0.2
}
@NAMED@
@PEERS@
clock; start=$now
while [ "$at" -lt "${#queue[@]}" ] || [ "${#fds[@]}" -gt 0 ]; do
  while [ "$at" -lt "${#queue[@]}" ] && [ "${#fds[@]}" -lt @CHILDREN@ ]; do
    start_child "${queue[at]% *}" "${queue[at]#* }"; at=$((at + 1))
  done
  clock; last_result=$now
  while [ "${#fds[@]}" -gt 0 ] && [ "$now" -lt $((last_result + @QUIET@)) ]; do
    until=$((last_result + @QUIET@)); read_all; clock
    if [ "$at" -lt "${#queue[@]}" ] && [ "${#fds[@]}" -lt @CHILDREN@ ]; then continue 2; fi
  done
  for i in "${!fds[@]}"; do
    port=${pending[i]#,} port=${port%%,*} key="${hosts[i]} $port"
    wait_for "${pending[i]}"
    pending[i]=,$port, attempts[$key]=${attempts[$key]:-1}
    [ "${attempts[$key]}" -gt 1 ] || waiting[$key]=${since[i]}
    [ "$at" -ge "${#queue[@]}" ] || [ "${#fds[@]}" -lt @CHILDREN@ ] || end_child
  done
  [ "$at" -lt "${#queue[@]}" ] || break
done
while any_waiting; do
  clock; round=$((round + 1)) finish=$((now + @PAUSE@))
  for key in "${!waiting[@]}"; do try_again "$key"; done
  [ $((round % 2)) -eq 0 ] || ask_again
  until=$finish; read_all; clock
  while [ "$now" -lt "$finish" ] && any_waiting; do
    if [ "${#fds[@]}" -gt 0 ]; then read_all; else sleep 0.1; fi
    clock
  done
  for key in "${!waiting[@]}"; do
    if [ -n "${waiting[$key]}" ] && silent "$key"; then
      waiting[$key]=
      settle "${key% *}" "${key##* }" "${failed[$key]:-(silent)}"
    fi
  done
done
time_slow_hosts; time_slow_hosts; time_slow_hosts
for i in "${!fds[@]}"; do end_child; done
summary
"""
