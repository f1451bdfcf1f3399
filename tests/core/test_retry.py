"""Polling and retries: number, duration, and the error that ends them."""

from collections.abc import Awaitable, Callable

import pytest

from acp_tui.core.retry import poll, poll_until, with_backoff


def counter() -> Callable[[], Awaitable[int]]:
    count = 0

    async def query() -> int:
        nonlocal count
        count += 1
        return count

    return query


async def test_poll_until_returns_the_first_result_that_is_done() -> None:
    assert await poll_until(counter(), lambda count: count == 3, every=0) == 3


async def test_poll_until_returns_the_last_result_at_the_time_limit() -> None:
    assert await poll_until(counter(), lambda _count: False, every=10, within=0) == 1
    assert await poll_until(counter(), lambda _count: False, every=10, within=0.05) == 2


async def test_poll_yields_at_least_once_and_a_last_time_at_the_end() -> None:
    assert [count async for count in poll(counter(), every=10, within=0)] == [1]
    assert [count async for count in poll(counter(), every=10, within=0.05)] == [1, 2]


async def test_with_backoff_raises_the_last_error_after_all_pauses() -> None:
    attempts, pauses = 0, list[float]()

    async def fail() -> None:
        nonlocal attempts
        attempts += 1
        raise ConnectionResetError(attempts)

    with pytest.raises(ConnectionResetError, match="3"):
        await with_backoff(fail, (0, 0.01), ConnectionResetError, lambda _error, pause: pauses.append(pause))
    assert attempts == 3
    assert pauses == [0, 0.01]


async def test_with_backoff_does_not_retry_another_error() -> None:
    async def fail() -> None:
        raise ValueError("once")

    with pytest.raises(ValueError, match="once"):
        await with_backoff(fail, (0, 0), ConnectionResetError)


async def test_before_pause_can_stop_the_retries() -> None:
    def stop(error: ConnectionResetError, _pause: float) -> None:
        raise error

    async def fail() -> None:
        raise ConnectionResetError("final")

    with pytest.raises(ConnectionResetError, match="final"):
        await with_backoff(fail, (60,), ConnectionResetError, stop)
