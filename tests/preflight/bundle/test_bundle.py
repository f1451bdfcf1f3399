"""The bundle: its files, checksums, and secrets in only two of the files."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from acp_tui.plan.file import load_plan
from acp_tui.plan.known_hosts import KeySource, KnownHost
from acp_tui.preflight.bundle import (
    FILES,
    SUMS,
    BundleCorrupt,
    absolute,
    check_sums,
    is_bundle,
    open_bundle,
)
from tests.support.factories.bundles import CANARY, KEY, mode, secret_plan, write


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
