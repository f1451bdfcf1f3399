"""The collector of the processor: the nominal clock, and numbers that resemble it."""

from pathlib import Path

import pytest

from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.script import CollectorOutput
from tests.support.collector_shell import facts_of, put

X86 = "processor : 0\n{more}flags : fpu {flags}\n"
ARM = "processor : 0\nCPU implementer : 0x48\nCPU part : 0xd01\n"
DMI = "Manufacturer: {maker}\nVersion: {version}\nMax Speed: {mhz}\nCurrent Speed: {mhz}\n"


def dmi(maker: str, mhz: str, version: str = "virt-4.0") -> str:
    return DMI.format(maker=maker, mhz=mhz, version=version)


def x86(more: str = "", flags: str = "") -> str:
    return X86.format(more=more, flags=flags)


@pytest.mark.parametrize(
    ("text", "nominal", "limit", "virtual"),
    [
        # a virtual machine on x86
        (x86("model name : X @ 2.10GHz\ncpu MHz : 3500.0\n", "hypervisor"), 2.1, None, True),
        (x86("model name : EPYC\ncpu MHz : 2894.56\n", "hypervisor"), 2.89456, None, True),
        (x86("model name : EPYC\ncpu MHz : 2894.56\n", "aperfmperf hypervisor"), None, None, True),
        # physical x86: base frequency, boost and momentary clocks
        (x86("model name : Xeon 8480+\ncpu MHz : 800\n") + "cpufreq base kHz: 2000000\n", 2.0, None, False),
        (
            x86("model name : Xeon 8480+\ncpu MHz : 3800\n")
            + "cpufreq driver: intel_pstate\ncpufreq highest kHz: 3800000\n",
            None,
            3.8,
            False,
        ),
        (x86("cpu MHz : 3800\n") + "cpufreq driver: acpi-cpufreq\ncpufreq highest kHz: 2601000\n", 2.601, None, False),
        (
            x86("cpu MHz : 1500\n")
            + "cpufreq driver: amd-pstate-epp\ncpufreq highest kHz: 3676000\nacpi nominal MHz: 2650\n",
            2.65,
            None,
            False,
        ),
        (x86("model name : EPYC\ncpu MHz : 3300\n", "aperfmperf"), None, None, False),
        (x86("model name : old\ncpu MHz : 2593.9\n"), 2.5939, None, False),
        # ARM: SMBIOS of a real machine and of hypervisors
        (ARM + dmi("HiSilicon", "2600 MHz", "Kunpeng 920-4826") + "virtual: no\n", 2.6, None, False),
        (ARM + dmi("HiSilicon", "2600 MHz", "Kunpeng 920-4826") + "virtual: yes\n", 2.6, None, True),
        (ARM + dmi("QEMU", "2000 MHz") + "virtual: no\n", None, None, False),
        (ARM + dmi("QEMU", "2600 MHz") + "virtual: yes\n", None, None, True),
        (ARM + dmi("Alibaba Cloud", "3000 MHz") + "virtual: yes\n", None, None, True),
        (ARM + dmi("Not Specified", "2000 MHz") + "virtual: yes\n", None, None, True),
        (ARM + dmi("HiSilicon", "2000 MHz", "Kunpeng 920-3226") + "virtual: yes\n", 2.0, None, True),
        (ARM + "system vendor: QEMU\nsystem product: KVM Virtual Machine\n", None, None, True),
        (ARM + "system vendor: Huawei\nsystem product: TaiShan 200\n", None, None, False),
        (ARM + "virtual: no\n", None, None, False),
        # two sockets, one of them empty or slower
        (ARM + "Current Speed: 2600 MHz\nCurrent Speed: Unknown\nvirtual: no\n", 2.6, None, False),
        (ARM + "Current Speed: 2600 MHz\nCurrent Speed: 2400 MHz\nvirtual: no\n", 2.4, None, False),
        (ARM + "cpufreq driver: cppc_cpufreq\ncpufreq highest kHz: 2600000\nvirtual: no\n", 2.6, None, False),
        # no number at all
        (x86("model name : X @ 0 GHz\ncpu MHz : 0\n", "hypervisor"), None, None, True),
    ],
)
def test_nominal_clock(text: str, nominal: float | None, limit: float | None, virtual: bool) -> None:
    facts = facts_from("x", [CollectorOutput("cpu", 0, text)])
    assert (facts.cpu_ghz, facts.cpu_ghz_limit, facts.virtual) == (nominal, limit or nominal, virtual)
    assert (nominal is None) == ("cpu_ghz" in facts.missing)


def test_reason_names_the_number_that_does_not_count() -> None:
    facts = facts_from("x", [CollectorOutput("cpu", 0, ARM + dmi("QEMU", "2000 MHz"))])
    assert "2000 MHz" in facts.missing["cpu_ghz"]


def test_cpufreq_and_acpi_files(tmp_path: Path) -> None:
    folder = "/sys/devices/system/cpu/cpu0"
    put(
        tmp_path,
        {
            "/proc/cpuinfo": "processor : 0\nmodel name : AMD EPYC 7763\ncpu MHz : 1500.0\nflags : fpu\n",
            f"{folder}/cpufreq/scaling_driver": "amd-pstate\n",
            f"{folder}/cpufreq/cpuinfo_max_freq": "3529000\n",
            f"{folder}/acpi_cppc/nominal_freq": "2450\n",
        },
    )
    facts = facts_of("cpu", tmp_path, "/proc/cpuinfo", "/sys/devices", "/sys/class/dmi")
    assert (facts.cpu_ghz, facts.virtual) == (2.45, False)


def test_governors_of_all_cpus(tmp_path: Path) -> None:
    folder = "/sys/devices/system/cpu"
    put(
        tmp_path,
        {
            f"{folder}/cpu0/cpufreq/scaling_governor": "performance\n",
            f"{folder}/cpu10/cpufreq/scaling_governor": "powersave\n",
        },
    )
    assert facts_of("governor", tmp_path, "/sys/devices").governor == "performance, powersave"


def test_no_governor(tmp_path: Path) -> None:
    assert facts_of("governor", tmp_path, "/sys/devices").governor == ""
