"""The phases of an install run, from its start until the installer accepts the configuration.

Each phase is one coroutine. It ends when it has recorded the next phase. setup.sh and the POST must not run twice, so
each is recorded before it starts. If a runner dies, the next runner repeats setup.sh or the POST only if the operator
decides so.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from acp_tui.core.clock import now
from acp_tui.core.files import read_limited
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.ownership import UntrustedPath
from acp_tui.core.retry import poll_until
from acp_tui.install.api import client as api
from acp_tui.install.api.client import PostResult
from acp_tui.install.api.endpoint import Endpoint
from acp_tui.install.config.versions_and_secrets import InvalidConfig, secrets_in, wanted_versions, with_versions
from acp_tui.install.run import setup_script as setup
from acp_tui.install.run.api_listener import UntrustedListener, connection, require_trusted_listener
from acp_tui.install.run.progress import installing, posted
from acp_tui.install.run.recheck import recheck_nodes
from acp_tui.install.run.state import Phase, RunState, post_unknown_text
from acp_tui.install.run.state_recorder import Run, minutes, quote
from acp_tui.package.unpacked_package import PackageChanged, record_start, require_unchanged
from acp_tui.preflight.bundle.layout import LARGEST


async def run_phases(run: Run) -> None:
    """Execute phases until the run ends or needs an answer from the operator."""
    if run.state.phase is Phase.POSTING:  # the earlier runner died during the POST: only the installer has the answer
        run.record(replace(run.state, phase=Phase.POST_UNKNOWN, message=post_unknown_text()), post_unknown_text())
    while (phase := _PHASES.get(run.state.phase)) is not None:
        await phase(run)
    await run.wait_until_saved()


async def _starting(run: Run) -> None:
    spec = run.state.spec
    found = await api.find_api(setup.api_bases(spec, done=True))
    if found is not None:
        message = _(
            "An installer is already running at {address}. Follow its install, send the configuration to it, or remove "
            "it ({command}) and start again."
        ).format(address=found.base, command=spec.removal)
        run.record(replace(run.state, phase=Phase.POST_UNKNOWN, endpoint=found, message=message), message)
        return
    setup.forget(spec.run_dir)
    run.record(replace(run.state, phase=Phase.SETUP, setup_exit=None, message=""), " ".join(spec.command))
    await run.wait_until_saved()


async def _setup(run: Run) -> None:
    spec = run.state.spec
    if not setup.started(spec.run_dir):
        try:
            await asyncio.to_thread(require_unchanged, spec.setup_dir.parent)
            record_start(spec.setup_dir.parent)
            setup.launch(spec)
        except (PackageChanged, UntrustedPath) as error:
            run.fail(error.message)
            return
        except OSError as error:
            run.fail(_("Cannot start setup.sh in {folder}: {reason}").format(folder=spec.setup_dir, reason=error))
            return
        await asyncio.sleep(spec.pace.setup)
    began = time.monotonic()
    while True:
        status = setup.exit_status(spec.run_dir)
        if status is not None:
            break
        if setup.lost(spec.run_dir):
            run.fail(_("setup.sh was killed before it finished."))
            return
        # A setup.sh that neither ends nor prints an address may still have started the API at the default address.
        late = time.monotonic() - began > spec.pace.api_wait
        if await api.find_api(setup.api_bases(spec, done=late)) is not None:
            break
        await asyncio.sleep(spec.pace.setup)
    if status:
        run.fail(_setup_failed(status))
        return
    message = _("acp-tui waits for the installer's API.")
    run.record(replace(run.state, phase=Phase.WAITING_API, setup_exit=status, message=message), message)


def _setup_failed(status: int) -> str:
    return _("setup.sh failed with exit status {status}. Its output has the reason.").format(status=status)


async def _waiting_api(run: Run) -> None:
    spec = run.state.spec
    deadline = time.monotonic() + spec.pace.api_wait
    while time.monotonic() < deadline:
        status = setup.exit_status(spec.run_dir)
        if status:
            run.fail(_setup_failed(status))
            return
        endpoint = await api.find_api(setup.api_bases(spec, done=True))
        if endpoint is not None:
            event = _("The installer's API is ready at {address}.").format(address=endpoint.url(""))
            state = replace(run.state, phase=Phase.VERSIONS, endpoint=endpoint, setup_exit=status, message="")
            run.record(state, event)
            return
        await asyncio.sleep(spec.pace.api)
    run.fail(_("The installer's API was not ready within {minutes} min.").format(minutes=minutes(spec.pace.api_wait)))


async def _versions(run: Run) -> None:
    state = run.state
    try:
        document = read_limited(state.spec.document, LARGEST)
        wanted_kubernetes, wanted_runtime = wanted_versions(document)
    except (OSError, InvalidConfig) as error:
        run.fail(_invalid_document(run, error))
        return
    endpoint = _endpoint(state)
    offered = await poll_until(
        lambda: api.offered_versions(endpoint),
        lambda offered: bool(offered.kubernetes and offered.runtimes),
        every=state.spec.pace.api,
        within=state.spec.pace.offer_wait,
    )
    state = replace(state, offered_kubernetes=offered.kubernetes, offered_runtimes=offered.runtimes)
    kubernetes = choose(wanted_kubernetes, state.kubernetes, offered.kubernetes)
    runtime = choose(wanted_runtime, state.runtime, offered.runtimes)
    if kubernetes is None or runtime is None:
        message = _(
            "Choose a version. The installer offers Kubernetes {kubernetes} and container runtime {runtimes}. The "
            "configuration requires {wanted_kubernetes} and {wanted_runtime}."
        ).format(
            kubernetes=_listed(offered.kubernetes),
            runtimes=_listed(offered.runtimes),
            wanted_kubernetes=state.kubernetes or wanted_kubernetes or pgettext("version", "the newest"),
            wanted_runtime=state.runtime or wanted_runtime or pgettext("version", "the newest"),
        )
        if not (offered.kubernetes and offered.runtimes) and offered.raw:
            message += "\n" + quote(offered.raw, secrets_in(document))
        run.record(replace(state, phase=Phase.NEEDS_VERSION, message=message), message)
        return
    event = _("acp-tui rechecks the nodes before it sends the configuration.")
    run.record(replace(state, phase=Phase.LOOKING, kubernetes=kubernetes, runtime=runtime, message=""), event)


def choose(wanted: str, answered: str | None, offered: tuple[str, ...]) -> str | None:
    """Return the version to install (XR-VERSIONS): the operator's answer, else the plan's version, else the newest.

    None: the operator must choose. If the offered versions are unknown, only the operator's answer is used."""
    if answered:
        return answered if answered in offered or not offered else None
    if not wanted:
        return offered[0] if offered else None
    return wanted if wanted in offered else None


