"""The external registry and the platform domain, tested from the nodes."""

import base64
import shlex
import threading
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.lab.kit.check_run import Checked, as_planned, check, check_nodes, command_lines, plan
from tests.lab.kit.nodes import Lab, LabNode
from tests.support.fake_registry import CA_PEM, PASSWORD, USER, small_registry

pytestmark = pytest.mark.lab

_NAME = "acp.example.com"


def test_domain_that_resolves_differently_and_unreachable_registry_fail(
    lab: Lab, nodes: list[LabNode], tmp_path: Path
) -> None:
    one, two, three = nodes
    answers: dict[str, JsonValue] = {"cluster_endpoint": lab.address(0), "platform": _NAME}
    registry: dict[str, JsonValue] = {"mode": "external", "address": f"{one.address}:5000"}
    for node, address in ((one, "10.1.1.1"), (two, "10.1.1.1"), (three, "10.1.1.2")):
        node.sh(f"echo {address} {_NAME} >>/etc/hosts")
    checked = check_nodes(tmp_path, nodes, lab.address(0), address=answers, registry=registry)
    assert checked.outcomes == {
        one.address: {"XR-REG-EXT": "fail"},
        two.address: {"XR-REG-EXT": "fail"},
        three.address: {"XR-REG-EXT": "fail", "NETRES-DOMAIN": "fail"},
    }
    outcomes = [v["verdict"] for v in checked.verdicts if v["node"] is None and v["requirement"] == "NETRES-DOMAIN"]
    assert outcomes == ["warn"]
    assert f"{_NAME} resolves to 10.1.1.2 on this node, but to 10.1.1.1 on other nodes" in checked.observed(
        three.address, "NETRES-DOMAIN"
    )


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_registry_login_over_tls_is_tested_without_exposing_the_password(
    lab: Lab, nodes: list[LabNode], tmp_path: Path, kind: str
) -> None:
    """One node lacks the CA, and one has no tool for the test. The password is never in the process list."""
    one, two, three = nodes
    store = "/etc/ssl/certs/ca-certificates.crt"
    one.sh(f"cat {store} >/run/store; rm -f {store}; cat /run/store - >{store} <<<{shlex.quote(CA_PEM)}")
    three.sh("rm -f $(type -aP curl python3)")
    endpoint = lab.address(0)
    lines: set[bytes] = set()
    with small_registry(tmp_path, endpoint, login=kind) as registry:

        def check_with(password: str) -> Checked:
            external: dict[str, JsonValue] = {"mode": "external", "address": f"{endpoint}:{registry.port}"}
            answers = plan(as_planned(nodes), endpoint, registry={**external, "username": USER, "password": password})
            done = threading.Event()

            def watch() -> None:
                while not done.is_set():
                    lines.update(command_lines())

            watcher = threading.Thread(target=watch)
            watcher.start()
            try:
                return check(tmp_path, answers)
            finally:
                done.set()
                watcher.join()

        right, wrong = check_with(PASSWORD), check_with("wrong")
    assert right.outcomes[one.address] == {}
    assert right.outcomes[two.address] == {"XR-REG-EXT": "warn", "XR-REG-AUTH": "unknown"}
    assert "does not trust the CA of the registry's certificate" in right.observed(two.address, "XR-REG-EXT")
    assert right.outcomes[three.address].keys() >= {"XR-REG-EXT", "XR-REG-AUTH"}
    assert right.outcomes[three.address]["XR-REG-AUTH"] == "unknown"
    assert wrong.outcomes[one.address] == {"XR-REG-AUTH": "fail"}
    assert any(b"curl" in line for line in lines)
    secrets = (PASSWORD.encode(), base64.b64encode(f"{USER}:{PASSWORD}".encode()))
    assert not any(secret in line for line in lines for secret in secrets)
