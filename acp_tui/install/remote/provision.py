"""Provide acp-tui on the installer node. If the same version is not installed there, copy acp-tui from this host.

A remote install provides acp-tui before it uploads the package. Error messages name the next step. On the node, root
runs only programs that no other user can change.
"""

import hashlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from acp_tui import __version__
from acp_tui.core.i18n import _, pgettext
from acp_tui.install.remote.self_archive import SelfArchive
from acp_tui.install.remote.start_and_follow import RemoteInstallError, run_script, untrusted_folder
from acp_tui.install.remote.trusted_path import TRUSTED, UNTRUSTED
from acp_tui.nodes.script import NEEDS_ROOT
from acp_tui.nodes.ssh.connection import Connection
from acp_tui.nodes.ssh.errors import ConnectionLost
from acp_tui.nodes.ssh.sftp import Upload

FOLDER = "program"
"""The folder for the copied acp-tui on the node. It is in the folder of the remote install."""

_PYTHONS = (f"python{sys.version_info.major}.{sys.version_info.minor}", "python3")
_IMPORT_TEST = "import acp_tui.cli.actions.install"
"""Python code that tests the copied program: it imports every library that an install needs."""
_UNPACK_TIMEOUT = 300  # seconds
_TEST_FAILED = 75

_FIND = (
    TRUSTED
    + """
root || return
local program name python
export HOME=~root LANG=C.UTF-8
while IFS= read -r program; do
  case $(limit 20 "$program" --version 2>/dev/null </dev/null) in
    "acp-tui "@VERSION@) echo "there $program"; return 0 ;;
  esac
done < <(programs acp-tui)
echo "machine $(uname -m)"
for name in @PYTHONS@; do
  read -r python < <(programs "$name") || continue
  echo "python $name $(limit 20 "$python" -I -c 'import sys; print(sys.implementation.cache_tag)')"
done
return 0
"""
)
_UNPACK = (
    TRUSTED
    + """
root || return
umask 022
local home=@HOME@ new=@HOME@.new.$$ python=@PYTHON@ launcher=@LAUNCHER@ said
trusted "${home%/*}" "$login_uid" || return @UNTRUSTED@
if [ -x "$home/acp-tui" ]; then
  trusted "$home/acp-tui" "$login_uid" && return 0 || return @UNTRUSTED@
fi
tool tar && tool gzip || return 127
rm -rf "$home".new.*
said=$(mkdir "$new" && tar -xzf "$home.tar.gz" -C "$new" --no-same-owner 2>&1) ||
  { rm -rf "$new"; echo "${said##*$'\\n'}"; return 74; }
export HOME=~root LANG=C.UTF-8
if [ -n "$launcher" ]; then said=$(limit 120 "$new/$launcher" -P -c @IMPORT_TEST@ 2>&1)
else
  read -r python < <(programs "$python")
  said=$(PYTHONPATH=$new limit 120 "$python" -s -P -c @IMPORT_TEST@ 2>&1)
fi || { rm -rf "$new"; echo "${said##*$'\\n'}"; return 75; }
if [ -n "$launcher" ]; then printf 'exec %q -P -m acp_tui "$@"\\n' "$home/$launcher"
else printf 'export PYTHONPATH=%q\\nexec %q -s -P -m acp_tui "$@"\\n' "$home" "$python"; fi >"$new/acp-tui.new"
{ echo '#!/usr/bin/env bash'; cat "$new/acp-tui.new"; } >"$new/acp-tui" && rm "$new/acp-tui.new" &&
  chmod 755 "$new/acp-tui" && mv -T "$new" "$home"
"""
)
# -P: the current folder is not searched for modules.


@dataclass(frozen=True)
class InstalledProgram:
    """How to run acp-tui on the node. `command`: the command that runs it. None: acp-tui must be copied first.

    `python`: the Python interpreter with which the node runs the copied acp-tui."""

    command: str | None
    python: str = ""


