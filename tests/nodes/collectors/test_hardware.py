"""Collectors of CPU and memory facts."""

from pathlib import Path

from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.script import CollectorOutput
from tests.support.collector_shell import facts_of, put


def test_cpu_count_speed_and_virtualisation(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "/proc/cpuinfo": "processor : 0\nmodel name : X @ 2.10GHz\nsiblings\t: 2\ncpu cores\t: 1\n"
            "flags : fpu hypervisor\n\nprocessor : 1\n"
        },
    )
    facts = facts_of("cpu", tmp_path, "/proc/cpuinfo", "/sys/devices")
    assert (facts.cpu_count, facts.cpu_threads, facts.cpu_ghz, facts.virtual) == (2, 2, 2.1, True)


def test_cpu_steal_since_boot() -> None:
    assert facts_from("x", [CollectorOutput("steal", 0, "cpu  70 0 10 10 0 0 0 10 0 0\n")]).steal == 0.1
    assert facts_from("x", [CollectorOutput("steal", 0, "cpu  70 0 10\n")]).steal is None


def test_memory_includes_that_of_the_crash_kernel(tmp_path: Path) -> None:
    put(tmp_path, {"/proc/meminfo": "MemTotal: 15500000 kB\nMemFree: 1 kB\n"})
    assert facts_of("memory", tmp_path, "/proc/meminfo", "/sys/kernel").memory == 15500000 * 1024
    put(tmp_path, {"/sys/kernel/kexec_crash_size": "1073741824\n"})
    assert facts_of("memory", tmp_path, "/proc/meminfo", "/sys/kernel").memory == 15500000 * 1024 + (1 << 30)
