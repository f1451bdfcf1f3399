#!/bin/sh
# Create the virtual environment $1 and install this checkout and its locked dependencies into it. Requires Python 3.11
# or newer. On Debian and Ubuntu, root also installs the system packages that acp-tui needs and that are missing: venv,
# gpg and gpg-agent. The script names them first. For other users it only prints their names.
set -eu

venv=${1:?usage: setup.sh VENV}
cd "$(dirname "$0")/.."

log() { echo "setup: $*" >&2; }
fail() { log "$@"; exit 1; }
has_venv() { "$python" -c 'import ensurepip, venv' 2>/dev/null; }

python=
for name in python3.14 python3.13 python3.12 python3.11 python3; do
  if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$name
    break
  fi
done
[ -n "$python" ] || fail "Python 3.11 or newer is missing. Install it first. On Debian 12: apt-get install python3-venv;" \
  "on Ubuntu 22.04: apt-get install python3.11-venv"

missing=
need() { # package, purpose
  missing="$missing $1"
  log "The system package $1 is missing. It is needed to $2."
}
venv_package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
has_venv || need "$venv_package" "create $venv"
command -v gpg >/dev/null || need gpg "verify the signature of a package"
command -v gpg-agent >/dev/null || need gpg-agent "sign the package of the practice cluster"

if [ -n "$missing" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  log "Installing as root from the distribution:$missing"
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # a list of package names
  apt-get install -qq -y --no-install-recommends $missing >/dev/null 2>&1 ||
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing >/dev/null; } ||
    log "cannot install all of these packages"
elif [ -n "$missing" ]; then
  log "Only root can install them, and only on Debian and Ubuntu: apt-get install --no-install-recommends$missing"
fi
has_venv || fail "the venv module of $python is missing. Install it first: apt-get install $venv_package"

log "creating $venv with $("$python" --version)"
"$python" -m venv --clear "$venv" || fail "cannot create $venv"
"$venv/bin/pip" install -qq --disable-pip-version-check --require-hashes -r requirements.lock ||
  fail "cannot install the locked dependencies. Check the connection to the package index."
"$venv/bin/pip" install -qq --disable-pip-version-check --no-deps --no-build-isolation -e . ||
  fail "cannot install acp-tui into $venv"
