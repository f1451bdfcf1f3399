"""Settings of the practice installer: its durations and faults."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from acp_tui.core.files import write_atomically

BEHAVIOUR_FILE = "behaviour.json"


@dataclass(frozen=True)
class Behaviour:
    """Settings of the practice installer. All times are in seconds."""

    seconds: float = 8.0
    """Duration of the install."""
    linger: float = 60.0
    """Time between the success of the install and the exit of the practice installer."""
    setup_seconds: float = 1.0
    setup_exit: int = 0
    """Exit status of setup.sh. If it is not 0, setup.sh fails before the practice installer starts."""
    listen_after: float = 0.0
    answer_after: float = 0.0
    """Delay of each response."""
    prefixed: bool = False
    """Serve the API only below /cpaas-installer. Any other path returns a web page."""
    failed_answers: int = 0
    """Number of progress responses that report Failed. After these responses, the install continues."""
    stall: bool = False
    """If True, the install stops making progress in its third phase and never ends."""
    drop_every: int = 0
    """Close the connection on every Nth progress request."""
    post_after: float = 0.0
    """Delay of the response to an accepted configuration."""
    drop_post: str = ""
    """`before`: close the connection without accepting the POST. `after`: accept it, then close. "": do not close."""
    refuse: str = ""
    """If this text is not empty, each configuration is rejected with it as the error message."""
    quote_refused: bool = False
    """If True, the response to a rejected configuration contains the complete configuration."""
    bare_token: bool = False
    kubernetes: tuple[str, ...] = ("1.28.15", "1.29.13", "1.30.9", "1.31.6")
    runtimes: tuple[str, ...] = ("1.7.27-4",)


def write_behaviour(setup_dir: Path, behaviour: Behaviour) -> None:
    """Write the settings of setup.sh and of the practice installer to files in `setup_dir`."""
    write_atomically(setup_dir / BEHAVIOUR_FILE, TypeAdapter(Behaviour).dump_json(behaviour, indent=2))
    write_atomically(setup_dir / "setup.conf", f"seconds={behaviour.setup_seconds}\nexit={behaviour.setup_exit}\n")
