"""Shell code of collectors that do more than print a file, run by bash on test files."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from acp_tui.nodes.active.disk import disk_speed_collector
from acp_tui.nodes.collectors import COLLECTORS, facts_from
from acp_tui.nodes.facts import Directory, Facts, Route, SshdSetting
from acp_tui.nodes.script import Collector, Reader, build

MARKER = "0123456789abcdef"


def facts_of(name: str, root: Path, *folders: str, tools: dict[str, str] | None = None) -> Facts:
    """Return the facts of one collector, with its `folders` below `root` and `tools` (name → script) first in PATH."""
    [collector] = [s for s in COLLECTORS if s.name == name]
    shell = collector.shell
    for folder in folders:
        shell = shell.replace(folder, f"{root}{folder}")
    bin_folder = root / "bin"
    bin_folder.mkdir(exist_ok=True)
    for tool, script in (tools or {}).items():
        (bin_folder / tool).write_text(f"#!/bin/bash\n{script}\n")
        (bin_folder / tool).chmod(0o755)
    # The root check is removed, so that the tests are the same for any user.
    shell = shell.replace("root || return", ":").replace('"$EUID" -eq 0', "0 -eq 0")
    program = f"PATH={bin_folder}:$PATH\n" + build([replace(collector, shell=shell)], MARKER)
    completed = subprocess.run(["bash", "-s"], input=program.encode(), capture_output=True, timeout=60, check=True)
    return facts_from("x", Reader(MARKER).feed(completed.stdout.replace(str(root).encode(), b"")))


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


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


def test_boot_tokens_come_from_all_files_but_not_from_comments(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "/etc/default/grub": '# GRUB_CMDLINE_LINUX="none"\nMORE=b\nGRUB_CMDLINE_LINUX="a=1 \\\n${MORE}"\nT=5\n',
            "/etc/default/grub.d/50.cfg": 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX c"\n',
            "/boot/grub2/grub.cfg": "menuentry x {\n\tlinux16 /vmlinuz root=/dev/a d\n\tinitrd16 /initrd no\n}\n",
            "/boot/loader/entries/1.conf": "title x\noptions root=/dev/a e $kernelopts\n",
            "/boot/grub2/grubenv": "# GRUB Environment Block\nkernelopts=root=/dev/a f \n",
        },
    )
    facts = facts_of("boot_tokens", tmp_path, "/etc/default", "/boot/")
    assert facts.boot_tokens == frozenset({"a=1", "b", "c", "d", "e", "f", "root=/dev/a"})


@pytest.mark.parametrize(
    ("files", "pending"),
    [
        pytest.param({"grub2/grub.cfg": "linux16 /vmlinuz ro x=1 apparmor=0\n"}, True, id="of the entry"),
        pytest.param({"grub2/grub.cfg": "linux /vmlinuz apparmor=0 ro apparmor=1\n"}, False, id="replaced behind it"),
        pytest.param({"grub2/grub.cfg": "linux /vmlinuz ro recovery apparmor=0\n"}, False, id="for recovery"),
        pytest.param({"grub2/grub.cfg": "linux /vmlinuz-0-rescue-1f ro apparmor=0\n"}, False, id="for rescue"),
        pytest.param(
            {"loader/entries/1.conf": "title x (0-rescue-1f)\noptions apparmor=0\n"}, False, id="a rescue title"
        ),
        pytest.param({"loader/entries/1f-0-rescue.conf": "options apparmor=0\n"}, False, id="a rescue file"),
        pytest.param(
            {"loader/entries/1.conf": "options ${kernelopts}\n", "efi/EFI/x/grubenv": "kernelopts=ro apparmor=0\n"},
            True,
            id="by grubenv of EFI",
        ),
        pytest.param(
            {
                "loader/entries/1.conf": "options $kernelopts apparmor=1\n",
                "grub2/grubenv": "kernelopts=ro apparmor=0\n",
            },
            False,
            id="replaced behind grubenv's",
        ),
        pytest.param(
            {
                "grub2/grub.cfg": 'set kernelopts="ro apparmor=0 "\n',
                "loader/entries/1.conf": "options $kernelopts\n",
                "grub2/grubenv": "kernelopts=ro\n",
            },
            False,
            id="a default that grubenv replaces",
        ),
    ],
)
def test_tokens_of_the_next_boot(tmp_path: Path, files: dict[str, str], pending: bool) -> None:
    put(tmp_path, {f"/boot/{name}": text for name, text in files.items()})
    tokens = facts_of("boot_tokens", tmp_path, "/etc/default", "/boot/").boot_tokens
    assert tokens is not None
    assert ("apparmor=0" in tokens) is pending


def test_modules_are_loaded_built_in_or_available(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "/proc/modules": "ip_vs 151552 0 - Live 0x0\nip_vs_rr 16384 0 - Live 0x0\n",
            "/lib/modules/5.1/modules.builtin": "kernel/ip_vs_wrr.ko\nkernel/openvswitch.ko.xz\nkernel/x.ko\n",
        },
    )
    tools = {"uname": "echo 5.1", "modprobe": "case ${@: -1} in geneve) exit 0 ;; *) exit 1 ;; esac"}
    facts = facts_of("modules", tmp_path, "/proc/", "/lib/modules", "/sys/module", tools=tools)
    assert facts.modules == frozenset({"ip_vs", "ip_vs_rr", "ip_vs_wrr", "openvswitch"})
    assert facts.modules_available == frozenset({"ip_vs", "ip_vs_rr", "ip_vs_wrr", "openvswitch", "geneve"})


def test_state_of_directories(tmp_path: Path) -> None:
    for name in ("var/lib/docker/overlay2", "var/lib/containerd/lost+found", "var/lib/kubelet", "var/log", "opt"):
        (tmp_path / name).mkdir(parents=True)
    put(
        tmp_path,
        {"/proc/mounts": f"/dev/sdb1 {tmp_path}/var/lib/containerd ext4 rw 0 0\n", "/var/lib/docker/a": "x" * 9},
    )
    facts = facts_of("directories", tmp_path, "/var/l", "/opt/nerdctl", "/proc/mounts")
    directories = facts.directories
    assert directories is not None
    assert directories["/var/log/pods"] == Directory(exists=False)
    assert (directories["/var/lib/containerd"].empty, directories["/var/lib/containerd"].mount_point) == (True, True)
    docker = directories["/var/lib/docker"]
    assert (docker.exists, docker.empty, docker.mount_point) == (True, False, False)
    assert docker.size is not None
    assert docker.size > 0
    assert docker.newest


def test_a_dangling_kubelet_unit_exists(tmp_path: Path) -> None:
    folder = tmp_path / "etc/systemd/system"
    folder.mkdir(parents=True)
    assert facts_of("kubelet_unit", tmp_path, "/etc/systemd").kubelet_unit is False
    (folder / "kubelet.service").symlink_to("/no/such/unit")
    assert facts_of("kubelet_unit", tmp_path, "/etc/systemd").kubelet_unit is True


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


def test_listeners_without_ss(tmp_path: Path) -> None:
    row = "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1\n"
    put(tmp_path, {"/proc/net/tcp": "  sl  local_address rem_address   st\n" + row + row.replace(" 0A ", " 01 ")})
    facts = facts_of("listeners", tmp_path, "/proc/net", tools={"ss": "exit 1"})
    assert [listener.port for listener in facts.listeners or ()] == [8080]


def test_the_installer_container_is_found(tmp_path: Path) -> None:
    assert facts_of("installer", tmp_path, tools={"nerdctl": "echo minialauda-control-plane"}).installer_running is True
    assert facts_of("installer", tmp_path, tools={"nerdctl": "echo other"}).installer_running is False


@pytest.mark.parametrize(
    ("tools", "expected"),
    [
        pytest.param({"snap": "printf 'Name Version\\nmicrok8s 1\\n'"}, {"microk8s"}, id="snapd answers"),
        pytest.param({"snap": "exit 1"}, {"microk8s"}, id="snapd does not run: names come from its files"),
        pytest.param({"snap": "echo 'No snaps are installed yet.' >&2"}, set(), id="none"),
    ],
)
def test_snaps_from_snapd_or_its_files(tmp_path: Path, tools: dict[str, str], expected: set[str]) -> None:
    put(tmp_path, {"/var/lib/snapd/snaps/microk8s_42.snap": ""})
    assert facts_of("snap", tmp_path, "/var/lib/snapd", tools=tools).snap_packages == frozenset(expected)


def test_sizes_if_df_hangs_or_omits_a_row(tmp_path: Path) -> None:
    tools = {"df": "exec sleep 60", "stat": "for i in {1..8}; do echo 4096 1000000 400000 300000; done"}
    facts = facts_of("filesystems", tmp_path, tools=tools)
    assert facts.filesystems is not None
    assert {(f.size, f.used, f.available) for f in facts.filesystems} == {(4096000000, 2457600000, 1228800000)}
    assert [f.path for f in facts.filesystems][:3] == ["/", "/var/lib", "/var/lib/etcd"]


def test_without_systemd_the_units_are_missing(tmp_path: Path) -> None:
    facts = facts_of("units", tmp_path, tools={"systemctl": "echo 'not booted with systemd' >&2; exit 1"})
    assert facts.units is None
    assert "systemd" in facts.missing_reason("units")


def test_a_tool_that_is_not_executable_is_missing(tmp_path: Path) -> None:
    shell = "tool here && echo here; tool folder || tool text || tool nowhere || echo none"
    collector = Collector("os_release_file", ("os_release_file",), shell, lambda r: {"os_release_file": r.text})
    (tmp_path / "folder").mkdir()
    for name, mode in (("here", 0o755), ("text", 0o644)):
        put(tmp_path, {name: "#!/bin/sh\n"})
        (tmp_path / name).chmod(mode)
    program = f"PATH={tmp_path}:$PATH\n" + build([collector], MARKER)
    completed = subprocess.run(["bash", "-s"], input=program.encode(), capture_output=True, check=True)
    assert facts_from("x", Reader(MARKER).feed(completed.stdout), None, (collector,)).os_release_file == "here\nnone\n"


def test_connected_udp_sockets_are_ignored(tmp_path: Path) -> None:
    row = "  {n}: 0100007F:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  0  0 1 2 0 0\n"
    rows = row.format(n=1, port=10250, state="01") + row.format(n=2, port=6641, state="07")
    put(tmp_path, {"/proc/net/udp": "  sl  local_address rem_address   st\n" + rows})
    assert facts_of("udp", tmp_path, "/proc/net").udp_ports == frozenset({6641})


def test_proc_is_read_if_ip_is_broken(tmp_path: Path) -> None:
    row = "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    put(tmp_path, {"/proc/net/route": "Iface\tDestination\tGateway\tFlags\n" + row})
    facts = facts_of("routes", tmp_path, "/proc/net", tools={"ip": "echo 'default via 192.0.2.9 dev'; exit 1"})
    assert facts.routes == (Route("default", "eth0", "192.0.2.1"),)


def test_tmp_options_of_a_linked_tmp(tmp_path: Path) -> None:
    (tmp_path / "var/tmp").mkdir(parents=True)
    (tmp_path / "tmp").symlink_to(tmp_path / "var/tmp")
    put(
        tmp_path,
        {"/proc/mounts": f"a / ext4 rw 0 0\nb {tmp_path}/var ext4 rw,noexec 0 0\nc {tmp_path}/v ext4 ro 0 0\n"},
    )
    shell = next(s.shell for s in COLLECTORS if s.name == "tmp").replace("/tmp", f"{tmp_path}/tmp")
    collector = replace(
        next(s for s in COLLECTORS if s.name == "tmp"), shell=shell.replace("/proc/", f"{tmp_path}/proc/")
    )
    completed = subprocess.run(
        ["bash", "-s"], input=build([collector], MARKER).encode(), capture_output=True, check=True
    )
    assert facts_from("x", Reader(MARKER).feed(completed.stdout), None, (collector,)).tmp_options == ("rw", "noexec")


def test_many_connections_are_read_in_one_call(tmp_path: Path) -> None:
    row = "{n:4}: 0100007F:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  0  0 0 1\n"
    rows = "".join(row.format(n=n, port=10250 + n % 20000, state="01") for n in range(5000))
    listening = row.format(n=5000, port=6443, state="0A")
    put(tmp_path, {"/proc/net/tcp": "  sl  local_address rem_address   st\n" + rows + listening})
    facts = facts_of("listeners", tmp_path, "/proc/net", tools={"ss": "exit 1"})
    assert [listener.port for listener in facts.listeners or ()] == [6443]


@pytest.mark.parametrize(("engines", "expected"), [("psync libaio", 9000.0), ("psync", 800.0)])
def test_fio_without_libaio_measures(tmp_path: Path, engines: str, expected: float) -> None:
    fio = tmp_path / "bin/fio"
    fio.parent.mkdir()
    fio.write_text(
        "#!/bin/bash\n"
        "case $* in --version) exit ;; *ioengine=libaio*) engine=libaio iops=9000 ;; *) engine=psync iops=800 ;; esac\n"
        f"case ' {engines} ' in *\" $engine \"*) ;; *) exit 1 ;; esac\n"
        """echo '{"jobs": [{"write": {"iops": '$iops', "bw": 300000}}]}'\n"""
    )
    fio.chmod(0o755)
    shell = disk_speed_collector(str(tmp_path)).shell.replace("root || return", ":")
    collector = replace(disk_speed_collector(str(tmp_path)), shell=shell)
    environment = {**os.environ, "PATH": f"{fio.parent}:{os.environ['PATH']}"}
    program = build([collector], MARKER).encode()
    completed = subprocess.run(["bash", "-s"], input=program, capture_output=True, check=True, env=environment)
    facts = facts_from("x", Reader(MARKER).feed(completed.stdout), None, (collector,))
    assert facts.disk_speed is not None, facts.missing
    assert (facts.disk_speed.method, facts.disk_speed.rate, facts.disk_speed.missing_reason) == ("fio", expected, "")


def test_the_disk_test_measures_and_leaves_nothing(tmp_path: Path) -> None:
    """With tools that each node has."""
    shell = disk_speed_collector(str(tmp_path)).shell.replace("root || return", ":").replace("count=10000", "count=20")
    shell = shell.replace("limit 3 fio", "false").replace("tool python3", "false").replace("oflag=direct", "")
    collector = replace(disk_speed_collector(str(tmp_path)), shell=shell)
    completed = subprocess.run(
        ["bash", "-s"], input=build([collector], MARKER).encode(), capture_output=True, check=True
    )
    facts = facts_from("x", Reader(MARKER).feed(completed.stdout), None, (collector,))
    assert facts.disk_speed is not None, facts.missing
    assert (facts.disk_speed.method, facts.disk_speed.estimate) == ("dd", True)
    assert facts.disk_speed.sync_rate
    assert facts.disk_speed.throughput
    assert list(tmp_path.iterdir()) == []
