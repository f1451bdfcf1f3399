"""Derive the outcome of an install from the progress replies (API-FAIL5, API-NOANSWER)."""

from dataclasses import dataclass, replace

from acp_tui.install.api.client import ProgressReply, Says

FAILED_LIMIT = 5  # API-FAIL5


@dataclass(frozen=True)
class ReplyCounter:
    """Counts over all progress replies of an install."""

    failed: int = 0
    """Replies with Failed since the install started. Never reset."""
    unanswered: int = 0
    """Polls without a reply since the last reply. The number does not decide the outcome (API-NOANSWER)."""
    step: str | None = None
    outcome: Says = Says.RUNNING


def count_reply(counter: ReplyCounter, reply: ProgressReply | None) -> ReplyCounter:
    """Return the counts after one more poll. `reply` None: the poll had no reply."""
    if reply is None:
        return replace(counter, unanswered=counter.unanswered + 1)
    failed = counter.failed + (reply.says is Says.FAILED)
    outcome = reply.says
    if reply.says is Says.FAILED and failed < FAILED_LIMIT:
        outcome = Says.RUNNING
    return ReplyCounter(failed, 0, reply.step or counter.step, outcome)
