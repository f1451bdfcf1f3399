"""The lab itself: nodes are isolated from the host, and nothing remains after the lab, even if it is killed."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.kit.nodes import Lab
from tests.lab.kit.profiles import NodeProfile

pytestmark = pytest.mark.lab


class Watch:
    """A process that must end."""

    def __init__(self, pid: int) -> None:
        self._descriptor = os.pidfd_open(pid)

    def ended(self) -> bool:
        """Return whether the process ends within ten seconds."""
        readable, _, _ = select.select([self._descriptor], [], [], 10)
        os.close(self._descriptor)
        return bool(readable)


def test_files_written_by_a_node_are_not_on_the_host(lab: Lab) -> None:
    [node] = lab.start(NodeProfile("centos-7.9", hostname="isolated"))
    node.sh("echo x | tee /etc/written /usr/written /var/lib/written /root/written /tmp/written /opt/written")
    assert node.sh("hostname; cat /etc/written").split() == ["isolated", "x"]
    assert node.sh("uname -r; cat /proc/sys/kernel/osrelease").split() == ["3.10.0-1160.el7.x86_64"] * 2
    assert node.sh("touch /written /proc/sys/vm/swappiness 2>/dev/null || echo refused").strip() == "refused"
    for folder in ("/etc", "/usr", "/var/lib", "/root", "/tmp", "/opt"):
        assert not Path(folder, "written").exists()
    assert os.uname().nodename != "isolated"


def test_closed_lab_leaves_no_process_folder_or_address() -> None:
    with Lab() as lab:
        [node] = lab.start(NodeProfile())
        folder, address, watch = lab.folder, lab.address(0), Watch(node.pid)
    assert watch.ended()
    assert not folder.exists()
    assert f"{address}/" not in subprocess.check_output(("ip", "-o", "addr"), text=True)


def test_nodes_end_when_the_test_process_is_killed() -> None:
    program = (
        "from tests.lab.kit.nodes import *; lab = Lab().__enter__(); [node] = lab.start(NodeProfile());"
        "print(node.pid, lab.folder, flush=True); input()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        (sys.executable, "-c", program), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        pid, folder = process.stdout.readline().split()
        watch = Watch(int(pid))
        process.send_signal(signal.SIGKILL)
    assert watch.ended()
    subprocess.run(("rm", "-rf", folder), check=True)
