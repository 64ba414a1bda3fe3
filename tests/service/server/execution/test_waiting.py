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


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of ``time.monotonic()``, as a list of one element."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def _is_accepted(limit: WaitLimit, waiting: int, *, request_s: float) -> bool:
    try:
        limit.check(waiting, work_s=waiting * request_s, request_s=request_s)
    except RequestError:
        return False
    return True


def test_requests_are_refused_if_many_wait_and_take_too_long() -> None:
    limit = WaitLimit(2, seconds=1.0)
    limit.check(2, work_s=100, request_s=0.0)  # a few large ones
    limit.check(100, work_s=2, request_s=0.0)
    with pytest.raises(RequestError, match=r"3 requests wait for about 2 s") as refused:
        limit.check(3, work_s=3, request_s=0.0)
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})


def test_twenty_photos_at_once_are_accepted_and_not_fifty(clock: list[float]) -> None:
    limit = WaitLimit(2, seconds=1.0)
    accepted = [_is_accepted(limit, waiting, request_s=0.025) for waiting in range(50)]
    assert all(accepted[:20])
    assert not any(accepted[26:])


def test_few_may_wait_until_the_load_is_what_the_threads_can_do(clock: list[float]) -> None:
    limit = WaitLimit(4, seconds=1.0)

    def is_accepted_at(load: float, *, waiting: int) -> list[bool]:
        """Return what happens to the requests of two seconds; each takes 0.04 s."""
        accepted = []
        for _ in range(round(200 * load)):
            clock[0] += 0.01 / load
            accepted.append(_is_accepted(limit, waiting, request_s=0.04))
        return accepted

    assert all(is_accepted_at(1.5, waiting=9))
    assert not any(is_accepted_at(10, waiting=5)[-1800:])
    # A moment without a request that waits is not the end of the overload.
    assert all(is_accepted_at(10, waiting=1))
    assert not any(is_accepted_at(1.5, waiting=2))
    assert all(is_accepted_at(0.7, waiting=5)[-100:])


def test_a_process_that_is_held_up_refuses_nothing_at_a_normal_load(clock: list[float]) -> None:
    limit, interval_s = WaitLimit(2, seconds=1.0), 0.025 / 2 / 0.7
    for _ in range(10):
        for _ in range(80):
            clock[0] += interval_s
            assert _is_accepted(limit, 1, request_s=0.025)
        clock[0] += 20 * interval_s  # then what has come is read at once
        assert all(_is_accepted(limit, waiting, request_s=0.025) for waiting in range(20))


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
