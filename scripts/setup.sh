#!/bin/sh
# Create the virtual environment $1 and install the locked dependencies and this checkout into it. Requires Python 3.11
# or newer. On Debian and Ubuntu, root also installs missing system packages (venv, gnupg). For other users the script
# only prints the names of these packages.
set -eu

venv=${1:?usage: setup.sh VENV}
cd "$(dirname "$0")/.."

log() { echo "setup: $*" >&2; }
fail() { log "$@"; exit 1; }
can_install() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; }
install() {
  log "installing from the distribution: $*"
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null 2>&1 ||
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null; }
}

python=
for name in python3.14 python3.13 python3.12 python3.11 python3; do
  if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$name
    break
  fi
done
[ -n "$python" ] || fail "Python 3.11 or newer is missing. Install it first. On Debian 12: apt-get install python3-venv;" \
  "on Ubuntu 22.04: apt-get install python3.11-venv"

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  if can_install; then install "$package" || fail "cannot install $package"; fi
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "the venv module of $python is missing. Install it first: apt-get install $package"
fi

if ! command -v gpg >/dev/null; then
  if can_install; then install gnupg || log "cannot install gnupg. acp-tui requires it to verify packages."
  else log "gpg is missing. acp-tui requires it to verify packages. Install it: apt-get install gnupg"; fi
fi

log "creating $venv with $("$python" --version)"
"$python" -m venv --clear "$venv" || fail "cannot create $venv"
"$venv/bin/pip" install -qq --disable-pip-version-check --require-hashes -r requirements.lock ||
  fail "cannot install the locked dependencies. Check the connection to the package index."
"$venv/bin/pip" install -qq --disable-pip-version-check --no-deps --no-build-isolation -e . ||
  fail "cannot install acp-tui into $venv"
