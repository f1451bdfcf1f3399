"""Healthy nodes with unusual settings pass like others; facts that they cannot provide are unknown with a reason."""

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
    """Change the login shell of root; `line` is added to the start file `profile`."""
    write_profile = f"mkdir -p $(dirname {profile}); echo '{line}' >>{profile}"
    return Fault(path, f"sed -i 's|^\\(root:.*\\):[^:]*$|\\1:{path}|' /etc/passwd; {write_profile}")


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


def test_every_login_shell_is_supported(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(faults=(shell,)) for shell in SHELLS))
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(0)))
    assert set(checked.states.values()) == {"checked"}
    assert checked.outcomes == {node.address: {} for node in nodes}


ENVIRONMENT = Fault(
    "an environment that changes the output of tools",
    "echo 'PermitUserEnvironment yes' >>/etc/ssh/sshd_config; cat >/root/.ssh/environment <<'END'\n"
    "BASH_ENV=/root/env\nENV=/root/env\nPOSIXLY_CORRECT=1\nTZ=Asia/Tokyo\nLC_ALL=ru_RU.UTF-8\nLANG=de_DE.UTF-8\n"
    "SHELLOPTS=noglob:nounset\nDF_BLOCK_SIZE=human-readable\nTIME_STYLE=+x\nPATH=/usr/bin:/bin\n"
    "BASH_FUNC_read%%=() { echo no; return 1; }\nBASH_FUNC_type%%=() { return 1; }\nIFS=abc\nGLOBIGNORE=*\nEND\n"
    "echo 'echo 1; date() { echo 0; }; set -eu; exit 3' >/root/env",
)
BASHRC = Fault(
    "a .bashrc with a prompt, output and redefined commands",
    "cat >/root/.bashrc <<'END'\nread -r -t 2 -p 'continue? ' answer\nprintf '\\033[2Jwelcome\\n'\n"
    "alias ip='rm -rf' sh=false\nuname() { echo plan9; }\nexport -f uname\nexport PATH=/bin:/usr/bin\nset -u\nEND",
)
EXECS = Fault("a .bashrc that starts another shell", "echo 'exec bash -l' >/root/.bashrc")
NAMESAKES = Fault(
    "functions that replace the script's commands, and low limits",
    "cat >/root/.bashrc <<'END'\nset -u\nreadonly TMOUT=1\nexport TMOUT\nulimit -n 40\nulimit -f 0\n"
    "type() { return 1; }; cat() { echo c; }; ip() { echo i; }; printf() { echo p; }; id() { echo 5; }\n"
    "read() { return 1; }; command() { return 1; }\nexport -f type cat ip printf id read command\nstty sane\nEND",
)
NO_WRITABLE_FOLDER = Fault(
    "no home folder, and no folder with free space",
    "rm -rf /root/.ssh /root/.[!.]*; "
    "mount -t tmpfs -o size=4k lab /tmp; head -c 4096 /dev/zero >/tmp/full; mount -t tmpfs -o ro lab /var/tmp; "
    "mount -t tmpfs -o ro lab /dev/shm; sed -i 's|^root:\\(.*\\):/root:|root:\\1:/nowhere:|' /etc/passwd",
)
BARE = Fault(
    "without optional tools",
    "rm -f /usr/bin/timeout /usr/bin/head /usr/bin/du /usr/bin/df /usr/bin/id /usr/bin/env /usr/bin/getent "
    "/usr/bin/systemd-detect-virt /usr/bin/chronyc /usr/bin/awk /usr/bin/sed /usr/bin/grep /usr/bin/cat",
)
SLOW_TOOLS = Fault(
    "slow tools",
    "for tool in uname date systemctl ip ss df snap modprobe; do path=$(type -P $tool); mv $path /usr/lib/lab/$tool; "
    "printf '#!/bin/bash\\nsleep 0.05\\nexec /usr/lib/lab/%s \"$@\"\\n' $tool >$path; chmod +x $path; done",
)


ENVIRONMENTS = (ENVIRONMENT, BASHRC, EXECS, NAMESAKES, NO_WRITABLE_FOLDER, BARE, SLOW_TOOLS)


def test_unusual_environments_do_not_affect_the_script(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(faults=(fault,)) for fault in ENVIRONMENTS))
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(0)))
    assert set(checked.states.values()) == {"checked"}
    assert checked.outcomes == {node.address: {} for node in nodes}


NO_NETWORK_TOOLS = Fault("no ip", "rm -f /usr/bin/ip /usr/sbin/ip /sbin/ip /usr/bin/ss", {"SW-BINARIES": "fail"})
NO_SYSTEMD = Fault(
    "systemctl without systemd",
    _program("/usr/bin/systemctl", 'echo "System has not been booted with systemd as init system" >&2', "exit 1"),
    {"SEC-FIREWALL": "unknown", "SYS-TASKSMAX": "unknown"},
)
GARBAGE = Fault(
    "tools with endless output",
    f"{_program('/usr/bin/ss', 'exec cat /dev/zero')}; {_program('/usr/bin/snap', 'exec cat /dev/urandom')}; "
    f"{_program('/usr/bin/df', 'while :; do echo x; done')}",
    {"PKG-CONFLICT-SNAP": "unknown"},
)
HANGING = Fault(
    "df and snap that hang, and a snap that can be read from its file",
    f"{_program('/usr/bin/df', 'exec sleep infinity')}; {_program('/usr/bin/snap', 'exec sleep infinity')}; "
    "mkdir -p /var/lib/snapd/snaps; touch /var/lib/snapd/snaps/microk8s_1234.snap",
    {"PKG-CONFLICT-SNAP": "fail"},
)
HUGE = Fault(
    "files of many megabytes",
    'for n in {1..20000}; do echo "10.1.0.$((n % 250)) host-$n.example"; done >>/etc/hosts; '
    "head -c 30000000 /dev/zero | tr '\\0' x >>/etc/fstab; head -c 3000000 /dev/urandom >/etc/selinux.bin",
)


