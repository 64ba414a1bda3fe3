"""Requests are refused when those before them wait too long."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from service.server.execution.waiting import WaitingWork, WaitLimit
from service.server.pipeline.errors import RequestError


def test_requests_are_refused_if_many_wait_and_take_too_long() -> None:
    limit = WaitLimit(2, seconds=1.0)
    limit.check(2, work_s=100)  # a few large ones
    limit.check(100, work_s=2)
    with pytest.raises(RequestError, match=r"3 requests wait for about 2 s") as refused:
        limit.check(3, work_s=3)
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})


def test_after_a_refusal_few_may_wait_until_none_was_refused_for_as_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    limit = WaitLimit(2, seconds=1.0)
    limit.check(3, work_s=0.1)
    with pytest.raises(RequestError):
        limit.check(3, work_s=3)
    for waiting in (3, 2, 1):  # fewer than the limit by now, but still too many
        now += 0.9
        with pytest.raises(RequestError):
            limit.check(waiting, work_s=0.1)
    limit.check(0, work_s=0.0)  # A moment without a request that waits is not the end of the overload.
    with pytest.raises(RequestError):
        limit.check(2, work_s=0.1)
    now += 1.1
    limit.check(3, work_s=0.1)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """A pool of one thread."""
    with ThreadPoolExecutor(1) as made:
        yield made


def test_work_counts_until_it_starts_and_its_time_is_measured(pool: ThreadPoolExecutor) -> None:
    work, may_end = WaitingWork(pool, WaitLimit(1, seconds=1e-9)), threading.Event()

    async def ask() -> None:
        assert await work.do(lambda: sum(range(1000))) == 499_500
        pool.submit(may_end.wait, 30)
        waiting = [asyncio.ensure_future(work.do(lambda: 1)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(RequestError):
            await work.do(lambda: 1)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        waiting.append(asyncio.ensure_future(work.do(lambda: 2)))
        await asyncio.sleep(0)
        may_end.set()
        assert await waiting[-1] == 2

    asyncio.run(ask())


def test_cancelled_work_keeps_nothing_while_the_threads_are_busy(pool: ThreadPoolExecutor) -> None:
    class Body:
        """Stands for a large object."""

    work, may_end = WaitingWork(pool), threading.Event()

    async def ask() -> "weakref.ref[Body]":
        body = Body()
        task = asyncio.ensure_future(work.do(partial(str, body)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return weakref.ref(body)

    pool.submit(may_end.wait, 30)
    try:
        kept = asyncio.run(ask())
        gc.collect()
        assert kept() is None
    finally:
        may_end.set()


def test_a_slow_network_is_overloaded_while_others_answer(
    start_server: Callable[..., Any], digit_png: bytes
) -> None:
    with start_server(MAX_WAIT_S="0.01", CPUS="1") as server, ThreadPoolExecutor(24) as threads:
        body, raw = bytes(4 * 180 * 180 * 3), {"Inference-Header-Content-Length": "0"}
        asked = [
            threads.submit(server.ask, "POST", "/v2/models/cats_vs_dogs/infer", body, raw) for _ in range(48)
        ]
        fast = [server.ask("POST", "/models/mnist", digit_png).status for _ in range(20)]
        answers = [task.result() for task in asked]
    assert {answer.status for answer in answers} == {200, 429}
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status == 429)
    assert fast == [200] * 20
