"""Collectors of systemd units."""

from pathlib import Path

from tests.support.collector_shell import facts_of


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
