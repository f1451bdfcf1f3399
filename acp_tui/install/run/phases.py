"""What an install run does, phase by phase, up to the accepted configuration.

Each phase is one coroutine that ends by recording the next phase. What must not happen twice (setup.sh, the POST) is
recorded before it is done, so that a successor of a dead runner never repeats it on its own.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from acp_tui.core.i18n import _
from acp_tui.core.text import clean
from acp_tui.install.api import client as api
from acp_tui.install.api.client import PostResult
from acp_tui.install.api.endpoint import Endpoint
from acp_tui.install.config.payload import InvalidConfig, secrets_in, wanted_versions, with_versions
from acp_tui.install.run import setup_script as setup
from acp_tui.install.run.progress import installing, posted
from acp_tui.install.run.recheck import recheck_nodes
from acp_tui.install.run.recorder import QUOTED, Run, minutes, quote
from acp_tui.install.run.state import Phase, RunState, now


async def run_phases(run: Run) -> None:
    """Take the run from its phase to the next rest."""
    if run.state.phase is Phase.POSTING:  # whoever was posting is gone, and only the installer knows
        run.record(replace(run.state, phase=Phase.POST_UNKNOWN, message=post_unknown_text()), post_unknown_text())
    while (phase := _PHASES.get(run.state.phase)) is not None:
        await phase(run)
    await run.wait_until_saved()


def post_unknown_text() -> str:
    return _(
        "It is not known whether the configuration has reached the installer. Look at its console or its log, then say "
        "whether to follow the install or to send the configuration again."
    )


async def _starting(run: Run) -> None:
    spec = run.state.spec
    found = await api.find_api(setup.api_bases(spec, done=True))
    if found is not None:
        why = _(
            "An installer already answers at {address}. Say whether to follow its install or to send it this "
            "configuration; or remove it ({command}) and start again."
        ).format(address=found.base, command=spec.removal)
        run.record(replace(run.state, phase=Phase.POST_UNKNOWN, endpoint=found, message=why), why)
        return
    setup.forget(spec.run_dir)
    run.record(replace(run.state, phase=Phase.SETUP, setup_exit=None, message=""), " ".join(spec.command))
    await run.wait_until_saved()


async def _setup(run: Run) -> None:
    spec = run.state.spec
    if not setup.launched(spec.run_dir):
        try:
            setup.launch(spec)
        except OSError as error:
            run.fail(_("setup.sh could not be started in {folder}: {why}").format(folder=spec.setup_dir, why=error))
            return
        await asyncio.sleep(spec.pace.setup)
    began = time.monotonic()
    while True:
        status = setup.exit_status(spec.run_dir)
        if status is not None:
            break
        if setup.lost(spec.run_dir):
            run.fail(_("setup.sh was ended before it was done."))
            return
        # One that never ends and prints no address may have its console up all the same.
        late = time.monotonic() - began > spec.pace.api_wait
        if await api.find_api(setup.api_bases(spec, done=late)) is not None:
            break
        await asyncio.sleep(spec.pace.setup)
    if status:
        run.fail(_setup_failed(status))
        return
    said = _("Waiting for the installer's API.")
    run.record(replace(run.state, phase=Phase.WAITING_API, setup_exit=status, message=said), said)


def _setup_failed(status: int) -> str:
    return _("setup.sh failed with exit status {status}; its output says why.").format(status=status)


async def _waiting_api(run: Run) -> None:
    spec = run.state.spec
    patience = time.monotonic() + spec.pace.api_wait
    while time.monotonic() < patience:
        status = setup.exit_status(spec.run_dir)
        if status:
            run.fail(_setup_failed(status))
            return
        endpoint = await api.find_api(setup.api_bases(spec, done=True))
        if endpoint is not None:
            said = _("The installer's API answers at {address}.").format(address=endpoint.url(""))
            state = replace(run.state, phase=Phase.VERSIONS, endpoint=endpoint, setup_exit=status, message="")
            run.record(state, said)
            return
        await asyncio.sleep(spec.pace.api)
    run.fail(_("The installer's API did not answer within {minutes} min.").format(minutes=minutes(spec.pace.api_wait)))


async def _versions(run: Run) -> None:
    state = run.state
    try:
        wanted_kubernetes, wanted_runtime = wanted_versions(state.spec.document.read_bytes())
    except (OSError, InvalidConfig) as error:
        run.fail(_document_unusable(run, error))
        return
    endpoint = _endpoint(state)
    patience = time.monotonic() + state.spec.pace.offer_wait
    offered = await api.offered_versions(endpoint)
    while not (offered.kubernetes and offered.runtimes) and time.monotonic() < patience:
        await asyncio.sleep(state.spec.pace.api)
        offered = await api.offered_versions(endpoint)
    state = replace(state, offered_kubernetes=offered.kubernetes, offered_runtimes=offered.runtimes)
    kubernetes = choose(wanted_kubernetes, state.kubernetes, offered.kubernetes)
    runtime = choose(wanted_runtime, state.runtime, offered.runtimes)
    if kubernetes is None or runtime is None:
        why = _(
            "The installer offers Kubernetes {kubernetes} and container runtime {runtimes}; the configuration asks for "
            "{wanted_kubernetes} and {wanted_runtime}. Choose."
        ).format(
            kubernetes=_listed(offered.kubernetes),
            runtimes=_listed(offered.runtimes),
            wanted_kubernetes=state.kubernetes or wanted_kubernetes or _("the newest"),
            wanted_runtime=state.runtime or wanted_runtime or _("the newest"),
        )
        if not (offered.kubernetes and offered.runtimes) and offered.raw:
            why += "\n" + clean(offered.raw)[:QUOTED]
        run.record(replace(state, phase=Phase.NEEDS_VERSION, message=why), why)
        return
    said = _("The nodes are looked at once more before the configuration is sent.")
    run.record(replace(state, phase=Phase.LOOKING, kubernetes=kubernetes, runtime=runtime, message=""), said)


def choose(wanted: str, answered: str | None, offered: tuple[str, ...]) -> str | None:
    """The version to install (XR-VERSIONS): the operator's answer, else the plan's wish, else the newest on offer.

    None: the operator must choose. Where nothing was learned of the offer, only an answer counts."""
    if answered:
        return answered if answered in offered or not offered else None
    if not wanted:
        return offered[0] if offered else None
    return wanted if wanted in offered else None


def _listed(versions: tuple[str, ...]) -> str:
    return ", ".join(versions) or _("(not told)")


async def _looking(run: Run) -> None:
    state = run.state
    changed = "" if state.despite else await recheck_nodes(state.spec)
    if changed:
        run.record(replace(state, phase=Phase.CHANGED, message=changed), changed)
        return
    said = _("Sending the configuration: Kubernetes {kubernetes}, {runtime}.").format(
        kubernetes=state.kubernetes, runtime=state.runtime
    )
    run.record(replace(state, phase=Phase.POSTING, message=""), said)
    await run.wait_until_saved()  # what is not written down must not be done: a crash now would post twice


async def _posting(run: Run) -> None:
    state = run.state
    try:
        document = with_versions(state.spec.document.read_bytes(), state.kubernetes or "", state.runtime or "")
    except (OSError, InvalidConfig) as error:
        run.fail(_document_unusable(run, error))
        return
    outcome = await api.post_config(_endpoint(state), document)
    answer = quote(outcome.body, secrets_in(document))
    state = replace(state, post_status=outcome.status)
    if outcome.result is PostResult.ACCEPTED:
        said = _("The installer accepted the configuration.")
        run.record(replace(state, phase=Phase.POSTED, following_since=now(), message=""), said)
    elif outcome.result is PostResult.REFUSED:
        run.state = state
        words = _("The installer refused the configuration (HTTP {status}): {answer}")
        if outcome.status is not None and not 400 <= outcome.status < 500:
            words += "\n" + _("Look at its console before it is sent again: it may have been taken all the same.")
        run.fail(words.format(status=outcome.status, answer=answer))
    elif outcome.result is PostResult.NOT_SENT:
        said = _("The installer could not be reached, nothing was sent: {why}").format(why=answer)
        run.record(replace(state, phase=Phase.WAITING_API, message=said), said)
        await asyncio.sleep(state.spec.pace.api)
    else:
        why = post_unknown_text()
        run.record(replace(state, phase=Phase.POST_UNKNOWN, message=why), f"{why} ({answer})")


def _endpoint(state: RunState) -> Endpoint:
    if state.endpoint is None:
        raise RuntimeError("the API's address must be known before this phase")
    return state.endpoint


def _document_unusable(run: Run, error: Exception) -> str:
    return _("The configuration document {path} cannot be used: {why}").format(path=run.state.spec.document, why=error)


_PHASES: Mapping[Phase, Callable[[Run], Awaitable[None]]] = {
    Phase.STARTING: _starting,
    Phase.SETUP: _setup,
    Phase.WAITING_API: _waiting_api,
    Phase.VERSIONS: _versions,
    Phase.LOOKING: _looking,
    Phase.POSTING: _posting,
    Phase.POSTED: posted,
    Phase.INSTALLING: installing,
}
