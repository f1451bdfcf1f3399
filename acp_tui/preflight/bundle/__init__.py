"""The bundle: a folder with the files of an unattended install, the report, and checksums."""

from acp_tui.preflight.bundle.checksums import BundleCorrupt, check_sums
from acp_tui.preflight.bundle.content import Bundle, SecretsMode, absolute, is_sealed, open_bundle, write_bundle
from acp_tui.preflight.bundle.directory import BundleRefused, is_bundle, place_for, remove_secrets
from acp_tui.preflight.bundle.layout import DOCUMENT, FILES, SEALED, SUMS

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
