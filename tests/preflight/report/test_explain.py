"""The offline explanation of each requirement: reason, check, severity, fix and expected value."""

import pytest

from acp_tui.checks.catalog import catalogue
from acp_tui.plan.release import RELEASES
from acp_tui.preflight.report.explain import expected_text, explain_requirement, later_releases


@pytest.mark.parametrize("release", RELEASES)
def test_each_requirement_has_a_complete_explanation(release: str) -> None:
    for name, row in catalogue(release).items():
        parts = dict(explain_requirement(row))
        text = "\n".join(parts.values())
        assert {"Why", "Check", "Severity"} <= parts.keys(), name
        assert row.check.kind in ("stated", "step") or "Fix" in parts or row.os_commands, name
        assert "{names}" not in text, name
        assert text == text.strip(), name


def test_expected_text_has_figures_and_tables() -> None:
    rules = catalogue("4.0")
    assert expected_text(rules["CAP-SN-CPU"]) == "16 CPU cores"
    assert expected_text(rules["CAP-SC-MIN-CP"]).splitlines() == [
        "8 CPU cores, 16 GB of memory",
        "the recommended size is 12 CPU cores, 24 GB of memory",
    ]
    assert "Ubuntu 22.04, x86_64, kernel 5.15.0" in expected_text(rules["OS-KERNEL"])
    assert "for up to 500 workload clusters" in expected_text(catalogue("4.1")["CAP-MC-CP-SIZE"])


def test_fix_command_names_modules_and_has_a_placeholder_for_packages() -> None:
    rules = catalogue("4.0")
    assert "modprobe -a ip_vs ip_vs_rr ip_vs_wrr ip_vs_sh" in dict(explain_requirement(rules["KRN-IPVS"]))["Fix"]
    assert dict(explain_requirement(rules["PKG-CONFLICT-DPKG"]))["Fix"].endswith("NAMES")


def test_values_of_later_releases_are_listed() -> None:
    assert list(later_releases("CAP-SN-CPU", "4.0")) == [("Release 4.1 and later", "12 CPU cores")]
    assert list(later_releases("CAP-SN-CPU", "4.1")) == []
    assert list(later_releases("SYS-SWAP", "4.0")) == []
