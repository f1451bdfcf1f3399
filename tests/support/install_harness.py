"""Harness for real install runs: an unpacked practice package, a configuration with a marker secret, and runners."""

import base64
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

import acp_tui
from acp_tui.core.assets import asset_path
from acp_tui.demo.fake_installer import stop
from acp_tui.demo.installer_behaviour import Behaviour, write_behaviour
from acp_tui.demo.simulated_install import Posts, posts
from acp_tui.install.run.start_resume_abort import abort, start
from acp_tui.install.run.state import Phase, RunSpec, RunState, Timeouts, status
from tests.support.unpacked_files import record_package

CANARY = "c4n4ry-s3cret-phrase"
FAST = Timeouts(setup=0.05, api=0.05, api_wait=10, offer_wait=0.3, look=0.1, progress=0.1, silence=0.3, overall=60)
QUICK = Behaviour(seconds=0.4, setup_seconds=0.1)
SLOW = Behaviour(seconds=30, setup_seconds=0.1)


def encoded(secret: str) -> str:
    return base64.b64encode(secret.encode()).decode()


def config(version: str = "1.31.6", runtime: str = "containerd://1.7.27-4") -> dict[str, JsonValue]:
    machine: JsonValue = {
        "ip": "192.0.2.11", "ipv6": "", "port": 22, "username": "root", "password": encoded(CANARY),
        "privateKey": None, "role": "master", "labels": None, "taints": [],
    }  # fmt: skip
    group: JsonValue = {"nodes": [], "runOnMaster": False}
    ha: JsonValue = {"vip": "192.0.2.10", "vport": 6443, "isThirdParty": True, "vrid": None}
    return {
        "basic": {"username": "admin", "password": encoded(CANARY)},
        "console": {
            "globalHost": "acp.example.com", "host": [], "cert": {"selfSigned": {}}, "httpsPort": 443, "httpPort": 0,
        },
        "deployMode": "normal",
        "registry": {"externalAddress": "", "domain": "192.0.2.10:11443", "username": "", "password": ""},
        "cluster": {
            "version": version,
            "networkDevice": "",
            "properties": {"maxNodePodNum": 110},
            "features": {"ipv6DualStack": False, "ha": ha, "machines": [machine], "gpuType": ""},
            "clusterCIDR": "10.3.0.0/16",
            "serviceCIDR": "10.4.0.0/16",
            "annotations": {"cpaas.io/container-runtime": runtime, "cpaas.io/network-type": "ovn"},
            "hostnameAsNodename": False,
        },
        "product": ["base", "acp"],
        "elasticSearch": group, "prometheus": group, "victoriametrics": group,
    }  # fmt: skip


@dataclass
class InstallHarness:
    """Real install runs in the folder `root`, and the files they use."""

    root: Path
    runs: list[Path] = field(default_factory=list)

    @property
    def setup_dir(self) -> Path:
        return self.root / "install" / "installer"

    @property
    def document(self) -> Path:
        return self.root / "installer-config.json"

    @property
    def posts(self) -> Posts:
        return posts(self.setup_dir / "practice")

    def write_document(self, version: str = "1.31.6", runtime: str = "containerd://1.7.27-4") -> Path:
        self.document.write_text(json.dumps(config(version, runtime)), encoding="utf-8")
        self.document.chmod(0o600)
        return self.document

    def unpack(self, behaviour: Behaviour) -> None:
        self.setup_dir.mkdir(parents=True)
        shutil.copy(asset_path("demo/setup.sh"), self.setup_dir / "setup.sh")
        python = self.setup_dir / "python"
        package = Path(acp_tui.__file__).parents[1]
        python.write_text(f'#!/bin/sh\nPYTHONPATH="{package}" exec "{sys.executable}" "$@"\n', encoding="utf-8")
        python.chmod(0o755)
        self.set_behaviour(behaviour)

    def set_behaviour(self, behaviour: Behaviour) -> None:
        """Change how setup.sh and the fake installer behave, as if the package had been unpacked again."""
        write_behaviour(self.setup_dir, behaviour)
        record_package(self.setup_dir.parent)

    def hold_address(self) -> Path:
        """Make setup.sh end without the address of the API. The address is printed once the returned file exists.

        Until then, a run stays in the phase `waiting-api`."""
        release = self.root / "print-the-address"
        setup = self.setup_dir / "setup.sh"
        *lines, print_address = setup.read_text(encoding="utf-8").splitlines()
        assert "the web console is ready" in print_address
        # The loop also ends with the practice installer.
        held = f'{{ while [ ! -e "{release}" ] && kill -0 "$started"; do sleep 0.05; done; {print_address}; }} &'
        setup.write_text("\n".join([*lines, held, ""]), encoding="utf-8")
        return release

    def spec(self, pace: Timeouts = FAST, flags: tuple[str, ...] = (), bases: tuple[str, ...] = ()) -> RunSpec:
        return RunSpec(
            run_dir=self.root / "state" / "installs" / f"{len(self.runs):03}",
            setup_dir=self.setup_dir,
            command=("bash", "setup.sh", *flags),
            document=self.document,
            platform_url="https://acp.example.com",
            bases=bases,
            installer_log=self.setup_dir / "practice" / "installer.log",
            pace=pace,
        )

    def start(self, pace: Timeouts = FAST, flags: tuple[str, ...] = (), bases: tuple[str, ...] = ()) -> Path:
        spec = self.spec(pace, flags, bases)
        self.runs.append(spec.run_dir)
        if self.setup_dir.exists():
            record_package(self.setup_dir.parent)
        start(spec)
        return spec.run_dir

    def close(self) -> None:
        for run_dir in self.runs:
            abort(run_dir)
        stop(self.setup_dir / "practice")


def wait(run_dir: Path, condition: Callable[[RunState], bool], seconds: float = 30) -> RunState:
    """Return the first state that fulfils `condition`. Fail with the last state after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition(state := status(run_dir)):
        assert time.monotonic() < deadline, state
        time.sleep(0.02)
    return state


def wait_until_at_rest(run_dir: Path, seconds: float = 30) -> RunState:
    """Wait until the run has ended or needs an answer, and return its state."""
    return wait(run_dir, lambda state: state.at_rest, seconds)


def reports_progress(state: RunState) -> bool:
    return state.phase is Phase.INSTALLING and state.step is not None


def kill_runner(run_dir: Path) -> None:
    """Kill the runner, and wait until the run counts as interrupted."""
    runner = status(run_dir).runner
    assert runner is not None
    os.kill(runner.pid, signal.SIGKILL)
    wait(run_dir, lambda state: state.interrupted)
