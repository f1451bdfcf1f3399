"""The bundle: everything an unattended install needs and everything that was known, in one folder with checksums.

A bundle is written whole or not at all, and never half replaced: a folder beside it is filled, made durable, and takes
its place in one step. Whoever opens it checks the sums first.
"""

import ctypes
import hashlib
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from acp_tui.files import sync_folder, write_atomically
from acp_tui.plan import NodeSsh, Plan
from acp_tui.planfile import SECRETS_NAME, dump_plan, dump_secrets, load_plan
from acp_tui.report.document import report_json
from acp_tui.report.page import report_html
from acp_tui.texts import _
from acp_tui.verdict import Report

PLAN = "plan.yaml"
DOCUMENT = "installer-config.json"
SETUP = "setup.txt"
REPORT = "preflight.json"
PAGE = "preflight.html"
KNOWN_HOSTS = "known_hosts"
SUMS = "SHA256SUMS"
FILES = (PLAN, SECRETS_NAME, DOCUMENT, SETUP, REPORT, PAGE, KNOWN_HOSTS)
"""All that a bundle has beside its sums."""
_PRIVATE = (SECRETS_NAME, DOCUMENT)

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


class BundleDamaged(Exception):
    """`files` are missing, or are not what they were when the bundle was written."""

    def __init__(self, directory: Path, files: tuple[str, ...]) -> None:
        super().__init__(
            _("The bundle {folder} is damaged or was changed: {files}. Make it anew from its plan.").format(
                folder=directory, files=", ".join(files)
            )
        )
        self.files = files


class BundleRefused(Exception):
    """There is something else where the bundle should go."""


@dataclass(frozen=True)
class Bundle:
    """An opened bundle, its sums checked."""

    directory: Path
    plan: Plan
    known_hosts: Mapping[str, str]
    """Node address → OpenSSH public key (type and base64)."""
    setup_line: str

    @property
    def document(self) -> Path:
        """The installer's configuration, 0600; it holds secrets, so it is named and not read."""
        return self.directory / DOCUMENT


def is_bundle(path: Path) -> bool:
    """Whether `path` is a folder that was written as a bundle, whole or damaged."""
    return PLAN in _sums(path) and DOCUMENT in _sums(path)


