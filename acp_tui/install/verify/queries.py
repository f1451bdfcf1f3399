"""Collectors for an installed cluster, and parsers for their output. The output consists of small tables of kubectl.

Each table ends with the number of its rows, so that a truncated table does not look healthy. A parser raises ValueError
if the output is not valid. The fact is then missing, and the text of the error is the reason.
"""

from collections.abc import Callable, Iterator, Mapping
from shlex import quote

from acp_tui.checks.release_traits import release_traits
from acp_tui.core.i18n import _, pgettext
from acp_tui.core.text import fill_template, truncate
from acp_tui.install.api.progress_reply import Says, read_progress
from acp_tui.install.run.state import CONTAINER, container_tool, removal
from acp_tui.install.verify.facts import AppRelease, ClusterNode, Condition, Container, Installed, LeftOver, Pod
from acp_tui.nodes.script import ABSENT, CUT, NEEDS_ROOT, NOT_FOUND, TIMED_OUT, Collector, CollectorOutput

KUBECONFIG = "/etc/kubernetes/admin.conf"
EARLY_KUBECONFIG = "/var/cpaas/data/alauda.kubeconfig"  # API-KUBECONFIG: until the cluster has its own
_KUBECTL_TIMEOUT = 25  # seconds for one kubectl: two requests to an API server that does not respond
_WORD = 80
"""The largest number of characters of a state, a reason or a name. The rest is cut off."""

# Of standard error the last line is returned, and only if the command fails.
_GUARDED = """
root || return
local PATH=$PATH:/usr/local/bin said status
type -P @PROGRAM@ >/dev/null || return 127
@NEEDS@
{ said=$(limit @SECONDS@ @COMMAND@ 2>&1 >&3 3>&-); status=$?; } 3>&1
[ "$status" -eq 0 ] || printf '\\nerror\\t%.500s\\n' "${said##*$'\\n'}"
return "$status"
"""
_CONSOLE = """
local path
for path in /api/progress /cpaas-installer/api/progress; do
  { exec 4<>/dev/tcp/127.0.0.1/8080; } 2>/dev/null || { echo closed; return 0; }
  printf 'GET %s HTTP/1.0\\r\\nHost: 127.0.0.1:8080\\r\\n\\r\\n' "$path" >&4
  head -c 60000 <&4
  printf '\\n@next\\n'
  exec 4>&-
done
"""

_END = '{{"end\\t"}}{{len .items}}{{"\\n"}}'
_TAB = '{{"\\t"}}'
_READY = '{{range .status.conditions}}{{if eq .type "Ready"}}{{.status}} {{with .reason}}{{.}}{{end}}{{end}}{{end}}'
_STATES = (
    "{{if .ready}}+{{else}}-{{end}}{{with .state}}{{with .waiting}}{{with .reason}}{{.}}{{end}}{{end}}"
    '{{with .terminated}}{{with .reason}}{{.}}{{end}}{{end}}{{end}}{{" "}}'
)
_NODES = (
    "{{range .items}}{{.metadata.name}}" + _TAB + '{{range .status.addresses}}{{.address}}{{" "}}{{end}}' + _TAB
    + "{{with .spec}}{{if .unschedulable}}cordoned {{end}}{{end}}" + _READY + _TAB
    + "{{with .status.nodeInfo}}{{.kubeletVersion}}" + _TAB
    + '{{.containerRuntimeVersion}}{{end}}{{"\\n"}}{{end}}' + _END
)  # fmt: skip
_PODS = (
    "{{range .items}}{{.metadata.namespace}}" + _TAB + "{{.metadata.name}}" + _TAB
    + "{{with .spec.nodeName}}{{.}}{{end}}" + _TAB + "{{.status.phase}}" + _TAB
    + "{{with .status.reason}}{{.}}{{end}}" + _TAB + "{{with .metadata.deletionTimestamp}}deleting{{end}}" + _TAB
    + "{{len .spec.containers}}" + _TAB + "{{range .status.containerStatuses}}" + _STATES + "{{end}}" + _TAB
    + "{{range .status.initContainerStatuses}}" + _STATES + '{{end}}{{"\\n"}}{{end}}' + _END
)  # fmt: skip
_RELEASES = (
    "{{range .items}}{{.metadata.namespace}}" + _TAB + "{{.metadata.name}}" + _TAB
    + '{{with .status}}{{with .phase}}{{.}}{{" "}}{{end}}'
    + '{{range $name, $chart := .charts}}{{with $chart}}{{with .phase}}{{.}}{{" "}}{{end}}{{end}}{{end}}{{end}}' + _TAB
    + "{{with .status}}{{range .conditions}}{{.type}}={{.status}}/{{with .reason}}{{.}}{{end}}"
    + '{{" "}}{{end}}{{end}}{{"\\n"}}{{end}}' + _END
)  # fmt: skip
_MODULE = (
    "{{with .status}}{{with .phase}}{{.}}{{end}}" + _TAB
    + "{{with .base}}{{with .deployStatus}}{{.}}{{end}}{{end}}{{end}}" + '{{"\\nend\\t1\\n"}}'
)  # fmt: skip


