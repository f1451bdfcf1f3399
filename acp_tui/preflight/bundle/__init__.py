"""The bundle: a folder with everything that an unattended install uses, the report, and checksums."""

from acp_tui.preflight.bundle.content import Bundle, SecretsMode, absolute, is_sealed, open_bundle, write_bundle
from acp_tui.preflight.bundle.directory import (
    DOCUMENT,
    FILES,
    SEALED,
    SUMS,
    BundleCorrupt,
    BundleRefused,
    check_sums,
    is_bundle,
    place_for,
    remove_secrets,
)

__all__ = [
    "DOCUMENT",
    "FILES",
    "SEALED",
    "SUMS",
    "Bundle",
    "BundleCorrupt",
    "BundleRefused",
    "SecretsMode",
    "absolute",
    "check_sums",
    "is_bundle",
    "is_sealed",
    "open_bundle",
    "place_for",
    "remove_secrets",
    "write_bundle",
]
