"""Tests of `acp-tui finish` with sshd nodes that have a fake kubectl and docker, and an HTTPS server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from acp_tui.cli.main import main
from acp_tui.core.clock import now
from acp_tui.install.run.state import CONTAINER, Phase, RunSpec, RunState, write_state
from tests.lab.kit.nodes import OPERATOR, PASSWORD, Lab, LabNode
from tests.lab.kit.profiles import NodeProfile
from tests.support.fake_kubectl import make_cluster, put
from tests.support.kubectl_tables import PODS, self_signed, table, web

pytestmark = pytest.mark.lab
CANARY = "cAn4ry-finish-admin"


@dataclass
class Place:
    """A cluster of two nodes with its Web UI and registry, and a folder with its plan."""

    nodes: list[LabNode]
    host: str
    port: int
    folder: Path

    @property
    def first(self) -> LabNode:
        return self.nodes[0]

    def write_plan(self, **changes: object) -> None:
        answers = {
            "release": "4.0",
            "admin": {"username": "admin", "password": CANARY},
            "ssh": {"username": "root", "password": PASSWORD},
            "nodes": [{"address": node.address, "deployable": True} for node in self.nodes],
            "address": {"cluster_endpoint": self.host, "https_port": self.port},
            **changes,
        }
        (self.folder / "plan.yaml").write_text(yaml.safe_dump(answers), encoding="utf-8")

    def run(self, *arguments: str, command: str = "finish") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            (sys.executable, "-m", "acp_tui", command, "plan.yaml", "--accept-new", *arguments),
            cwd=self.folder,
            env={**os.environ, "XDG_STATE_HOME": str(self.folder / "state"), "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def installed(self, minutes: int, phase: Phase = Phase.SUCCESS) -> None:
        """Write an install run of this plan that reached `phase` this many minutes ago."""
        run_dir = self.folder / "state" / "acp-tui" / "installs" / "20260101T000000.000000Z"
        run_dir.mkdir(parents=True, exist_ok=True)
        url = f"https://{self.host}:{self.port}"
        spec = RunSpec(run_dir, run_dir, ("bash", "setup.sh"), run_dir / "none", url)
        moment = now() - timedelta(minutes=minutes)
        write_state(replace(RunState(spec, phase, moment), updated=moment, post_status=200))


@pytest.fixture
def place(lab: Lab, tmp_path: Path) -> Iterator[Place]:
    nodes = lab.start(NodeProfile(), NodeProfile())
    host = lab.address(0)
    pem = self_signed(tmp_path, host)
    with web(host, 0, pem) as port, web(host, 11443, pem, 401):
        made = Place(nodes, host, port, tmp_path)
        made.write_plan()
        make_cluster(nodes[0], [node.address for node in nodes])
        yield made


def test_healthy_cluster_is_verified(place: Place) -> None:
    done = place.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"The cluster is installed and verified. The platform is at https://{place.host}:{place.port}" in done.stdout
    assert "Alauda Container Platform Product Docs" in done.stdout
    report = json.loads((place.folder / "completion.json").read_text(encoding="utf-8"))
    assert (report["verified"], report["versions"]["kubernetes"]) == (True, "v1.31.6")
    assert [node["state"] for node in report["nodes"]] == ["Ready", "Ready"]
    page = (place.folder / "completion.html").read_text(encoding="utf-8")
    assert "The cluster is installed and verified" in page
    for secret in (CANARY, PASSWORD):
        assert secret not in done.stdout + done.stderr + page + json.dumps(report)


@pytest.mark.parametrize(
    ("plan", "missing"),
    [
        ("nodes: [{address: 192.0.2.1, role: worker}]\n", "no control plane node"),
        ("nodes: [{address: 192.0.2.1}]\n", "no platform address"),
    ],
)
def test_plan_without_a_node_or_address_to_verify_is_an_error(
    plan: str, missing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plan.yaml").write_text(plan)
    assert main(["finish", str(tmp_path / "plan.yaml")]) == 1
    assert missing in capsys.readouterr().err


def test_failing_pods_are_listed_without_the_healthy_ones(place: Place) -> None:
    failing = ("a\tcrash\tn1\tRunning\t\t\t1\t-CrashLoopBackOff \t", "a\thalf\tn1\tRunning\t\t\t2\t+ - \t")
    put(place.first, "/srv/pods", table((*PODS, *failing)))
    done = place.run()
    assert done.returncode == 1
    assert "a/crash: CrashLoopBackOff 0/1" in done.stdout
    assert "a/half: Running 1/2" in done.stdout
    assert "coredns" not in done.stdout
    assert "The cluster did not pass the checks." in done.stdout


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("rm /usr/bin/kubectl", "the command kubectl was not found"),
        ("rm /etc/kubernetes/admin.conf", "the node is not yet a control plane node"),
        ("touch /srv/down", "10.20.0.10:6443 was refused"),
    ],
)
def test_unreadable_cluster_is_unknown_with_the_reason(place: Place, fault: str, reason: str) -> None:
    place.first.sh(fault)
    done = place.run("--json")
    assert done.returncode == 3
    outcomes = {v["requirement"]: v for v in json.loads(done.stdout)["verdicts"]}
    for rule in ("INS-VERIFY-PODS", "INS-VERIFY-CHARTS", "INS-VERIFY-43"):
        assert outcomes[rule]["verdict"] == "unknown"
        assert reason in outcomes[rule]["observed"]
    assert not (place.folder / "completion.json").exists()


def test_next_control_plane_node_is_queried_if_the_first_is_down(place: Place) -> None:
    make_cluster(place.nodes[1], [node.address for node in place.nodes])
    place.first.stop_sshd()
    done = place.run("--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert [(node["address"], node["state"]) for node in report["nodes"]] == [
        (place.nodes[0].address, "unreachable"),
        (place.nodes[1].address, "checked"),
    ]
    outcomes = {v["requirement"]: v["verdict"] for v in report["verdicts"]}
    assert (outcomes["INS-VERIFY-PODS"], outcomes["INS-CLEANUP"]) == ("pass", "unknown")


def test_user_with_sudo_can_verify(place: Place) -> None:
    place.first.sh(f"echo '{OPERATOR} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/{OPERATOR}")
    place.write_plan(ssh={"username": OPERATOR, "password": PASSWORD})
    assert place.run().returncode == 0


def test_leftover_installer_is_removed_only_after_confirmation(place: Place) -> None:
    place.installed(31)
    put(place.first, "/srv/containers", f"{CONTAINER}\tUp 90 minutes\nother-{CONTAINER}\tUp\n")
    asked = place.run("--clean-up")
    assert asked.returncode == 1
    assert f"docker rm -f {CONTAINER}" in asked.stdout + asked.stderr
    assert place.first.sh("cat /srv/removed 2>/dev/null; true") == ""
    done = place.run("--clean-up", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert place.first.sh("cat /srv/removed") == f"rm -f {CONTAINER}\n"
    again = place.run("--clean-up", "--yes")
    assert "The installer was not removed: the installer container does not exist" in again.stderr
    assert place.first.sh("cat /srv/removed") == f"rm -f {CONTAINER}\n"


def test_later_releases_remove_the_installer_with_nerdctl(place: Place) -> None:
    place.write_plan(release="4.2")
    place.installed(31)
    place.first.sh("mv /usr/bin/docker /usr/local/bin/nerdctl")
    put(place.first, "/srv/containers", f"{CONTAINER}\tUp 90 minutes\n")
    assert place.run("--clean-up", "--yes").returncode == 0
    assert place.first.sh("cat /srv/removed") == f"rm -f {CONTAINER}\n"


def assert_not_removed(place: Place, reason: str) -> None:
    """Check that --yes does not remove the container, and that standard error has the reason."""
    done = place.run("--clean-up", "--yes")
    assert reason in done.stderr, done.stderr
    assert place.first.sh("cat /srv/removed 2>/dev/null; true") == ""


def test_installer_stays_while_a_condition_for_its_removal_is_missing(place: Place) -> None:
    put(place.first, "/srv/containers", f"{CONTAINER}\tUp 90 minutes\n")
    place.installed(12)
    assert_not_removed(place, "12 min after the end of the install; the installer removes itself within 30 min")
    place.installed(40, Phase.NEEDS_VERSION)
    assert_not_removed(place, "an install that this host started has not ended")
    place.installed(40)
    put(place.first, "/srv/pods", table((*PODS, "a\tp\t\tPending\t\t\t1\t\t")))
    assert_not_removed(place, "the cluster did not pass the checks")
    put(place.first, "/srv/pods", table(PODS))
    put(place.first, "/srv/www/api/progress", '{"status": "Running", "step": 3}')
    place.first.sh("cd /srv/www && { setsid python3 -m http.server 8080 >/dev/null 2>&1 </dev/null & } ; "
                   "until ss -tln | grep -q :8080; do sleep 0.05; done")  # fmt: skip
    assert_not_removed(place, "has not reported success")


def test_wait_repeats_until_all_checks_pass(place: Place) -> None:
    put(place.first, "/srv/pods", table((*PODS, "a\tslow\tn1\tPending\t\t\t1\t-ContainerCreating \t")))
    put(place.first, "/srv/healthy", table(PODS))
    # After the first query the Pod runs.
    place.first.sh(
        'sed -i \'s#^cat .*#cat "/srv/$2"; [ "$2" != pods ] || cp /srv/healthy /srv/pods#\' /usr/bin/kubectl'
    )
    done = place.run("--wait", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "a/slow: ContainerCreating" in done.stderr
    assert "a/slow" not in done.stdout


def test_failed_run_is_shown_before_a_new_one_starts(place: Place) -> None:
    place.installed(50, Phase.FAILED)
    put(place.first, "/srv/containers", f"{CONTAINER}\tUp 50 minutes\n")
    done = place.run("--again", command="install")
    assert done.returncode == 1
    assert f"Remove it first: docker rm -f {CONTAINER}" in done.stderr
    put(place.first, "/srv/containers", "")
    done = place.run(command="install")
    assert done.returncode == 1
    assert "The installer container of the last install no longer exists." in done.stderr
    assert "the installer has possibly changed every node" in done.stderr
    assert "The confirmation requires a terminal. To skip the confirmation, add --again." in done.stderr
    done = place.run("--again", command="install")
    assert "add --again" not in done.stderr
    assert ": checked" in done.stderr, "the preflight runs"


def test_success_is_not_mentioned_by_a_new_install(place: Place) -> None:
    place.installed(50)
    assert "The last run" not in place.run(command="install").stderr


def test_hostile_text_from_the_cluster_is_escaped(place: Place) -> None:
    put(place.first, "/srv/pods", table((*PODS, "a\t<script>x</script>[red]\x1b[2J\tn1\tPending\t\t\t1\t\t")))
    done = place.run()
    assert "<script>x</script>[red]" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert "<script>" not in (place.folder / "completion.html").read_text(encoding="utf-8")
