"""Facts from recorded output of real distributions (tests/recordings)."""

import pytest

from acp_tui.nodes.collectors import COLLECTORS
from acp_tui.nodes.fact_types import Directory, Unit
from tests.support.record import recordings
from tests.support.recorded_facts import EXPECTED, assert_types, facts_of, recorded


@pytest.mark.parametrize(("distribution", "name"), [(d, name) for d, expected in EXPECTED.items() for name in expected])
def test_facts_parsed_from_the_recordings(distribution: str, name: str) -> None:
    assert getattr(facts_of(distribution), name) == EXPECTED[distribution][name]


@pytest.mark.parametrize("distribution", EXPECTED)
def test_every_recording_has_each_collector_once_at_most_and_gives_the_declared_types(distribution: str) -> None:
    names = [output.name for output in recorded(distribution)]
    assert len(names) == len(set(names))
    assert set(names) <= {collector.name for collector in COLLECTORS}, "a recording has output of a removed collector"
    assert_types(facts_of(distribution))


def test_every_collector_is_in_a_recording() -> None:
    names = {output.name for distribution in recordings() for output in recorded(distribution)}
    assert names == {collector.name for collector in COLLECTORS}
    assert set(recordings()) == set(EXPECTED)


@pytest.mark.parametrize("distribution", EXPECTED)
def test_every_missing_fact_has_a_reason(distribution: str) -> None:
    facts = facts_of(distribution)
    for collector in COLLECTORS:
        for name in collector.fields:
            assert (getattr(facts, name) is None) == bool(facts.missing.get(name)), name


@pytest.mark.parametrize(
    ("distribution", "name", "reason"),
    [
        ("rhel-8.6", "rpm_packages", "timed out after 15 s"),
        ("rhel-8.6", "sshd", "reading the value requires root"),
        ("rhel-8.6", "snap_packages", "reading the value requires a command that is not installed on the node"),
        ("ubuntu-22.04", "snap_packages", "snap gave no list: error: cannot communicate"),
    ],
)
def test_reason_of_a_missing_fact(distribution: str, name: str, reason: str) -> None:
    assert reason in facts_of(distribution).missing_reason(name)


def test_service_pack_of_kylin() -> None:
    assert "(SP3)" in (facts_of("kylin-v10-sp3").kylin_info or "")


def test_units_and_directories_of_rhel() -> None:
    facts = facts_of("rhel-8.6")
    assert facts.units is not None
    assert facts.units["firewalld"] == Unit("active", "enabled")
    assert facts.units["ufw"] == Unit("inactive", "not-found")
    assert facts.directories is not None
    assert facts.directories["/var/log/pods"] == Directory(exists=False)
    assert facts.directories["/var/lib/docker"] == Directory(True, False, False, 1073741824, "2023-11-14 22:13")
    assert facts.directories["/var/lib/containerd"] == Directory(True, True, True, 4096, "2023-11-14 22:13")
    assert facts.directories["/opt/nerdctl"].size is None
    assert facts.tools is not None
    assert [tool for tool, present in facts.tools.items() if not present] == ["swapoff"]


def test_packet_filters_of_the_recordings() -> None:
    found = {name: facts_of(name).packet_filter for name in ("centos-7.9", "kylin-v10-sp3", "ubuntu-20.04")}
    chains = {name: len(each.chains) if each is not None else None for name, each in found.items()}
    assert chains == {"centos-7.9": 10, "kylin-v10-sp3": 0, "ubuntu-20.04": 7}
    assert {name: bool(each and each.unread) for name, each in found.items()} == {
        "centos-7.9": False,
        "kylin-v10-sp3": False,
        "ubuntu-20.04": True,
    }
    assert "requires root" in facts_of("rhel-8.6").missing_reason("packet_filter")