def test_only_facts_of_broken_tools_are_unknown(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(faults=(f,)) for f in (NO_NETWORK_TOOLS, NO_SYSTEMD, GARBAGE, HANGING, HUGE)))
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(0)))
    assert set(checked.states.values()) == {"checked"}
    assert checked.outcomes == {node.address: node.profile.expects for node in nodes}


REQUIRE_TTY = Fault(
    "sudo requires a terminal", f"{SUDO}; echo 'Defaults requiretty' >>/etc/sudoers.d/{OPERATOR}", {"USR-SUDO": "fail"}
)
SLOW_SUDO = Fault(
    "a slow sudo that prints a warning",
    f"{SUDO}; mv /usr/bin/sudo /usr/bin/real-sudo; "
    + _program("/usr/bin/sudo", "sleep 1", 'echo "sudo: unable to resolve host" >&2', 'exec real-sudo "$@"'),
)
LECTURE = Fault(
    "sudo with a lecture, and a password required", f"echo 'Defaults lecture=always' >>/etc/sudoers.d/{OPERATOR}"
)


@needs_sudo
def test_sudo_with_requiretty_is_reported_and_slow_sudo_works(lab: Lab, tmp_path: Path) -> None:
    tty, slow, lecture = lab.start(*(NodeProfile(faults=(fault,)) for fault in (REQUIRE_TTY, SLOW_SUDO, LECTURE)))
    ssh: dict[str, JsonValue] = {"ssh": {"username": OPERATOR}}
    checked = check(tmp_path, plan([{**n, **ssh} for n in as_planned((tty, slow, lecture))], lab.address(0)))
    assert checked.states == {tty.address: "checked", slow.address: "checked", lecture.address: "no-sudo"}
    assert checked.outcomes[tty.address] == tty.profile.expects
    assert "requiretty" in checked.observed(tty.address, "USR-SUDO")
    assert checked.outcomes[slow.address] == {}
    assert checked.observed(lecture.address, "USR-SUDO").endswith("a password is required")


PAM = "sed -i 's/^UsePAM no/UsePAM yes/' /etc/ssh/sshd_config"
ACCOUNTS = (
    Fault(
        "an expired account",
        f"{PAM}; sed -i 's/^root:.*/&XX/; s/^root:\\([^:]*\\):.*/root:\\1:19000:0:99999:7::1:/' /etc/shadow",
    ),
    Fault("an expired password", f"{PAM}; sed -i 's/^root:\\([^:]*\\):.*/root:\\1:0:0:99999:7:::/' /etc/shadow"),
    Fault("nologin as the shell", "sed -i 's|^\\(root:.*\\):[^:]*$|\\1:/usr/sbin/nologin|' /etc/passwd"),
    Fault("false as the shell", "sed -i 's|^\\(root:.*\\):[^:]*$|\\1:/bin/false|' /etc/passwd"),
    Fault("a .bashrc with endless errors", "echo 'yes trouble >&2' >/root/.bashrc"),
    Fault("a .bashrc that reads the script", "echo 'cat >/dev/null' >/root/.bashrc"),
    Fault("a .bashrc that ends the session", "echo 'exit 1' >/root/.bashrc"),
    Fault("no bash", "mv /usr/bin/bash /usr/bin/rebash; sed -i 's|^\\(root:.*\\):[^:]*$|\\1:/bin/sh|' /etc/passwd"),
)


def test_login_failures_are_reported_with_the_reason(lab: Lab, tmp_path: Path) -> None:
    nodes = lab.start(*(NodeProfile(faults=(fault,)) for fault in ACCOUNTS))
    checked = check(tmp_path, plan(as_planned(nodes), lab.address(0)))
    assert set(checked.states.values()) == {"auth-failed"}
    account, password, nologin, false, errors, *no_output, no_bash = (
        checked.observed(node.address, "OS-DISTRO") for node in nodes
    )
    assert "expired" in account
    assert "expired" in password
    assert "not available" in nologin
    assert all("sent no error message" in text and ".bashrc" in text for text in (false, *no_output))
    assert "trouble trouble" in errors
    assert "bash: not found" in no_bash


def _replace(tool: str, command: str) -> str:
    return _program(f"/usr/bin/{tool}", command)


BREAKS = (
    Fault("the connection is cut", _replace("snap", "kill -9 $(pidof sshd)")),
    Fault("sshd freezes", _replace("snap", "kill -STOP $(pidof sshd)")),
    Fault("the interface goes down", _replace("snap", "ip link set eth0 down")),
)


def test_facts_collected_before_a_failure_stay_valid(lab: Lab, tmp_path: Path) -> None:
    cut, frozen, down, healthy = lab.start(*(NodeProfile(faults=(fault,)) for fault in BREAKS), NodeProfile())
    checked = check(tmp_path, plan(as_planned((cut, frozen, down, healthy)), lab.address(0)))
    assert checked.states[cut.address] == checked.states[down.address] == "lost"
    assert checked.states[frozen.address] in ("lost", "timeout")
    assert checked.states[healthy.address] == "checked"
    assert checked.outcomes[healthy.address] == {}
    for node in (cut, frozen, down):
        assert checked.hostnames[node.address] is not None
        assert "OS-DISTRO" not in checked.outcomes[node.address]
        assert checked.outcomes[node.address]["PKG-CONFLICT-SNAP"] == "unknown"
