"""Collectors for the host name, the machine ID and the operating system (OS-*, X-HOSTNAME-UNIQUE).

The collectors read the files of the node as text, and never source a file, because bash would execute its content.
"""

import re
from collections.abc import Mapping

from acp_tui.nodes.collectors.parsing import keyed, lines
from acp_tui.nodes.script import Collector, CollectorOutput


def _uname(output: CollectorOutput) -> Mapping[str, object]:
    return dict(zip(("hostname", "arch", "kernel", "kernel_build"), lines(output), strict=False))


def os_release(text: str) -> Mapping[str, str]:
    """Parse os-release(5): lines KEY=VALUE with optional quotes. If a key occurs twice, the last value counts."""
    values: dict[str, str] = {}
    for line in text.split("\n"):
        key, equals, value = line.strip().partition("=")
        if equals and re.fullmatch(r"[A-Z0-9_]+", key):
            value = value.strip()
            if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            values[key] = re.sub(r"\\(.)", r"\1", value)
    return values


def _os_release(output: CollectorOutput) -> Mapping[str, object]:
    values = os_release(output.text)
    if "ID" not in values:
        raise ValueError("/etc/os-release contains no ID")
    return {
        "os_id": values["ID"].lower(),
        "os_version_id": values.get("VERSION_ID", ""),
        "os_version": values.get("VERSION", ""),
        "os_name": values.get("PRETTY_NAME") or values.get("NAME", ""),
    }


def _release_file(output: CollectorOutput) -> Mapping[str, object]:
    """Return the first line that names a release. The lines come from /etc/centos-release and /etc/redhat-release."""
    rows = lines(output)
    return {"os_release_file": next((line for line in rows if re.search(r"release \d", line)), "".join(rows[:1]))}


def _ids(output: CollectorOutput) -> Mapping[str, object]:
    values = keyed(output)
    return {name: values[name] for name in ("machine_id", "boot_id") if values.get(name)}


COLLECTORS = (
    Collector(
        "uname",
        ("hostname", "arch", "kernel", "kernel_build"),
        "uname -n; uname -m; uname -r; uname -v",
        _uname,
    ),
    Collector(
        "os_release",
        ("os_id", "os_version_id", "os_version", "os_name"),
        "show /etc/os-release || show /usr/lib/os-release",
        _os_release,
    ),
    Collector(
        "os_release_file",
        ("os_release_file",),
        "maybe /etc/centos-release && maybe /etc/redhat-release",
        _release_file,
    ),
    Collector(
        "kylin_info",
        ("kylin_info",),
        "maybe /etc/.productinfo && maybe /etc/.kyinfo",
        lambda output: {"kylin_info": "\n".join(lines(output))},
    ),
    Collector(
        "etc_hostname",
        ("etc_hostname",),
        "maybe /etc/hostname",
        lambda output: {"etc_hostname": next((row for row in lines(output) if row[0] != "#"), "").rstrip(".")},
    ),
    Collector(
        "ids",
        ("machine_id", "boot_id"),
        """
echo "machine_id $(show /etc/machine-id)"
echo "boot_id $(show /proc/sys/kernel/random/boot_id)"
""",
        _ids,
    ),
)
