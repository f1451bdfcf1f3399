"""Write and verify the checksums and the file modes of a bundle."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from acp_tui.core.errors import AcpError, ExitStatus
from acp_tui.core.files import error_reason, read_limited
from acp_tui.core.i18n import _, npgettext, pgettext
from acp_tui.core.text import truncate
from acp_tui.preflight.bundle.layout import LARGEST, MODE, PRIVATE, PUBLIC, SEALED_NAMES, SUMS, mode_of

_SHOWN = 10
"""The maximum number of files in the message of BundleCorrupt."""
_SHOWN_NAME = 100
"""The maximum number of characters of a file name in that message."""


@dataclass(frozen=True)
class FileProblem:
    """A file of a bundle that failed the verification, and the reason."""

    name: str
    reason: str


class BundleCorrupt(AcpError):
    """A file of the bundle is missing, changed, readable by too many users, or does not belong to the bundle."""

    exit_status = ExitStatus.CHECK_FAILED

    def __init__(self, directory: Path, problems: tuple[FileProblem, ...]) -> None:
        files = "; ".join(f"{truncate(problem.name, _SHOWN_NAME)}: {problem.reason}" for problem in problems[:_SHOWN])
        if (left := len(problems) - _SHOWN) > 0:
            files += "; " + npgettext("bundle", "{count} more file", "{count} more files", left).format(count=left)
        super().__init__(
            _(
                "The bundle {folder} is damaged or was changed: {files}. Copy the bundle again, or write a new one."
            ).format(folder=directory, files=files)
        )
        self.files = tuple(problem.name for problem in problems)


def sums(directory: Path) -> Mapping[str, str]:
    """Return the SHA-256 sum of each file by name; an empty mapping if the list of checksums cannot be read."""
    try:
        lines = read_limited(directory / SUMS).decode("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {name: digest for digest, _space, name in (line.partition("  ") for line in lines)}


def check_sums(directory: Path) -> None:
    """Raise BundleCorrupt if a file is missing, changed, too large, unexpected, or readable by too many users.

    The error has the name of every such file in `files`, and the first of them in its message.
    """
    if problems := tuple(_problems(directory)):
        raise BundleCorrupt(directory, problems)


def _problems(directory: Path) -> Iterator[FileProblem]:
    digests = sums(directory)
    if not digests:
        yield FileProblem(SUMS, _("the list of checksums is missing or invalid"))
        return
    present = {entry.name: entry for entry in os.scandir(directory)}
    # A bundle whose secrets were left out or removed has no checksums of them; the other files are always required.
    private = next((names for names in (PRIVATE, SEALED_NAMES) if set(names) & digests.keys()), ())
    required = (*PUBLIC, *private)
    for name in required:
        if name not in digests:
            yield FileProblem(name, pgettext("bundle", "the file is not listed in {sums}").format(sums=SUMS))
        elif name not in present:
            yield FileProblem(name, pgettext("file", "missing"))
        elif not present[name].is_file(follow_symlinks=False):
            yield FileProblem(name, _("the path is not a regular file"))
        elif difference := _difference(directory / name, digests[name]):
            yield FileProblem(name, difference)
        else:
            yield from _mode_problem(name, present[name].stat(follow_symlinks=False), mode_of(name))
    for name in sorted({*present, *digests} - {*required, SUMS}):
        yield FileProblem(ascii(name)[1:-1], _("the file does not belong to this bundle"))
    if SUMS in present:
        yield from _mode_problem(SUMS, present[SUMS].stat(), MODE)
    yield from _mode_problem(".", directory.stat(), 0o755)


def _mode_problem(name: str, found: os.stat_result, expected: int) -> Iterator[FileProblem]:
    mode = stat.S_IMODE(found.st_mode)
    if mode & ~expected & ~stat.S_ISGID & ~stat.S_IRWXU:
        yield FileProblem(
            name, _("the mode is {mode:o}; change it to {expected:o} with chmod").format(mode=mode, expected=expected)
        )


def _difference(file: Path, digest: str) -> str:
    """Return the reason why the content of `file` is not as expected; "" if its SHA-256 sum is `digest`."""
    try:
        same = hashlib.sha256(read_limited(file, LARGEST)).hexdigest() == digest
    except OSError as error:
        return _("the file cannot be read: {reason}").format(reason=error_reason(error))
    return "" if same else _("the content of the file does not match its checksum")
