"""Healthy nodes with strange habits are judged like any other; what they really hide is unknown, with the reason."""

import shutil
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.lab.kit.check_run import as_planned, check, plan
from tests.lab.kit.nodes import OPERATOR, Lab
from tests.lab.kit.profiles import Fault, NodeProfile

pytestmark = pytest.mark.lab

SUDO = f"echo '{OPERATOR} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/{OPERATOR}"
needs_sudo = pytest.mark.skipif(shutil.which("sudo") is None, reason="needs sudo")


def _shell(path: str, profile: str = "/root/.profile", line: str = "echo noise") -> Fault:
    """root's login shell, which reads `line` in `profile` before it does anything."""
    written = f"mkdir -p $(dirname {profile}); echo '{line}' >>{profile}"
    return Fault(path, f"sed -i 's|^\\(root:.*\\):[^:]*$|\\1:{path}|' /etc/passwd; {written}")


def _program(path: str, *lines: str) -> str:
    text = "\\n".join(("#!/bin/bash", *lines)).replace("'", "'\\''")
    return f"printf '{text}\\n' >{path}; chmod +x {path}"


SHELLS = tuple(
    shell
    for shell in (
        _shell("/bin/dash"),
        _shell("/bin/rbash"),
        _shell("/usr/bin/tcsh", "/root/.tcshrc", "echo noise; setenv LC_ALL ru_RU.UTF-8; alias ip rm"),
        _shell(
            "/usr/bin/zsh", "/root/.zshenv", "echo noise; uname() { echo plan9; }; alias ip=rm; export TZ=Asia/Tokyo"
        ),
        _shell("/usr/bin/fish", "/root/.config/fish/config.fish", "echo noise; function uname; echo plan9; end"),
    )
    if Path(shell.name).exists()
)


def test_whatever_the_login_shell_is(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(faults=(shell,)) for shell in SHELLS))
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(0)))
    assert set(checked.states.values()) == {"checked"}
    assert checked.found == {node.address: {} for node in nodes}


ENVIRONMENT = Fault(
    "an environment that would change what tools say",
    "echo 'PermitUserEnvironment yes' >>/etc/ssh/sshd_config; cat >/root/.ssh/environment <<'END'\n"
    "BASH_ENV=/root/env\nENV=/root/env\nPOSIXLY_CORRECT=1\nTZ=Asia/Tokyo\nLC_ALL=ru_RU.UTF-8\nLANG=de_DE.UTF-8\n"
    "SHELLOPTS=noglob:nounset\nDF_BLOCK_SIZE=human-readable\nTIME_STYLE=+x\nPATH=/usr/bin:/bin\n"
    "BASH_FUNC_read%%=() { echo no; return 1; }\nBASH_FUNC_type%%=() { return 1; }\nIFS=abc\nGLOBIGNORE=*\nEND\n"
    "echo 'echo 1; date() { echo 0; }; set -eu; exit 3' >/root/env",
)
BASHRC = Fault(
    "a .bashrc that asks, talks and redefines",
    "cat >/root/.bashrc <<'END'\nread -r -t 2 -p 'continue? ' answer\nprintf '\\033[2Jwelcome\\n'\n"
    "alias ip='rm -rf' sh=false\nuname() { echo plan9; }\nexport -f uname\nexport PATH=/bin:/usr/bin\nset -u\nEND",
)
EXECS = Fault("a .bashrc that starts another shell", "echo 'exec bash -l' >/root/.bashrc")
NAMESAKES = Fault(
    "functions named like what the script needs, and little patience",
    "cat >/root/.bashrc <<'END'\nset -u\nreadonly TMOUT=1\nexport TMOUT\nulimit -n 40\nulimit -f 0\n"
    "type() { return 1; }; cat() { echo c; }; ip() { echo i; }; printf() { echo p; }; id() { echo 5; }\n"
    "read() { return 1; }; command() { return 1; }\nexport -f type cat ip printf id read command\nstty sane\nEND",
)
NO_ROOM = Fault(
    "no home, and no room in any folder for a file",
    "rm -rf /root/.ssh /root/.[!.]*; "
    "mount -t tmpfs -o size=4k lab /tmp; head -c 4096 /dev/zero >/tmp/full; mount -t tmpfs -o ro lab /var/tmp; "
    "mount -t tmpfs -o ro lab /dev/shm; sed -i 's|^root:\\(.*\\):/root:|root:\\1:/nowhere:|' /etc/passwd",
)
BARE = Fault(
    "without tools that only help to ask",
    "rm -f /usr/bin/timeout /usr/bin/head /usr/bin/du /usr/bin/df /usr/bin/id /usr/bin/env /usr/bin/getent "
    "/usr/bin/systemd-detect-virt /usr/bin/chronyc /usr/bin/awk /usr/bin/sed /usr/bin/grep /usr/bin/cat",
)
CRAWLING = Fault(
    "each program takes its time",
    "for tool in uname date systemctl ip ss df snap modprobe; do path=$(type -P $tool); mv $path /usr/lib/lab/$tool; "
    "printf '#!/bin/bash\\nsleep 0.05\\nexec /usr/lib/lab/%s \"$@\"\\n' $tool >$path; chmod +x $path; done",
)


