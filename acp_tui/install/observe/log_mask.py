"""Mask secrets in the logs of a run. The installer and its tools can write them there."""

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache

from acp_tui.core.files import read_limited
from acp_tui.core.redaction import Masker
from acp_tui.install.config.versions_and_secrets import InvalidConfig, secrets_in
from acp_tui.install.run.state import RunSpec
from acp_tui.preflight.bundle.layout import LARGEST


def log_mask(spec: RunSpec) -> Callable[[str], str]:
    """Return the function that masks a line of a log: the secrets of the configuration, and text like `password: ...`.

    After a successful install, the configuration is no longer stored. Then only the second kind is masked."""
    secrets: tuple[str, ...] = ()
    with suppress(OSError, InvalidConfig):
        secrets = secrets_in(read_limited(spec.document, LARGEST))
    return _masker(frozenset(secrets))


@lru_cache(maxsize=2)
def _masker(secrets: frozenset[str]) -> Masker:
    return Masker(secrets)
