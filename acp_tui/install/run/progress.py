"""The last phases of a run: poll the installer after it accepts the configuration, until the outcome is known."""

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from acp_tui.core.clock import now
from acp_tui.core.files import read_limited, write_atomically
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.redaction import mask_values
from acp_tui.core.text import sanitize
from acp_tui.install.api import client as api
from acp_tui.install.api.progress_reply import ProgressReply, Says
from acp_tui.install.config.versions_and_secrets import InvalidConfig, secrets_in
from acp_tui.install.run import setup_script as setup
from acp_tui.install.run.outcome import FAILED_LIMIT, ReplyCounter, count_reply
from acp_tui.install.run.state import PROGRESS_FILE, Phase, RunState
from acp_tui.install.run.state_recorder import Run, minutes, quote
from acp_tui.preflight.bundle import remove_secrets
from acp_tui.preflight.bundle.layout import LARGEST


async def posted(run: Run) -> None:
    """Start to poll the installer. The start time is stored, so that the next runner keeps the same deadline."""
    started = run.state.following_since or now()
    run.record(replace(run.state, phase=Phase.INSTALLING, following_since=started, silent_since=None, message=""))


async def installing(run: Run) -> None:
    """Poll the installer's progress until the install ends or the time limit is over."""
    spec = run.state.spec
    counter = ReplyCounter(run.state.failed_answers, run.state.unanswered, run.state.step)
    try:
        secrets = secrets_in(read_limited(spec.document, LARGEST))
    except (OSError, InvalidConfig):  # needed only for masking; the file may be removed by now
        secrets = ()
    began, tick = now(), time.monotonic()
    while run.state.phase is Phase.INSTALLING:
        endpoint = run.state.endpoint or await api.find_api(setup.api_bases(spec, done=True))
        reply = await api.progress(endpoint) if endpoint else None
        if reply is not None:
            _save_reply(run, reply.raw, secrets)
        before, counter = counter, count_reply(counter, reply)
        # Monotonic: a changed system clock must not end the run early.
        moment = began + timedelta(seconds=time.monotonic() - tick)
        _record_reply(run, replace(run.state, endpoint=endpoint), moment, before, counter, reply, secrets)
        if run.state.phase is Phase.INSTALLING:
            await asyncio.sleep(spec.pace.progress)


def _save_reply(run: Run, raw: str, secrets: tuple[str, ...]) -> None:
    """Save the reply for the operator. Its secrets are masked, because it can quote the configuration."""
    with suppress(OSError):  # a full disk must not end the polling
        write_atomically(run.state.spec.run_dir / PROGRESS_FILE, sanitize(mask_values(raw, secrets), limit=None))


def _record_reply(
    run: Run,
    state: RunState,
    moment: datetime,
    before: ReplyCounter,
    counter: ReplyCounter,
    reply: ProgressReply | None,
    secrets: tuple[str, ...],
) -> None:
    """Record the result of a poll. `moment`: the time of the poll."""
    step = counter.step and mask_values(counter.step, secrets)
    state = replace(
        state,
        setup_exit=setup.exit_status(state.spec.run_dir),  # setup.sh may end long after the API is ready
        step=step,
        failed_answers=counter.failed,
        unanswered=counter.unanswered,
        silent_since=None if reply else state.silent_since or moment,
    )
    event = ""
    if reply is not None and reply.says is Says.FAILED:
        event = _(
            "The installer reported Failed. Number of such reports so far: {count}. After {limit} reports, the run "
            "fails. Reply: {reply}"
        ).format(count=counter.failed, limit=FAILED_LIMIT, reply=quote(reply.raw, secrets))
    elif counter.step != before.step:
        event = pgettext("progress", "Step {step}").format(step=step)
    if counter.outcome is Says.SUCCESS:
        message = _("The install succeeded. The platform is at {address}.").format(address=state.platform_url)
        if state.spec.bundle is not None:
            with suppress(OSError):  # a disk error does not change the outcome
                remove_secrets(state.spec.bundle)
        run.record(replace(state, phase=Phase.SUCCESS, message=message), message)
    elif counter.outcome is Says.FAILED:
        run.fail(event, state)
    elif (moment - (state.following_since or moment)).total_seconds() > state.spec.pace.overall:
        message = _("The install did not end within {minutes} min. It is possibly still running.").format(
            minutes=minutes(state.spec.pace.overall)
        )
        run.record(replace(state, phase=Phase.UNKNOWN, failed_in=Phase.INSTALLING, message=message), message)
    else:
        run.record(replace(state, message=_warning(state, moment, event)), event)


def _warning(state: RunState, moment: datetime, event: str) -> str:
    """Return the warning that the operator sees while the install runs; "" without a problem."""
    if state.silent_since is None:
        return event if state.failed_answers else ""
    silence = (moment - state.silent_since).total_seconds()
    if silence < state.spec.pace.silence:
        return state.message
    return _(
        "The installer has not responded for {minutes} min. The install has possibly succeeded, because the installer "
        "removes itself after a success. To check the cluster: acp-tui finish PLAN"
    ).format(minutes=minutes(silence))
