"""A node's clock and time zone (X-CLOCK-SKEW, X-TIMEZONE).

The clock is asked first and sent at once: the caller times the round trip, and half of it is the answer's uncertainty.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from acp_tui.nodes.collectors.parsing import first_line, lines
from acp_tui.nodes.facts import Clock
from acp_tui.nodes.script import Collector, CollectorOutput

_UTC = ("Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu")


def read_clock(reading: CollectorOutput, before: float, after: float) -> Clock:
    """The clock of a node asked at `before` and answered at `after`, our own seconds since the epoch (UTC).

    The node looked at its clock some time in between, so the offset is counted from the middle and is uncertain by half
    the time that passed. ValueError: the node told no time."""
    found = re.fullmatch(r"([0-9]{1,11})(?:\.([0-9]{1,9}))?(?:\.?%?N?)", first_line(reading))
    if found is None or reading.status:
        raise ValueError("the node told no time")
    remote = float(f"{found[1]}.{found[2] or 0}")
    # Without a fraction (date of another make) the node's time lies anywhere in the second it named.
    coarse = 0.0 if found[2] else 0.5
    offset = remote + coarse - (before + after) / 2
    return Clock(offset, (after - before) / 2 + coarse, datetime.fromtimestamp(min(remote, 253402300799), UTC))


def _zone(reading: CollectorOutput) -> Mapping[str, object]:
    """`offset +hhmm`, `link TARGET` where /etc/localtime is a link, `file NAME` of /etc/timezone where it is none."""
    values: dict[str, object] = {"timezone": ""}
    for line in lines(reading):
        kind, _, rest = line.partition(" ")
        if kind == "link" and "zoneinfo/" in rest:
            name = rest.partition("zoneinfo/")[2].removeprefix("posix/")
            values["timezone"] = "UTC" if name in _UTC else name
        elif kind == "file" and re.fullmatch(r"[A-Za-z0-9_+/-]+", rest):
            values["timezone"] = "UTC" if rest in _UTC else rest
        elif kind == "offset" and re.fullmatch(r"[+-][0-9]{4}", rest):
            values["utc_offset"] = rest
    return values


CLOCK = Collector("clock", (), "date +%s.%N", lambda reading: {}, urgent=True)

SNIPPETS = (
    Collector(
        "zone",
        ("timezone", "utc_offset"),
        """
echo "offset $(date +%z)"
if [ -L /etc/localtime ]; then
  local target=$(readlink /etc/localtime)
  case $target in *zoneinfo/*) ;; *) target=$(readlink -f /etc/localtime) ;; esac
  echo "link $target"
elif [ -e /etc/localtime ]; then echo "file $(maybe /etc/timezone)"; fi
""",
        _zone,
    ),
)
