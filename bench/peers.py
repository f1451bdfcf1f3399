"""Measure other tools on the same nodes: Ansible gathers its facts, pyinfra runs as many operations as acp-tui.

They are installed into the bench's own folder; nothing of this project depends on them.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.measure import Way, timed
from tests.lab.kit.nodes import LabNode

_OPERATIONS = 40


def peers(folder: Path, nodes: Sequence[LabNode]) -> Mapping[str, Way]:
    """Ways by name. CalledProcessError: they could not be installed."""
    home = folder / "peers"
    subprocess.run((sys.executable, "-m", "venv", str(home)), check=True)
    subprocess.run((str(home / "bin/pip"), "install", "-q", "ansible-core", "pyinfra"), check=True)
    key = str(nodes[0].key_file)
    inventory = home / "hosts"
    inventory.write_text("".join(f"{node.address}\n" for node in nodes), encoding="ascii")
    environment = {"HOME": str(home), "ANSIBLE_HOST_KEY_CHECKING": "False", "PATH": f"{home / 'bin'}:/usr/bin:/bin"}
    forks = ("--private-key", key, "--forks", str(len(nodes)))
    ansible = (str(home / "bin/ansible"), "all", "-i", str(inventory), "-m", "setup", "-u", "root", "-o", *forks)
    hosts = home / "hosts.py"
    hosts.write_text(
        f"hosts = [(a, dict(ssh_user='root', ssh_key={key!r}, ssh_strict_host_key_checking='off')) for a in "
        f"{[node.address for node in nodes]!r}]\n",
        encoding="utf-8",
    )
    deploy = home / "deploy.py"
    deploy.write_text(
        "from pyinfra.operations import server\n"
        f"for number in range({_OPERATIONS}):\n"
        "    server.shell(name=f'n{number}', commands=['cat /proc/meminfo >/dev/null'])\n",
        encoding="utf-8",
    )
    pyinfra = (str(home / "bin/pyinfra"), "-y", str(hosts), str(deploy))
    return {
        "ansible -m setup": lambda: timed(ansible, environment=environment)[0],
        f"pyinfra, {_OPERATIONS} operations": lambda: timed(pyinfra, environment=environment)[0],
    }