def _listed(versions: tuple[str, ...]) -> str:
    return ", ".join(versions) or pgettext("version", "(unknown)")


async def _looking(run: Run) -> None:
    state = run.state
    changed = "" if state.ignore_node_changes else await recheck_nodes(state.spec)
    if changed:
        run.record(replace(state, phase=Phase.CHANGED, message=changed), changed)
        return
    event = _("acp-tui sends the configuration, which requires Kubernetes {kubernetes} and {runtime}.").format(
        kubernetes=state.kubernetes, runtime=state.runtime
    )
    run.record(replace(state, phase=Phase.POSTING, message=""), event)
    await run.wait_until_saved()  # persist before acting: a crash during the POST would otherwise post twice


async def _posting(run: Run) -> None:
    state = run.state
    try:
        document = with_versions(
            read_limited(state.spec.document, LARGEST), state.kubernetes or "", state.runtime or ""
        )
    except (OSError, InvalidConfig) as error:
        run.fail(_invalid_document(run, error))
        return

    async def on_connect(client: Sequence[object], server: Sequence[object]) -> None:
        try:
            await asyncio.to_thread(require_trusted_listener, connection(client, server), state.spec.release)
        except UntrustedListener as found:
            if found.listener != state.accepted_listener:
                raise

    try:
        outcome = await api.post_config(_endpoint(state), document, on_connect=on_connect)
    except UntrustedListener as found:
        message = str(found)
        run.record(
            replace(state, phase=Phase.FOREIGN_LISTENER, foreign_listener=found.listener, message=message), message
        )
        return
    response = quote(outcome.body, secrets_in(document))
    state = replace(state, post_status=outcome.status)
    if outcome.result is PostResult.ACCEPTED:
        event = _("The installer accepted the configuration.")
        run.record(replace(state, phase=Phase.POSTED, following_since=now(), message=""), event)
    elif outcome.result is PostResult.REFUSED:
        message = _("The installer rejected the configuration (HTTP {status}): {response}")
        if outcome.status is not None and not 400 <= outcome.status < 500:
            message += "\n" + _(
                "The install has possibly started. Check the installer's Web UI before you send the configuration "
                "again."
            )
        run.fail(message.format(status=outcome.status, response=response), state)
    elif outcome.result is PostResult.NOT_SENT:
        event = _("Cannot reach the installer: {reason}. Nothing was sent. acp-tui retries.").format(reason=response)
        run.record(replace(state, phase=Phase.WAITING_API, message=event), event)
        await asyncio.sleep(state.spec.pace.api)
    else:
        message = post_unknown_text()
        run.record(replace(state, phase=Phase.POST_UNKNOWN, message=message), f"{message} ({response})")


def _endpoint(state: RunState) -> Endpoint:
    if state.endpoint is None:
        raise RuntimeError("the API's address must be known before this phase")
    return state.endpoint


def _invalid_document(run: Run, error: Exception) -> str:
    return _("Cannot use the configuration {path}: {reason}").format(path=run.state.spec.document, reason=error)


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
