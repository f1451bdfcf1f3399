"""The rule by which progress answers become the outcome of an install (API-FAIL5, API-NOANSWER)."""

from dataclasses import dataclass, replace

from acp_tui.install.api.client import ProgressReply, Says

FAILED_LIMIT = 5  # API-FAIL5


@dataclass(frozen=True)
class ReplyCounter:
    """What the answers to the progress question add up to."""

    failed: int = 0
    """Answers that said Failed, over the whole install: the count is never set back."""
    unanswered: int = 0
    """Questions without an answer since the last one that had one. Never decides anything (API-NOANSWER)."""
    step: str | None = None
    outcome: Says = Says.RUNNING


def count_reply(tally: ReplyCounter, reply: ProgressReply | None) -> ReplyCounter:
    """The tally after one more answer; None: there was none."""
    if reply is None:
        return replace(tally, unanswered=tally.unanswered + 1)
    failed = tally.failed + (reply.says is Says.FAILED)
    outcome = reply.says
    if reply.says is Says.FAILED and failed < FAILED_LIMIT:
        outcome = Says.RUNNING
    return ReplyCounter(failed, 0, reply.step or tally.step, outcome)