SURROUNDINGS = (ENVIRONMENT, BASHRC, EXECS, NAMESAKES, NO_ROOM, BARE, CRAWLING)


def test_whatever_surrounds_the_script(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(faults=(fault,)) for fault in SURROUNDINGS))
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(0)))
    assert set(checked.states.values()) == {"checked"}
    assert checked.found == {node.address: {} for node in nodes}


NO_NETWORK_TOOLS = Fault("no ip", "rm -f /usr/bin/ip /usr/sbin/ip /sbin/ip /usr/bin/ss", {"SW-BINARIES": "fail"})
NO_SYSTEMD = Fault(
    "systemctl finds no systemd",
    _program("/usr/bin/systemctl", 'echo "System has not been booted with systemd as init system" >&2', "exit 1"),
    {"SEC-FIREWALL": "unknown", "SYS-TASKSMAX": "unknown"},
)
GARBAGE = Fault(
    "tools that pour out garbage",
    f"{_program('/usr/bin/ss', 'exec cat /dev/zero')}; {_program('/usr/bin/snap', 'exec cat /dev/urandom')}; "
    f"{_program('/usr/bin/df', 'while :; do echo x; done')}",
    {"PKG-CONFLICT-SNAP": "unknown"},
)
HANGING = Fault(
    "df and snap that hang, and a snap to be found all the same",
    f"{_program('/usr/bin/df', 'exec sleep infinity')}; {_program('/usr/bin/snap', 'exec sleep infinity')}; "
    "mkdir -p /var/lib/snapd/snaps; touch /var/lib/snapd/snaps/microk8s_1234.snap",
    {"PKG-CONFLICT-SNAP": "fail"},
)
HUGE = Fault(
    "files of many megabytes",
    'for n in {1..20000}; do echo "10.1.0.$((n % 250)) host-$n.example"; done >>/etc/hosts; '
    "head -c 30000000 /dev/zero | tr '\\0' x >>/etc/fstab; head -c 3000000 /dev/urandom >/etc/selinux.bin",
)


def test_what_a_node_cannot_tell_is_unknown_and_the_rest_is_not(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(faults=(f,)) for f in (NO_NETWORK_TOOLS, NO_SYSTEMD, GARBAGE, HANGING, HUGE)))
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(0)))
    assert set(checked.states.values()) == {"checked"}
    assert checked.found == {node.address: node.profile.expects for node in nodes}


REQUIRE_TTY = Fault(
    "sudo wants a terminal", f"{SUDO}; echo 'Defaults requiretty' >>/etc/sudoers.d/{OPERATOR}", {"USR-SUDO": "fail"}
)
TALKING_SUDO = Fault(
    "sudo is slow and talks",
    f"{SUDO}; mv /usr/bin/sudo /usr/bin/real-sudo; "
    + _program("/usr/bin/sudo", "sleep 1", 'echo "sudo: unable to resolve host" >&2', 'exec real-sudo "$@"'),
)
LECTURE = Fault("sudo lectures, and refuses", f"echo 'Defaults lecture=always' >>/etc/sudoers.d/{OPERATOR}")


