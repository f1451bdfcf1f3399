"""A node as the target of an SSH connection: its address and login."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr


@dataclass(frozen=True)
class Target:
    """A node and its login.

    acp-tui connects to `host` and `port`. `address` is the address in the plan. `host` is the same address, except on
    the practice cluster."""

    address: str
    host: str
    port: int
    username: str
    password: SecretStr | None = None
    key_file: Path | None = None
    key_passphrase: SecretStr | None = None


OnStage = Callable[[str], None]
