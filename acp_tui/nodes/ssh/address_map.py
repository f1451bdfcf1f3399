"""Address maps: the address to which acp-tui connects for a node of the plan.

It differs from the address in the plan only on the practice cluster.
"""

from collections.abc import Callable

AddressMap = Callable[[str, int], tuple[str, int]]
"""Address and port in the plan → address and port to connect to."""


def direct(address: str, port: int) -> tuple[str, int]:
    """The address map for real nodes: it returns address and port unchanged."""
    return address, port
