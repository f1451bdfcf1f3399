"""The practice cluster: nodes, package, a complete plan, and temporary folders.

It uses the same engine as a real cluster. The practice cluster cannot fulfil some requirements, such as 100 GB of free
disk. Such requirements are either waived in the plan with a reason, or checked against simulated values.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import asyncssh
from pydantic import SecretStr

from acp_tui.core.files import private_folder
from acp_tui.core.i18n import N_, _
from acp_tui.core.units import GIGA
from acp_tui.demo import fake_installer as installer
from acp_tui.demo import ssh_nodes as practice_nodes
from acp_tui.demo.fake_console import console
from acp_tui.demo.installer_behaviour import Behaviour
from acp_tui.demo.machine_profile import Machine, cluster
from acp_tui.demo.package import PracticePackage, build_package
from acp_tui.demo.simulated_install import LOG_FILE, Posts, posts
from acp_tui.demo.ssh_nodes import PracticeNode
from acp_tui.install.run.directory import last_run
from acp_tui.install.run.start_resume_abort import abort
from acp_tui.install.run.state import Timeouts
from acp_tui.install.start import RunSettings
from acp_tui.install.verify.run import REGISTRY_PORT
from acp_tui.package.service import PackageWork
from acp_tui.plan.model import Plan
from acp_tui.plan.sections.address import Address
from acp_tui.plan.sections.admin import Admin
from acp_tui.plan.sections.node import Node, Ssh
from acp_tui.plan.sections.package import Package
from acp_tui.plan.sections.waiver import Waiver

VIP = "192.0.2.10"
ADMIN_PASSWORD = "Practice-Only-1"
_PACE = Timeouts(setup=0.1, api=0.2, api_wait=30.0, progress=0.5, silence=20.0, overall=300.0)
_PRETENDED_FREE = 500 * GIGA

_NAME_TO_CHOOSE = "NEW-NAME"
_WAIVED_BY = "acp-tui demo"
_NO_DISK = N_("practice: the speed of a simulated disk cannot be measured")
_WAIVED: Mapping[str, str] = {
    "HW-DISK-IOPS": _NO_DISK,
    "HW-DISK-TPUT": _NO_DISK,
    "PRE-INIT": N_("practice: the init.sh of the practice package changes nothing"),
}
"""The waivers of the practice plan: requirement → reason."""

Scenario = Literal["single-cluster", "single-node"]


@dataclass(frozen=True)
class Practice:
    folder: Path
    plan: Plan
    """A complete plan that needs no more answers."""
    nodes: Mapping[str, PracticeNode]
    """The nodes by their address in the plan."""
    console_port: int
    """Port of the practice Web UI and registry on loopback."""

    @property
    def state_home(self) -> Path:
        return self.folder / "state"

    @property
    def installer_folder(self) -> Path:
        """Folder of the practice installer's files, such as `posts.json` and `installer.log`."""
        return _installer_folder(self.folder)

    @property
    def installer_log(self) -> Path:
        return self.installer_folder / LOG_FILE

    @property
    def run_settings(self) -> RunSettings:
        """Settings of an install on the practice cluster.

        Time limits are short, the installer's API has no default address, and the run does not recheck the nodes."""
        return RunSettings(_PACE, (), self.installer_log, recheck_before_post=False)

    def posts(self) -> Posts:
        """Return the number and the SHA-256 values of the configurations that the practice installer received."""
        return posts(self.installer_folder)

    def address_map(self, address: str, port: int) -> tuple[str, int]:
        """Return the address and port on loopback for an address of the plan. Return other addresses unchanged."""
        if address in (VIP, *self.nodes) and port in (self.plan.address.https_port, REGISTRY_PORT):
            return "127.0.0.1", self.console_port
        node = self.nodes.get(address)
        return ("127.0.0.1", node.port) if node else (address, port)

    def package_work(self) -> PackageWork:
        """Return the package service for a simulated installer node with enough free disk."""
        return PackageWork(
            self.folder, free_space=lambda folder: _PRETENDED_FREE, here=self.nodes.__contains__, places=(self.folder,)
        )

    def filled(self, address: str, remedy: str) -> str:
        """Return the text of a fix, with the correct host name of the node instead of the placeholder for a name."""
        healthy = next((m.settings["hostname"] for m in cluster().machines if m.address == address), address)
        return remedy.replace(_NAME_TO_CHOOSE, healthy)

    async def apply_fix(self, address: str, remedy: str) -> str:
        """Run the lines of a fix on a node over SSH and return the output. An unsupported command ends the fix.

        Raises OSError or asyncssh.Error if the login fails."""
        host, port = self.address_map(address, 22)
        async with asyncssh.connect(
            host,
            port,
            username=practice_nodes.USERNAME,
            password=practice_nodes.PASSWORD,
            known_hosts=None,
            client_keys=None,
            agent_path=None,
            config=None,
        ) as connection:
            done = await connection.run(self.filled(address, remedy))
        return str(done.stdout)


