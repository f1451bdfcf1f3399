"""Run coroutines concurrently and merge their events into one stream."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

Event = TypeVar("Event")
Work = Callable[[Callable[[Event], None]], Awaitable[None]]
"""A job: a coroutine function. Its argument is a function, which the job calls with each event."""


async def merge_events(jobs: Iterable[Work[Event]]) -> AsyncGenerator[Event, None]:
    """Run all `jobs` concurrently, and yield their events in the order in which they occur.

    The stream ends when the last job is done. If the caller closes the generator, the running jobs are cancelled.

    Raises: the exception of a job that fails."""
    # An event is queued in a tuple, so that it cannot be mistaken for a finished task.
    queue: asyncio.Queue[tuple[Event] | asyncio.Task[None]] = asyncio.Queue()

    async def run(job: Work[Event]) -> None:
        await job(lambda event: queue.put_nowait((event,)))

    running = {asyncio.create_task(run(job)) for job in jobs}
    for task in running:
        task.add_done_callback(queue.put_nowait)
    try:
        while running:
            item = await queue.get()
            if isinstance(item, tuple):
                yield item[0]
            else:
                running.discard(item)
                item.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
