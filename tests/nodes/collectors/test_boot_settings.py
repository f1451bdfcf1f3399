"""The settings of systemd, SELinux and /tmp at the next boot, as their readers read the files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.fact_types import AtBoot
from acp_tui.nodes.script import CollectorOutput
from tests.support.collector_shell import facts_below

ROOT = {"/proc/mounts": "/dev/a / ext4 rw 0 0\n"}
ETC, USR = "/etc/systemd/system", "/usr/lib/systemd/system"
UNIT = "[Unit]\nOptions=x\n[Mount]\nWhat=tmpfs\nWhere=/tmp\nOptions=mode=1777,%s\n"
WANTED = {f"{ETC}/local-fs.target.wants/tmp.mount": "[Unit]\n"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"/etc/fstab": "/dev/a / ext4 defaults 0 1\n"}, AtBoot(""), id="no line"),
        pytest.param(
            {"/etc/fstab": "# x\ntmpfs /tmp tmpfs rw,noexec 0 0\n"},
            AtBoot("rw,noexec", "/etc/fstab line 2"),
            id="a line of fstab",
        ),
        pytest.param({"/etc/fstab": "#tmpfs /tmp tmpfs noexec 0 0\n"}, AtBoot(""), id="a comment"),
        pytest.param({"/etc/fstab": "tmpfs /tmp tmpfs noexec,noauto 0 0\n"}, AtBoot(""), id="noauto"),
        pytest.param(
            {"/etc/fstab": "tmpfs /tmp tmpfs noexec,noauto,x-systemd.automount 0 0\n"},
            AtBoot("noexec,noauto,x-systemd.automount", "/etc/fstab line 1"),
            id="mounted on access",
        ),
        pytest.param({"/etc/fstab": "/tmp /var/tmp none noexec,bind 0 0\n"}, AtBoot(""), id="a bind mount of /tmp"),
        pytest.param(
            {"/etc/fstab": "a /tmp xfs rw 0 0\nb /tmp xfs noexec 0 0\n"},
            AtBoot("rw", "/etc/fstab line 1"),
            id="the first of two lines",
        ),
        pytest.param(
            {"/etc/fstab": "a /tmp xfs noexec 0 0\n", f"{ETC}/tmp.mount": "-> /dev/null"}, AtBoot(""), id="masked"
        ),
        pytest.param({f"{USR}/tmp.mount": UNIT % "noexec"}, AtBoot(""), id="a unit that is not enabled"),
        pytest.param(
            {f"{USR}/tmp.mount": UNIT % "noexec", **WANTED},
            AtBoot("mode=1777,noexec", f"{USR}/tmp.mount"),
            id="an enabled unit",
        ),
        pytest.param(
            {f"{ETC}/tmp.mount": UNIT % "nodev", f"{USR}/tmp.mount": UNIT % "noexec", **WANTED},
            AtBoot("mode=1777,nodev", f"{ETC}/tmp.mount"),
            id="a unit that /etc replaces",
        ),
        pytest.param(
            {f"{USR}/tmp.mount": UNIT % "x", **WANTED, f"{ETC}/tmp.mount.d/1.conf": "[Mount]\nOptions=noexec\n"},
            AtBoot("noexec", f"{ETC}/tmp.mount.d/1.conf"),
            id="a drop-in",
        ),
        pytest.param(
            {"/etc/fstab": "a /tmp xfs noexec 0 0\n", f"{ETC}/tmp.mount.d/1.conf": "[Mount]\nOptions=rw\n"},
            AtBoot("rw", f"{ETC}/tmp.mount.d/1.conf"),
            id="a drop-in replaces the options of fstab",
        ),
    ],
)
def test_options_of_tmp_at_the_next_boot(tmp_path: Path, files: dict[str, str], expected: AtBoot) -> None:
    facts = facts_below("tmp", tmp_path, {**ROOT, **files})
    assert (facts.tmp_options, facts.tmp_at_boot) == (("rw",), expected)


CONF, DROP = "/etc/systemd/system.conf", "/etc/systemd/system.conf.d"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({CONF: "[Manager]\n#DefaultTasksMax=512\n"}, AtBoot(""), id="a comment"),
        pytest.param({CONF: "[Manager]\nDefaultTasksMax=512\n"}, AtBoot("512", CONF), id="set"),
        pytest.param({CONF: "[Manager]\nDefaultTasksMax=512 # x\n"}, AtBoot("512 # x", CONF), id="no inline comments"),
        pytest.param({CONF: "[Other]\nDefaultTasksMax=512\n"}, AtBoot(""), id="another section"),
        pytest.param({CONF: "[Manager]\nDefaultTasksMax=\\\n 80%\n"}, AtBoot("80%", CONF), id="a continued line"),
        pytest.param(
            {CONF: "[Manager]\nDefaultTasksMax=1\n", f"{DROP}/9.conf": "[Manager]\nDefaultTasksMax=infinity\n"},
            AtBoot("infinity", f"{DROP}/9.conf"),
            id="a drop-in",
        ),
        pytest.param(
            {
                f"{DROP}/5.conf": "[Manager]\nDefaultTasksMax=infinity\n",
                "/usr/lib/systemd/system.conf.d/9.conf": "[Manager]\nDefaultTasksMax=7\n",
            },
            AtBoot("7", "/usr/lib/systemd/system.conf.d/9.conf"),
            id="the name decides the order",
        ),
        pytest.param(
            {
                f"{DROP}/9.conf": "-> /dev/null",
                "/usr/lib/systemd/system.conf.d/9.conf": "[Manager]\nDefaultTasksMax=7\n",
            },
            AtBoot(""),
            id="a file that /etc replaces",
        ),
        pytest.param({CONF: "[Manager]\nDefaultTasksMax=5\nDefaultTasksMax=\n"}, AtBoot(""), id="reset"),
    ],
)
def test_task_limit_of_the_next_boot(tmp_path: Path, files: dict[str, str], expected: AtBoot) -> None:
    facts = facts_below("tasks_max", tmp_path, files, {"systemctl": "echo DefaultTasksMax=infinity"})
    assert (facts.tasks_max, facts.tasks_max_at_boot) == ("infinity", expected)


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("# SELINUX=enforcing\nSELINUX=disabled\nSELINUX=enforcing\n", "disabled"),
        ("SELINUX=Disabled\r\n", "disabled"),
        ("SELINUX=off\nSELINUX=enforcing\n", "enforcing"),
        (" SELINUX=disabled\n", "permissive"),
        ("SELINUX = disabled\n", "permissive"),
        ("SELINUX=\tdisabled\n", "permissive"),
        ("\ufeffSELINUX=disabled\n", "permissive"),
        ("SELINUX=\n", "permissive"),
        ("# SELINUX=enforcing\nSELINUXTYPE=targeted\n", ""),
    ],
)
def test_mode_of_selinux_is_read_as_libselinux_does(tmp_path: Path, text: str, mode: str) -> None:
    assert facts_below("selinux_config", tmp_path, {"/etc/selinux/config": text}).selinux_config == mode


def test_missing_selinux_configuration_sets_no_mode(tmp_path: Path) -> None:
    assert facts_below("selinux_config", tmp_path, {}).selinux_config == ""


@given(
    st.sampled_from(["tmp", "tasks_max", "boot_swaps", "modules_at_boot"]),
    st.text("|[]=\\ funitabsmkdo/\n01@.", max_size=300),
)
def test_any_output_gives_a_value_or_a_reason(name: str, text: str) -> None:
    assert facts_from("x", [CollectorOutput(name, 0, text)])
