"""Where an install hangs: weighed by what was found, and asked of a real node."""

from pathlib import Path

import pytest

from acp_tui.install.run.state import CONTAINER, INSTALLER_LOG
from acp_tui.install.verify.collect import NodeAccess
from acp_tui.install.verify.queries import EARLY_KUBECONFIG, KUBECONFIG, installed_from
from acp_tui.install.verify.triage import Triage, triage, weigh
from acp_tui.nodes.script import CollectorOutput
from tests.lab.kit.nodes import PASSWORD, Lab
from tests.lab.kit.profiles import NodeProfile
from tests.support.factories.plans import valid_plan
from tests.support.fake_kubectl import make_cluster, put
from tests.support.kubectl_tables import PODS, table

UP = f"{CONTAINER}\tUp 20 minutes\n"
LISTENING = "LISTEN 0 128 0.0.0.0:8080 0.0.0.0:*\n"
PULL = "a\tpull\tn2\tPending\t\t\t1\t-ImagePullBackOff \t"
SLOW = "kube-system\tcoredns-9\tn1\tPending\t\t\t1\t\t"


def weighed(container: str = UP, ports: str = LISTENING, log: str = "", pods: tuple[str, ...] = PODS) -> Triage:
    texts = {"left_over": container, "ports": ports, "log": log, "pods": table(pods), "console": "closed"}
    readings = {name: CollectorOutput(name, 0, text) for name, text in texts.items()}
    return weigh(installed_from(readings, "not asked"), readings)


@pytest.mark.parametrize(
    ("found", "place"),
    [
        (weighed(container=""), "container is not there"),
        (weighed(container=f"{CONTAINER}\tExited (1) 5 minutes ago\n"), "does not run (Exited (1)"),
        (weighed(ports="LISTEN 0 1 0.0.0.0:18080 0.0.0.0:*\n"), "does not listen on port 8080"),
        (weighed(pods=(*PODS, PULL)), "reach the registry on port 11443"),
        (weighed(pods=(*PODS, SLOW)), "kube-system"),
        (weighed(log="900\nwaiting for machine cp-2\n"), "get machines"),
        (weighed(log="900\nmachines are up\nclustermodule global is Installing\n"), "describe clustermodule"),
        (weighed(log="900\nAppRelease cert-manager not ready\n"), "get apprelease"),
        (weighed(), "not known"),
    ],
)
def test_the_likely_place(found: Triage, place: str) -> None:
    assert place in found.likely


def test_what_was_found_is_told_and_bounded() -> None:
    log = "720\n" + "".join(f"line {number}\n" for number in range(500))
    found = weighed(log=log, pods=tuple(f"a\tp{number}\t\tPending\t\t\t1\t\t" for number in range(300)))
    told = "\n".join(found.seen)
    assert "Up 20 minutes" in told
    assert "last written 12 min ago" in told
    assert "line 499" in told
    assert len(found.seen) < 20


@pytest.mark.lab
async def test_a_node_is_asked_with_the_kubeconfig_that_is_there(lab: Lab) -> None:
    [node] = lab.start(NodeProfile())
    make_cluster(node, [node.address], (*PODS, PULL))
    put(node, "/srv/containers", UP)
    put(node, str(INSTALLER_LOG), "pulling images\n")
    node.sh(
        f"rm {KUBECONFIG}; echo x >{EARLY_KUBECONFIG}; sed -i 's#{KUBECONFIG}#{EARLY_KUBECONFIG}#' /usr/bin/kubectl"
    )
    plan = valid_plan(ssh={"username": "root", "password": PASSWORD}, nodes=[{"address": node.address}])
    found = await triage(NodeAccess(plan, {}, Path()))
    told = "\n".join(found.seen)
    assert "Up 20 minutes" in told
    assert "pulling images" in told
    assert "a/pull: ImagePullBackOff 0/1 (n2)" in told
    assert "port 8080: nobody listens" in told


async def test_a_node_that_cannot_be_asked_is_told() -> None:
    found = await triage(NodeAccess(valid_plan(ssh={"password": None}), {}, here=lambda address: False))
    assert found.likely == "not known"
    assert "could not be asked" in found.seen[0]
