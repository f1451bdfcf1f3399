#!/bin/sh
# Make the virtual environment $1 with the locked dependencies and this checkout in it. Needs Python 3.11 or newer.
# Root on Debian or Ubuntu gets what the distribution splits off (venv, gnupg) installed; others are told its name.
set -eu

venv=${1:?usage: setup.sh VENV}
cd "$(dirname "$0")/.."

say() { echo "setup: $*" >&2; }
fail() { say "$@"; exit 1; }
can_install() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; }
install() {
  say "installing from the distribution: $*"
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
[ -n "$python" ] || fail "Python 3.11 or newer is needed; on Debian 12: apt-get install python3-venv," \
  "on Ubuntu 22.04: apt-get install python3.11-venv"

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  if can_install; then install "$package" || fail "could not install $package"; fi
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python has no venv; install it first: apt-get install $package"
fi

if ! command -v gpg >/dev/null; then
  if can_install; then install gnupg || say "could not install gnupg; packages cannot be verified without it"
  else say "gpg is missing; packages cannot be verified without it: apt-get install gnupg"; fi
fi

say "making $venv with $("$python" --version)"
"$python" -m venv --clear "$venv" || fail "could not make $venv"
"$venv/bin/pip" install -qq --disable-pip-version-check --require-hashes -r requirements.lock ||
  fail "could not install the locked dependencies; is the package index within reach?"
"$venv/bin/pip" install -qq --disable-pip-version-check --no-deps --no-build-isolation -e . ||
  fail "could not install acp-tui into $venv"
