"""Package lists of tools that work, and of tools that print nothing, an error or half of a list."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.nodes.collectors import facts_from
from acp_tui.nodes.script import CollectorOutput
from tests.support.collector_shell import facts_of, put

case = pytest.param


def list_of(collector: str, root: Path, tools: dict[str, str]) -> object:
    """Return the packages that the collector reads, or the reason why it reads none."""
    facts = facts_of(collector, root, "/var/lib/snapd", "/var/lib/dpkg", tools=tools)
    name = f"{collector}_packages"
    packages = getattr(facts, name)
    return set(packages) if packages is not None else facts.missing_reason(name)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        case("printf 'bash\\nglibc\\n'", {"bash", "glibc"}, id="a list"),
        case("printf 'runc-1.0.0-69.el7.x86_64\\n'", {"runc"}, id="names with versions"),
        case("echo bash; echo 'warning: Found NDB Packages.db while attempting bdb' >&2", {"bash"}, id="a warning"),
        case(":", "rpm listed no packages", id="nothing"),
        case("echo gpg-pubkey", "rpm listed no packages", id="only keys"),
        case("echo 'error: cannot open Packages database' >&2", "cannot open Packages", id="only an error"),
        case("echo bash; echo 'error: rpmdbNextIterator: damaged header' >&2", "damaged header", id="half a list"),
        case("echo bash; echo 'error: damaged header'", "damaged header", id="an error in the list"),
        case("echo bash; echo 'BDB0113 Thread/process 9/1 failed' >&2", "BDB0113", id="an error of the database"),
        case("echo bash; exit 1", "exit status 1", id="an exit status"),
        case("echo bash; kill -9 $$", "exit status 137", id="killed"),
        case("head -c 300000 /dev/zero | tr '\\0' a", "too much output", id="too much"),
    ],
)  # fmt: skip
def test_list_of_rpm(tmp_path: Path, script: str, expected: object) -> None:
    seen = list_of("rpm", tmp_path, {"rpm": script})
    assert seen == expected if isinstance(expected, set) else str(expected) in str(seen)


ROWS = "install ok installed\\tbash\\nhold ok installed\\tdocker.io\\ndeinstall ok config-files\\trunc\\n"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        case(f"printf '{ROWS}'", {"bash", "docker.io"}, id="a list"),
        case(f"printf '{ROWS}install reinstreq half-installed\\trkt\\n'", {"bash", "docker.io", "rkt"},
             id="a package whose install broke off"),
        case(":", "dpkg-query listed no packages", id="nothing"),
        case("printf 'deinstall ok config-files\\tbash\\n'", "dpkg-query listed no packages", id="nothing installed"),
        case("echo 'dpkg-query: no packages found matching *' >&2; exit 1", "exit status 1", id="an empty database"),
        case(f"printf '{ROWS}'; echo 'dpkg-query: error: parsing file' >&2", "parsing file", id="half a list"),
    ],
)  # fmt: skip
def test_list_of_dpkg(tmp_path: Path, script: str, expected: object) -> None:
    seen = list_of("dpkg", tmp_path, {"dpkg-query": script})
    assert seen == expected if isinstance(expected, set) else str(expected) in str(seen)


@pytest.mark.parametrize(
    ("script", "files", "expected"),
    [
        case("printf 'Name Version\\nmicrok8s 1\\n'", True, {"microk8s"}, id="snapd answers"),
        case("echo 'No snaps are installed yet.' >&2", True, set(), id="no snaps"),
        case("echo 'error: cannot communicate with server' >&2; exit 1", True, {"kubelet"}, id="files: snapd is off"),
        case("exit 0", True, {"kubelet"}, id="files: no answer"),
        case("exit 0", False, "snap gave no list", id="neither"),
        case("echo 'error: cannot communicate' >&2", False, "cannot communicate", id="an error with status 0"),
    ],
)  # fmt: skip
def test_list_of_snaps(tmp_path: Path, script: str, files: bool, expected: object) -> None:
    if files:
        put(tmp_path, {"/var/lib/snapd/snaps/kubelet_42.snap": ""})
    seen = list_of("snap", tmp_path, {"snap": script})
    assert seen == expected if isinstance(expected, set) else str(expected) in str(seen)


@pytest.mark.parametrize(
    ("tools", "status", "expected"),
    [
        case({"lvm": ":"}, "", True, id="the tool"),
        case({"rpm": "echo lvm2-2.02.187-6.el7.x86_64"}, "", True, id="rpm"),
        case({"rpm": "echo package lvm2 is not installed; exit 1"}, "", False, id="rpm: absent"),
        case({"rpm": "echo error: cannot open Packages index >&2; exit 1"}, "", None, id="rpm: damaged"),
        case({"rpm": ":"}, "", None, id="rpm: no answer"),
        case({"dpkg-query": "echo install ok installed"}, "x", True, id="dpkg"),
        case({"dpkg-query": "echo deinstall ok config-files"}, "x", False, id="dpkg: removed"),
        case({"dpkg-query": "echo no packages found matching lvm2 >&2; exit 1"}, "x", False, id="dpkg: absent"),
    ],
)  # fmt: skip
def test_lvm2(tmp_path: Path, tools: dict[str, str], status: str, expected: bool | None) -> None:
    put(tmp_path, {"/var/lib/dpkg/status": status})
    hidden = {name: "echo package lvm2 is not installed" for name in ("dpkg-query", "rpm") if name not in tools}
    unseen = "" if "lvm" in tools else "lvm"
    facts = facts_of("lvm2", tmp_path, "/var/lib/dpkg", tools={**hidden, **tools}, hidden=unseen)
    assert facts.lvm2 is expected


@given(text=st.text(alphabet="stderr :bash\nerror()\t-.Name", max_size=200))
def test_any_output_gives_names_or_a_reason(text: str) -> None:
    for name in ("rpm", "dpkg", "snap"):
        facts = facts_from("x", [CollectorOutput(name, 0, text)])
        assert (getattr(facts, f"{name}_packages") is None) == bool(facts.missing.get(f"{name}_packages"))
