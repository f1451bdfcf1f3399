"""Deadlines: the seconds to wait for each stage of an SSH connection."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Deadlines:
    """The seconds allowed for each stage of a connection."""

    tcp: float = 10
    handshake: float = 15
    login: float = 40  # a reverse lookup of this host (UseDNS) at three unreachable name servers takes 30
    session: float = 30  # pam_systemd waits 25 for a login manager that does not reply; sshd is blocked meanwhile
    start: float = 45  # sudo may take 20 twice, if it looks up the host name at unreachable name servers
    """The seconds within which the script must start."""
    script: float = 75
    """The seconds within which the script must end."""
    retry_pauses: tuple[tuple[float, float], ...] = ((0.3, 1.0), (0.7, 1.5), (1.5, 3.0))
    """The minimum and maximum pause before each retry of a dropped connection, in seconds.

    The pause is random, so that the connections to many nodes are not retried at the same time."""


DEADLINES = Deadlines()
