"""Cost of verifying and unpacking a package in one pass, compared with the slower of `gpgv` and `tar -x`.

`python -m bench.package --folder FOLDER` (gpg, gpgv, tar; twice the package's size free in FOLDER). All variants
run in turn on the same archive: many files of mixed size with random content, so nothing is sparse. Ours ends
with a flush to disk, and `tar -x` does not; so `tar -x` is measured with a flush, too.
"""

import argparse
import io
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Cost, Variant, goal, in_turns, machine, median, table, timed

NAME = "installer-core-v4.0.3-x86.tar"
SIZES = (700, 4_000, 20_000, 200_000, 3_000_000, 40_000_000)
"""Possible sizes of the files in bytes, all with the same probability."""
SMALL = 64 << 20
"""Bytes of the small archive, for the comparison of memory."""
RATIO, GROWTH = 1.15, 8.0


@dataclass(frozen=True)
class Signed:
    package: Path
    keyring: Path
    key: Path
    fingerprint: str

    @property
    def signature(self) -> Path:
        return self.package.with_name(f"{self.package.name}.sig")


def build(folder: Path, size: int, home: Path) -> Signed:
    """Create an archive with `size` bytes of files, and sign it (RSA 2048, SHA-256)."""
    folder.mkdir()
    chance, written, number = random.Random(7), 0, 0  # noqa: S311 - sizes, no secrets
    block = os.urandom(max(SIZES) * 2)
    with tarfile.open(folder / NAME, "w") as tar:
        for name in ("installer/setup.sh", "installer/res/init.sh"):
            tar.addfile(tarfile.TarInfo(name))
        while written < size:
            member = tarfile.TarInfo(f"installer/images/blobs/{number % 97}/{number:06}.bin")
            member.size = min(chance.choice(SIZES), size - written)
            start = chance.randrange(max(SIZES))
            tar.addfile(member, io.BytesIO(block[start : start + member.size]))
            written, number = written + member.size, number + 1
    gpg = ("gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback")
    subprocess.run((*gpg, "--digest-algo", "SHA256", "--detach-sign", str(folder / NAME)), check=True)
    listed = subprocess.run((*gpg, "--list-keys", "--with-colons"), check=True, capture_output=True, text=True).stdout
    fingerprint = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))
    key = folder / "verify-key.pub"  # binary, so gpgv takes it as a keyring
    key.write_bytes(subprocess.run((*gpg, "--export"), check=True, capture_output=True).stdout)
    return Signed(folder / NAME, key, key, fingerprint)


def make_key(home: Path) -> None:
    command = ("gpg", "--homedir", str(home), "--batch", "--quiet", "--passphrase", "", "--quick-gen-key")
    subprocess.run((*command, "bench <bench@example.com>", "rsa2048", "sign", "0"), check=True)


@dataclass(frozen=True)
class Bench:
    signed: Signed
    target: Path
    cold: bool

    def variants(self) -> dict[str, Variant]:
        package, signature = str(self.signed.package), str(self.signed.signature)
        unpack = f"mkdir {self.target} && tar -xf {package} -C {self.target}"
        return {
            "gpgv alone": self._variant("gpgv", "--keyring", str(self.signed.keyring), signature, package),
            "tar -x alone": self._variant("sh", "-c", unpack),
            "tar -x, flushed": self._variant("sh", "-c", f"{unpack} && sync -f {self.target}"),
            "ours": self.ours,
        }

    def ours(self) -> Cost:
        self._prepare()
        s = self.signed
        paths = (s.package, s.signature, s.key, self.target)
        process, output = timed((sys.executable, "-m", "bench.package", "--child", s.fingerprint, *map(str, paths)))
        inside = json.loads(output)
        return Cost(process.total, process.cpu, inside["wall"], inside["cpu"], inside["grown"])

    def _variant(self, *command: str) -> Variant:
        def run() -> Cost:
            self._prepare()
            cost, _output = timed(command)
            return Cost(cost.total, cost.cpu, cost.total, cost.cpu)

        return run

    def _prepare(self) -> None:
        """Flush the writes of the previous variant, and fill the page cache with the archive, or empty it."""
        shutil.rmtree(self.target, ignore_errors=True)
        subprocess.run(("sync", "-f", str(self.target.parent)), check=True)
        with self.signed.package.open("rb") as file:
            if self.cold:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            else:
                while file.read(1 << 20):
                    pass


def child(fingerprint: str, package: Path, signature: Path, key: Path, target: Path) -> None:
    """Run one pass in this process and print its cost as JSON."""
    from acp_tui.package.extract import Check, extract
    from acp_tui.package.signature.gpg import verify_stream
    from acp_tui.package.signature.gpg_status import Signed as Outcome

    check = Check(
        lambda source: verify_stream(source, package.name, signature, key, fingerprint),
        lambda result: result.signed is Outcome.GOOD,
        fingerprint,
    )
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # reset the peak
    before = _peak()
    cpu, start = _cpu(), time.perf_counter()
    assert extract(package, target, check=check)
    wall = time.perf_counter() - start
    print(json.dumps({"wall": wall, "cpu": _cpu() - cpu, "grown": _peak() - before}))


def _peak() -> int:
    """Return the peak memory in KiB. `ru_maxrss` is useless here: it includes the parent before the exec."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _cpu() -> float:
    mine, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + children.ru_utime + children.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=2.0, help="GiB of the archive")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cold", action="store_true", help="remove the archive from the page cache before each pass")
    parser.add_argument("--folder", type=Path, required=True, help="working folder on a disk")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="acp-bench-", dir=options.folder) as place:
        folder = Path(place)
        home = folder / "home"
        home.mkdir(mode=0o700)
        make_key(home)
        small = build(folder / "small", SMALL, home)
        big = build(folder / "big", int(options.size * 2**30), home)
        subprocess.run(("gpgconf", "--homedir", str(home), "--kill", "all"), check=False)
        print(machine())
        cache = "cold" if options.cold else "warm"
        size = big.package.stat().st_size / 2**30
        print(f"archive: {size:.2f} GiB, page cache {cache}, {options.rounds} rounds\n")
        costs = in_turns(Bench(big, folder / "target", options.cold).variants(), options.rounds)
        grown_small = Bench(small, folder / "target", options.cold).ours().grown
    print(table(costs, "ours") + "\n")
    walls = {name: median(costs[name], lambda cost: cost.inside) for name in costs}
    ours, plain = walls["ours"], max(walls["gpgv alone"], walls["tar -x alone"])
    print(goal("ours, flushed, against the slower of gpgv and tar -x", ours / plain, RATIO))
    best = {name: min(cost.inside or cost.total for cost in costs[name]) for name in costs}
    print(goal("best against best", best["ours"] / max(best["gpgv alone"], best["tar -x alone"]), RATIO))
    flushed = max(walls["gpgv alone"], walls["tar -x, flushed"])
    print(goal("the same against tar -x with a flush", ours / flushed, RATIO))
    print(
        f"       gpgv and then tar -x, the usual procedure: {(walls['gpgv alone'] + walls['tar -x alone']) / ours:.2f}x"
    )
    grown = median(costs["ours"], lambda cost: cost.grown) / 1024
    print(f"memory grown in the pass: {grown:.1f} MiB, with an archive of 64 MiB {grown_small / 1024:.1f} MiB")
    print(goal("additional memory for the larger archive", grown - grown_small / 1024, GROWTH, " MiB"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], *map(Path, sys.argv[3:]))
    else:
        main()
