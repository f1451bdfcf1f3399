"""Long work on many nodes at once, as one stream of what it tells: events come as they happen, from any of them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

Event = TypeVar("Event")
Work = Callable[[Callable[[Event], None]], Awaitable[None]]
"""Told how to tell of an event; done when it returns."""


async def merge_events(works: Iterable[Work[Event]]) -> AsyncGenerator[Event, None]:
    """Do all `works` at the same time and yield what they tell, until the last one is done.

    What one raises is raised here. Closing the generator cancels what still runs and waits for its end."""
    events: asyncio.Queue[tuple[Event] | asyncio.Task[None]] = asyncio.Queue()

    async def follow(work: Work[Event]) -> None:
        await work(lambda event: events.put_nowait((event,)))

    running = {asyncio.create_task(follow(work)) for work in works}
    for task in running:
        task.add_done_callback(events.put_nowait)
    try:
        while running:
            told = await events.get()
            if isinstance(told, tuple):
                yield told[0]
            else:
                running.discard(told)
                told.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
