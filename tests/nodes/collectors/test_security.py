"""Collectors of sudo, systemd units and sshd settings."""

from pathlib import Path

import pytest

from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.fact_types import SshdSetting
from acp_tui.nodes.script import CollectorOutput
from tests.support.collector_shell import facts_of, put


@pytest.mark.parametrize(
    ("text", "sudo", "message"),
    [
        ("0 0\n", True, ""),
        ("1000 0\nsudo: unable to resolve host a: Name or service not known", True, ""),
        ("1000 1\nWe trust you have received the usual lecture.\n\nsudo: a password is required", False, "is required"),
        ("1000 127\nsh: 1: sudo: not found", False, "sudo is not installed on the node"),
        ("1000 124\n", None, "name server"),
    ],
)
def test_messages_of_sudo(text: str, sudo: bool | None, message: str) -> None:
    facts = facts_from("x", [CollectorOutput("login", 0, text)])
    assert facts.sudo is sudo
    assert message in (facts.missing_reason("sudo") if sudo is None else facts.sudo_message or "")
    assert facts.uid == int(text.split()[0])


def test_units_if_systemctl_prints_nothing_for_unknown_units(tmp_path: Path) -> None:
    tools = {
        "systemctl": """case "$1 $2" in
"is-active firewalld") echo active ;; "is-enabled firewalld") echo enabled ;;
is-active*) echo unknown; exit 3 ;; *) echo "Failed to get unit file state" >&2; exit 1 ;; esac"""
    }
    units = facts_of("units", tmp_path, tools=tools).units
    assert units is not None
    assert (units["firewalld"].active, units["firewalld"].enabled) == ("active", "enabled")
    assert {(u.active, u.enabled) for name, u in units.items() if name != "firewalld"} == {("inactive", "not-found")}


def test_without_systemd_the_units_are_missing(tmp_path: Path) -> None:
    facts = facts_of("units", tmp_path, tools={"systemctl": "echo 'not booted with systemd' >&2; exit 1"})
    assert facts.units is None
    assert "systemd" in facts.missing_reason("units")


SSHD = "/etc/ssh"


@pytest.mark.parametrize(
    ("files", "effective", "usedns", "usepam"),
    [
        pytest.param(
            {"sshd_config": "UseDNS no\nUsePAM no\n"}, "usedns no\nusepam no", ("no", True), ("no", True), id="both set"
        ),
        pytest.param(
            {"sshd_config": "#UseDNS no\nUsePAM yes\n"},
            "usedns no\nusepam yes",
            ("no", False),
            ("yes", True),
            id="comment",
        ),
        pytest.param(
            {"sshd_config": "Include sshd_config.d/*.conf\nUsePAM yes\n", "sshd_config.d/10.conf": "usepam no\n"},
            "usedns no\nusepam no",
            ("no", False),
            ("no", True),
            id="include",
        ),
        pytest.param(
            {"sshd_config": "Match User a\n  UseDNS no\n"},
            "usedns yes\nusepam no",
            ("yes", False),
            ("no", False),
            id="match",
        ),
        pytest.param(
            {
                "sshd_config": "Include sshd_config.d/*.conf\nUseDNS yes\n",
                "sshd_config.d/10.conf": "Match User a\nUseDNS no\n",
            },
            None,
            ("yes", True),
            ("no", False),
            id="a match of an included file ends with it; no sshd -T",
        ),
    ],
)
def test_sshd_settings_with_includes_and_matches(
    tmp_path: Path, files: dict[str, str], effective: str | None, usedns: tuple[str, bool], usepam: tuple[str, bool]
) -> None:
    put(tmp_path, {f"{SSHD}/{name}": text for name, text in files.items()})
    facts = facts_of("sshd", tmp_path, SSHD, tools={"sshd": f"echo '{effective}'" if effective else "exit 1"})
    assert facts.sshd == {"usedns": SshdSetting(*usedns), "usepam": SshdSetting(*usepam)}
