"""Run `check --json` on lab nodes: a plan file on disk, a process of its own, and its report."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import JsonValue

from tests.lab.kit.nodes import PASSWORD, LabNode

QUIET = frozenset({"pass", "not-applicable", "manual"})
"""Outcomes without a fault of the node."""


@dataclass(frozen=True)
class Checked:
    """The report and the standard error of a run. `outcomes`: node address → requirement → outcome, without QUIET."""

    status: int
    states: Mapping[str, str]
    hostnames: Mapping[str, str | None]
    outcomes: Mapping[str, Mapping[str, str]]
    ready: bool
    verdicts: tuple[Mapping[str, str | None], ...]
    errors: str

    def observed(self, address: str, requirement: str) -> str:
        return next(
            v["observed"] or "" for v in self.verdicts if (v["node"], v["requirement"]) == (address, requirement)
        )


def plan(nodes: Sequence[Mapping[str, JsonValue]], endpoint: str, **more: JsonValue) -> dict[str, JsonValue]:
    """Return a plan for these nodes (dictionaries as in a plan file), with one password for root on all of them."""
    return {
        "release": "4.0",
        "scenario": "single-cluster",
        "admin": {"username": "admin", "password": "Correct-Horse-7"},
        "ssh": {"username": "root", "password": PASSWORD},
        "nodes": [dict(node) for node in nodes],
        "address": {"cluster_endpoint": endpoint},
        **more,
    }


def as_planned(nodes: Sequence[LabNode], control_planes: int = 3) -> list[dict[str, JsonValue]]:
    """Return the nodes for a plan: first the control plane nodes, then the workers. The first is the installer node."""
    return [
        {"address": node.address, "role": "control-plane" if number < control_planes else "worker"}
        for number, node in enumerate(nodes)
    ]


def shown(folder: Path, answers: Mapping[str, JsonValue], *options: str) -> tuple[str, str]:
    """Return the text that `check` prints on standard output, and its HTML page."""
    page = folder / "report.html"
    with _started(folder, answers, "--html", str(page), *options) as process:
        output, errors = (text.decode() for text in process.communicate())
    if not page.exists():
        raise AssertionError(f"no report, exit status {process.returncode}: {errors}")
    return output, page.read_text(encoding="utf-8")


def started(folder: Path, answers: Mapping[str, JsonValue], *options: str) -> "subprocess.Popen[bytes]":
    """Start `check --json` on a plan in `folder`. The state folder is also there and is kept between runs."""
    return _started(folder, answers, "--json", *options)


def _started(folder: Path, answers: Mapping[str, JsonValue], *options: str) -> "subprocess.Popen[bytes]":
    file = folder / "plan.yaml"
    file.write_text(yaml.safe_dump(dict(answers)), encoding="utf-8")
    environment = {**os.environ, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
    command = (sys.executable, "-m", "acp_tui", "check", str(file), "--accept-new", *options)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)


def command_lines() -> list[bytes]:
    """Return the command lines of all processes on this host, including those of lab nodes."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(file.read_bytes())
    return lines


def check(folder: Path, answers: Mapping[str, JsonValue], *options: str) -> Checked:
    """Run `check --json` to its end. Raises AssertionError if there is no report."""
    with started(folder, answers, *options) as process:
        output, errors = (text.decode() for text in process.communicate())
    if not output.strip():
        raise AssertionError(f"no report, exit status {process.returncode}: {errors}")
    report = json.loads(output)
    outcomes: dict[str, dict[str, str]] = {node["address"]: {} for node in report["nodes"]}
    for verdict in report["verdicts"]:
        if verdict["node"] is not None and verdict["verdict"] not in QUIET:
            outcomes[verdict["node"]][verdict["requirement"]] = verdict["verdict"]
    return Checked(
        process.returncode,
        {node["address"]: node["state"] for node in report["nodes"]},
        {node["address"]: node["hostname"] for node in report["nodes"]},
        outcomes,
        report["ready"],
        tuple(report["verdicts"]),
        errors,
    )


def check_nodes(folder: Path, nodes: list[LabNode], endpoint: str, **more: JsonValue) -> Checked:
    """Check the plan of these nodes; `more`: other keys of the plan."""
    return check(folder, plan(as_planned(nodes), endpoint, **more))


def of_cluster(checked: Checked) -> dict[str, str]:
    """Requirement → outcome of the verdicts that concern no single node."""
    reported = ("fail", "warn", "unknown")
    return {
        v["requirement"] or "": v["verdict"] or ""
        for v in checked.verdicts
        if v["node"] is None and v["verdict"] in reported and (v["requirement"] or "").startswith(("X-", "LB-", "VIP-"))
    }
