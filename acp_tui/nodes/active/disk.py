"""The active test of the write speed of a node's disk (HW-DISK-IOPS, HW-DISK-TPUT).

The test opens a file, deletes it immediately, and writes to its open descriptor. The kernel therefore frees the space
even if the connection breaks or the test is killed. The test writes up to 256 MiB and takes about 30 seconds.
"""

import math
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from pydantic_core import from_json

from acp_tui.core.i18n import _
from acp_tui.core.text import fill_template
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.fact_types import DiskSpeed
from acp_tui.nodes.script import Collector, CollectorOutput, MissingReason

FOLDER = "/var/lib"
"""The folder that etcd and the containers will write to."""
NO_ROOM = 65
_MEBIBYTES = 256
_SECONDS = 8
"""Duration of each of the three parts of the disk test, in seconds."""

_PYTHON = """
import mmap, os, random, sys, threading, time
fd, seconds, size = 4, float(sys.argv[1]), int(sys.argv[2]) << 20
name = '/proc/self/fd/4'
def timed(work):
    begin = time.monotonic(); done = 0
    while time.monotonic() - begin < seconds and work(done): done += 1
    return done / max(1e-6, time.monotonic() - begin)
took = []
def synced(n):
    at = time.monotonic(); os.pwrite(fd, b'x' * 2300, n * 2300); os.fdatasync(fd); took.append(time.monotonic() - at)
    return n < 10000
rate = timed(synced)
print('sync', rate, sorted(took)[int(len(took) * .99)])
direct = os.open(name, os.O_WRONLY | os.O_DIRECT)
page, block = mmap.mmap(-1, 4096), mmap.mmap(-1, 1 << 20)
def large(n):
    os.pwrite(direct, block, n % (size >> 20) << 20); return True
print('throughput', timed(large) * (1 << 20))
rates = []
def small(n):
    os.pwrite(direct, page, random.randrange(size >> 12) << 12); return True
threads = [threading.Thread(target=lambda: rates.append(timed(small))) for _ in range(16)]
for t in threads: t.start()
for t in threads: t.join()
print('rate', sum(rates))
"""

_SHELL = """
root || return
local file unit free rate
read -r unit free < <(limit 3 stat -f -c '%S %a' @FOLDER@) || return 66
[ $((unit * free)) -ge $((@SIZE@ * 4 * 1048576)) ] || return 65
file=@FOLDER@/.acp-tui-disk-test.$BASHPID
exec 4<>"$file" || return 66
rm -f "$file"
fallocate -l @SIZE@M /proc/self/fd/4 || dd if=/dev/null of=/proc/self/fd/4 bs=1M seek=@SIZE@ || return 66
one_fio() {
  local text
  text=$(limit $((@SECONDS@ + 4)) fio --name="$1" --filename=/proc/self/fd/4 --output-format=json "${@:2}") || return
  printf '%s %s\\n' "$1" "${text//$'\\n'/ }"
}
one_dd() {
  local text
  text=$(limit -s INT @SECONDS@ dd if=/dev/zero of=/proc/self/fd/4 conv=notrunc "${@:2}" 2>&1)
  printf '%s %s\\n' "$1" "${text//$'\\n'/ }"
}
if limit 3 fio --version >/dev/null; then
  echo method fio
  one_fio sync --rw=write --ioengine=sync --fdatasync=1 --size=22m --bs=2300 --runtime=@SECONDS@
  one_fio throughput --rw=write --ioengine=psync --direct=1 --bs=1m --size=@SIZE@m --runtime=@SECONDS@ --time_based
  rate=(rate --rw=randwrite --direct=1 --bs=4k --size=@SIZE@m --runtime=@SECONDS@ --time_based)
  one_fio "${rate[@]}" --ioengine=libaio --iodepth=32 ||
    one_fio "${rate[@]}" --ioengine=psync --thread --numjobs=16 --group_reporting # libaio may not be installed
elif tool python3; then
  echo method python3
  limit $((@SECONDS@ * 3 + 5)) python3 -c @PYTHON@ @SECONDS@ @SIZE@
else
  echo method dd
  one_dd sync bs=2300 count=10000 oflag=dsync
  one_dd throughput bs=1M count=@SIZE@ oflag=direct
fi
return 0
"""


def disk_speed_collector(folder: str = FOLDER) -> Collector:
    """Return the collector that measures the disk of `folder`. The test requires root and 1 GB of free space."""
    shell = fill_template(
        _SHELL,
        FOLDER=shlex.quote(folder),
        SIZE=str(_MEBIBYTES),
        SECONDS=str(_SECONDS),
        PYTHON=shlex.quote(_PYTHON),
    )
    return Collector(
        "disk_speed", ("disk_speed",), shell, lambda output: _disk_speed(folder, output), timeout=60, any_status=True
    )


def _disk_speed(folder: str, output: CollectorOutput) -> Mapping[str, object]:
    """Parse the line `method NAME` and the lines that start with `sync`, `throughput` or `rate`.

    After this first word, each of these lines contains output of the program NAME (fio, python3 or dd)."""
    if output.status:
        reasons = {
            NO_ROOM: _("{folder} has less than the 1 GB of free space that the disk test requires").format(
                folder=Path(folder)
            )
        }
        return {
            "disk_speed": MissingReason(
                reasons.get(output.status, _("the disk test cannot create its test file on the node"))
            )
        }
    rows = {kind: rest for kind, _space, rest in (line.partition(" ") for line in lines(output))}
    method = rows.get("method", "")
    read = {"fio": _fio, "python3": _python, "dd": _dd}.get(method)
    if read is None:
        raise ValueError("the output of the disk test names no method")
    measured = {
        name: value
        for kind in ("sync", "throughput", "rate")
        for name, value in read(kind, rows).items()
        if math.isfinite(value)
    }
    missing_reason = _("a part of the disk test returned no result") if len(measured) < 3 and method != "dd" else ""
    return {"disk_speed": DiskSpeed(folder, method, missing_reason=missing_reason, **measured)}


def _fio(kind: str, rows: Mapping[str, str]) -> Mapping[str, float]:
    text = rows.get(kind, "")
    try:
        document = from_json(text[text.index("{") :])
        job = document["jobs"][0]
        write = job["write"]
        if kind == "rate":
            return {"rate": float(write["iops"])}
        if kind == "throughput":
            return {"throughput": float(write["bw"]) * 1024}
        percentiles = (job.get("sync") or {}).get("lat_ns", {}).get("percentile", {})
        p99 = percentiles.get("99.000000")
        return {"sync_rate": float(write["iops"]), **({"sync_p99": p99 / 1e9} if p99 else {})}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError):
        return {}


def _python(kind: str, rows: Mapping[str, str]) -> Mapping[str, float]:
    names = {"sync": ("sync_rate", "sync_p99"), "throughput": ("throughput",), "rate": ("rate",)}[kind]
    texts = rows.get(kind, "").split()
    numbers = [float(text) for text in texts if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,20})?(e-[0-9]{1,2})?", text)]
    return dict(zip(names, numbers, strict=True)) if len(numbers) == len(names) else {}


def _dd(kind: str, rows: Mapping[str, str]) -> Mapping[str, float]:
    """Parse the output of dd. dd does not report percentiles, and it does not write in parallel."""
    match = re.search(r"([0-9]{1,15}) bytes [^\n]{0,200}copied, ([0-9.]{1,12}(?:e-[0-9]{1,2})?) s", rows.get(kind, ""))
    if match is None or float(match[2]) <= 0:
        return {}
    speed = int(match[1]) / float(match[2])
    return {"sync_rate": speed / 2300} if kind == "sync" else {"throughput": speed}
