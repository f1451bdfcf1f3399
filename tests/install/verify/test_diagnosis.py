"""The diagnosis of a stalled install: evaluation of results, and queries of a real node."""

from pathlib import Path

import pytest

from acp_tui.install.run.state import CONTAINER, INSTALLER_LOG
from acp_tui.install.verify.collect import NodeAccess
from acp_tui.install.verify.diagnosis import Diagnosis, diagnose, diagnose_install
from acp_tui.install.verify.queries import EARLY_KUBECONFIG, KUBECONFIG, installed_from
from acp_tui.nodes.script import CollectorOutput
from acp_tui.plan.known_hosts import confirmed
from tests.lab.kit.nodes import PASSWORD, Lab
from tests.lab.kit.profiles import NodeProfile
from tests.support.factories.plans import valid_plan
from tests.support.fake_kubectl import make_cluster, put
from tests.support.kubectl_tables import PODS, table

UP = f"{CONTAINER}\tUp 20 minutes\n"
LISTENING = "LISTEN 0 128 0.0.0.0:8080 0.0.0.0:*\n"
PULL = "a\tpull\tn2\tPending\t\t\t1\t-ImagePullBackOff \t"
SLOW = "kube-system\tcoredns-9\tn1\tPending\t\t\t1\t\t"


def diagnosed(container: str = UP, ports: str = LISTENING, log: str = "", pods: tuple[str, ...] = PODS) -> Diagnosis:
    texts = {"left_over": container, "ports": ports, "log": log, "pods": table(pods), "console": "closed"}
    readings = {name: CollectorOutput(name, 0, text) for name, text in texts.items()}
    return diagnose(installed_from(readings, "not asked"), readings)


@pytest.mark.parametrize(
    ("result", "place"),
    [
        (diagnosed(container=""), "container does not exist"),
        (diagnosed(container=f"{CONTAINER}\tExited (1) 5 minutes ago\n"), "is not running (Exited (1)"),
        (diagnosed(ports="LISTEN 0 1 0.0.0.0:18080 0.0.0.0:*\n"), "does not listen on port 8080"),
        (diagnosed(pods=(*PODS, PULL)), "reaches the registry on port 11443"),
        (diagnosed(pods=(*PODS, SLOW)), "kube-system"),
        (diagnosed(log="900\nwaiting for machine cp-2\n"), "get machines"),
        (diagnosed(log="900\nmachines are up\nclustermodule global is Installing\n"), "describe clustermodule"),
        (diagnosed(log="900\nAppRelease cert-manager not ready\n"), "get apprelease"),
        (diagnosed(), "unknown"),
    ],
)
def test_likely_cause(result: Diagnosis, place: str) -> None:
    assert place in result.likely_cause


def test_observations_are_limited() -> None:
    log = "720\n" + "".join(f"line {number}\n" for number in range(500))
    result = diagnosed(log=log, pods=tuple(f"a\tp{number}\t\tPending\t\t\t1\t\t" for number in range(300)))
    text = "\n".join(result.observations)
    assert "Up 20 minutes" in text
    assert "last written 12 min ago" in text
    assert "line 499" in text
    assert len(result.observations) < 20


@pytest.mark.lab
async def test_first_existing_kubeconfig_is_used(lab: Lab) -> None:
    [node] = lab.start(NodeProfile())
    make_cluster(node, [node.address], (*PODS, PULL))
    put(node, "/srv/containers", UP)
    put(node, str(INSTALLER_LOG), "pulling images\n")
    node.sh(
        f"rm {KUBECONFIG}; echo x >{EARLY_KUBECONFIG}; sed -i 's#{KUBECONFIG}#{EARLY_KUBECONFIG}#' /usr/bin/kubectl"
    )
    plan = valid_plan(ssh={"username": "root", "password": PASSWORD}, nodes=[{"address": node.address}])
    result = await diagnose_install(NodeAccess(plan, {node.address: confirmed(node.host_key)}, Path()))
    text = "\n".join(result.observations)
    assert "Up 20 minutes" in text
    assert "pulling images" in text
    assert "a/pull: ImagePullBackOff 0/1 (n2)" in text
    assert "port 8080: not listening" in text


async def test_unreachable_node_is_reported() -> None:
    result = await diagnose_install(NodeAccess(valid_plan(ssh={"password": None}), {}, is_local=lambda address: False))
    assert result.likely_cause == "the cause is unknown"
    assert "Cannot query" in result.observations[0]
