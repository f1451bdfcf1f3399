"""Poll a state until it is final, and retry work that failed."""

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=Exception)


async def poll(query: Callable[[], Awaitable[T]], *, every: float, within: float = math.inf) -> AsyncGenerator[T, None]:
    """Yield the result of `query` now and then `every` seconds, the last time when `within` seconds have passed."""
    end = asyncio.get_running_loop().time() + within
    while True:
        yield await query()
        remaining = end - asyncio.get_running_loop().time()
        if remaining <= 0:
            return
        await asyncio.sleep(min(every, remaining))


async def poll_until(
    query: Callable[[], Awaitable[T]], done: Callable[[T], bool], *, every: float, within: float = math.inf
) -> T:
    """Poll until `done(result)`, or until `within` seconds have passed, and return the last result."""
    end = asyncio.get_running_loop().time() + within
    while True:
        result = await query()
        remaining = end - asyncio.get_running_loop().time()
        if done(result) or remaining <= 0:
            return result
        await asyncio.sleep(min(every, remaining))


async def with_backoff(
    work: Callable[[], Awaitable[T]],
    pauses: Iterable[float],
    retry_on: type[E] | tuple[type[E], ...],
    before_pause: Callable[[E, float], None] = lambda _error, _pause: None,
) -> T:
    """Return the result of `work`; after an error in `retry_on` try again, one more attempt for each of `pauses`.

    `before_pause` gets the error and the seconds to wait; it may raise to stop. The last error is raised."""
    remaining = iter(pauses)
    while True:
        try:
            return await work()
        except retry_on as error:
            pause = next(remaining, None)
            if pause is None:
                raise
            before_pause(error, pause)
        await asyncio.sleep(pause)
