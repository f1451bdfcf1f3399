"""Let the C library of this host read resolv.conf and hosts, in a mount namespace of its own.

Runs as a child: for each JSON line with `resolv` and `hosts` on stdin, it prints one JSON line with the answers.
"""

import ctypes
import json
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

_NSCOUNT, _ADDRESSES, _SIZE = 16, 20, 1024  # places in `struct __res_state` of 64-bit glibc


class CLibrary:
    """The child. Use it as a context manager; needs root."""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="acp-libc-")
        folder = Path(self._folder.name)
        for name, text in (("resolv.conf", ""), ("hosts", ""), ("nsswitch.conf", "hosts: files\n")):
            (folder / name).write_text(text)
        mounts = " && ".join(
            f"mount --bind {folder / name} $(readlink -f /etc/{name})"
            for name in ("resolv.conf", "hosts", "nsswitch.conf")
        )
        shell = f'{mounts} && exec "$0" "$1"'
        self._child = subprocess.Popen(
            ("unshare", "--mount", "sh", "-c", shell, sys.executable, __file__),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        self._child.communicate()
        self._folder.cleanup()

    def read(self, resolv: str, hosts: str) -> tuple[list[str], list[str]]:
        """Return the first three name servers (`6` for an IPv6 address), and the IPv4 addresses of localhost."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps({"resolv": resolv, "hosts": hosts}) + "\n")
        self._child.stdin.flush()
        servers, addresses = json.loads(self._child.stdout.readline())
        return servers, addresses


def _name_servers(libc: ctypes.CDLL) -> list[str]:
    state = ctypes.create_string_buffer(_SIZE)
    libc.__res_ninit(state)
    [count] = struct.unpack_from("i", state, _NSCOUNT)
    entries = [state.raw[_ADDRESSES + 16 * number :][:16] for number in range(count)]
    libc.__res_nclose(state)
    return [socket.inet_ntoa(entry[4:8]) if entry[0] == socket.AF_INET else "6" for entry in entries]


def _addresses() -> list[str]:
    try:
        found = socket.getaddrinfo("localhost", None, socket.AF_INET, socket.SOCK_STREAM)
    except socket.gaierror:
        return []
    return sorted({str(address[4][0]) for address in found})


def main() -> None:
    libc = ctypes.CDLL("libc.so.6")
    if not hasattr(libc, "__res_ninit"):  # before glibc 2.34
        libc = ctypes.CDLL("libresolv.so.2")
    for line in sys.stdin:
        texts = json.loads(line)
        Path("/etc/resolv.conf").write_bytes(texts["resolv"].encode())
        Path("/etc/hosts").write_bytes(texts["hosts"].encode())
        print(json.dumps([_name_servers(libc), _addresses()]), flush=True)


if __name__ == "__main__":
    main()
