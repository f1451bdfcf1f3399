"""Changes to the valid plan for tests: other scenarios and networks, and one-line changes of one section."""

from pydantic import JsonValue

from tests.support.factories.plans import DOMAIN, VIP, dual_nodes, node

Changes = dict[str, JsonValue]

SINGLE: Changes = {
    "scenario": "single-node",
    "nodes": [node("10.20.0.11")],
    "address": {"cluster_endpoint": "10.20.0.11", "platform": None},
}
IPV6: Changes = {
    "nodes": [node(f"2001:db8::{n}") for n in (1, 2, 3)],
    "network": {"ip_family": "ipv6"},
    "address": {"cluster_endpoint": "api.example.com"},
}
DUAL: Changes = {"nodes": dual_nodes(), "network": {"ip_family": "dual"}}
PAIR: JsonValue = {"mode": "existing", "cert_file": "tls.crt", "key_file": "tls.key"}
RECOVERY: Changes = {
    "disaster_recovery": {"role": "primary"},
    "address": {"http_port": 80, "others": [VIP], "cluster_endpoint": VIP, "platform": DOMAIN},
    "certificate": PAIR,
    "registry": {"address": DOMAIN, "username": "u", "password": "p"},
}


def recovery(**address: JsonValue) -> Changes:
    default = RECOVERY["address"]
    assert isinstance(default, dict)
    return {**RECOVERY, "address": {**default, **address}}


def ipv6_only(**address: JsonValue) -> Changes:
    return {**IPV6, "address": {"cluster_endpoint": "api.example.com", **address}}


def single(**address: JsonValue) -> Changes:
    return {**SINGLE, "address": {"cluster_endpoint": "10.20.0.11", "platform": None, **address}}


def network(**changes: JsonValue) -> Changes:
    return {"network": changes}


def pods(ipv4: str, **changes: JsonValue) -> Changes:
    return network(cluster_cidr={"ipv4": ipv4}, **changes)


def services(ipv4: str, **changes: JsonValue) -> Changes:
    return network(service_cidr={"ipv4": ipv4}, **changes)


def join(ipv4: str, **changes: JsonValue) -> Changes:
    return network(join_cidr={"ipv4": ipv4}, **changes)


def endpoint(value: str, **changes: JsonValue) -> Changes:
    return {"address": {"cluster_endpoint": value, **changes}}


def platform(value: str) -> Changes:
    return {"address": {"platform": value}}


def others(*values: str) -> Changes:
    return {"address": {"others": list(values)}}
