"""Where an install that does not move probably hangs: the cheap questions of API-STALL, asked for the operator.

One script on the installer's node; nothing is changed. The answers are weighed in the manual's order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import N_, _
from acp_tui.install.run.state import INSTALLER_LOG
from acp_tui.install.verify.checks import pod_state
from acp_tui.install.verify.collect import NodeAccess, query_node
from acp_tui.install.verify.facts import Installed
from acp_tui.install.verify.queries import (
    EARLY_KUBECONFIG,
    KUBECONFIG,
    installed_from,
    installer_collectors,
    pods_collector,
    ports_collector,
    read_ports,
)
from acp_tui.nodes.script import Collector, CollectorOutput

_CONSOLE_PORT = 8080
_SHOWN = 6  # lines of the log, and Pods
_LOG = f"""
local file={INSTALLER_LOG}
[ -r "$file" ] || return 66
echo "$(( $(date +%s) - $(stat -c %Y "$file") ))"
tail -c 4000 "$file"
"""
_PHASES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("apprelease", "plugin", "chart"), N_("plugins: kubectl get apprelease -A, then describe the one that failed")),
    (("clustermodule", "base-operator", "platform"), N_("core platform: kubectl describe clustermodule global")),
    (
        ("cni", "ovn", "calico", "coredns", "kube-proxy", "addon", "add-on"),
        N_("network and add-ons: kubectl get pods -n kube-system"),
    ),
    (
        ("kubeadm", "etcd", "control plane", "controlplane", "machine"),
        N_("control plane: kubectl get machines -A, then describe the one that is not Ready"),
    ),
    (("registry", "bootstrap", "minialauda"), N_("bootstrap: the output of setup.sh, and the installer's registry")),
)
"""Words of the log's last lines, and the phase that they belong to; the latest phase first."""


@dataclass(frozen=True)
class Triage:
    """`seen`: what was found, a line each. `likely`: the place where it hangs, in words."""

    seen: tuple[str, ...]
    likely: str


def triage_collectors(release: str) -> tuple[Collector, ...]:
    log = Collector("log", (), _LOG, lambda reading: {}, timeout=10, any_status=True)
    return (*installer_collectors(release), ports_collector(), log, pods_collector(KUBECONFIG, EARLY_KUBECONFIG))


async def triage(access: NodeAccess) -> Triage:
    """Ask the installer's node. Never raises for what it does; what it does not tell is told as such."""
    node = access.plan.installer_node
    if node is None:
        return Triage((), _("the plan has no control plane node"))
    said = await query_node(access, node, triage_collectors(access.plan.effective_release))
    if not said.readings:
        return Triage(
            (_("{node} could not be asked: {why}").format(node=node.address, why=said.detail),), _("not known")
        )
    return weigh(installed_from(said.readings, said.detail), said.readings)


def weigh(installed: Installed, readings: Mapping[str, CollectorOutput]) -> Triage:
    """The likely place by what was found, in the order of API-STALL: pure."""
    ports = readings.get("ports")
    listening = _CONSOLE_PORT in read_ports(ports.text) if ports is not None and ports.status == 0 else None
    age, lines = _log(readings.get("log"))
    sick = _sick(installed)
    seen = (*_told(installed, listening, age), *(f"  {line}" for line in lines[-_SHOWN:]), *sick[:_SHOWN])
    return Triage(seen, _likely(installed, listening, lines, sick))


def _likely(installed: Installed, listening: bool | None, lines: tuple[str, ...], sick: tuple[str, ...]) -> str:
    left = installed.left_over
    if left == ():
        return _("the installer's container is not there: the output of setup.sh says why")
    if left and not left[0].status.lower().startswith("up"):
        return _("the installer's container does not run ({status}): the output of setup.sh says why").format(
            status=left[0].status
        )
    if listening is False:
        return _("the console does not listen on port 8080: the output of setup.sh, and the container's own log")
    if any("ImagePull" in line for line in sick):
        return _("an image cannot be pulled: does the node of that Pod access the registry on port 11443?")
    if any(line.startswith("kube-system/") for line in sick):
        return _("network and add-ons: the Pods of kube-system that are named above")
    for line in reversed(lines):
        for words, place in _PHASES:
            if any(word in line.lower() for word in words):
                return _(place)
    if sick:
        return _("the Pods that are named above: kubectl describe them")
    return _("not known; acp-tui support FILE.tar.gz packs up what helps to find it")


def _told(installed: Installed, listening: bool | None, age: int | None) -> Iterator[str]:
    left = installed.left_over
    if left is None:
        yield _("installer's container: not known ({why})").format(why=installed.missing.get("left_over", ""))
    else:
        yield _("installer's container: {status}").format(status=left[0].status if left else _("not there"))
    answers = {True: _("listens"), False: _("nobody listens"), None: _("not known")}[listening]
    says = f", {installed.console.value}" if installed.console else ""
    yield _("port 8080: {answers}").format(answers=answers) + says
    if installed.pods is None:
        yield _("Pods: not known ({why})").format(why=installed.missing.get("pods", ""))
    if age is not None:
        yield _("installer's log, last written {minutes} min ago:").format(minutes=age // 60)


def _log(reading: CollectorOutput | None) -> tuple[int | None, tuple[str, ...]]:
    """(seconds since it was written, last lines)."""
    if reading is None or reading.status:
        return None, ()
    first, _newline, rest = reading.text.partition("\n")
    age = int(first) if first.strip().isdecimal() and len(first) < 12 else None
    return age, tuple(line.strip()[:200] for line in rest.splitlines() if line.strip())


def _sick(installed: Installed) -> tuple[str, ...]:
    judged = [(pod, *pod_state(pod)) for pod in installed.pods or ()]
    return tuple(
        f"{pod.namespace}/{pod.name}: {why}" + (f" ({pod.node})" if pod.node else "")
        for pod, outcome, why in judged
        if outcome in (Outcome.FAIL, Outcome.WARN)
    )
