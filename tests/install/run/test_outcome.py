"""The outcome of an install is computed from the progress replies, and from missing replies."""

import pytest

from acp_tui.install.api.progress_reply import ProgressReply, Says
from acp_tui.install.run.outcome import ReplyCounter, count_reply

RUNNING, FAILED, SUCCESS = (ProgressReply("", "1", says) for says in (Says.RUNNING, Says.FAILED, Says.SUCCESS))


@pytest.mark.parametrize(
    ("replies", "outcome", "failed", "unanswered"),
    [
        ([RUNNING] * 9, Says.RUNNING, 0, 0),
        ([FAILED] * 4, Says.RUNNING, 4, 0),
        ([FAILED] * 5, Says.FAILED, 5, 0),
        ([FAILED, RUNNING] * 4 + [FAILED], Says.FAILED, 5, 0),
        ([FAILED] * 4 + [SUCCESS], Says.SUCCESS, 4, 0),
        ([FAILED, None, None] * 4, Says.RUNNING, 4, 2),
        ([None] * 1000, Says.RUNNING, 0, 1000),
        ([None, RUNNING], Says.RUNNING, 0, 0),
    ],
)
def test_fifth_failed_answer_fails_and_missing_replies_never_do(
    replies: list[ProgressReply | None], outcome: Says, failed: int, unanswered: int
) -> None:
    tally = ReplyCounter()
    for reply in replies:
        tally = count_reply(tally, reply)
    assert (tally.outcome, tally.failed, tally.unanswered) == (outcome, failed, unanswered)