def write_bundle(
    plan: Plan,
    report: Report,
    known_hosts: Mapping[str, str],
    directory: Path,
    *,
    base: Path,
    document: str,
    setup_line: str,
) -> Path:
    """Write the bundle and return its absolute path. An earlier bundle there is replaced.

    `known_hosts`: node address → OpenSSH public key. `base`: the folder that the plan's relative paths start from.
    `document`: the rendered configuration. BundleRefused: `directory` is something else; OSError: nothing was changed.
    """
    directory = directory.absolute()
    _check_place(directory)
    bundled = absolute(plan, base)
    texts = {
        PLAN: dump_plan(bundled),
        SECRETS_NAME: dump_secrets(bundled),
        DOCUMENT: document,
        SETUP: setup_line.rstrip("\n") + "\n",
        REPORT: report_json(report),
        PAGE: report_html(report, plan),
        KNOWN_HOSTS: _known_hosts_text(bundled, known_hosts),
    }
    directory.parent.mkdir(parents=True, exist_ok=True)
    # A fixed name: what a killed writer left, secrets among it, is gone the next time.
    beside = directory.with_name(f".{directory.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    try:
        sums = ""
        for name in FILES:
            data = texts[name].encode("utf-8")
            _write(beside / name, data, 0o600 if name in _PRIVATE else 0o644)
            sums += f"{hashlib.sha256(data).hexdigest()}  {name}\n"
        _write(beside / SUMS, sums.encode("ascii"), 0o644)
        sync_folder(beside)
        _take_place(beside, directory)
        sync_folder(directory.parent)
    finally:
        # What is here now is either what could not be finished, or the earlier bundle.
        shutil.rmtree(beside, ignore_errors=True)
    return directory


def open_bundle(directory: Path) -> Bundle:
    """Check the sums, then read. BundleDamaged: a sum is wrong; PlanErrors: the plan is; OSError: it cannot be read."""
    check_sums(directory)
    setup_line = (directory / SETUP).read_text(encoding="utf-8").strip()
    lines = (directory / KNOWN_HOSTS).read_text(encoding="utf-8").splitlines()
    known_hosts = {_address(host): key for host, _space, key in (line.partition(" ") for line in lines)}
    return Bundle(directory.absolute(), load_plan(directory / PLAN), known_hosts, setup_line)


def remove_secrets(directory: Path) -> None:
    """Take the secrets out of a bundle that has served its purpose; the rest stays whole. OSError: still there."""
    sums = (directory / SUMS).read_text(encoding="ascii").splitlines()
    kept = [line for line in sums if line.partition("  ")[2] not in _PRIVATE]
    write_atomically(directory / SUMS, "".join(f"{line}\n" for line in kept), mode=0o644)
    for name in _PRIVATE:
        (directory / name).unlink(missing_ok=True)
    sync_folder(directory)


def check_sums(directory: Path) -> None:
    """BundleDamaged with the names of all files that are missing or changed. Files that no bundle has are ignored."""
    wanted = _sums(directory)
    if not wanted:
        raise BundleDamaged(directory, (SUMS,))
    # A bundle whose secrets were removed has no sums of them either; the other files are never missing.
    due = [name for name in FILES if name in wanted or name not in _PRIVATE]
    damaged = tuple(name for name in due if _digest(directory / name) != wanted.get(name))
    if damaged:
        raise BundleDamaged(directory, damaged)


def absolute(plan: Plan, base: Path) -> Plan:
    """The plan with every path absolute, so that it means the same wherever its file lies."""

    def here(path: str | None) -> str | None:
        return str((base / Path(path).expanduser()).absolute()) if path else path

    def logins(login: NodeSsh) -> NodeSsh:
        return login.model_copy(update={"key_file": here(login.key_file)})

    package, certificate, recovery = plan.package, plan.certificate, plan.disaster_recovery
    named = ("core", "core_signature", "extensions", "extensions_signature", "public_key", "install_dir")
    return plan.model_copy(
        update={
            "package": package.model_copy(update={name: here(getattr(package, name)) for name in named}),
            "ssh": plan.ssh.model_copy(update={"key_file": here(plan.ssh.key_file)}),
            "nodes": tuple(node.model_copy(update={"ssh": logins(node.ssh)}) for node in plan.nodes),
            "certificate": certificate.model_copy(
                update={"cert_file": here(certificate.cert_file), "key_file": here(certificate.key_file)}
            ),
            "disaster_recovery": recovery.model_copy(update={"primary": here(recovery.primary)}),
        }
    )


def _check_place(directory: Path) -> None:
    if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
        raise BundleRefused(_("{path} is not a folder; choose another name.").format(path=directory))
    if not directory.is_dir():
        return
    names = {entry.name for entry in directory.iterdir()}
    foreign = sorted(names - {*FILES, SUMS}) if is_bundle(directory) else sorted(names)
    if foreign:
        raise BundleRefused(
            _("{path} has files that are no part of a bundle: {files}. Choose another folder.").format(
                path=directory, files=", ".join(foreign[:5])
            )
        )


def _take_place(beside: Path, directory: Path) -> None:
    """Put `beside` where `directory` is; what was there is in the place of `beside` afterwards."""
    if not is_bundle(directory):
        beside.rename(directory)
        return
    if _exchange(beside, directory):
        return
    # A system that cannot swap two names: between the two steps both are whole, each under another name.
    earlier = directory.with_name(f".{directory.name}.earlier")
    directory.rename(earlier)
    try:
        beside.rename(directory)
    except OSError:
        earlier.rename(directory)
        raise
    earlier.rename(beside)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step; False where the C library, the kernel or the filesystem cannot."""
    with suppress(AttributeError):
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
        names = os.fsencode(one), os.fsencode(other)
        return bool(renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)
    return False


def _write(path: Path, data: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, mode)
        file.write(data)
        file.flush()
        os.fsync(handle)


def _sums(directory: Path) -> Mapping[str, str]:
    """File name → digest; empty where there is no readable list."""
    try:
        lines = (directory / SUMS).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {name: digest for digest, _space, name in (line.partition("  ") for line in lines)}


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _known_hosts_text(plan: Plan, known_hosts: Mapping[str, str]) -> str:
    """As OpenSSH reads it: `address key`, or `[address]:port key` where the port is not 22."""
    lines = []
    for node in plan.nodes:
        if key := known_hosts.get(node.address):
            port = plan.login(node).port
            host = node.address if port == 22 else f"[{node.address}]:{port}"
            lines.append(f"{host} {' '.join(key.split()[:2])}\n")
    return "".join(lines)


def _address(host: str) -> str:
    return host.rpartition("]:")[0].removeprefix("[") or host
