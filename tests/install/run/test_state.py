"""The stored state of a run."""

import json
from pathlib import Path

from acp_tui.install.run.state import STATE_FILE, Phase, RunSpec, RunState, read_state, write_state


def test_stored_keys_keep_their_names(tmp_path: Path) -> None:
    spec = RunSpec(tmp_path, tmp_path, (), tmp_path, "", recheck_before_post=False)
    write_state(RunState(spec, Phase.STARTING, ignore_node_changes=True))
    document = json.loads((tmp_path / STATE_FILE).read_text(encoding="utf-8"))
    assert (document["despite"], document["spec"]["guarded"]) == (True, False)
    state = read_state(tmp_path)
    assert (state.ignore_node_changes, state.spec.recheck_before_post) == (True, False)
