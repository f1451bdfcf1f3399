"""The configuration document between render and POST: its versions filled in, and its secrets kept out of any message.

The document is read late and never copied: what is posted exists in memory alone.
"""

import base64
import binascii
import json

from pydantic import JsonValue

from acp_tui.core.errors import AcpError
from acp_tui.core.redaction import secret_values

RUNTIME_ANNOTATION = "cpaas.io/container-runtime"


class InvalidConfig(AcpError):
    """The configuration document has not the shape that the installer takes; the text says where, never a value."""


def wanted_versions(document: bytes) -> tuple[str, str]:
    """Kubernetes and container runtime version of the document; "" where the installer's newest is wanted."""
    cluster = _cluster(_parsed(document))
    annotations = cluster.get("annotations")
    if not isinstance(annotations, dict):
        raise InvalidConfig("cluster.annotations")
    version, runtime = cluster.get("version") or "", annotations.get(RUNTIME_ANNOTATION) or ""
    if not isinstance(version, str) or not isinstance(runtime, str):
        raise InvalidConfig("cluster.version")
    return version, runtime


def with_versions(document: bytes, kubernetes: str, runtime: str) -> bytes:
    """The document with these versions; the very same bytes where they already stand in it."""
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
    """Every secret of the document, as it stands there and as it reads when its base64 is undone; longest first."""
    found = {form for value in secret_values(_parsed(document)) for form in (value, _plain(value)) if form}
    return tuple(sorted(found, key=len, reverse=True))


def _parsed(document: bytes) -> dict[str, JsonValue]:
    try:
        root: JsonValue = json.loads(document)
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
