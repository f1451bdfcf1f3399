"""Schema of the configuration for the practice installer: required keys and their types."""

import json

from pydantic import JsonValue

_SHAPE: tuple[tuple[str, type | tuple[type, ...]], ...] = (
    ("basic.username", str),
    ("basic.password", str),
    ("console.globalHost", str),
    ("console.host", list),
    ("console.cert", dict),
    ("console.httpsPort", int),
    ("console.httpPort", int),
    ("deployMode", str),
    ("registry.domain", str),
    ("registry.externalAddress", str),
    ("registry.username", str),
    ("registry.password", str),
    ("cluster.version", str),
    ("cluster.networkDevice", str),
    ("cluster.properties.maxNodePodNum", int),
    ("cluster.features.ipv6DualStack", bool),
    ("cluster.features.ha.vip", str),
    ("cluster.features.ha.vport", int),
    ("cluster.features.ha.isThirdParty", bool),
    ("cluster.features.ha.vrid", (int, type(None))),
    ("cluster.features.machines", list),
    ("cluster.clusterCIDR", str),
    ("cluster.serviceCIDR", str),
    ("cluster.annotations", dict),
    ("cluster.hostnameAsNodename", bool),
    ("product", list),
    ("elasticSearch.nodes", list),
    ("prometheus.nodes", list),
    ("victoriametrics.nodes", list),
)
_MACHINE = ("ip", "ipv6", "port", "username", "password", "privateKey", "role")


def faults_of(body: bytes) -> list[str]:
    """Return the errors in a configuration; empty if it is valid. Errors contain no values."""
    try:
        document: JsonValue = json.loads(body)
    except ValueError:
        return ["not JSON"]
    wrong = [path for path, kind in _SHAPE if not isinstance(_at(document, path), kind)]
    machines = _at(document, "cluster.features.machines")
    for number, machine in enumerate(machines if isinstance(machines, list) else []):
        missing = [key for key in _MACHINE if not isinstance(machine, dict) or key not in machine]
        wrong += [f"cluster.features.machines[{number}].{key}" for key in missing]
    cert = _at(document, "console.cert")
    if isinstance(cert, dict) and set(cert) not in ({"selfSigned"}, {"thirdParty"}):
        wrong.append("console.cert: one of selfSigned, thirdParty")
    return wrong


class _Missing:
    pass


def _at(value: JsonValue, path: str) -> JsonValue | _Missing:
    for key in path.split("."):
        if not isinstance(value, dict) or key not in value:
            return _Missing()
        value = value[key]
    return value
