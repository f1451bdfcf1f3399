"""Trusted sources of host keys: files in the format of OpenSSH's known_hosts, and the key files of this host's sshd."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import asyncssh

from acp_tui.core.errors import AcpError
from acp_tui.core.files import error_reason, read_limited, resolve_path
from acp_tui.core.i18n import _
from acp_tui.core.local_host import is_local_address
from acp_tui.core.ownership import is_trusted
from acp_tui.core.text import one_line
from acp_tui.nodes.ssh.keys import check_headers, key_line, only_key_errors, public_key
from acp_tui.nodes.ssh.target import Target
from acp_tui.plan.known_hosts import OWN_FILE, USER, KeySource, KnownHost

SSHD_FOLDER = Path("/etc/ssh")
_SSHD_KEYS = "ssh_host_*_key.pub"
_MAX_NAMES = 20_000
"""The maximum number of commas between host names in a known hosts file. Each node is compared with all names."""
_SHOWN = 200
"""A message quotes at most this number of characters from a known hosts file."""


class KnownHostsError(AcpError):
    """A known hosts file cannot be read. The message has the path and the reason."""


@dataclass(frozen=True)
class KnownHostsFile:
    """The parsed content of a known hosts file."""

    path: Path
    hosts: asyncssh.SSHKnownHosts


def resolve_known_hosts(name: str, base: Path) -> Path:
    """Return the path of the known hosts file that a plan names. `base`: the folder where relative paths start."""
    return resolve_path(base, OWN_FILE if name == USER else name)


def read_openssh_known_hosts(path: Path) -> KnownHostsFile:
    """Read a known hosts file of OpenSSH. Raises KnownHostsError."""
    try:
        return KnownHostsFile(path, _parse(read_limited(path).decode("utf-8")))
    except OSError as error:
        reason = error_reason(error)
    except UnicodeDecodeError:
        reason = _("the content is not UTF-8 text")
    except asyncssh.KeyImportError as error:
        reason = str(error)
    raise _cannot_read(path, reason)


def _cannot_read(path: Path, reason: str) -> KnownHostsError:
    text = _("Cannot read the known hosts file {path}: {reason}")
    return KnownHostsError(text.format(path=path, reason=one_line(reason, limit=_SHOWN)))


@lru_cache(maxsize=4)
def _parse(content: str) -> asyncssh.SSHKnownHosts:
    """Parse a known hosts file. The result is cached, because each node of the plan needs it.

    Raises asyncssh.KeyImportError."""
    if content.count(",") > _MAX_NAMES:
        raise asyncssh.KeyImportError(_("the file has more than {limit} host names").format(limit=_MAX_NAMES))
    check_headers(content.encode("utf-8"))
    with only_key_errors():
        return asyncssh.import_known_hosts(content)


def keys_in_file(content: KnownHostsFile, address: str, port: int) -> KnownHost | None:
    """Return the keys of a node in a known hosts file; None if the file does not name the node.

    Revoked keys are removed. If only revoked keys remain, no key of the node is accepted. Raises KnownHostsError if the
    host names in the file cannot be compared with the address."""
    try:
        with only_key_errors():
            keys, _authorities, revoked, *_certificates = asyncssh.match_known_hosts(
                content.hosts, address, address, port
            )
            lines = dict.fromkeys(key_line(key) for key in keys)
            for key in revoked:
                lines.pop(key_line(key), None)
    except asyncssh.KeyImportError as error:
        raise _cannot_read(content.path, str(error)) from error
    return KnownHost(tuple(lines), KeySource.FILE) if keys or revoked else None


def keys_of_this_host(
    target: Target, *, is_local: Callable[[str], bool] = is_local_address, folder: Path = SSHD_FOLDER
) -> KnownHost | None:
    """Return the public keys of this host's sshd if `target` is an address of this host; otherwise None.

    Only files that root alone can change are used. On port 22 only, because another port can belong to a forwarded
    connection or to a second sshd with other keys."""
    if target.port != 22 or target.host != target.address or not is_local(target.address):
        return None
    lines: dict[str, None] = {}
    for path in sorted(folder.glob(_SSHD_KEYS)):
        try:
            if is_trusted(path) and path.stat().st_uid == 0:
                lines[key_line(public_key(read_limited(path)))] = None
        except (OSError, asyncssh.KeyImportError):
            continue
    return KnownHost(tuple(lines), KeySource.THIS_HOST) if lines else None
