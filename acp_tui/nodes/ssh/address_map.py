"""Address maps: where to connect to a node. It differs from the plan only on the practice cluster."""

from collections.abc import Callable

AddressMap = Callable[[str, int], tuple[str, int]]
"""Address and port in the plan → address and port to connect to."""


def direct(address: str, port: int) -> tuple[str, int]:
    """Return address and port unchanged: the map of real nodes."""
    return address, port
