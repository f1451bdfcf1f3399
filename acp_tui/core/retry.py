"""Poll a state until it is final, and retry work that failed."""

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=Exception)


async def poll(query: Callable[[], Awaitable[T]], *, every: float, within: float = math.inf) -> AsyncGenerator[T, None]:
    """Call `query` immediately and then every `every` seconds, and yield each result.

    The last call is made when `within` seconds have passed."""
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
    """Call `query` every `every` seconds until `done(result)` is True. Return the last result.

    The calls also end when `within` seconds have passed."""
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
    """Call `work` and return its result. After an error of a type in `retry_on`, wait and call `work` again.

    `pauses`: the seconds to wait before each new attempt. When no pause remains, there is no new attempt.

    `before_pause` is called with the error and the next pause. If it raises an exception, the attempts end.

    Raises: the last error of `work`, if every attempt failed."""
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