def _guarded(program: str, needs: str, command: str, seconds: int) -> str:
    return fill_template(_GUARDED, PROGRAM=program, NEEDS=needs, COMMAND=command, SECONDS=str(seconds))


def _kubectl(name: str, objects: str, template: str, *configs: str) -> Collector:
    """Return a collector that runs `kubectl get` with the first readable kubeconfig file of `configs`."""
    files = " ".join(configs or (KUBECONFIG,))
    needs = f'local file config=\nfor file in {files}; do [ -n "$config" ] || [ ! -r "$file" ] || config=$file; done\n'
    command = f'kubectl --kubeconfig "$config" --request-timeout=15s get {objects} -o go-template={quote(template)}'
    shell = _guarded("kubectl", f'{needs}[ -n "$config" ] || return 66', command, _KUBECTL_TIMEOUT)
    return Collector(name, (), shell, _unparsed, timeout=_KUBECTL_TIMEOUT + 5, any_status=True, early=True)


def _unparsed(reading: CollectorOutput) -> Mapping[str, object]:
    return {}


def _containers(release: str) -> Collector:
    tool = container_tool(release)
    listing = f"{tool} ps -a --filter name={CONTAINER} --format '{{{{.Names}}}}\t{{{{.Status}}}}'"
    return Collector(
        "left_over", (), _guarded(tool, "", listing, 10), _unparsed, timeout=15, any_status=True, early=True
    )


def removal_collector(release: str) -> Collector:
    """Return the collector that removes the installer container. No other collector changes a node."""
    shell = _guarded(container_tool(release), "", removal(release), 60)
    return Collector("removed", (), shell, _unparsed, timeout=70, any_status=True)


def cluster_collectors(*configs: str) -> tuple[Collector, ...]:
    """Return the collectors for the cluster. They use the first readable kubeconfig file of `configs`.

    Without `configs`, they use the kubeconfig file of the cluster's administrator."""
    return (
        _kubectl("nodes", "nodes", _NODES, *configs),
        pods_collector(*configs),
        _kubectl("releases", "apprelease --all-namespaces", _RELEASES, *configs),
    )


def pods_collector(*configs: str) -> Collector:
    return _kubectl("pods", "pods --all-namespaces", _PODS, *configs)


def module_collector(*configs: str) -> Collector:
    return _kubectl("module", "clustermodule global", _MODULE, *configs)


def installer_collectors(release: str) -> tuple[Collector, ...]:
    """Return the collectors that query the installer on the installer node."""
    return _containers(release), Collector("console", (), _CONSOLE, _unparsed, timeout=10, any_status=True, early=True)


def ports_collector() -> Collector:
    return Collector(
        "ports", (), "type -P ss >/dev/null || return 127\nss -ltn", _unparsed, timeout=10, any_status=True
    )


def read_ports(text: str) -> frozenset[int]:
    """Return the TCP ports on which processes listen. `text`: the output of `ss -ltn`."""
    ports = set()
    for line in text.splitlines():
        columns = line.split()
        port = columns[3].rpartition(":")[2] if len(columns) >= 5 and columns[0] == "LISTEN" else ""
        if port.isdecimal() and len(port) <= 5:
            ports.add(int(port))
    return frozenset(ports)


def verify_collectors(release: str) -> tuple[Collector, ...]:
    """Return all collectors for the first control plane node."""
    return (*release_collectors(release), *installer_collectors(release))


def release_collectors(release: str) -> tuple[Collector, ...]:
    """Return the collectors for the cluster, including `clustermodule` if the release has it (REL-VERIFY)."""
    module = (module_collector(),) if release_traits(release).cluster_module else ()
    return (*cluster_collectors(), *module)


def installed_from(readings: Mapping[str, CollectorOutput], unanswered: str) -> Installed:
    """Parse the output of the collectors. `unanswered`: the reason to store if a collector returned no output."""
    found: dict[str, object] = {}
    missing: dict[str, str] = {}
    for name, read in _READERS.items():
        reading = readings.get(name)
        if reading is None:
            missing[name] = unanswered
        elif reading.status:
            missing[name] = _failed(reading)
        else:
            try:
                found[name] = read(reading.text)
            except ValueError as error:
                missing[name] = _("the output of the query is not valid: {reason}").format(reason=error)
    return Installed(missing=missing, **found)  # type: ignore[arg-type] # each reader is held to its field's type below


