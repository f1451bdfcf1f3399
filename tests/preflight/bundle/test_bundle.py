"""The bundle: its files, checksums, atomic replacement, and secrets in only two of the files."""

import ctypes
import hashlib
import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from acp_tui.checks.verdict import Outcome, Severity, Verdict
from acp_tui.core.ownership import UntrustedPath
from acp_tui.nodes.state import NodeState
from acp_tui.plan.file import load_plan
from acp_tui.plan.known_hosts import KeySource, KnownHost, KnownHosts, confirmed
from acp_tui.plan.model import Plan
from acp_tui.preflight.bundle import (
    FILES,
    SUMS,
    BundleCorrupt,
    BundleRefused,
    absolute,
    check_sums,
    is_bundle,
    open_bundle,
    write_bundle,
)
from acp_tui.preflight.bundle import directory as bundles
from acp_tui.preflight.report.model import NodeRecord, Report
from tests.support.factories.plans import nodes, valid_plan
from tests.support.other_users import STRANGER, needs_root

CANARY = "c4nary-S3cret"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJustAKeyForTestsThatNobodyHas"


def secret_plan() -> Plan:
    return valid_plan(
        package={"core": "media/installer-core-v4.0.3-x86.tar", "public_key": "/media/verify-key.pub"},
        admin={"password": CANARY},
        ssh={"password": CANARY, "key_file": "keys/id", "key_passphrase": CANARY},
        nodes=[
            *nodes(2, 1),
            {"address": "10.20.0.13", "ssh": {"port": 2222, "password": CANARY, "key_file": "keys/own"}},
        ],
        registry={"mode": "external", "address": "r.example.com:5000", "username": "u", "password": CANARY},
        certificate={"mode": "existing", "cert_file": "tls/crt.pem", "key_file": "tls/key.pem"},
    )


def report(outcome: Outcome = Outcome.PASS) -> Report:
    time = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    node = NodeRecord("10.20.0.11", "m1", "control-plane", NodeState.CHECKED)
    verdict = Verdict("OS-KERNEL", "10.20.0.11", Severity.MUST, outcome, "5.4", "5.15", "upgrade")
    return Report("4.0", time, time, (node,), (verdict,))


def write(
    directory: Path,
    base: Path,
    plan: Plan | None = None,
    outcome: Outcome = Outcome.PASS,
    known_hosts: KnownHosts | None = None,
) -> Path:
    return write_bundle(
        plan or secret_plan(),
        report(outcome),
        known_hosts or {"10.20.0.11": confirmed(KEY), "10.20.0.13": confirmed(KEY), "10.9.9.9": confirmed(KEY)},
        directory,
        plan_dir=base,
        document=json.dumps({"password": CANARY}),
        setup_line="bash setup.sh --network-mode calico",
    )


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_bundle_has_all_files_with_their_modes(tmp_path: Path) -> None:
    directory = write(tmp_path / "out" / "bundle", tmp_path)
    assert is_bundle(directory)
    assert mode(directory) == 0o700
    assert {path.name for path in directory.iterdir()} == {*FILES, SUMS}
    private = {path.name for path in directory.iterdir() if mode(path) == 0o600}
    assert private == {"secrets.yaml", "installer-config.json"}
    assert [path.name for path in directory.parent.iterdir()] == ["bundle"]
    done = subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=directory, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.count(": OK") == len(FILES)
    assert json.loads((directory / "preflight.json").read_text())["schema"] == "acp-tui.report/1"
    assert (directory / "setup.txt").read_text() == "bash setup.sh --network-mode calico\n"


def test_secrets_are_only_in_two_files(tmp_path: Path) -> None:
    directory = write(tmp_path / "bundle", tmp_path)
    files_with_secret = {path.name for path in directory.iterdir() if CANARY in path.read_text()}
    assert files_with_secret == {"secrets.yaml", "installer-config.json"}


