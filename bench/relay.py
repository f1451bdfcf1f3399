"""A slow line without traffic control of the kernel: relays on loopback that delay every byte by half a round trip.

`python relay.py MILLISECONDS HOST:PORT...` prints the local ports in one line, and ends when its standard input closes.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable

_BLOCK = 65536


async def _delay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, not_before: float, half: float) -> None:
    """Copy bytes with a delay of `half` seconds, and none before the time `not_before`."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, block = await queue.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not block:
                writer.close()
                return
            writer.write(block)

    async def receive() -> None:
        block = b"-"
        while block:
            try:
                block = await reader.read(_BLOCK)
            except OSError:
                block = b""
            queue.put_nowait((max(loop.time(), not_before) + half, block))

    await asyncio.gather(receive(), deliver())


def _line(host: str, port: int, half: float) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Connecting to loopback takes no time; on a real line it takes a round trip, and half of one more to the node.
        started = asyncio.get_running_loop().time()
        await asyncio.sleep(3 * half)
        far_reader, far_writer = await asyncio.open_connection(host, port)
        await asyncio.gather(
            _delay(reader, far_writer, started + 2 * half, half), _delay(far_reader, writer, started + 3 * half, half)
        )

    return serve


async def _main(milliseconds: float, nodes: list[str]) -> None:
    half = milliseconds / 2000
    ports = []
    for node in nodes:
        host, _, port = node.rpartition(":")
        server = await asyncio.start_server(_line(host, int(port), half), "127.0.0.1", 0)
        ports.append(str(server.sockets[0].getsockname()[1]))
    print(*ports, flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main(float(sys.argv[1]), sys.argv[2:]))
