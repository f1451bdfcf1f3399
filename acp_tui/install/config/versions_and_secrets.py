"""Prepare the configuration for the POST: fill in the versions, and find the secrets that messages must mask.

The file with the configuration is read right before the POST. The submitted configuration exists only in memory.
"""

import base64
import binascii
import json

from pydantic import JsonValue
from pydantic_core import from_json

from acp_tui.core.errors import AcpError
from acp_tui.core.redaction import secret_values

RUNTIME_ANNOTATION = "cpaas.io/container-runtime"


class InvalidConfig(AcpError):
    """The configuration is not valid. The message names the invalid part, never a value."""


def wanted_versions(document: bytes) -> tuple[str, str]:
    """Return the Kubernetes and container runtime versions in the configuration.

    "" means the newest version that the installer offers. Raises: InvalidConfig."""
    cluster = _cluster(_parsed(document))
    annotations = cluster.get("annotations")
    if not isinstance(annotations, dict):
        raise InvalidConfig("cluster.annotations")
    version, runtime = cluster.get("version") or "", annotations.get(RUNTIME_ANNOTATION) or ""
    if not isinstance(version, str) or not isinstance(runtime, str):
        raise InvalidConfig("cluster.version")
    return version, runtime


def with_versions(document: bytes, kubernetes: str, runtime: str) -> bytes:
    """Return the configuration with the given versions; unchanged if it already has these versions."""
    if wanted_versions(document) == (kubernetes, runtime):
        return document
    root = _parsed(document)
    cluster = _cluster(root)
    annotations = cluster["annotations"]
    cluster["version"] = kubernetes
    if isinstance(annotations, dict):
        annotations[RUNTIME_ANNOTATION] = runtime
    return (json.dumps(root, ensure_ascii=False, indent=2) + "\n").encode()


def secrets_in(document: bytes) -> tuple[str, ...]:
    """Return every secret of the configuration in two forms: base64 and decoded. The longest text comes first."""
    found = {form for value in secret_values(_parsed(document)) for form in (value, _plain(value)) if form}
    return tuple(sorted(found, key=len, reverse=True))


def _parsed(document: bytes) -> dict[str, JsonValue]:
    try:
        root: JsonValue = from_json(document)
    except ValueError as error:
        raise InvalidConfig("JSON") from error
    if not isinstance(root, dict):
        raise InvalidConfig("JSON")
    return root


def _cluster(root: dict[str, JsonValue]) -> dict[str, JsonValue]:
    cluster = root.get("cluster")
    if not isinstance(cluster, dict):
        raise InvalidConfig("cluster")
    return cluster


def _plain(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
