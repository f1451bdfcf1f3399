"""Real OpenSSH nodes on one machine, each with its own network, host name, processes and files. Needs root.

Each node is a shell that waits for its stdin to close. When the test process ends or is killed, the shell ends, and
the kernel removes its processes, mounts and interfaces. On the host only the lab's own folder is written.
"""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import uuid4

from tests.lab.kit.profiles import BASES, NodeProfile

HERE = Path(__file__).parent
PASSWORD = "lab-Pa55-word"
_PASSWORD_HASH = "$6$acplab$xZxnlGE7I9R2UFNx.ocZWHyzjffwCEwkWkhvu.BVpwT9AH429230Wr4F4oGL8DBLF/ClJjVZwzedaAoZPQYAw/"
OPERATOR = "operator"
KEY_PASSPHRASE = "lab-Pass-phrase"
START_SECONDS = 20

_FOLDERS = ("boot", "home", "media", "mnt", "opt", "root", "srv", "var")
"""Top folders of a node's own, on the host's disk. /etc and /usr are an overlay on those of the host."""

_HUB = "ip link set lo up; ip link add br0 type bridge; ip link set br0 up; echo ready; read -r _"

_SSHD = "/usr/sbin/sshd -o PidFile=/run/sshd.pid -o HostKey=/etc/ssh/ssh_host_ed25519_key -E /var/log/sshd.log"


class LabError(Exception):
    """A part of the lab did not start; the text is its error output."""


def missing() -> str:
    """Return the reason why the lab cannot run on this host; "" if it can."""
    if os.geteuid() != 0:
        return "the lab of sshd nodes needs root"
    for tool in ("/usr/sbin/sshd", "ip", "unshare", "nsenter", "ssh-keygen"):
        if shutil.which(tool) is None:
            return f"the lab of sshd nodes needs {tool}"
    if "overlay" not in Path("/proc/filesystems").read_text(encoding="ascii").split():
        return "the lab of sshd nodes needs the overlay file system"
    with _shell("unshare", "--net", "--mount", "--uts", "--pid", "--fork", "echo", "ready") as process:
        process.wait()
        return "" if process.returncode == 0 else "the lab of sshd nodes cannot create namespaces"


def _shell(*command: str, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, **(environment or {})},
    )


def _ready(process: "subprocess.Popen[str]") -> str:
    """Wait for the line that a part of the lab prints when it is ready. Raises LabError if it does not start."""
    assert process.stdout is not None
    assert process.stderr is not None
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline()
    finally:
        watchdog.cancel()
    if not line.startswith("ready"):
        process.kill()
        raise LabError(process.stderr.read())
    return line


@dataclass(frozen=True)
class LabNode:
    """A running node. `host_key` is its first public key, as in `known_hosts` but without the host."""

    address: str
    profile: NodeProfile
    host_key: str
    key_file: Path
    encrypted_key_file: Path
    pid: int
    username: str = "root"
    password: str = PASSWORD
    key_passphrase: str = KEY_PASSPHRASE
    port: int = 22

    def sh(self, command: str) -> str:
        """Run `command` as root inside the node and return its output. Raises CalledProcessError."""
        target = ("nsenter", "--target", str(self.pid), "--mount", "--uts", "--net", "--pid", "--wd=/")
        done = subprocess.run((*target, "bash", "-c", command), capture_output=True, text=True, check=True)
        return done.stdout

    def stop_sshd(self) -> None:
        """Stop sshd; connections are refused from now on."""
        self.sh("kill $(cat /run/sshd.pid); while [ -e /run/sshd.pid ]; do sleep 0.01; done")

    def start_sshd(self) -> None:
        self.sh(f"{_SSHD}; until [ -s /run/sshd.pid ]; do sleep 0.01; done")

    def change_host_key(self) -> None:
        """Replace the host key; the next connection sees the new one."""
        self.stop_sshd()
        self.sh("cd /etc/ssh && rm ssh_host_* && ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key")
        self.start_sshd()

    def freeze(self) -> None:
        """Stop the sshd process. The kernel still accepts connections, but no reply follows."""
        self.sh("kill -STOP $(cat /run/sshd.pid)")

    def thaw(self) -> None:
        self.sh("kill -CONT $(cat /run/sshd.pid)")


@contextmanager
def changed(node: LabNode, change: str, undo: str) -> Iterator[None]:
    """Run `change` on the node, and `undo` at the end of the block."""
    node.sh(change)
    yield
    node.sh(undo)