async def find(connection: Connection, program: SelfArchive | None) -> InstalledProgram:
    """Find out how acp-tui can run on the node. `program`: the archive of acp-tui that can be copied to the node.

    Raises: `RemoteInstallError` if acp-tui is not installed on the node and cannot be copied; `ConnectionLost`."""
    blanks = {"VERSION": quote(__version__), "PYTHONS": " ".join(_PYTHONS)}
    reading = await run_script(connection, _FIND, blanks)
    if reading.status == NEEDS_ROOT:
        raise RemoteInstallError(_("a remote install requires root. Log in as root, or allow sudo without a password"))
    if reading.status:
        raise ConnectionLost(_("the node did not report its installed programs"))
    if installed := re.fullmatch(r"there (/[^\n]+)\n*", reading.text):
        return InstalledProgram(quote(installed[1]))
    machine = re.search(r"^machine (\S{1,40})$", reading.text, re.MULTILINE)
    pythons = re.findall(r"^python (python[0-9.]+) (\S{1,40})$", reading.text, re.MULTILINE)
    if program is None:
        reason = _("the acp-tui on this host is not an installed Python package, so its libraries are unknown")
    elif machine is None or machine[1] != program.machine:
        reason = _("the acp-tui on this host is for the architecture {ours}, but the node has {theirs}").format(
            ours=program.machine, theirs=machine[1] if machine else "?"
        )
    elif program.launcher:
        return InstalledProgram(None)
    elif fit := [name for name, tag in pythons if tag == program.python]:
        return InstalledProgram(None, fit[0])
    else:
        has = ", ".join(f"{name} ({tag})" for name, tag in pythons) or pgettext("error", "none")
        reason = _("acp-tui requires Python {version} on the node. Python versions on the node: {found}").format(
            version=_PYTHONS[0].removeprefix("python"), found=has
        )
    raise RemoteInstallError(
        _(
            "acp-tui {version} is not installed on the node, and cannot be copied: {reason}. Nothing was sent "
            "to the node. Solve the problem, or install acp-tui {version} in a folder of the node's PATH. Then run the "
            "command again."
        ).format(version=__version__, reason=reason)
    )


def program_upload(archive: Path, folder: str) -> Upload:
    """Return the upload of the archive. The file name on the node includes a digest of the archive."""
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Upload(archive, f"{folder}/{FOLDER}/{__version__}-{digest[:12]}.tar.gz")


async def unpack(connection: Connection, sent: Upload, program: SelfArchive, python: str) -> str:
    """Unpack the uploaded acp-tui on the node, test it, and return the command that runs it.

    `sent`: the upload of the archive `program`. `python`: the Python interpreter with which the node runs acp-tui.

    Raises: `RemoteInstallError`, `ConnectionLost`."""
    home = sent.remote.removesuffix(".tar.gz")
    blanks = {
        "HOME": quote(home),
        "PYTHON": quote(python),
        "LAUNCHER": quote(program.launcher),
        "IMPORT_TEST": quote(_IMPORT_TEST),
        "UNTRUSTED": str(UNTRUSTED),
    }
    reading = await run_script(connection, _UNPACK, blanks, _UNPACK_TIMEOUT)
    if reading.status == 0:
        return quote(f"{home}/acp-tui")
    if reading.status == UNTRUSTED:
        raise untrusted_folder(home)
    error = reading.text.strip()[:300]
    if reading.status == _TEST_FAILED:
        message = _(
            "acp-tui was copied, but it does not run on the node: {reason}. Install acp-tui {version} in a folder of "
            "the node's PATH. Then run the command again."
        )
        raise RemoteInstallError(message.format(reason=error, version=__version__))
    reason = error or pgettext("error", "exit status {status}").format(status=reading.status)
    raise RemoteInstallError(
        _("cannot unpack acp-tui in the folder {folder} of the node: {reason}").format(folder=home, reason=reason)
    )
