"""The registry collector, run by bash with curl or only python3: TLS, `/v2/`, login."""

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr

from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.collectors.image_registry import registry_collector
from acp_tui.nodes.fact_types import Login, RegistryAnswer, Trust
from acp_tui.nodes.script import LAUNCH_PLAIN, Reader, build
from tests.support.fake_registry import CA_PEM, PASSWORD, TOKEN, USER, small_registry

MARKER = "0123456789abcdef"
HOST = "127.0.0.1"
TOOLS = ("sh", "bash", "head", "cat", "timeout", "rm")


def login(user: str = USER, password: str = PASSWORD) -> SecretStr:
    return SecretStr(base64.b64encode(f"{user}:{password}".encode()).decode())


@pytest.fixture(params=["curl", "python3"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Mapping[str, str]:
    """Return the environment of a node that has the tool and trusts the CA."""
    tool = str(request.param)
    if tool == "curl" and shutil.which("curl") is None:
        pytest.skip("needs curl")
    ca, tools = tmp_path / "ca.pem", tmp_path / "bin"
    ca.write_text(CA_PEM, encoding="ascii")
    tools.mkdir()
    for name in (*TOOLS, tool):
        path = sys.executable if name == "python3" else shutil.which(name)
        assert path is not None
        (tools / name).symlink_to(os.path.realpath(path))
    return {"PATH": str(tools), "SSL_CERT_FILE": str(ca), "http_proxy": "http://127.0.0.1:9"}


def collect(
    node: Mapping[str, str], port: int, credentials: SecretStr | None, host: str = HOST
) -> RegistryAnswer | None:
    collector = registry_collector((host, port), credentials)
    program = build((collector,), MARKER).replace("$PATH:/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin", "$PATH")
    completed = subprocess.run(
        ["/bin/sh", "-c", LAUNCH_PLAIN], input=program.encode(), capture_output=True, timeout=60, check=False, env=node
    )
    return facts_from("10.0.0.1", Reader(MARKER).feed(completed.stdout), "lost", (collector,)).registry_answer


@pytest.mark.parametrize("kind", ["basic", "bearer"])
def test_correct_login_is_accepted_and_wrong_login_is_rejected(
    node: Mapping[str, str], tmp_path: Path, kind: str
) -> None:
    with small_registry(tmp_path, login=kind) as registry:
        assert collect(node, registry.port, login()) == RegistryAnswer(401, "", Trust.TRUSTED, Login.ACCEPTED)
        if kind == "bearer":
            assert registry.requests[-1] == ("/v2/", f"Bearer {TOKEN}")
        wrong = collect(node, registry.port, login(password="x"))
        assert wrong == RegistryAnswer(401, "", Trust.TRUSTED, Login.REFUSED, "401")
        assert collect(node, registry.port, None) == RegistryAnswer(401, "", Trust.TRUSTED)


@pytest.mark.parametrize(
    ("kind", "trust"),
    [
        ("self-signed", Trust.SELF_SIGNED),
        ("other name", Trust.OTHER_NAME),
        ("expired", Trust.EXPIRED),
        ("none", Trust.PLAIN),
    ],
)
def test_the_password_is_not_sent_without_trusted_tls(
    node: Mapping[str, str], tmp_path: Path, kind: str, trust: Trust
) -> None:
    with small_registry(tmp_path, certificate=kind) as registry:
        assert collect(node, registry.port, login()) == RegistryAnswer(401, "", trust, Login.UNSENT)
        assert {credentials for _path, credentials in registry.requests} == {""}


def test_unknown_ca_is_not_trusted(node: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("", encoding="ascii")
    environment = {**node, "SSL_CERT_FILE": "/dev/null"}
    with small_registry(tmp_path) as registry:
        answer = collect(environment, registry.port, login())
    assert answer is not None
    assert answer.trust in (Trust.UNKNOWN_CA, Trust.UNTRUSTED)


def test_a_token_server_without_tls_gets_no_password(node: Mapping[str, str], tmp_path: Path) -> None:
    with (
        small_registry(tmp_path, certificate="none", login="bearer") as token_server,
        small_registry(tmp_path, login="bearer", realm=f"http://{HOST}:{token_server.port}/token") as registry,
    ):
        answer = collect(node, registry.port, login())
        assert answer == RegistryAnswer(
            401, "", Trust.TRUSTED, Login.UNSENT, f"http://{HOST}:{token_server.port}/token"
        )
        assert token_server.requests == []


def test_registry_without_login_is_open(node: Mapping[str, str], tmp_path: Path) -> None:
    with small_registry(tmp_path, login="none") as registry:
        assert collect(node, registry.port, login()) == RegistryAnswer(200, "", Trust.TRUSTED, Login.OPEN)


def test_unreachable_registry_and_unreachable_token_server(node: Mapping[str, str], tmp_path: Path) -> None:
    answer = collect(node, 1, login())
    assert answer is not None
    assert answer.status is None
    assert "refused" in answer.detail.lower() or "connect" in answer.detail.lower()
    with small_registry(tmp_path, login="bearer", realm=f"https://{HOST}:1/token") as registry:
        answer = collect(node, registry.port, login())
    assert answer is not None
    assert answer.login is Login.FAILED


def test_without_curl_and_python_the_fact_is_missing(tmp_path: Path) -> None:
    for name in TOOLS:
        (tmp_path / name).symlink_to(os.path.realpath(str(shutil.which(name))))
    if Path("/usr/libexec/platform-python").exists():
        pytest.skip("has a Python outside PATH")
    assert collect({"PATH": str(tmp_path)}, 1, login()) is None


@pytest.mark.parametrize(
    ("message", "trust"),
    [
        ("curl: (60) SSL certificate problem: self signed certificate", Trust.SELF_SIGNED),
        ("curl: (60) SSL certificate problem: self-signed certificate in certificate chain", Trust.UNKNOWN_CA),
        ("curl: (60) SSL certificate problem: unable to get local issuer certificate", Trust.UNKNOWN_CA),
        ("curl: (60) Peer's Certificate issuer is not recognized.", Trust.UNKNOWN_CA),
        ("curl: (60) Peer's certificate issuer has been marked as not trusted by the user.", Trust.UNKNOWN_CA),
        ("curl: (60) Peer's Certificate has expired.", Trust.EXPIRED),
        ("curl: (60) SSL certificate problem: certificate is not yet valid", Trust.NOT_YET),
        (
            "curl: (51) Unable to communicate securely with peer: requested domain name does not match the server's",
            Trust.OTHER_NAME,
        ),
        (
            "curl: (60) SSL: no alternative certificate subject name matches target host name '10.0.0.1'",
            Trust.OTHER_NAME,
        ),
        ("curl: (77) error setting certificate verify locations", Trust.UNTRUSTED),
    ],
)
def test_certificate_errors_of_openssl_and_nss(message: str, trust: Trust) -> None:
    collector = registry_collector((HOST, 1), None)
    reader = Reader(MARKER)
    text = f"{MARKER} registry\ntrust {message}\nstatus 401\n\n{MARKER} registry 0\n"
    assert facts_from("a", reader.feed(text.encode()), "lost", (collector,)).registry_answer == RegistryAnswer(
        401, "", trust
    )
