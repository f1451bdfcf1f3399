"""Verification and unpacking in one pass: only the verified bytes are unpacked into place."""

import os
import shutil
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from acp_tui.core.events import Progress
from acp_tui.package.archive_safety import PackageRefused
from acp_tui.package.extract import Check, SignatureRefused, extract
from acp_tui.package.install_dir import UnpackFailed, unpacked
from acp_tui.package.reader import Cancelled, Feed, PackageReader, Relay
from acp_tui.package.signature.gpg import verify_stream
from acp_tui.package.signature.gpg_status import SignatureResult, Signed
from tests.support.gpg_signer import Signer
from tests.support.package_builder import CORE, core, file

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="needs gpg")

BIG = file("installer/images/more.img", os.urandom(30 * Feed.CHUNK))
"""Larger than the buffer between the two readers."""


@dataclass(frozen=True)
class Case:
    signer: Signer
    folder: Path
    package: Path

    @property
    def target(self) -> Path:
        return self.folder / "target"

    def sign(self, by: str = "vendor") -> None:
        (self.folder / f"{CORE}.sig").write_bytes(self.signer.sign(by, self.package))

    def check(self, fingerprint: str | None = None) -> Check:
        trusted = fingerprint or self.signer.fingerprint("vendor")
        signature, key = self.folder / f"{CORE}.sig", self.folder / "verify-key.pub"
        return Check(
            lambda source: verify_stream(source, CORE, signature, key, trusted),
            lambda result: result.signed is Signed.GOOD,
            trusted,
        )

    @property
    def in_place(self) -> list[str]:
        return sorted(path.name for path in self.target.iterdir())


@pytest.fixture
def case(signer: Signer, tmp_path: Path) -> Case:
    created = Case(signer, tmp_path, core(tmp_path, BIG))
    created.sign()
    (tmp_path / "verify-key.pub").write_bytes(signer.export("vendor"))
    return created


def test_verified_package_is_in_place_with_its_signer(case: Case) -> None:
    done = extract(case.package, case.target, check=case.check())
    assert done is not None
    assert done.signature == SignatureResult(Signed.GOOD, (case.signer.fingerprint("vendor"),))
    assert (case.target / "installer/images/more.img").read_bytes() == BIG[1]
    stamp = unpacked(case.target)["core"]
    assert (stamp.signer, bool(stamp.verified)) == (case.signer.fingerprint("vendor"), True)
    assert extract(case.package, case.target, check=case.check()) is None


def test_package_replaced_during_unpacking_is_not_read(case: Case) -> None:
    """Both readers use one file handle from the beginning to the end."""
    other = core(case.folder, file("installer/evil"), name="other.tar")

    def swap(_progress: Progress) -> None:
        if other.exists():
            other.replace(case.package)

    assert extract(case.package, case.target, swap, check=case.check())
    assert not (case.target / "installer" / "evil").exists()
    assert (case.target / "installer/images/more.img").read_bytes() == BIG[1]
    # The file with this name is now another one; its verification is not recorded.
    with pytest.raises(SignatureRefused):
        extract(case.package, case.target, check=case.check())


@pytest.mark.parametrize("accepted", [True, False])
def test_bad_signature_is_rejected_unless_accepted(case: Case, accepted: bool) -> None:
    with case.package.open("r+b") as package:
        package.seek(10 * Feed.CHUNK)
        package.write(b"changed")
    check = Check(case.check().verify, lambda _result: accepted, case.check().fingerprint)
    if not accepted:
        with pytest.raises(SignatureRefused) as refused:
            extract(case.package, case.target, check=check)
        assert refused.value.result.signed is Signed.BAD
        assert case.in_place == []
        return
    done = extract(case.package, case.target, check=check)
    assert done is not None
    assert done.signature is not None
    assert done.signature.signed is Signed.BAD
    assert unpacked(case.target)["core"].signer == ""


def test_unreadable_signature_ends_unpacking_early(case: Case) -> None:
    (case.folder / f"{CORE}.sig").write_bytes(b"hello\n")
    answered = threading.Event()
    events: list[Progress] = []

    def verify_and_signal(source: PackageReader) -> SignatureResult:
        result = case.check().verify(source)
        answered.set()
        return result

    def wait_for_answer(progress: Progress) -> None:
        events.append(progress)
        if progress.done > 20 * Feed.CHUNK:  # more than gpg has buffered
            answered.wait()

    with pytest.raises(SignatureRefused):
        extract(case.package, case.target, wait_for_answer, check=Check(verify_and_signal, case.check().accepts, "x"))
    assert events[-1].done < case.package.stat().st_size
    assert case.in_place == []


def test_rejected_archive_ends_the_verification(case: Case) -> None:
    hostile = core(case.folder, file("../outside"), BIG)
    case.sign()
    with pytest.raises(PackageRefused, match="outside"):
        extract(hostile, case.target, check=case.check())
    assert case.in_place == []


def test_cancelling_ends_verification_and_unpacking(case: Case) -> None:
    events: list[Progress] = []
    with pytest.raises(Cancelled):
        extract(case.package, case.target, events.append, lambda: len(events) > 5, check=case.check())
    assert case.in_place == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("signature")]


def test_full_disk_ends_verification_and_unpacking(case: Case) -> None:
    disk = case.folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(disk)]
    if os.geteuid() or subprocess.run(mount, check=False).returncode:
        pytest.skip("needs root, to mount a small filesystem")
    try:
        with pytest.raises(UnpackFailed, match="no free space"):
            extract(case.package, disk / "target", check=case.check())
        assert list((disk / "target").iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_unverified_package_is_unpacked_again_with_a_check(case: Case) -> None:
    assert extract(case.package, case.target)
    assert extract(case.package, case.target) is None
    assert extract(case.package, case.target, check=case.check())
    assert extract(case.package, case.target, check=case.check()) is None


def test_other_trusted_key_verifies_again(case: Case) -> None:
    assert extract(case.package, case.target, check=case.check())
    with pytest.raises(SignatureRefused) as refused:
        extract(case.package, case.target, check=case.check(case.signer.fingerprint("stranger")))
    assert refused.value.result.signed is Signed.KEY_OTHER
    assert unpacked(case.target)["core"].signer == case.signer.fingerprint("vendor")
    assert (case.target / "installer" / "setup.sh").exists()


def test_copy_with_the_same_bytes_is_unpacked_again(case: Case) -> None:
    assert extract(case.package, case.target, check=case.check())
    copy = case.folder / "copy"
    shutil.copy2(case.package, copy)
    copy.replace(case.package)
    assert extract(case.package, case.target, check=case.check())


def test_abandoned_relay_does_not_block_the_producer() -> None:
    relay = Relay()
    relay.abandon()
    for _turn in range(Relay.AHEAD * 2):
        relay.give(b"x")
    relay.end()
    assert relay.read() == b""


def test_relay_keeps_the_order_and_a_limited_buffer() -> None:
    relay, lengths = Relay(), list[int]()
    pieces = [bytes([number % 256]) for number in range(500)]

    def give() -> None:
        for piece in pieces:
            relay.give(piece)
            lengths.append(len(relay._pieces))
        relay.end()

    producer = threading.Thread(target=give)
    producer.start()
    assert list(iter(relay.read, b"")) == pieces
    producer.join()
    assert max(lengths) <= Relay.AHEAD
