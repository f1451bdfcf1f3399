"""Where an address of the plan is really reached: the same place, except on the practice cluster."""

from collections.abc import Callable

Dial = Callable[[str, int], tuple[str, int]]
"""A plan's address and port → where to dial."""


def direct(address: str, port: int) -> tuple[str, int]:
    return address, port