def test_written_bundle_is_opened_unchanged(tmp_path: Path) -> None:
    directory = write(tmp_path / "bundle", tmp_path)
    opened = open_bundle(directory)
    assert opened.plan == absolute(secret_plan(), tmp_path)
    assert opened.plan.ssh.password is not None
    assert opened.plan.ssh.password.get_secret_value() == CANARY
    from_file = KnownHost((KEY,), KeySource.FILE)
    assert opened.known_hosts == {"10.20.0.11": from_file, "10.20.0.13": from_file}
    assert opened.setup_line == "bash setup.sh --network-mode calico"
    assert opened.document is not None
    assert json.loads(opened.document.get_secret_value()) == {"password": CANARY}


def test_known_hosts_has_the_format_of_openssh(tmp_path: Path) -> None:
    lines = (write(tmp_path / "bundle", tmp_path) / "known_hosts").read_text().splitlines()
    assert lines == [f"10.20.0.11 {KEY}", f"[10.20.0.13]:2222 {KEY}"]


def test_known_hosts_has_only_confirmed_keys_and_all_of_them(tmp_path: Path) -> None:
    known = {
        "10.20.0.11": KnownHost((KEY, f"{KEY}B"), KeySource.THIS_HOST),
        "10.20.0.13": KnownHost((KEY,), KeySource.SEEN),
    }
    directory = write(tmp_path / "bundle", tmp_path, known_hosts=known)
    assert (directory / "known_hosts").read_text().splitlines() == [f"10.20.0.11 {KEY}", f"10.20.0.11 {KEY}B"]
    assert open_bundle(directory).known_hosts == {"10.20.0.11": KnownHost((KEY, f"{KEY}B"), KeySource.FILE)}


def test_bundle_needs_no_other_known_hosts_file(tmp_path: Path) -> None:
    plan = secret_plan()
    plan = plan.model_copy(update={"ssh": plan.ssh.model_copy(update={"known_hosts": "hosts"})})
    assert load_plan(write(tmp_path / "bundle", tmp_path, plan) / "plan.yaml").ssh.known_hosts is None


def test_paths_of_the_plan_are_absolute(tmp_path: Path) -> None:
    plan = load_plan(write(tmp_path / "other" / "bundle", tmp_path) / "plan.yaml")
    assert plan.package.core == str(tmp_path / "media" / "installer-core-v4.0.3-x86.tar")
    assert plan.package.public_key == "/media/verify-key.pub"
    assert plan.package.extensions is None
    assert plan.ssh.key_file == str(tmp_path / "keys" / "id")
    assert plan.nodes[-1].ssh.key_file == str(tmp_path / "keys" / "own")
    assert plan.nodes[0].ssh.key_file is None
    assert plan.certificate.cert_file == str(tmp_path / "tls" / "crt.pem")
    assert plan.certificate.key_file == str(tmp_path / "tls" / "key.pem")


@pytest.mark.parametrize("name", [*FILES, SUMS])
@pytest.mark.parametrize("damage", ["change", "remove"])
def test_changed_or_missing_file_is_named(tmp_path: Path, name: str, damage: str) -> None:
    directory = write(tmp_path / "bundle", tmp_path)
    path = directory / name
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes().replace(b"0", b"1") + b"\n#")
    with pytest.raises(BundleCorrupt) as damaged:
        open_bundle(directory)
    if name != SUMS:  # a changed checksum list makes other files look damaged
        assert damaged.value.files == (name,)


def test_file_missing_from_the_checksums_is_damage(tmp_path: Path) -> None:
    directory = write(tmp_path / "bundle", tmp_path)
    lines = (directory / SUMS).read_text().splitlines(keepends=True)
    (directory / SUMS).write_text("".join(line for line in lines if "plan.yaml" not in line))
    with pytest.raises(BundleCorrupt, match=r"plan\.yaml"):
        check_sums(directory)


