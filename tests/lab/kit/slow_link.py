"""Delay and drop the frames of one lab node, without traffic control of the kernel.

`python slow_link.py LINK MILLISECONDS LOST` runs in the network namespace of the lab's bridge. A tap replaces LINK, the
end of the node's link at the bridge. Each direction takes half of MILLISECONDS; LOST of a hundred frames are dropped,
at regular intervals. The script prints `ready`. When its standard input closes it restores the link and ends.
"""

import asyncio
import fcntl
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable

_TUNSETIFF, _IFF_TAP, _IFF_NO_PI, _IFF_VNET_HDR = 0x400454CA, 0x2, 0x1000, 0x4000
_SOL_PACKET, _IGNORE_OUTGOING, _VNET_HDR = 263, 23, 15
_FRAME = 1 << 17  # a segment before segmentation offload, with its header


def _tap(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI | _IFF_VNET_HDR))
    return device


def _packets(link: str) -> socket.socket:
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK)
    raw.setsockopt(_SOL_PACKET, _VNET_HDR, 1)
    raw.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
    raw.bind((link, 0x0003))
    return raw


def _ip(*arguments: str) -> None:
    subprocess.run(("ip", "link", *arguments), check=True)


async def _main(link: str, milliseconds: float, lost: int) -> None:
    loop = asyncio.get_running_loop()
    tap, raw = _tap(f"{link}t"), _packets(link)
    _ip("set", link, "nomaster")
    _ip("set", f"{link}t", "master", "br0", "up")

    def relay(read: Callable[[], bytes], write: Callable[[bytes], object]) -> Callable[[], None]:
        count = 0

        def ready() -> None:
            nonlocal count
            frame = read()
            count += lost
            if count >= 100:
                count -= 100
            else:
                loop.call_later(milliseconds / 2000, write, frame)

        return ready

    loop.add_reader(tap, relay(lambda: os.read(tap, _FRAME), raw.send))
    loop.add_reader(raw, relay(lambda: raw.recv(_FRAME), lambda frame: os.write(tap, frame)))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    _ip("set", link, "master", "br0")


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
