"""A new Python process runs modules of acp-tui, and never modules of the current folder."""

import subprocess
from pathlib import Path

from acp_tui.core.python_command import module_command


def test_modules_of_the_current_folder_are_not_run(tmp_path: Path) -> None:
    (tmp_path / "acp_tui").mkdir()
    (tmp_path / "acp_tui" / "__init__.py").write_text("raise SystemExit('a module of another user')")
    command = module_command("acp_tui", "--version")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("acp-tui ")
