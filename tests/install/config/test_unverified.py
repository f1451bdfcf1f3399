"""Notes about parts of a plan that the vendor does not document."""

import pytest
from pydantic import JsonValue

from acp_tui.install.config.unverified import unverified
from tests.support.factories.installer_config import plan_of
from tests.support.factories.plans import node, nodes


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"release": "4.0"}, "4.0"),
        ({"network": {"ip_family": "ipv6"}, "nodes": [node("2001:db8::11")]}, "IPv6-only"),
        ({"nodes": nodes(3, 0, deployable=True)}, "applications on control plane"),
        ({"isolation": True, "nodes": nodes(3, 2, platform_exclusive=True)}, "exclusive worker"),
        (
            {"isolation": True, "nodes": nodes(3, 2, platform_exclusive=False)},
            "only if all control plane",
        ),
        ({"nodes": [node("10.20.0.11", nic="eth0"), node("10.20.0.12", nic="eth1")]}, "interface"),
        ({"nodes": nodes(3, 2, ssh={"port": 2222})}, "login for a single node"),
        ({"ssh": {"key_file": "k", "key_passphrase": "x"}}, "passphrase"),
    ],
)
def test_undocumented_requests_have_a_note(changes: dict[str, JsonValue], text: str) -> None:
    assert any(text in note for note in unverified(plan_of(**{"release": "4.1", **changes})))


def test_documented_plan_has_no_note() -> None:
    assert unverified(plan_of(release="4.1")) == ()
