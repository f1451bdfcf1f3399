"""Read the files of this host that a plan names.

The modules for a kind of file are imported only when a plan names such a file, because their libraries load slowly.
"""

import re
from binascii import a2b_base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from acp_tui.checks.local_file_facts import LocalFiles, PackageFile
from acp_tui.core.files import error_reason, read_limited, resolve_path
from acp_tui.core.i18n import _
from acp_tui.plan.model import Plan
from acp_tui.plan.package_name import Kind

_OPENSSH = re.compile(rb"-----BEGIN OPENSSH PRIVATE KEY-----\s*([A-Za-z0-9+/]{60})")
_MAGIC = b"openssh-key-v1\x00"
_UNENCRYPTED = _MAGIC + b"\x00\x00\x00\x04none"
"""The format starts with the name of the cipher (PROTOCOL.key of OpenSSH)."""


def read_local_files(plan: Plan, plan_dir: Path) -> LocalFiles:
    """Read all local files of the plan. Relative paths start from `plan_dir`.

    Raises nothing: the checks report the errors.
    """
    files = replace(_ssh_keys(plan, plan_dir), packages=tuple(_packages(plan, plan_dir)))
    if plan.certificate.mode == "existing":
        from acp_tui.preflight.certificates.reader import facts_for

        files = replace(files, certificate=facts_for(plan, plan_dir))
    if plan.disaster_recovery.role == "standby":
        from acp_tui.preflight.primary_cluster import primary_of

        files = replace(files, primary=primary_of(plan, plan_dir))
    return files


def _packages(plan: Plan, plan_dir: Path) -> Iterator[PackageFile]:
    named: tuple[tuple[Kind, str | None], ...] = (("core", plan.package.core), ("extensions", plan.package.extensions))
    for kind, name in named:
        if name:
            path = resolve_path(plan_dir, name)
            try:
                size = path.stat().st_size if path.is_file() else None
            except OSError:
                size = None
            yield PackageFile(kind, path.name, size)


def _ssh_keys(plan: Plan, plan_dir: Path) -> LocalFiles:
    """Read the SSH key files (P-SSH-KEY). The keys of the result are their places in the plan, as `ssh.key_file`."""
    own = {f"nodes[{index}].ssh.key_file": node.ssh.key_file for index, node in enumerate(plan.nodes)}
    unreadable: dict[str, str] = {}
    encrypted: set[str] = set()
    for path, name in {"ssh.key_file": plan.ssh.key_file, **own}.items():
        if not name:
            continue
        try:
            if is_encrypted(read_limited(resolve_path(plan_dir, name))):
                encrypted.add(path)
        except OSError as error:
            text = _("the file {file} cannot be read: {reason}")
            unreadable[path] = text.format(file=name, reason=error_reason(error))
    return LocalFiles(unreadable_keys=unreadable, encrypted_keys=frozenset(encrypted))


def is_encrypted(key: bytes) -> bool:
    """Return True if a private key in OpenSSH or PEM format has a passphrase."""
    if b"BEGIN ENCRYPTED PRIVATE KEY" in key or b"Proc-Type: 4,ENCRYPTED" in key:
        return True
    body = _OPENSSH.search(key)
    try:
        header = a2b_base64(body[1]) if body else b""
    except ValueError:
        return False
    return header.startswith(_MAGIC) and not header.startswith(_UNENCRYPTED)
