"""Derive the outcome of an install from the progress replies (API-FAIL5, API-NOANSWER)."""

from dataclasses import dataclass, replace

from acp_tui.install.api.progress_reply import ProgressReply, Says

FAILED_LIMIT = 5  # API-FAIL5


@dataclass(frozen=True)
class ReplyCounter:
    """The result of all progress replies of an install so far."""

    failed: int = 0
    """Number of replies with Failed since the install started. It is never reset."""
    unanswered: int = 0
    """Number of consecutive polls without a reply. The number does not affect the outcome (API-NOANSWER)."""
    step: str | None = None
    outcome: Says = Says.RUNNING


def count_reply(counter: ReplyCounter, reply: ProgressReply | None) -> ReplyCounter:
    """Return the counter after one more poll. `reply`: None if the poll had no reply."""
    if reply is None:
        return replace(counter, unanswered=counter.unanswered + 1)
    failed = counter.failed + (reply.says is Says.FAILED)
    outcome = reply.says
    if reply.says is Says.FAILED and failed < FAILED_LIMIT:
        outcome = Says.RUNNING
    return ReplyCounter(failed, 0, reply.step or counter.step, outcome)
