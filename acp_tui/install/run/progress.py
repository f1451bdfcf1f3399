"""Watching the installer at work, from the accepted configuration to the outcome."""

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from acp_tui.core.clock import now
from acp_tui.core.files import write_atomically
from acp_tui.core.i18n import _
from acp_tui.core.redaction import mask_values
from acp_tui.core.text import sanitize
from acp_tui.install.api import client as api
from acp_tui.install.api.client import ProgressReply, Says
from acp_tui.install.config.payload import InvalidConfig, secrets_in
from acp_tui.install.run import setup_script as setup
from acp_tui.install.run.outcome import FAILED_LIMIT, ReplyCounter, count_reply
from acp_tui.install.run.recorder import Run, minutes, quote
from acp_tui.install.run.state import PROGRESS_FILE, Phase, RunState
from acp_tui.preflight.bundle import remove_secrets


async def posted(run: Run) -> None:
    started = run.state.following_since or now()
    run.record(replace(run.state, phase=Phase.INSTALLING, following_since=started, silent_since=None, message=""))


async def installing(run: Run) -> None:
    spec = run.state.spec
    tally = ReplyCounter(run.state.failed_answers, run.state.unanswered, run.state.step)
    try:
        secrets = secrets_in(spec.document.read_bytes())
    except (OSError, InvalidConfig):  # it may be gone by now; it is needed only to mask
        secrets = ()
    began, tick = now(), time.monotonic()
    while run.state.phase is Phase.INSTALLING:
        endpoint = run.state.endpoint or await api.find_api(setup.api_bases(spec, done=True))
        reply = await api.progress(endpoint) if endpoint else None
        if reply is not None:
            _keep(run, reply.raw, secrets)
        before, tally = tally, count_reply(tally, reply)
        # A clock that is set while the installer works must not use up the patience.
        moment = began + timedelta(seconds=time.monotonic() - tick)
        _weigh(run, replace(run.state, endpoint=endpoint), moment, before, tally, reply, secrets)
        if run.state.phase is Phase.INSTALLING:
            await asyncio.sleep(spec.pace.progress)


def _keep(run: Run, raw: str, secrets: tuple[str, ...]) -> None:
    """Keep the answer for a person to look at. Nobody knows its shape, so it may quote the configuration."""
    with suppress(OSError):  # a full disk is no reason to stop watching
        write_atomically(run.state.spec.run_dir / PROGRESS_FILE, sanitize(mask_values(raw, secrets)))


def _weigh(
    run: Run,
    state: RunState,
    moment: datetime,
    before: ReplyCounter,
    tally: ReplyCounter,
    reply: ProgressReply | None,
    secrets: tuple[str, ...],
) -> None:
    """Record what the newest answer means, that of `moment`."""
    state = replace(
        state,
        setup_exit=setup.exit_status(state.spec.run_dir),  # it may end long after its console is up
        step=tally.step,
        failed_answers=tally.failed,
        unanswered=tally.unanswered,
        silent_since=None if reply else state.silent_since or moment,
    )
    said = ""
    if reply is not None and reply.says is Says.FAILED:
        said = _("The installer says Failed ({count} of {limit}): {answer}").format(
            count=tally.failed, limit=FAILED_LIMIT, answer=quote(reply.raw, secrets)
        )
    elif tally.step != before.step:
        said = _("Step {step}").format(step=tally.step)
    if tally.outcome is Says.SUCCESS:
        done = _("Installed. The platform is at {address}.").format(address=state.platform_url)
        if state.spec.bundle is not None:
            with suppress(OSError):  # a full or vanished disk is no reason to call the install anything but done
                remove_secrets(state.spec.bundle)
        run.record(replace(state, phase=Phase.SUCCESS, message=done), done)
    elif tally.outcome is Says.FAILED:
        run.state = state
        run.fail(said)
    elif (moment - (state.following_since or moment)).total_seconds() > state.spec.pace.overall:
        why = _("The install did not end within {minutes} min; it may still be going on.").format(
            minutes=minutes(state.spec.pace.overall)
        )
        run.record(replace(state, phase=Phase.UNKNOWN, failed_in=Phase.INSTALLING, message=why), why)
    else:
        run.record(replace(state, message=_concern(state, moment, said)), said)


def _concern(state: RunState, moment: datetime, said: str) -> str:
    """What the operator should know while it goes on; "" when all is well."""
    if state.silent_since is None:
        return said if state.failed_answers else ""
    silence = (moment - state.silent_since).total_seconds()
    if silence < state.spec.pace.silence:
        return state.message
    return _(
        "The installer has not answered for {minutes} min. That alone is neither success nor failure: after a success "
        "it removes itself. acp-tui finish PLAN looks at the cluster itself."
    ).format(minutes=minutes(silence))
