"""Collectors for the clock and the time zone (X-CLOCK-SKEW, X-TIMEZONE).

Half of the round-trip time is the uncertainty of the measured offset. To keep the round trip short, the clock collector
runs first and sends its output immediately.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from acp_tui.nodes.collectors.parsing import first_line, lines
from acp_tui.nodes.fact_types import Clock
from acp_tui.nodes.script import Collector, CollectorOutput

_UTC = ("Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu")


def read_clock(output: CollectorOutput, before: float, after: float) -> Clock:
    """Return the clock of a node.

    `before`: the time of this host when it sent the request, in seconds since 1970. `after`: the time when it received
    the reply. The node read its clock between `before` and `after`. The offset is therefore measured from the middle
    between them, and its uncertainty is half of the elapsed time. Raises ValueError if the node did not return a time.
    """
    match = re.fullmatch(r"([0-9]{1,11})(?:\.([0-9]{1,9}))?(?:\.?%?N?)", first_line(output))
    if match is None or output.status:
        raise ValueError("the node did not return its current time")
    remote = float(f"{match[1]}.{match[2] or 0}")
    # Some versions of date print no fraction. The exact time is then unknown within that second.
    coarse = 0.0 if match[2] else 0.5
    offset = remote + coarse - (before + after) / 2
    return Clock(offset, (after - before) / 2 + coarse, datetime.fromtimestamp(min(remote, 253402300799), UTC))


def _zone(output: CollectorOutput) -> Mapping[str, object]:
    """Parse the lines of the collector `zone`.

    `offset +hhmm`; `link FILE` (the target of /etc/localtime), `file NAME` (content of /etc/timezone, if /etc/localtime
    is no link) or `none` (no /etc/localtime: UTC applies); `digest CHECKSUM` and `rule TZ` (from /etc/localtime)."""
    values: dict[str, object] = {"timezone": "", "timezone_digest": "", "timezone_rule": ""}
    for line in lines(output):
        kind, _, rest = line.partition(" ")
        if kind == "link" and "zoneinfo/" in rest:
            name = rest.rpartition("zoneinfo/")[2].removeprefix("posix/")
            values["timezone"] = "UTC" if name in _UTC else name
        elif kind == "file" and re.fullmatch(r"[A-Za-z0-9_+/-]+", rest):
            values["timezone"] = "UTC" if rest in _UTC else rest
        elif kind == "none":
            values["timezone"] = "UTC"
        elif kind == "digest" and re.fullmatch(r"[0-9]{1,10} [0-9]{1,10}", rest):
            values["timezone_digest"] = rest
        elif kind == "rule" and re.fullmatch(r"[A-Za-z0-9<>+,./:-]{1,60}", rest):
            values["timezone_rule"] = rest
        elif kind == "offset" and re.fullmatch(r"[+-][0-9]{4}", rest):
            values["utc_offset"] = rest
    return values


CLOCK = Collector("clock", (), "date +%s.%N", lambda output: {}, urgent=True)

COLLECTORS = (
    Collector(
        "zone",
        ("timezone", "timezone_digest", "timezone_rule", "utc_offset"),
        """
local rows
echo "offset $(date +%z)"
if [ -L /etc/localtime ]; then
  local target=$(readlink /etc/localtime)
  case $target in *zoneinfo/*) ;; *) target=$(readlink -f /etc/localtime) ;; esac
  echo "link $target"
elif [ -e /etc/localtime ]; then echo "file $(maybe /etc/timezone)"
else echo none; fi
[ -f /etc/localtime ] || return 0
echo "digest $(cksum </etc/localtime)"
mapfile -t rows </etc/localtime
[ "${#rows[@]}" -eq 0 ] || echo "rule ${rows[${#rows[@]} - 1]}"
return 0
""",
        _zone,
    ),
)
