"""Plans for tests: one valid plan, and changes to any part of it in one line.

`valid_plan(network={"cni": "calico"})` changes one key; a list is replaced completely.
"""

from collections.abc import Mapping

from pydantic import JsonValue

from acp_tui.plan.model import Plan

CONTROL_PLANES = ("10.20.0.11", "10.20.0.12", "10.20.0.13")
WORKERS = ("10.20.0.21", "10.20.0.22")
VIP = "10.20.0.10"
DOMAIN = "acp.example.com"


def node(address: str, role: str = "control-plane", **changes: JsonValue) -> dict[str, JsonValue]:
    return {"address": address, "role": role, **changes}


def nodes(control_planes: int = 3, workers: int = 2, **changes: JsonValue) -> list[JsonValue]:
    """Return nodes in the network of the valid plan, each with `changes`."""
    planes = [f"10.20.0.{11 + n}" for n in range(control_planes)]
    others = [f"10.20.0.{21 + n}" for n in range(workers)]
    return [
        *({**node(address), **changes} for address in planes),
        *({**node(address, "worker"), **changes} for address in others),
    ]


def dual_nodes(control_planes: int = 3, workers: int = 2) -> list[JsonValue]:
    planes = [node(f"10.20.0.{11 + n}", ipv6=f"2001:db8::{11 + n}") for n in range(control_planes)]
    return [*planes, *(node(f"10.20.0.{21 + n}", "worker", ipv6=f"2001:db8::{21 + n}") for n in range(workers))]


def plan_data(**changes: JsonValue) -> dict[str, JsonValue]:
    """Three control planes, two workers, a VIP on a load balancer and a domain; fulfils all requirements."""
    answers: dict[str, JsonValue] = {
        "release": "4.0",
        "scenario": "single-cluster",
        "admin": {"username": "admin", "password": "Correct-Horse-7"},
        "ssh": {"username": "root", "password": "ssh-secret"},
        "nodes": nodes(),
        "address": {"cluster_endpoint": VIP, "platform": DOMAIN},
    }
    return _merged(answers, changes)


def valid_plan(**changes: JsonValue) -> Plan:
    """The plan of `plan_data`."""
    return Plan.model_validate(plan_data(**changes))


def _merged(base: Mapping[str, JsonValue], changes: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    merged = dict(base)
    for key, change in changes.items():
        old = merged.get(key)
        merged[key] = _merged(old, change) if isinstance(old, dict) and isinstance(change, dict) else change
    return merged
