"""Settings of the practice installer: its durations and faults."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from acp_tui.core.files import write_atomically

BEHAVIOUR_FILE = "behaviour.json"


@dataclass(frozen=True)
class Behaviour:
    """Settings of the practice installer. All times in seconds."""

    seconds: float = 8.0
    """Duration of the install."""
    linger: float = 60.0
    """Time between success and exit."""
    setup_seconds: float = 1.0
    setup_exit: int = 0
    """Exit status of setup.sh; not 0: it fails before the practice installer starts."""
    listen_after: float = 0.0
    answer_after: float = 0.0
    """Delay of each response."""
    prefixed: bool = False
    """Serve the API only below /cpaas-installer. Any other path returns a web page."""
    failed_answers: int = 0
    """Number of progress responses with Failed, after which the install continues."""
    stall: bool = False
    """The install makes no progress after its middle, and does not end."""
    drop_every: int = 0
    """Close the connection on every Nth progress request."""
    post_after: float = 0.0
    """Delay of the response to an accepted configuration."""
    drop_post: str = ""
    """`before`: close the connection without accepting the POST. `after`: accept it, then close. "": keep it open."""
    refuse: str = ""
    """Text with which the configuration is rejected. Empty: it is accepted."""
    quote_refused: bool = False
    """Repeat the complete configuration in a rejection."""
    bare_token: bool = False
    kubernetes: tuple[str, ...] = ("1.28.15", "1.29.13", "1.30.9", "1.31.6")
    runtimes: tuple[str, ...] = ("1.7.27-4",)


def write_behaviour(setup_dir: Path, behaviour: Behaviour) -> None:
    """Write the settings for setup.sh in `setup_dir` and for the practice installer."""
    write_atomically(setup_dir / BEHAVIOUR_FILE, TypeAdapter(Behaviour).dump_json(behaviour, indent=2))
    write_atomically(setup_dir / "setup.conf", f"seconds={behaviour.setup_seconds}\nexit={behaviour.setup_exit}\n")