@pytest.mark.parametrize("swap", [True, False])
def test_earlier_bundle_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swap: bool) -> None:
    if not swap:
        monkeypatch.setattr(ctypes, "CDLL", lambda *_args, **_options: object())  # a C library without renameat2
    directory = write(tmp_path / "bundle", tmp_path)
    write(directory, tmp_path, outcome=Outcome.FAIL)
    assert json.loads((directory / "preflight.json").read_text())["ready"] is False
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    check_sums(directory)


def test_damaged_bundle_is_replaced(tmp_path: Path) -> None:
    directory = write(tmp_path / "bundle", tmp_path)
    (directory / "plan.yaml").unlink()
    write(directory, tmp_path)
    check_sums(directory)


def test_empty_folder_becomes_the_bundle(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir(mode=0o755)
    assert mode(write(tmp_path / "bundle", tmp_path)) == 0o700


def test_folder_that_is_not_a_bundle_is_not_replaced(tmp_path: Path) -> None:
    filled, plain, link = tmp_path / "filled", tmp_path / "plain", tmp_path / "link"
    filled.mkdir()
    (filled / "precious").touch()
    plain.touch()
    link.symlink_to(filled)
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    (downloads / SUMS).write_text(f"{'0' * 64}  package.tar\n")
    (write(tmp_path / "annotated", tmp_path) / "note").touch()
    for directory in (filled, plain, link, downloads, tmp_path / "annotated"):
        with pytest.raises(BundleRefused):
            write(directory, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["annotated", "downloads", "filled", "link", "plain"]
    assert [path.name for path in filled.iterdir()] == ["precious"]


def test_failed_write_keeps_the_earlier_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = write(tmp_path / "bundle", tmp_path)

    def disk_full(_handle: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", disk_full)
    with pytest.raises(OSError, match="No space"):
        write(directory, tmp_path, outcome=Outcome.FAIL)
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    check_sums(directory)
    assert json.loads((directory / "preflight.json").read_text())["ready"] is True


@pytest.mark.parametrize("name", [".bundle.new", ".bundle.new.a1b2c3_x"])
def test_leftovers_of_a_killed_writer_are_removed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "secrets.yaml").write_text(CANARY)
    write(tmp_path / "bundle", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


@pytest.mark.parametrize(
    ("name", "file"), [(".bundle.new.a1b2c3_x", "note"), (".bundle.new.mine", "plan.yaml"), (".b.new", "plan.yaml")]
)
def test_folders_that_no_writer_left_are_kept(tmp_path: Path, name: str, file: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / file).touch()
    write(tmp_path / "bundle", tmp_path)
    assert (tmp_path / name / file).exists()


@needs_root
@pytest.mark.parametrize("name", [".bundle.new", ".bundle.new.a1b2c3_x", ".bundle.earlier"])
def test_folder_that_another_user_prepared_is_not_used(tmp_path: Path, name: str) -> None:
    """In a shared folder, another user creates the temporary folder first, to change the plan in it later."""
    (tmp_path / name).mkdir(mode=0o777)
    os.chown(tmp_path / name, STRANGER, STRANGER)
    tmp_path.chmod(0o1777)
    directory = write(tmp_path / "bundle", tmp_path)
    assert directory.stat().st_uid == 0
    assert mode(directory) == 0o700
    assert list((tmp_path / name).iterdir()) == []
    open_bundle(directory)


def test_bundle_in_a_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(BundleRefused, match="other users can write to"):
        write(shared / "bundle", tmp_path)
    with pytest.raises(BundleRefused, match="other users can write to"):
        write(shared / "new" / "bundle", tmp_path)
    assert list(shared.iterdir()) == []


@needs_root
def test_bundle_of_another_user_is_not_replaced(tmp_path: Path) -> None:
    directory = write(tmp_path / "bundle", tmp_path)
    os.chown(directory, STRANGER, -1)
    with pytest.raises(BundleRefused, match="belongs to the user nobody"):
        write(directory, tmp_path)


@needs_root
@pytest.mark.parametrize("part", [".", "plan.yaml", "known_hosts", SUMS, ".."])
def test_bundle_that_another_user_can_change_is_not_opened(tmp_path: Path, part: str) -> None:
    """The checksums prove nothing here, because the other user can write them too."""
    directory = write(tmp_path / "out" / "bundle", tmp_path)
    os.chown(directory / part, STRANGER, -1)
    with pytest.raises(UntrustedPath, match="belongs to the user nobody"):
        open_bundle(directory)


def test_bundle_in_a_folder_that_others_can_write_to_is_not_opened(tmp_path: Path) -> None:
    directory = write(tmp_path / "out" / "bundle", tmp_path)
    directory.parent.chmod(0o777)
    with pytest.raises(UntrustedPath, match="other users can write to"):
        open_bundle(directory)


@needs_root
def test_bundle_of_the_user_who_called_sudo_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = write(tmp_path / "bundle", tmp_path)
    for path in (directory, *directory.iterdir()):
        os.chown(path, STRANGER, -1)
    monkeypatch.setenv("SUDO_UID", str(STRANGER))
    assert open_bundle(directory).plan.ssh.password is not None


WRITE_FOREVER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.preflight.bundle import test_bundle
while True:
    test_bundle.write(Path(sys.argv[1]), Path("/"))
    print("written", flush=True)
"""


@pytest.mark.parametrize("swap", [True, False])
def test_bundle_is_complete_after_a_kill_at_any_time(tmp_path: Path, swap: bool) -> None:
    """Without an atomic swap the bundle may be missing after a kill; the next writer restores it first."""
    without = "import ctypes\nctypes.CDLL = lambda *_args, **_options: object()\nwhile"
    code = WRITE_FOREVER if swap else WRITE_FOREVER.replace("while", without)
    for attempt in range(4):
        arguments = [sys.executable, "-c", code, str(tmp_path / "bundle"), str(Path(__file__).parents[3])]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            for _ in range(1 + 3 * attempt):
                assert writer.stdout.readline()
            writer.kill()
        if swap:
            check_sums(tmp_path / "bundle")
    write(tmp_path / "bundle", tmp_path)
    check_sums(tmp_path / "bundle")
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_second_concurrent_writer_is_rejected(tmp_path: Path) -> None:
    with bundles._temporary_folder(tmp_path / "bundle"), pytest.raises(BundleRefused, match="is writing"):
        write(tmp_path / "bundle", tmp_path)
    write(tmp_path / "bundle", tmp_path)


def test_earlier_bundle_renamed_by_a_killed_writer_is_restored(tmp_path: Path) -> None:
    directory = write(tmp_path / "bundle", tmp_path)
    directory.rename(tmp_path / ".bundle.earlier")
    write(directory, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


@pytest.mark.parametrize("name", ["plan.yaml", "secrets.yaml"])
@pytest.mark.parametrize("kind", ["env", "file"])
def test_bundle_with_a_reference_is_refused_before_it_is_read(tmp_path: Path, name: str, kind: str) -> None:
    directory = write(tmp_path / "bundle", tmp_path)
    os.mkfifo(tmp_path / "pipe")
    text = f"admin: {{password: {{{kind}: {tmp_path}/pipe}}}}\n"
    (directory / name).write_text(text)
    listed = (directory / SUMS).read_text().splitlines()
    rest = [line for line in listed if not line.endswith(f"  {name}")]
    own = f"{hashlib.sha256(text.encode()).hexdigest()}  {name}"
    (directory / SUMS).write_text("".join(f"{line}\n" for line in (*rest, own)))
    check_sums(directory)
    with pytest.raises(BundleCorrupt, match=r"the key admin\.password has one") as damaged:
        open_bundle(directory)
    assert damaged.value.files == (name,)


@needs_root
def test_files_of_another_user_do_not_make_a_shared_folder_a_bundle(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    for name in ("SHA256SUMS", "plan.yaml", "setup.txt"):
        (shared / name).write_text("0  plan.yaml\n")
        os.chown(shared / name, STRANGER, -1)
    assert write(shared / "bundle", tmp_path).is_dir()
