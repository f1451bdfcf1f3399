"""A stamp for an install folder whose files a test wrote itself, so that acp-tui runs its setup.sh."""

from pathlib import Path

from acp_tui.package.file_record import ContentDigest
from acp_tui.package.install_dir import FileIdentity, Placed, write_record, write_stamp
from tests.support.package_builder import CORE


def record_package(target: Path) -> None:
    """Write the stamp and the file record for the files that are in `target` now, as if acp-tui had unpacked them.

    Files that setup.sh adds later do not count, as after its first start."""
    files: dict[str, str] = {}
    for path in (target / "installer").rglob("*"):
        if path.is_file() and "practice" not in path.parts:  # these files are from the fake installer
            digest = ContentDigest(path.stat().st_size)
            digest.update(memoryview(path.read_bytes()))
            files[str(path.relative_to(target))] = digest.entry
    record = write_record(target, "core", files)
    placed = Placed(FileIdentity(CORE, 1, 1, 1, 1), entries=("installer",), files=record, started=True)
    write_stamp(target, {"core": placed})
