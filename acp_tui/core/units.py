"""Convert bytes and seconds to the units that people read.

Disks and files have decimal units (GB, MB), like the output of `df -H`. Memory and small folders have binary units
(GiB, MiB), like the output of `free -h`.
"""

MEGA = 10**6
GIGA = 10**9
MEBI = 1 << 20


def gigabytes(count: float) -> float:
    """Return `count` bytes in GB (10^9 bytes)."""
    return count / GIGA


def megabytes(count: float) -> float:
    """Return `count` bytes in MB (10^6 bytes)."""
    return count / MEGA


def mebibytes(count: float) -> float:
    """Return `count` bytes in MiB (2^20 bytes)."""
    return count / MEBI


def minutes(seconds: float) -> int:
    """Return the number of complete minutes in `seconds`."""
    return int(seconds // 60)


def duration(seconds: float) -> str:
    """Return `seconds` as `m:ss`. From one hour on, the form is `h:mm:ss`."""
    total, rest = divmod(round(seconds), 60)
    hours, full = divmod(total, 60)
    return f"{hours}:{full:02}:{rest:02}" if hours else f"{full}:{rest:02}"