@asynccontextmanager
async def practice(
    home: Path | None = None,
    *,
    faults: bool = True,
    scenario: Scenario = "single-cluster",
    seconds: float = 1.5,
    behaviour: Behaviour | None = None,
) -> AsyncIterator[Practice]:
    """Run the practice cluster until the block ends. `seconds`: duration of the collection on each node.

    Without `home`, a temporary folder is used and removed at the end. With `home`, the package, the host keys and a
    running install are kept for the next start. At the end of the block, every simulated fault is restored. Only if the
    program crashes, the fixed faults stay fixed. Raises `PracticeUnavailable` if gpg is missing or fails on this host.
    """
    machines = cluster().machines[:1] if scenario == "single-node" else cluster().machines
    folder = private_folder(home) if home else Path(tempfile.mkdtemp(prefix="acp-tui-practice-"))
    try:
        package = await asyncio.to_thread(build_package, folder / "package", behaviour or Behaviour())
        async with (
            practice_nodes.serve(
                machines,
                folder / "nodes",
                faults=faults,
                seconds=seconds,
                installing=lambda: installer.runs(_installer_folder(folder)),
            ) as served,
            console(folder / "console", VIP, *served) as port,
        ):
            current = Practice(folder, _plan(folder, package, machines, scenario), served, port)
            try:
                yield current
            finally:
                if home is None:
                    await asyncio.to_thread(_stop, current)
                else:
                    practice_nodes.forget(folder / "nodes")
    finally:
        if home is None:
            shutil.rmtree(folder, ignore_errors=True)


def _installer_folder(folder: Path) -> Path:
    return folder / "cpaas-install" / "installer" / "practice"


def _stop(practice: Practice) -> None:
    run_dir = last_run(practice.state_home)
    if run_dir is not None:
        abort(run_dir)
    installer.stop(practice.installer_folder)


def _plan(folder: Path, package: PracticePackage, machines: tuple[Machine, ...], scenario: Scenario) -> Plan:
    return Plan(
        scenario=scenario,
        package=Package(
            core=str(package.core),
            core_signature=str(package.signature),
            public_key=str(package.public_key),
            fingerprint=package.fingerprint,
            install_dir=str(folder / "cpaas-install"),
        ),
        admin=Admin(password=SecretStr(ADMIN_PASSWORD)),
        ssh=Ssh(username=practice_nodes.USERNAME, password=SecretStr(practice_nodes.PASSWORD)),
        nodes=tuple(Node(address=machine.address, role=machine.role) for machine in machines),
        address=Address(cluster_endpoint=machines[0].address if scenario == "single-node" else VIP),
        waivers=tuple(
            Waiver(requirement=requirement, reason=_(reason), by=_WAIVED_BY) for requirement, reason in _WAIVED.items()
        ),
    )
