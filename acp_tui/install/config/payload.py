"""Prepare the configuration for the POST: fill in versions, and find its secrets so that messages can mask them.

The document is read right before the POST. The submitted copy is only in memory.
"""

import base64
import binascii
import json
from collections.abc import Iterator

from pydantic import JsonValue

RUNTIME_ANNOTATION = "cpaas.io/container-runtime"
_SECRET_KEYS = frozenset({"password", "privateKey"})


class InvalidConfig(Exception):
    """The configuration is not valid. The text has the path in the document, never a value."""


def wanted_versions(document: bytes) -> tuple[str, str]:
    """Return the Kubernetes and container runtime versions of the document; "" means the installer's newest."""
    cluster = _cluster(_parsed(document))
    annotations = cluster.get("annotations")
    if not isinstance(annotations, dict):
        raise InvalidConfig("cluster.annotations")
    version, runtime = cluster.get("version") or "", annotations.get(RUNTIME_ANNOTATION) or ""
    if not isinstance(version, str) or not isinstance(runtime, str):
        raise InvalidConfig("cluster.version")
    return version, runtime


def with_versions(document: bytes, kubernetes: str, runtime: str) -> bytes:
    """Return the document with these versions; unchanged if it already has them."""
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
    """Return every secret of the document, as base64 and decoded; longest first."""
    found = {form for value in _secret_values(_parsed(document)) for form in (value, _plain(value)) if form}
    return tuple(sorted(found, key=len, reverse=True))


def mask(text: str, secrets: tuple[str, ...]) -> str:
    """Mask every secret in `text`: an installer may quote the document in an error."""
    for secret in secrets:
        for form in (secret, json.dumps(secret)[1:-1]):
            text = text.replace(form, "••••••")
    return text


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


def _secret_values(value: JsonValue, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _secret_values(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _secret_values(inner, key)
    elif isinstance(value, str) and key in _SECRET_KEYS and value:
        yield value


def _plain(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
