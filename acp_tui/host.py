"""This host: the address that other machines would most likely know it by."""

import socket

_FAR = (("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))
"""Addresses of documentation: nothing is sent to them, the kernel is only asked which way it would go."""


def own_address() -> str | None:
    """The address on the way to elsewhere; None: this host has no such way."""
    for far, family in _FAR:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as asking:
                asking.connect((far, 9))
                return str(asking.getsockname()[0])
        except OSError:
            continue
    return None
