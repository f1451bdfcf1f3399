"""The vendor's init.sh, which runs as root on every node."""

from pathlib import Path

import pytest

from acp_tui.package.archive import INIT
from acp_tui.package.extract import extract
from acp_tui.preflight.fixes.init_script import find_init
from tests.support.package_builder import core


def test_init_script_of_the_unpacked_package_is_found(tmp_path: Path) -> None:
    extract(core(tmp_path), tmp_path / "target")
    assert find_init(tmp_path / "target").content == b"#!/bin/bash\n"


def test_missing_or_changed_init_script_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="unpack the package again"):
        find_init(tmp_path / "target")
    extract(core(tmp_path), tmp_path / "target")
    (tmp_path / "target" / INIT).write_text("#!/bin/bash\nrm -rf /\n")
    with pytest.raises(OSError, match="was changed"):
        find_init(tmp_path / "target")
