#!/bin/sh
# On Debian and Ubuntu, root installs the system packages that the tests need. The script names them first. Otherwise it
# only prints the missing packages. It always exits with 0: a test whose program is missing skips itself and prints the
# reason.
set -u

log() { echo "test-tools: $*" >&2; }
missing=
need() { # command, package, purpose
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null || add "$2" "$3"
}
add() { # package, purpose
  missing="$missing $1"
  log "The system package $1 is missing. The tests need it for $2."
}
need sshd openssh-server "real sshd nodes"
need ssh-keygen openssh-client "SSH keys"
need gpg gpg "signatures"
need gpg-agent gpg-agent "signatures"
need tmux tmux "the wizard in a real terminal"
need ip iproute2 "the networks of the nodes"
need ps procps "lists of processes"
need sudo sudo "logins of users other than root"
need ping iputils-ping "connectivity checks"
need nft nftables "packet filters on the nodes"
need curl curl "HTTP checks on the nodes"
need socat socat "listeners on the nodes"
[ -e /usr/share/zoneinfo/Europe/Moscow ] || add tzdata "time zones"

if [ -n "$missing" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  log "Installing as root from the distribution:$missing"
  export DEBIAN_FRONTEND=noninteractive
  # The installation of the package openssh-server must not start sshd on this machine.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    log "During the installation, $policy prevents that it starts services."
    trap 'rm -f "$policy"' EXIT
    trap 'exit 0' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
  fi
  # shellcheck disable=SC2086 # a list of package names
  apt-get install -qq -y --no-install-recommends $missing >/dev/null 2>&1 ||
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing >/dev/null; } ||
    log "cannot install all of these packages. Tests that need a missing package will be skipped."
elif [ -n "$missing" ]; then
  log "Only root can install them, and only on Debian and Ubuntu. Tests that need them will be skipped."
fi
[ "$(id -u)" -eq 0 ] || log "The tests with real sshd nodes need root, so they will be skipped."
exit 0