class Lab:
    """A bridge with this host at the first address and the nodes at the others, in a free /27 of TEST-NET-2."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="acp-lab-", dir="/var/tmp"))
        self._key, self._encrypted_key = self.folder / "key", self.folder / "encrypted-key"
        self._parts: list[subprocess.Popen[str]] = []
        self._block = 0
        self._count = 0

    def __enter__(self) -> Self:
        try:
            hub = self._part("unshare", "--net", "bash", "-c", _HUB)
            _ready(hub)
            self._join(hub.pid)
            for file, passphrase in ((self._key, ""), (self._encrypted_key, KEY_PASSPHRASE)):
                subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", file), check=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for part in reversed(self._parts):
            part.kill()
            part.communicate()
        # The kernel removes the interface of a dead network with a delay; the next lab must not find it.
        subprocess.run(("ip", "link", "delete", f"acplab{self._block}"), capture_output=True, check=False)
        shutil.rmtree(self.folder)

    @property
    def hub(self) -> int:
        """The ID of the process whose network namespace has the bridge."""
        return self._parts[0].pid

    def address(self, number: int) -> str:
        """Return the address of the node with this number (0: this host). Numbers up to 29 without a node are free."""
        return f"198.51.100.{self._block * 32 + 1 + number}"

    def start(self, *profiles: NodeProfile) -> list[LabNode]:
        """Start nodes of these profiles concurrently; 29 at most in a lab. Raises LabError."""
        starting = []
        for profile in profiles:
            self._count += 1
            starting.append((self._count, profile, self._begin(self._count, profile)))
        return [self._node(number, profile, _ready(process)) for number, profile, process in starting]

    def outside(self, command: str) -> None:
        """Run `command` on this host; `{leg}` is replaced by its interface in the lab."""
        subprocess.run(("bash", "-c", command.format(leg=f"acplab{self._block}")), check=True)

    def _part(self, *command: str, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        process = _shell(*command, environment=environment)
        self._parts.append(process)
        return process

    def _join(self, hub: int) -> None:
        """Take the first of eight /27 networks that is free on this host, and add an interface in it."""
        for block in range(8):
            link = ("ip", "link", "add", f"acplab{block}", "type", "veth", "peer", "name", "host", "netns", str(hub))
            if subprocess.run(link, capture_output=True, check=False).returncode == 0:
                self._block = block
                break
        else:
            raise LabError("all eight lab networks of this machine are taken")
        script = (
            f"ip addr add {self.address(0)}/27 dev acplab{block} && ip link set acplab{block} up && "
            f"nsenter --target {hub} --net ip link set host master br0 up"
        )
        subprocess.run(("bash", "-c", script), check=True)

    def _begin(self, number: int, profile: NodeProfile) -> "subprocess.Popen[str]":
        base, folder = BASES[profile.base], self.folder / f"node{number}"
        _write_files(folder / "files", profile, (self._key, self._encrypted_key))
        environment = {
            "LAB_FOLDER": str(folder),
            "LAB_HUB": str(self.hub),
            "LAB_NUMBER": str(number),
            "LAB_ADDRESS": self.address(number),
            "LAB_GATEWAY": self.address(0),
            "LAB_HOSTNAME": profile.hostname or f"node-{number}",
            "LAB_REMOVED": " ".join(base.removed),
            "LAB_PASSWORD_HASH": _PASSWORD_HASH,
            "LAB_OPERATOR": OPERATOR,
            "LAB_INSIDE": str(HERE / "inside.sh"),
            "LAB_MODULES": " ".join(base.modules),
            "LAB_FOLDERS": " ".join(_FOLDERS),
            "LAB_SHARED": "\n".join(str(path) for path in profile.shared),
            "LAB_FAULTS": "\n".join(fault.shell for fault in profile.faults),
            "LAB_SSHD": _SSHD,
        }
        command = ("unshare", "--net", "--uts", "--mount", "bash", str(HERE / "outside.sh"))
        return self._part(*command, environment=environment)

    def _node(self, number: int, profile: NodeProfile, ready: str) -> LabNode:
        _, pid, host_key = ready.split(maxsplit=2)
        return LabNode(self.address(number), profile, host_key.strip(), self._key, self._encrypted_key, int(pid))


def _write_files(root: Path, profile: NodeProfile, keys: tuple[Path, ...]) -> None:
    """Write the files of a node below `root`."""
    base = BASES[profile.base]
    texts = {
        **base.files,
        "/solid-state": "0\n",
        "/etc/machine-id": f"{uuid4().hex}\n",
        "/sys/class/dmi/id/product_uuid": f"{uuid4()}\n",
        "/proc/sys/kernel/random/boot_id": f"{uuid4()}\n",
        "/proc/sys/kernel/osrelease": base.kernel + "\n",
        "/proc/sys/kernel/version": base.kernel_build + "\n",
        "/proc/version": f"Linux version {base.kernel} (build@lab) {base.kernel_build}\n",
        "/proc/modules": "".join(f"{name} 16384 0 - Live 0x0000000000000000\n" for name in base.modules),
        "/usr/lib/lab/arch": base.arch + "\n",
        "/usr/lib/lab/modules": "\n".join(base.modules) + "\n",
        f"/usr/lib/modules/{base.kernel}/modules.builtin": "kernel/fs/ext4/ext4.ko\n",
    }
    authorized = "".join(key.with_suffix(".pub").read_text(encoding="ascii") for key in keys)
    for home in ("/root", f"/home/{OPERATOR}"):
        texts[f"{home}/.ssh/authorized_keys"] = authorized
    for folder in (*_FOLDERS, "var/lib", "var/log", "var/tmp", "var/empty", "var/spool", f"home/{OPERATOR}", "usr/bin"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "root").chmod(0o700)
    (root / "var/tmp").chmod(0o1777)
    (root / "var/run").symlink_to("/run")
    for path, text in texts.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for tool in base.tools:
        shutil.copy(HERE / "tools" / tool, root / "usr/bin" / tool)
