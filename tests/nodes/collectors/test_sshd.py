"""Collectors of the login and of sshd: values of the files, and whether the running sshd has read them."""

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
            None,
            id="a match of an included file ends with it; no sshd -T",
        ),
    ],
)
def test_sshd_settings_with_includes_and_matches(
    tmp_path: Path,
    files: dict[str, str],
    effective: str | None,
    usedns: tuple[str, bool],
    usepam: tuple[str, bool] | None,
) -> None:
    put(tmp_path, {f"{SSHD}/{name}": text for name, text in files.items()})
    facts = facts_of("sshd", tmp_path, SSHD, tools={"sshd": f"echo '{effective}'" if effective else "exit 1"})
    assert facts.sshd is not None
    assert {name: (s.effective, s.explicit) for name, s in facts.sshd.items()} == {
        name: expected for name, expected in (("usedns", usedns), ("usepam", usepam)) if expected
    }


def test_errors_of_the_configuration_are_reported_and_other_messages_are_not(tmp_path: Path) -> None:
    put(tmp_path, {f"{SSHD}/sshd_config": "UseDNS no\nNonsense\n"})
    bad = "echo '/etc/ssh/sshd_config: line 2: Bad configuration option: Nonsense' >&2; exit 255"
    assert "line 2: Bad configuration option" in (
        facts_of("sshd", tmp_path, SSHD, tools={"sshd": bad}).sshd_error or ""
    )
    old = "echo '/etc/ssh/sshd_config line 16: Deprecated option X' >&2; echo usedns no"
    assert facts_of("sshd", tmp_path, SSHD, tools={"sshd": old}).sshd_error == ""
    keys = "echo 'sshd: no hostkeys available -- exiting.' >&2; exit 1"
    assert facts_of("sshd", tmp_path, SSHD, tools={"sshd": keys}).sshd_error == ""


LISTENER = "listener sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"
CONFIG, FOLDER = "/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d"
NO = SshdSetting("no", True)
DOUBT = "sshd has not been restarted since {} was changed"


def reading(
    *files: str,
    daemon: str = LISTENER,
    pam: str | None = None,
    stats: dict[str, tuple[float, float]] | None = None,
    login: int = 340000,
    pidfile: float | None = 1000060.0,
) -> dict[str, SshdSetting]:
    """Return the settings of a node that booted at 1000000 (seconds since 1970), and whose sshd started 50 s later.

    `stats`: path → time of the last change of its content, and of its last change. `pidfile`: when it was written."""
    times = {CONFIG: (999000.0, 999000.0), "/etc/ssh": (999000.0, 999000.0), **(stats or {})}
    rows = [f"pam {pam}"] if pam else []
    rows += [daemon] if daemon else []
    rows += [f"open {CONFIG}", *files, "effective usedns no", "effective usepam no"]
    rows += [f"stat {changed:.9f} {touched:.9f} {path}" for path, (changed, touched) in times.items()]
    if pidfile is not None:
        rows.append(f"stat {pidfile:.9f} {pidfile:.9f} /run/sshd.pid")
    rows += ["uptime 3600.50", "stat 1003600.500000000 1003600.500000000 /proc/self", f"started {login} 5000"]
    rows += ["pidfile /run/sshd.pid"] if pidfile is not None else []
    settings = facts_from("x", [CollectorOutput("sshd", 0, "\n".join(rows))]).sshd
    assert settings is not None
    return dict(settings)


BOTH = ("file UseDNS no", "file UsePAM no")
INCLUDED = (f"open {FOLDER}", f"open {FOLDER}/1.conf")


@pytest.mark.parametrize(
    ("name", "files", "stats", "unread"),
    [
        ("files older than sshd", BOTH, {}, None),
        ("read again after SIGHUP", BOTH, {CONFIG: (1000059.9, 1000059.9)}, None),
        ("changed later", BOTH, {CONFIG: (1000060.1, 1000060.1)}, CONFIG),
        ("permissions changed later", BOTH, {CONFIG: (999000.0, 1000999.0)}, None),
        (
            "an old file moved in later",
            BOTH,
            {CONFIG: (999000.0, 1000999.0), "/etc/ssh": (1000999.0, 1000999.0)},
            CONFIG,
        ),
        ("permissions changed right after a host key was written", BOTH,
         {CONFIG: (999000.0, 1000060.5), "/etc/ssh": (1000059.9, 1000059.9)}, None),
        ("a host key written later", BOTH, {"/etc/ssh": (1000999.0, 1000999.0)}, None),
        ("an included file added later", (*INCLUDED, *BOTH), {f"{FOLDER}/1.conf": (1000999.0, 1000999.0)},
         f"{FOLDER}/1.conf"),
        ("an included file removed later", (f"open {FOLDER}", *BOTH), {FOLDER: (1000999.0, 1000999.0)}, FOLDER),
        ("an included file behind the first value", (*BOTH, *INCLUDED), {f"{FOLDER}/1.conf": (1000999.0, 1000999.0)},
         None),
        ("a folder in the future", BOTH, {"/etc/ssh": (9999999.0, 9999999.0)}, None),
    ],
)  # fmt: skip
def test_files_that_sshd_has_not_read(
    name: str, files: tuple[str, ...], stats: dict[str, tuple[float, float]], unread: str | None
) -> None:
    expected = SshdSetting("no", True, doubt=DOUBT.format(unread) if unread else "")
    assert reading(*files, stats=stats) == {"usedns": expected, "usepam": expected}


def test_without_a_pid_file_the_start_of_sshd_counts() -> None:
    after = reading(*BOTH, pidfile=None, stats={CONFIG: (1000050.5, 1000050.5)})
    before = reading(*BOTH, pidfile=None, stats={CONFIG: (1000049.9, 1000049.9)})
    assert (after["usedns"].doubt, before["usedns"].doubt) == (DOUBT.format(CONFIG), "")


def test_a_pid_file_from_the_future_is_from_before_a_correction_of_the_clock() -> None:
    stale = reading(*BOTH, pidfile=1030000.0, stats={CONFIG: (1000999.0, 1000999.0)})
    assert stale["usedns"].doubt == DOUBT.format(CONFIG)
    slow = reading(*BOTH, pidfile=990000.0, stats={CONFIG: (999999.0, 999999.0)})
    assert slow["usedns"].doubt == "", "the clock was behind when sshd started"


def test_an_sshd_for_each_connection_reads_its_files_each_time() -> None:
    changed = {CONFIG: (1000999.0, 1000999.0)}
    settings = reading(*BOTH, daemon="connection sshd: root@notty", pam="yes", pidfile=None, stats=changed)
    assert settings == {"usedns": NO, "usepam": NO}


def test_modules_of_pam_show_the_running_value() -> None:
    changed = {CONFIG: (1000999.0, 1000999.0)}
    assert reading(*BOTH, pam="yes", stats=changed)["usepam"] == SshdSetting("no", True, "yes")
    assert reading(*BOTH, pam="no", stats=changed)["usepam"] == SshdSetting("no", True, "no")
    restarted = reading(*BOTH, pam="yes", login=5500)
    assert restarted["usepam"] == NO, "the login is older than the last restart"


def test_options_of_the_command_line_win() -> None:
    settings = reading(*BOTH, daemon="listener /usr/sbin/sshd -D -oUsePAM=yes -o UseDNS yes")
    assert {name: setting.effective for name, setting in settings.items()} == {"usedns": "yes", "usepam": "yes"}


def test_without_a_process_of_sshd_the_running_value_is_unknown() -> None:
    assert "no process of sshd" in reading(*BOTH, daemon="")["usedns"].doubt
