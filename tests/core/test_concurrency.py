"""Merged events of concurrent jobs: their order, a failing job, and a generator that is closed early."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import pytest

from acp_tui.core.concurrency import Work, merge_events


async def test_events_of_all_jobs_arrive_in_the_order_in_which_they_occur() -> None:
    first_done = asyncio.Event()

    async def first(emit: Callable[[str], None]) -> None:
        emit("first")
        first_done.set()

    async def second(emit: Callable[[str], None]) -> None:
        await first_done.wait()
        emit("second")

    assert [event async for event in merge_events([second, first])] == ["first", "second"]


async def test_no_jobs_give_no_events() -> None:
    assert [event async for event in merge_events(list[Work[str]]())] == []


async def test_exception_of_a_job_is_raised_after_its_events_and_cancels_the_others() -> None:
    cancelled = asyncio.Event()

    async def fail(emit: Callable[[str], None]) -> None:
        emit("last event")
        raise ValueError("broken")

    async def wait(_emit: Callable[[str], None]) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    events = merge_events([fail, wait])
    assert await anext(events) == "last event"
    with pytest.raises(ValueError, match="broken"):
        await anext(events)
    assert cancelled.is_set()


async def test_closing_the_generator_waits_for_the_clean_up_of_the_jobs() -> None:
    cleaned = False

    async def work(emit: Callable[[str], None]) -> None:
        nonlocal cleaned
        emit("started")
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            cleaned = True

    async with aclosing(merge_events([work])) as events:
        assert await anext(events) == "started"
    assert cleaned
