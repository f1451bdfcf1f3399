"""The types of the table of leftovers: one row for each kind of file, interface or process that must not be there."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What the patterns of a row name, and how the row is found.

    The patterns of all kinds except `CHAIN` are shell patterns. Patterns of a path are absolute."""

    PATH = "path"
    """Files and folders. Each path that matches is a leftover, even an empty folder or a link to nowhere."""
    SETTINGS = "settings"
    """Files that count only if a line is a setting with a value. Comments and section names do not count."""
    NETWORK_CONFIG = "network configuration"
    """Files of the container network interface (CNI). A file with only the plugin `loopback` does not count."""
    DOCKER_CONFIG = "Docker configuration"
    """JSON files that do not count if they set only `bip`, because the manual allows this setting."""
    PROGRAM = "program"
    """Programs: names of files in `find.PROGRAM_FOLDERS`."""
    SYSTEM_PROGRAM = "system program"
    """Programs in /usr/bin and /usr/sbin that belong to no package."""
    INTERFACE = "interface"
    """Network interfaces."""
    TUNNEL = "tunnel"
    """Interfaces that a kernel module also creates: they count only if they have an IPv4 address."""
    MOUNT = "mount"
    """Mount points."""
    UNIT = "unit"
    """systemd units that start at boot."""
    IPVS = "ipvs"
    """Virtual services in the table of the IPVS load balancer."""
    PROCESS = "process"
    """Names of processes. The kernel shows only the first 15 characters of a name."""
    CHAIN = "chain"
    """Names of iptables chains, as regular expressions."""


@dataclass(frozen=True)
class Leftover:
    """One row of the table: what to look for, which requirement reports it, what it breaks, and how to remove it."""

    id: str
    requirement: str
    kind: Kind
    patterns: tuple[str, ...]
    label: str
    """What was found, such as "network plugin configuration"; a message ID with the context "leftover"."""
    breaks: str
    """What goes wrong if it stays: a sentence; a message ID with the context "leftover"."""
    blocks: bool = True
    """True if it makes the requirement fail; False if it gives a warning."""
    data: bool = False
    """True if it holds the data of a cluster. A fix never moves or removes it."""
    place: str = ""
    """The folder to report if a pattern matches; "" to report each path that matches."""
    since: str = ""
    """The first release to which the row applies; "" for all releases."""
    storage: str = ""
    """If it is not empty, the row blocks only if the plan has this value of `local_storage`."""
    packages: tuple[str, ...] = ()
    """Packages that install it. If one of them is installed, PKG-CONFLICT-* or the administrator decides about it."""
