#!/usr/bin/env bash
# PRACTICE: replaces the installer's setup.sh in the practice package. It installs nothing. It starts the simulated
# installer with the `python` in this folder and prints the address of its console. `setup.conf` sets its behaviour.
set -eu
cd "$(dirname "$0")"
here=$PWD

network=kube-ovn family=ipv4
while [ $# -gt 0 ]; do
  case "$1 ${2-}" in
    "--network-mode calico") network=calico; shift 2 ;;
    "--ip-family ipv6") family=ipv6; shift 2 ;;
    *) printf 'setup.sh: unknown option: %s\n' "$1" >&2; exit 2 ;;
  esac
done

seconds=1 exit=0
if [ -f setup.conf ]; then
  while IFS='=' read -r key value; do
    case $key in
      seconds) seconds=$value ;;
      exit) exit=$value ;;
    esac
  done <setup.conf
fi
pause() { sleep "$(awk -v s="$seconds" 'BEGIN { print s / 4 }')"; }
say() { printf '[PRACTICE] %s\n' "$*"; }

say "installer: network $network, address family $family"
for phase in "checking this node" "loading images" "starting minialauda-control-plane"; do
  say "$phase ..."
  pause
done
if [ "$exit" -ne 0 ]; then
  say "failed: this practice is set to fail here" >&2
  exit "$exit"
fi

rm -rf practice
mkdir -m 700 practice
setsid "${ACP_PRACTICE_PYTHON:-$here/python}" -m acp_tui.demo.fake_installer --folder "$here/practice" \
  --behaviour "$here/behaviour.json" </dev/null >practice/stand-in.log 2>&1 &
started=$!
for _ in $(seq 1 300); do
  [ -s practice/port ] && break
  if ! kill -0 "$started" 2>/dev/null; then
    say "the simulated installer did not start:" >&2
    cat practice/stand-in.log >&2
    exit 1
  fi
  sleep 0.1
done
pause
say "the web console is ready: http://127.0.0.1:$(cat practice/port)"
