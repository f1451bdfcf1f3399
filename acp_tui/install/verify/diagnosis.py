"""Find the likely cause of a stalled or failed install with one script on the installer node (API-STALL).

The script changes nothing. Its results are evaluated in the order of the vendor's manual.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from acp_tui.checks.verdict import Outcome
from acp_tui.core.i18n import N_, _, pgettext
from acp_tui.install.run.state import INSTALLER_LOG, RunState
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
from acp_tui.install.verify.workload_checks import pod_state
from acp_tui.nodes.script import Collector, CollectorOutput
from acp_tui.plan.secret_mask import secret_mask
from acp_tui.preflight.bundle import open_bundle

_API_PORT = 8080
_SHOWN = 6  # lines of the log, and Pods
_LOG = f"""
local file={INSTALLER_LOG}
[ -r "$file" ] || return 66
echo "$(( $(date +%s) - $(stat -c %Y "$file") ))"
tail -c 4000 "$file"
"""
_PHASES: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("apprelease", "plugin", "chart"),
        N_("a plugin is not ready. Run `kubectl get apprelease -A`, then `kubectl describe` for the failed AppRelease"),
    ),
    (
        ("clustermodule", "base-operator", "platform"),
        N_("the core platform is not ready. To see the reason: kubectl describe clustermodule global"),
    ),
    (
        ("cni", "ovn", "calico", "coredns", "kube-proxy", "addon", "add-on"),
        N_("the network or an add-on is not ready. To list the Pods: kubectl get pods -n kube-system"),
    ),
    (
        ("kubeadm", "etcd", "control plane", "controlplane", "machine"),
        N_(
            "the control plane is not ready. Run `kubectl get machines -A`, then `kubectl describe` for the failed "
            "machine"
        ),
    ),
    (
        ("registry", "bootstrap", "minialauda"),
        N_("the bootstrap of the cluster is not complete. Check the output of setup.sh and the installer's registry"),
    ),
)
"""Words in the last log lines, and the likely cause that they indicate. The last phase of an install comes first."""


@dataclass(frozen=True)
class Diagnosis:
    """The diagnosis of an install. `observations`: one line for each result. `likely_cause`: a message."""

    observations: tuple[str, ...]
    likely_cause: str


def diagnosis_collectors(release: str) -> tuple[Collector, ...]:
    """Return the collectors that diagnose an install: installer container, API, ports, log and Pods."""
    log = Collector("log", (), _LOG, lambda reading: {}, timeout=10, any_status=True)
    return (*installer_collectors(release), ports_collector(), log, pods_collector(KUBECONFIG, EARLY_KUBECONFIG))


async def diagnose_run(run: RunState) -> Diagnosis | None:
    """Diagnose a run, with the plan and the logins of its bundle. None: the run has no bundle.

    Raises: BundleCorrupt, PlanErrors, ReferencesRefused, OSError."""
    bundle = open_bundle(run.spec.bundle) if run.spec.bundle else None
    if bundle is None:
        return None
    return await diagnose_install(NodeAccess(bundle.plan, bundle.known_hosts, bundle.directory))


async def diagnose_install(access: NodeAccess) -> Diagnosis:
    """Query the installer node and evaluate the results. Errors of the node are returned, not raised."""
    node = access.plan.installer_node
    if node is None:
        return Diagnosis((), _("the plan has no control plane node"))
    output = await query_node(access, node, diagnosis_collectors(access.plan.effective_release))
    if not output.readings:
        failed = pgettext("diagnosis", "Cannot query the installer node {node} for the cause: {reason}").format(
            node=node.address, reason=output.detail
        )
        return Diagnosis((failed,), pgettext("diagnosis", "the cause is unknown"))
    found, mask = diagnose(installed_from(output.readings, output.detail), output.readings), secret_mask(access.plan)
    return Diagnosis(tuple(map(mask, found.observations)), mask(found.likely_cause))


def diagnose(installed: Installed, readings: Mapping[str, CollectorOutput]) -> Diagnosis:
    """Derive the likely cause from the results, in the order of requirement API-STALL."""
    ports = readings.get("ports")
    listening = _API_PORT in read_ports(ports.text) if ports is not None and ports.status == 0 else None
    age, lines = _log(readings.get("log"))
    pods = _unhealthy_pods(installed)
    log_lines = (f"  {line}" for line in lines[-_SHOWN:])
    observations = (*_observations(installed, listening, age), *log_lines, *pods[:_SHOWN])
    return Diagnosis(observations, _likely_cause(installed, listening, lines, pods))


def _likely_cause(installed: Installed, listening: bool | None, lines: tuple[str, ...], pods: tuple[str, ...]) -> str:
    containers = installed.left_over
    if containers == ():
        return _("the installer container does not exist. Check the output of setup.sh")
    if containers and not containers[0].status.lower().startswith("up"):
        return _("the installer container is not running ({status}). Check the output of setup.sh").format(
            status=containers[0].status
        )
    if listening is False:
        return _("the installer does not listen on port 8080. Check the output of setup.sh and the container's log")
    if any("ImagePull" in line for line in pods):
        return _("a Pod cannot pull an image. Check that the node of the Pod reaches the registry on port 11443")
    if any(line.startswith("kube-system/") for line in pods):
        return _("Pods of the network or of an add-on are not healthy. Check the Pods of the namespace kube-system")
    for line in reversed(lines):
        for keywords, cause in _PHASES:
            if any(keyword in line.lower() for keyword in keywords):
                return _(cause)
    if pods:
        return _("some Pods are not healthy. Run `kubectl describe` for each of these Pods")
    return _("the cause is unknown. To create a support archive: acp-tui support FILE.tar.gz")


def _observations(installed: Installed, listening: bool | None, age: int | None) -> Iterator[str]:
    containers = installed.left_over
    if containers is None:
        reason = installed.missing.get("left_over", "")
        yield _("installer container: unknown ({reason})").format(reason=reason)
    elif containers:
        yield pgettext("diagnosis", "installer container: {status}").format(status=containers[0].status)
    else:
        yield _("installer container: missing")
    port = {
        True: pgettext("diagnosis", "port 8080: listening"),
        False: _("port 8080: not listening"),
        None: pgettext("diagnosis", "port 8080: unknown"),
    }[listening]
    if installed.console is not None:
        port = _("{port}, and the installer reports the status {status}").format(
            port=port, status=installed.console.value
        )
    yield port
    if installed.pods is None:
        yield pgettext("diagnosis", "Pods: unknown ({reason})").format(reason=installed.missing.get("pods", ""))
    if age is not None:
        yield _("installer log, last written {minutes} min ago:").format(minutes=age // 60)


def _log(reading: CollectorOutput | None) -> tuple[int | None, tuple[str, ...]]:
    """Return the age of the installer log in seconds, and the last lines of the log."""
    if reading is None or reading.status:
        return None, ()
    first, _newline, rest = reading.text.partition("\n")
    age = int(first) if first.strip().isdecimal() and len(first) < 12 else None
    return age, tuple(line.strip()[:200] for line in rest.splitlines() if line.strip())


def _unhealthy_pods(installed: Installed) -> tuple[str, ...]:
    judged = [(pod, *pod_state(pod)) for pod in installed.pods or ()]
    return tuple(
        f"{pod.namespace}/{pod.name}: {reason}" + (f" ({pod.node})" if pod.node else "")
        for pod, outcome, reason in judged
        if outcome in (Outcome.FAIL, Outcome.WARN)
    )