@needs_sudo
def test_sudo_in_its_moods(lab: Lab, tmp_path: Path) -> None:
    tty, slow, lecture = lab.start(*(NodeProfile(faults=(fault,)) for fault in (REQUIRE_TTY, TALKING_SUDO, LECTURE)))
    ssh: dict[str, JsonValue] = {"ssh": {"username": OPERATOR}}
    checked = check(tmp_path, plan([{**n, **ssh} for n in as_planned((tty, slow, lecture))], lab.address(0)))
    assert checked.states == {tty.address: "checked", slow.address: "checked", lecture.address: "no-sudo"}
    assert checked.found[tty.address] == tty.profile.expects
    assert "requiretty" in checked.observed(tty.address, "USR-SUDO")
    assert checked.found[slow.address] == {}
    assert checked.observed(lecture.address, "USR-SUDO").endswith("a password is required")


PAM = "sed -i 's/^UsePAM no/UsePAM yes/' /etc/ssh/sshd_config"
ACCOUNTS = (
    Fault(
        "the account has expired",
        f"{PAM}; sed -i 's/^root:.*/&XX/; s/^root:\\([^:]*\\):.*/root:\\1:19000:0:99999:7::1:/' /etc/shadow",
    ),
    Fault(
        "the password has to be changed", f"{PAM}; sed -i 's/^root:\\([^:]*\\):.*/root:\\1:0:0:99999:7:::/' /etc/shadow"
    ),
    Fault("a shell that lets nobody in", "sed -i 's|^\\(root:.*\\):[^:]*$|\\1:/usr/sbin/nologin|' /etc/passwd"),
    Fault("a shell that does nothing", "sed -i 's|^\\(root:.*\\):[^:]*$|\\1:/bin/false|' /etc/passwd"),
    Fault("a .bashrc that never stops complaining", "echo 'yes trouble >&2' >/root/.bashrc"),
    Fault("a .bashrc that takes the script for itself", "echo 'cat >/dev/null' >/root/.bashrc"),
    Fault("a .bashrc that ends the session", "echo 'exit 1' >/root/.bashrc"),
    Fault("no bash", "mv /usr/bin/bash /usr/bin/rebash; sed -i 's|^\\(root:.*\\):[^:]*$|\\1:/bin/sh|' /etc/passwd"),
)


def test_who_may_not_log_in_is_told_why(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(faults=(fault,)) for fault in ACCOUNTS))
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(0)))
    assert set(checked.states.values()) == {"auth-failed"}
    expired, change, nologin, false, loud, *silent, no_bash = (
        checked.observed(node.address, "OS-DISTRO") for node in nodes
    )
    assert "expired" in expired
    assert "expired" in change
    assert "not available" in nologin
    assert all("printed nothing" in told and ".bashrc" in told for told in (false, *silent))
    assert "trouble trouble" in loud
    assert "bash: not found" in no_bash


def _when_asked(tool: str, does: str) -> str:
    return _program(f"/usr/bin/{tool}", does)


BREAKS = (
    Fault("its connection is cut", _when_asked("snap", "kill -9 $(pidof sshd)")),
    Fault("it freezes", _when_asked("snap", "kill -STOP $(pidof sshd)")),
    Fault("its network is gone", _when_asked("snap", "ip link set eth0 down")),
)


def test_a_node_that_breaks_in_the_middle_keeps_what_was_seen(lab: Lab, tmp_path: Path) -> None:
    cut, frozen, dark, well = lab.start(*(NodeProfile(faults=(fault,)) for fault in BREAKS), NodeProfile())
    checked = check(tmp_path, plan(as_planned((cut, frozen, dark, well)), lab.address(0)))
    assert checked.states[cut.address] == checked.states[dark.address] == "lost"
    assert checked.states[frozen.address] in ("lost", "timeout")
    assert checked.states[well.address] == "checked"
    assert checked.found[well.address] == {}
    for node in (cut, frozen, dark):
        assert checked.hostnames[node.address] is not None
        assert "OS-DISTRO" not in checked.found[node.address]
        assert checked.found[node.address]["PKG-CONFLICT-SNAP"] == "unknown"
