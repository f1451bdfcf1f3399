"""Write the support archive with the logs, the state, the plan, the report and the versions of a run.

In the archive, secrets are masked, and long files are shortened. The archive is built in memory, and then written
atomically with mode 0600. It contains checksums of its files.
"""

import hashlib
import io
import json
import os
import platform
import sys
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from acp_tui import __version__
from acp_tui.core.clock import now
from acp_tui.core.files import open_regular_file, read_limited, resolve_path, write_atomically
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.redaction import Masker
from acp_tui.core.text import sanitize
from acp_tui.install.config.versions_and_secrets import InvalidConfig, secrets_in
from acp_tui.install.observe.failure import failure, logs
from acp_tui.install.observe.phase_labels import phase_label
from acp_tui.install.run.state import INSTALLER_LOG, STATE_FILE, RunState
from acp_tui.install.verify.completion_report import JSON as COMPLETION
from acp_tui.plan.file import PlanErrors, ReferencesRefused, load_plan, secret_values
from acp_tui.plan.model import Plan
from acp_tui.preflight.bundle.layout import DOCUMENT, LARGEST, PLAN, REPORT, SETUP

HEAD = 64 * 1024
TAIL = 2 * 1024 * 1024
"""The archive contains at most `HEAD` bytes of the start of a log and `TAIL` bytes of its end."""
_FILE = 4 * 1024 * 1024
"""The archive contains at most this number of bytes of a file that is not a log."""
_EDGES = (b"\n", b"\r")
"""Bytes that end a line of a log. A progress bar can write megabytes with carriage returns and no newline."""
SUMS = "SHA256SUMS"
_BUNDLED = (PLAN, SETUP, REPORT, COMPLETION)


@dataclass(frozen=True)
class Archive:
    path: Path
    files: tuple[str, ...]
    size: int
    """The size of the archive in bytes."""


def write_archive(
    path: Path,
    state: RunState | None,
    plan: Plan | None = None,
    extra: Mapping[str, str] | None = None,
    *,
    run_dir: Path | None = None,
) -> Archive:
    """Write the support archive of a run to `path`. Raises: OSError; the archive is then not written.

    `state`: the state of the run; None: the state cannot be read, or no run exists. `run_dir`: the folder of a run
    whose state cannot be read. `plan`: a plan whose secrets are masked too, because the bundle of the run may no longer
    contain them. `extra`: the text of additional files, by file name."""
    mask = Masker(run_secrets(state, plan))
    found = _texts(state, state.spec.run_dir if state else run_dir)
    texts = {name: mask(text) for name, text in (*found, *(extra or {}).items())}
    sums = "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in texts.items())
    folder = f"acp-tui-support-{now():%Y%m%dT%H%M%SZ}"
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        for name, text in {**texts, SUMS: sums}.items():
            data = text.encode()
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode, entry.mtime = len(data), 0o600, int(time.time())
            tar.addfile(entry, io.BytesIO(data))
    write_atomically(path, held.getvalue(), mode=0o600)
    return Archive(path, (*texts, SUMS), len(held.getvalue()))


def run_secrets(state: RunState | None, plan: Plan | None) -> frozenset[str]:
    """Return every secret of the run: those in its configuration, in its plans and in their key files."""
    found: set[str] = set()
    bundle = state.spec.bundle if state else None
    plans = [plan] if plan is not None else []
    documents = [state.spec.document] if state else []
    for document in dict.fromkeys((*documents, *([bundle / DOCUMENT] if bundle else []))):
        with suppress(OSError, InvalidConfig):
            found.update(secrets_in(read_limited(document, LARGEST)))
    if bundle is not None:
        with suppress(OSError, PlanErrors, ReferencesRefused):
            plans.append(load_plan(bundle / PLAN))
    for one in plans:
        found.update(secret_values(one).values())
        keys = (one.ssh.key_file, one.certificate.key_file, *(node.ssh.key_file for node in one.nodes))
        for key in filter(None, keys):
            with suppress(OSError, ValueError):
                found.add(read_limited(resolve_path(Path(), key)).decode("ascii"))
    return frozenset(found)


def _texts(state: RunState | None, run_dir: Path | None) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each file of the archive. Secrets are not masked yet."""
    yield "README.txt", _readme(state, run_dir)
    yield "versions.json", json.dumps(versions(), indent=2) + "\n"
    if run_dir is not None:
        with suppress(OSError):
            yield STATE_FILE, _read(run_dir / STATE_FILE)
        for name, path in logs(run_dir, state.spec.installer_log if state else INSTALLER_LOG):
            with suppress(OSError):
                yield name, _ends(path)
    bundle = state.spec.bundle if state else None
    for name in _BUNDLED if bundle else ():
        with suppress(OSError):
            yield f"bundle/{name}", _read((bundle or Path()) / name)


def _readme(state: RunState | None, run_dir: Path | None) -> str:
    lines = [
        _("Support archive of an install of the ACP global cluster, created by acp-tui {version}.").format(
            version=__version__
        ),
        _("Secrets are masked. The checksums of the files are in {file}.").format(file=SUMS),
        "",
    ]
    if state is None:
        none = _("The user who created this archive has not started an install on this host.")
        broken = _("Cannot read the state of the run in {folder}.").format(folder=run_dir)
        return "\n".join([*lines, broken if run_dir else none]) + "\n"
    lines += [
        pgettext("summary", "Release: {release}").format(release=state.spec.release),
        pgettext("summary", "Phase: {phase}").format(phase=phase_label(state.phase)),
        pgettext("summary", "Started: {moment}").format(moment=state.started.isoformat(timespec="seconds")),
        pgettext("summary", "Updated: {moment}").format(moment=state.updated.isoformat(timespec="seconds")),
        pgettext("summary", "Message: {message}").format(message=state.message),
    ]
    found = failure(state)
    if state.failed_in is not None:
        lines += [
            "",
            pgettext("summary", "Failed in: {phase}").format(phase=phase_label(found.phase)),
            pgettext("summary", "Likely cause: {cause}").format(cause=found.cause),
        ]
    lines += ["", pgettext("summary", "Last log lines:"), *found.lines]
    return "\n".join(lines) + "\n"


def versions() -> Mapping[str, str]:
    """Return the versions of acp-tui, Python and the operating system on this host."""
    release: dict[str, str] = {}
    with suppress(OSError):
        release = platform.freedesktop_os_release()
    return {
        "acp_tui": __version__,
        "python": sys.version.split()[0],
        "os": release.get("PRETTY_NAME", platform.system()),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "host": platform.node(),
        "made": now().isoformat(timespec="seconds"),
    }


def _read(path: Path) -> str:
    with open_regular_file(path) as file:
        return _text(file.read(_FILE))


def _ends(path: Path) -> str:
    """Return the start and the end of a log.

    Only complete lines are kept, because a part of a secret would not be masked."""
    with open_regular_file(path) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if size <= HEAD + TAIL:
            return _text(file.read(HEAD + TAIL))
        head = file.read(HEAD)
        head = head[: max(head.rfind(edge) for edge in _EDGES) + 1].rstrip(b"\n")
        file.seek(size - TAIL)
        tail = file.read(TAIL)
        tail = max((tail.partition(edge)[2] for edge in _EDGES), key=len)
    omitted = size - len(head) - len(tail)
    return f"{_text(head)}\n[... {omitted} bytes omitted ...]\n{_text(tail)}"


def _text(data: bytes) -> str:
    text = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").decode("utf-8", errors="replace")
    return sanitize(text, limit=None)