def _failed(reading: CollectorOutput) -> str:
    error = reading.text.rpartition("\nerror\t")[2].strip() if "\nerror\t" in reading.text else ""
    known = {
        TIMED_OUT: _("the query timed out. Check that the Kubernetes API server responds"),
        CUT: _("the output of the query exceeds the size limit"),
        NEEDS_ROOT: pgettext("error", "the query requires root"),
        ABSENT: _("{file} is missing: the node is not yet a control plane node of a cluster").format(file=KUBECONFIG),
        NOT_FOUND: _("the command {command} was not found on the node").format(
            command="docker/nerdctl" if reading.name == "left_over" else "kubectl"
        ),
    }.get(reading.status)
    if known and not (error and reading.status == NOT_FOUND):
        return f"{known}: {error}" if error else known
    return error or _("the query failed with exit status {status}").format(status=reading.status)


def _rows(text: str, width: int) -> Iterator[list[str]]:
    """Yield the rows of a table. Raises: ValueError if the table is incomplete."""
    *rows, end = text.strip("\n").split("\n") if text.strip("\n") else [""]
    if end != f"end\t{len(rows)}":
        raise ValueError(_("the table that kubectl printed is incomplete"))
    for row in rows:
        cells = [cell.strip() for cell in row.split("\t")]
        if len(cells) != width:
            raise ValueError(_("the table that kubectl printed is incomplete"))
        yield cells


def read_nodes(text: str) -> tuple[ClusterNode, ...]:
    nodes = []
    for name, addresses, condition, version, runtime in _rows(text, 5):
        ready = condition.removeprefix("cordoned ")
        status, _blank, reason = ready.partition(" ")
        nodes.append(
            ClusterNode(_cut(name), tuple(addresses.split()[:8]), status == "True", _cut(reason), _cut(version),
                        _cut(runtime), cordoned=ready != condition)
        )  # fmt: skip
    return tuple(nodes)


def read_pods(text: str) -> tuple[Pod, ...]:
    pods = []
    for namespace, name, node, phase, reason, deleting, wanted, containers, init in _rows(text, 9):
        if not wanted.isdecimal() or len(wanted) > 4:
            raise ValueError(_("the table that kubectl printed is incomplete"))
        pods.append(
            Pod(_cut(namespace), _cut(name), _cut(node), _cut(phase), _cut(reason), bool(deleting), int(wanted),
                _states(containers), _states(init))
        )  # fmt: skip
    return tuple(pods)


def _states(text: str) -> tuple[Container, ...]:
    return tuple(Container(item[0] == "+", _cut(item[1:])) for item in text.split())


def read_releases(text: str) -> tuple[AppRelease, ...]:
    releases = []
    for namespace, name, phases, conditions in _rows(text, 4):
        pairs = [item.partition("=") for item in conditions.split()]
        states = tuple(
            Condition(_cut(kind), _cut(rest.partition("/")[0]), _cut(rest.partition("/")[2]))
            for kind, _sign, rest in pairs
        )
        releases.append(AppRelease(_cut(namespace), _cut(name), tuple(map(_cut, phases.split())), states))
    return tuple(releases)


def read_module(text: str) -> str:
    """Return the phase of `clustermodule global`, else its `base.deployStatus`; "" if it reports neither."""
    rows = [line for line in text.strip("\n").split("\n") if line]
    if not rows or rows[-1] != "end\t1":
        raise ValueError(_("the table that kubectl printed is incomplete"))
    return _cut(next((cell for row in rows[:-1] for cell in row.split("\t") if cell.strip()), ""))


def read_left_over(text: str) -> tuple[LeftOver, ...]:
    """Return the installer containers. Names are compared here, because `ps --filter` also matches parts of names."""
    rows = [line.partition("\t") for line in text.split("\n") if line.strip()]
    return tuple(
        LeftOver(_cut(status)) for names, _tab, status in rows if CONTAINER in [n.strip(" /") for n in names.split(",")]
    )


def read_console(text: str) -> Says | None:
    """Return the installer's status from the first progress URL that responded as an API. None: no URL did."""
    for response in text.split("\n@next"):
        head, _blank, body = response.strip().replace("\r\n", "\n").partition("\n\n")
        status_line = head.split("\n")[0].split()
        if status_line[1:2] == ["200"] and body.strip() and not body.lstrip().startswith("<"):
            return read_progress(body).says
    return None


def _cut(text: str) -> str:
    return truncate(text, _WORD)


_READERS: Mapping[str, Callable[[str], object]] = {
    "nodes": read_nodes,
    "pods": read_pods,
    "releases": read_releases,
    "module": read_module,
    "left_over": read_left_over,
    "console": read_console,
}
