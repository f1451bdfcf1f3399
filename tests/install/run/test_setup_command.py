"""The command line of setup.sh, the API addresses from its output, and the versions of the configuration."""

from pathlib import Path
from typing import Literal

import pytest

from acp_tui.core.redaction import mask_values
from acp_tui.install.config.versions_and_secrets import InvalidConfig, secrets_in, wanted_versions, with_versions
from acp_tui.install.run.phases import choose
from acp_tui.install.run.setup_script import printed_addresses, setup_command
from acp_tui.install.run.start_resume_abort import run_spec
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.address import Address
from acp_tui.plan.sections.network import Network


@pytest.mark.parametrize(
    ("release", "cni", "family", "flags"),
    [
        ("4.0", "kube-ovn", "ipv4", ""),
        ("4.0", "kube-ovn", "dual", ""),
        ("4.0", "calico", "ipv4", "--network-mode calico"),
        ("4.1", "calico", "dual", "--network-mode calico"),
        ("4.0", "kube-ovn", "ipv6", "--ip-family ipv6"),
        ("4.1", "calico", "ipv6", "--network-mode calico --ip-family ipv6"),
        ("4.2", "calico", "ipv4", ""),
        ("4.3", "calico", "ipv6", "--ip-family ipv6"),
    ],
)
def test_flags_follow_network_and_release(
    release: str, cni: Literal["kube-ovn", "calico"], family: Literal["ipv4", "ipv6", "dual"], flags: str
) -> None:
    plan = Plan(release=release, network=Network(cni=cni, ip_family=family))
    assert setup_command(plan) == ("bash", "setup.sh", *flags.split())


@pytest.mark.parametrize(
    ("address", "port", "url"),
    [
        ("acp.example.com", 443, "https://acp.example.com"),
        ("acp.example.com", 8443, "https://acp.example.com:8443"),
        ("2001:db8::1", 443, "https://[2001:db8::1]"),
    ],
)
def test_run_spec_has_platform_url_and_absolute_paths(address: str, port: int, url: str, tmp_path: Path) -> None:
    plan = Plan(release="4.2", address=Address(cluster_endpoint="192.0.2.10", platform=address, https_port=port))
    spec = run_spec(plan, tmp_path, document=Path("c.json"), install_dir=Path("/i"))
    assert spec.platform_url == url
    assert spec.document.is_absolute()
    assert spec.setup_dir == Path("/i/installer")
    assert spec.removal == "nerdctl rm -f minialauda-control-plane"


def test_only_printed_addresses_of_this_host_are_used(tmp_path: Path) -> None:
    (tmp_path / "setup.log").write_text(
        "docs: http://docs.example.com/api http://192.0.2.77:8080 http://0.0.0.0:8080\n"
        "http://127.0.0.1:99999 http://999.1.1.1:80 https://127.0.0.1:12443\n"
        "registry http://localhost:5000\n\x1b[32mconsole: http://127.0.0.1:8080/console\x1b[0m\n"
    )
    assert printed_addresses(tmp_path) == ("http://127.0.0.1:8080", "http://localhost:5000")
    assert printed_addresses(tmp_path / "none") == ()


@pytest.mark.parametrize(
    ("planned", "answered", "offered", "chosen"),
    [
        ("", None, ("1.31.6", "1.30.9"), "1.31.6"),
        ("1.30.9", None, ("1.31.6", "1.30.9"), "1.30.9"),
        ("1.29.0", None, ("1.31.6",), None),
        ("1.29.0", "1.31.6", ("1.31.6",), "1.31.6"),
        ("", "1.28.0", ("1.31.6",), None),
        ("1.31.6", None, (), None),
        ("", None, (), None),
        ("", "1.31.6", (), "1.31.6"),
    ],
)
def test_version_is_chosen_from_plan_answer_and_offer(
    planned: str, answered: str | None, offered: tuple[str, ...], chosen: str | None
) -> None:
    assert choose(planned, answered, offered) == chosen


DOCUMENT = b"""{"basic": {"username": "admin", "password": "czNjcmV0"}, "cluster": {"version": "",
 "annotations": {"cpaas.io/container-runtime": "containerd://1.7.27-4"}, "features": {"machines":
 [{"password": "", "privateKey": null}, {"password": "cXVvdGUi", "privateKey": "a2V5"}]}}}"""


def test_missing_versions_are_filled_in() -> None:
    assert wanted_versions(DOCUMENT) == ("", "containerd://1.7.27-4")
    filled = with_versions(DOCUMENT, "1.31.6", "containerd://1.7.27-4")
    assert wanted_versions(filled) == ("1.31.6", "containerd://1.7.27-4")
    assert with_versions(filled, "1.31.6", "containerd://1.7.27-4") is filled


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"{}", b'{"cluster": {}}', b'{"cluster": {"annotations": {}, "version": 1}}']
)
def test_document_without_version_keys_is_invalid(document: bytes) -> None:
    with pytest.raises(InvalidConfig):
        wanted_versions(document)


def test_secrets_of_the_document_are_masked() -> None:
    secrets = secrets_in(DOCUMENT)
    masked = mask_values('bad: czNjcmV0 s3cret quote" "quote\\"" a2V5 key admin', secrets)
    assert "admin" in masked
    assert not any(secret in masked for secret in ("czNjcmV0", "s3cret", "quote", "a2V5", "key"))
