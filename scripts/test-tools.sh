#!/bin/sh
# On Debian and Ubuntu, root installs the system packages that the tests need. Otherwise the script prints the missing
# packages. It always exits with 0: a test whose program is missing skips itself and prints the reason.
set -u

missing=
need() { # command, package
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null || missing="$missing $2"
}
need sshd openssh-server
need ssh-keygen openssh-client
need gpg gnupg
need tmux tmux
need ip iproute2
need ps procps
need sudo sudo
need ping iputils-ping
need nft nftables
need curl curl
need socat socat
[ -e /usr/share/zoneinfo/Europe/Moscow ] || missing="$missing tzdata"

if [ -n "$missing" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "test-tools: installing from the distribution:$missing" >&2
  export DEBIAN_FRONTEND=noninteractive
  # The installation of the package openssh-server must not start sshd on this machine.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 0' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
  fi
  # shellcheck disable=SC2086 # a list of package names
  apt-get install -qq -y --no-install-recommends $missing >/dev/null 2>&1 ||
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing >/dev/null; } ||
    echo "test-tools: cannot install all packages; tests that need a missing package will be skipped" >&2
elif [ -n "$missing" ]; then
  echo "test-tools: cannot install packages here (this needs root, and Debian or Ubuntu)." \
    "Tests that need these missing packages will be skipped:$missing" >&2
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "test-tools: the tests with real sshd nodes need root and will be skipped" >&2
fi
exit 0
