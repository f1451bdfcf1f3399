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
    """Duration of the install in seconds."""
    linger: float = 60.0
    """Seconds between the success of the install and the exit of the practice installer."""
    setup_seconds: float = 1.0
    setup_exit: int = 0
    """Exit status of setup.sh. If it is not 0, setup.sh fails before the practice installer starts."""
    listen_after: float = 0.0
    answer_after: float = 0.0
    """Seconds by which each response is delayed."""
    prefixed: bool = False
    """Serve the API only below /cpaas-installer. Any other path returns a web page."""
    failed_answers: int = 0
    """Number of progress responses that report Failed. After these responses, the install continues."""
    stall: bool = False
    """If True, the install stops making progress in its third phase and never ends."""
    drop_every: int = 0
    """Instead of a response, close the connection on every nth progress request. The value is n; 0 means never."""
    post_after: float = 0.0
    """Seconds by which the response to a received configuration is delayed."""
    drop_post: str = ""
    """When to close the connection of a POST request without a response. "" means never.

    `before`: before the configuration is accepted or rejected. `after`: after that."""
    refuse: str = ""
    """If this text is not empty, each configuration is rejected with this text as the error message."""
    quote_refused: bool = False
    """If True, the response to a rejected configuration contains the complete configuration."""
    bare_token: bool = False
    kubernetes: tuple[str, ...] = ("1.28.15", "1.29.13", "1.30.9", "1.31.6")
    runtimes: tuple[str, ...] = ("1.7.27-4",)


def write_behaviour(setup_dir: Path, behaviour: Behaviour) -> None:
    """Write the settings of setup.sh and of the practice installer to files in `setup_dir`."""
    write_atomically(setup_dir / BEHAVIOUR_FILE, TypeAdapter(Behaviour).dump_json(behaviour, indent=2))
    write_atomically(setup_dir / "setup.conf", f"seconds={behaviour.setup_seconds}\nexit={behaviour.setup_exit}\n")
