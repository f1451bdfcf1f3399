"""Queries with a real kubectl and a minimal API server that supports `get`."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pydantic import JsonValue

from acp_tui.checks.verdict import Outcome
from acp_tui.install.verify.collect import NodeAccess, query_node
from acp_tui.install.verify.facts import ClusterNode, Condition, Installed
from acp_tui.install.verify.queries import cluster_collectors, installed_from, module_collector
from acp_tui.install.verify.workload_checks import chart_state, pod_state
from tests.support.factories.plans import valid_plan

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None or os.geteuid() != 0, reason="needs kubectl and root")

GROUP = "operator.alauda.io/v1alpha1"
NODE: JsonValue = {
    "metadata": {"name": "n1"},
    "spec": {"unschedulable": True},
    "status": {
        "addresses": [{"type": "InternalIP", "address": "10.20.0.11"}, {"type": "Hostname", "address": "n1"}],
        "conditions": [
            {"type": "MemoryPressure", "status": "False"},
            {"type": "Ready", "status": "False", "reason": "X"},
        ],
        "nodeInfo": {"kubeletVersion": "v1.31.6", "containerRuntimeVersion": "containerd://1.7.27"},
    },
}
RELEASES: list[JsonValue] = [
    {
        "metadata": {"namespace": "cpaas-system", "name": "base"},
        "status": {
            "charts": {"acp/a": {"phase": "Synced"}, "acp/b": {"installedRevision": "v1"}},
            "conditions": [{"type": "Sync", "status": "True"}, {"type": "Health", "status": "False", "reason": "Down"}],
        },
    },
    {"metadata": {"namespace": "cpaas-system", "name": "bad"}, "status": {"phase": "Failed"}},
    {"metadata": {"namespace": "cpaas-system", "name": "mute"}},
]


def pod(name: str, phase: str, *states: JsonValue, ready: int = 0, **more: JsonValue) -> JsonValue:
    """Return a Pod. Its containers have `states`; the first `ready` of them are ready."""
    statuses: list[JsonValue] = [
        {"name": f"c{number}", "ready": number < ready, "state": state} for number, state in enumerate(states)
    ]
    return {
        "metadata": {"namespace": "a", "name": name, **({"deletionTimestamp": "now"} if "deleting" in more else {})},
        "spec": {"nodeName": "n1", "containers": [{"name": f"c{number}"} for number in range(max(1, len(states)))]},
        "status": {"phase": phase, "containerStatuses": statuses, **more},
    }


RUNS: JsonValue = {"running": {"startedAt": "now"}}
PODS = [
    pod("well", "Running", RUNS, RUNS, ready=2),
    pod("done", "Succeeded", {"terminated": {"reason": "Completed"}}),
    pod("half", "Running", RUNS, RUNS, ready=1),
    pod("crash", "Running", {"waiting": {"reason": "CrashLoopBackOff"}}),
    pod("pending", "Pending"),
    pod("evicted", "Failed", reason="Evicted"),
    pod("gone", "Running", RUNS, ready=1, deleting=True),
    pod("init", "Pending", {"waiting": {"reason": "PodInitializing"}},
        initContainerStatuses=[{"name": "i", "ready": False, "state": {"waiting": {"reason": "ImagePullBackOff"}}}]),
]  # fmt: skip


def listed(kind: str, version: str, items: list[JsonValue]) -> JsonValue:
    return {"kind": f"{kind}List", "apiVersion": version, "metadata": {}, "items": items}


def resources(version: str, *named: tuple[str, str, bool]) -> JsonValue:
    rows: list[JsonValue] = [
        {"name": f"{name}s", "singularName": name, "namespaced": inside, "kind": kind, "verbs": ["get", "list"]}
        for name, kind, inside in named
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": rows}


ANSWERS: Mapping[str, JsonValue] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [
            {
                "name": GROUP.partition("/")[0],
                "versions": [{"groupVersion": GROUP, "version": "v1alpha1"}],
                "preferredVersion": {"groupVersion": GROUP, "version": "v1alpha1"},
            }
        ],
    },
    "/api/v1": resources("v1", ("pod", "Pod", True), ("node", "Node", False)),
    f"/apis/{GROUP}": resources(GROUP, ("apprelease", "AppRelease", True), ("clustermodule", "ClusterModule", False)),
    "/api/v1/nodes": listed("Node", "v1", [NODE]),
    "/api/v1/pods": listed("Pod", "v1", PODS),
    f"/apis/{GROUP}/appreleases": listed("AppRelease", GROUP, RELEASES),
    f"/apis/{GROUP}/clustermodules/global": {
        "kind": "ClusterModule",
        "apiVersion": GROUP,
        "metadata": {"name": "global"},
        "status": {"base": {"deployStatus": "Completed"}},
    },
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answer = ANSWERS.get(self.path.partition("?")[0])
        body = json.dumps(answer or {"kind": "Status", "status": "Failure", "code": 404}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def point_to(file: Path, server: str) -> None:
    """Write a kubeconfig for this server to `file`."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}],
        "current-context": "c",
    }
    file.write_text(json.dumps(config), encoding="utf-8")


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("HOME", str(tmp_path))  # kubectl caches the discovered API there
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    file = tmp_path / "admin.conf"
    point_to(file, f"http://127.0.0.1:{server.server_address[1]}")
    yield file
    server.shutdown()
    server.server_close()


async def query_cluster(kubeconfig: Path) -> Installed:
    plan = valid_plan(ssh={"password": None})
    access = NodeAccess(plan, {}, is_local=lambda address: True)
    path = str(kubeconfig)
    outputs = await query_node(access, plan.nodes[0], (*cluster_collectors(path), module_collector(path)))
    return installed_from(outputs.readings, "not asked")


async def test_output_of_kubectl_is_read(kubeconfig: Path) -> None:
    installed = await query_cluster(kubeconfig)
    assert set(installed.missing) == {"left_over", "console"}
    assert installed.nodes == (
        ClusterNode("n1", ("10.20.0.11", "n1"), False, "X", "v1.31.6", "containerd://1.7.27", cordoned=True),
    )
    assert installed.module == "Completed"
    assert {one.name: pod_state(one) for one in installed.pods or ()} == {
        "well": (Outcome.PASS, ""),
        "done": (Outcome.PASS, ""),
        "half": (Outcome.WARN, "Running 1/2"),
        "crash": (Outcome.FAIL, "CrashLoopBackOff 0/1"),
        "pending": (Outcome.FAIL, "Pending 0/1"),
        "evicted": (Outcome.FAIL, "Evicted 0/1"),
        "gone": (Outcome.WARN, "Terminating 1/1"),
        "init": (Outcome.FAIL, "Init:ImagePullBackOff 0/1"),
    }
    releases = {one.name: one for one in installed.releases or ()}
    assert releases["base"].phases == ("Synced",)
    assert releases["base"].conditions == (Condition("Sync", "True", ""), Condition("Health", "False", "Down"))
    assert [chart_state(one)[0] for one in releases.values()] == [Outcome.WARN, Outcome.FAIL, Outcome.UNKNOWN]


async def test_missing_api_server_is_reported(kubeconfig: Path) -> None:
    point_to(kubeconfig, "http://127.0.0.1:1")
    installed = await query_cluster(kubeconfig)
    assert installed.pods is None
    assert "refused" in installed.missing["pods"]
