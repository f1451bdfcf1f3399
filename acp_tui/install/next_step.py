"""The next action that an install needs."""

from enum import StrEnum

from acp_tui.install.run.state import FINAL, Phase, RunState


class NextStep(StrEnum):
    """The next action that an install needs."""

    START = "start"
    """The install has no run yet. Call `check`, then `start`."""
    FOLLOW = "follow"
    RESUME = "resume"
    """The run was interrupted, or ended without success. It can continue from the phase in which it stopped."""
    CHOOSE_VERSIONS = "choose-versions"
    ANSWER_RECEIVED = "answer-received"
    """The operator must answer whether the installer received the configuration."""
    ANSWER_CHANGES = "answer-changes"
    """Nodes have changed since the preflight. The operator must recheck them or continue despite the changes."""
    ANSWER_LISTENER = "answer-listener"
    """The program at the API's address is not one of root. The operator must accept it or end it."""
    VERIFY = "verify"
    """The installer reported success."""


def next_step(run: RunState | None) -> NextStep:
    """Return the action that an install needs next. `run`: the state of its run; None: the install has no run yet.

    Only this function decides how an existing install continues."""
    if run is None:
        return NextStep.START
    if run.interrupted:
        return NextStep.RESUME
    match run.phase:
        case Phase.NEEDS_VERSION:
            return NextStep.CHOOSE_VERSIONS
        case Phase.POST_UNKNOWN:
            return NextStep.ANSWER_RECEIVED
        case Phase.CHANGED:
            return NextStep.ANSWER_CHANGES
        case Phase.FOREIGN_LISTENER:
            return NextStep.ANSWER_LISTENER
        case Phase.SUCCESS:
            return NextStep.VERIFY
    return NextStep.RESUME if run.phase in FINAL else NextStep.FOLLOW
