"""Requests are refused when those before them wait too long."""

import asyncio
import gc
import itertools
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from service.server.execution.waiting import WaitLimit, WorkQueue
from service.server.pipeline.errors import RequestError
from service.server.pipeline.limits import InFlightRequests


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of ``time.monotonic()``, as a list of one element."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


@dataclass
class Requests:
    """Requests that wait for two threads, in simulated time; each takes 25 ms in one thread."""

    clock: list[float]
    limit: WaitLimit
    sent: int = 0
    refused: set[int] = field(default_factory=set)
    _waiting: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.limit.add_queue(self._refuse_waiting)

    def send(self, count: int, *, seconds: float = 0.0) -> range:
        """Send requests at equal intervals; return their numbers."""
        done = 0.0
        for _ in range(count):
            self.clock[0] += seconds / count
            done = min(done + 2 * seconds / count / 0.025, len(self._waiting) + 1.0)
            del self._waiting[: int(done)]
            done %= 1
            self._send_one()
        return range(self.sent - count, self.sent)

    def _send_one(self) -> None:
        number, waiting = self.sent, len(self._waiting)
        self.sent += 1
        try:
            self.limit.check(
                waiting, work_s=waiting * 0.025, request_s=0.025, is_free=lambda: not self._waiting
            )
        except RequestError:
            self.refused.add(number)
        else:
            self._waiting.append(number)

    def _refuse_waiting(self) -> None:
        self.refused.update(self._waiting)
        self._waiting.clear()


@pytest.fixture
def requests(clock: list[float]) -> Requests:
    """Requests that may wait for a second."""
    return Requests(clock, WaitLimit(2, seconds=1.0))


def test_an_overload_begins_if_many_wait_and_take_too_long() -> None:
    limit = WaitLimit(2, seconds=1.0)
    limit.check(2, work_s=100.0, request_s=50.0, is_free=lambda: False)  # a few large ones
    limit.check(100, work_s=2.0, request_s=0.0, is_free=lambda: False)
    with pytest.raises(RequestError, match="faster than the server can answer") as refused:
        limit.check(3, work_s=3.0, request_s=0.0, is_free=lambda: False)
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})


def test_thirty_photos_at_once_are_accepted_and_a_hundred_are_not(requests: Requests) -> None:
    requests.send(30)
    assert requests.refused == set()
    requests.send(70)
    assert len(requests.refused) > 90


def test_a_process_that_is_held_up_refuses_nothing_at_a_normal_load(requests: Requests) -> None:
    for _ in range(10):
        requests.send(112, seconds=2.0)  # a load of 0.7
        requests.clock[0] += 0.36
        requests.send(20)  # what has come meanwhile is read at once
    assert requests.refused == set()


def test_under_overload_nothing_waits_and_the_threads_are_busy(requests: Requests) -> None:
    sent = requests.send(8000, seconds=10.0)  # ten times what the threads can do
    accepted = [number for number in sent if number not in requests.refused]
    assert len(accepted) > 700
    assert max(later - number for number, later in itertools.pairwise(accepted)) < 150


def test_an_overload_ends_with_the_load(requests: Requests) -> None:
    requests.send(8000, seconds=10.0)
    after = requests.send(560, seconds=10.0)
    assert requests.refused.isdisjoint(after[60:])


def test_requests_that_the_concurrency_limit_refuses_belong_to_the_load(clock: list[float]) -> None:
    in_flight = InFlightRequests()
    limit, dropped = WaitLimit(2, seconds=1.0, in_flight=in_flight), list[bool]()
    limit.add_queue(lambda: dropped.append(True))
    for _ in range(60):  # as many as the threads can do, and nine times as many are refused
        clock[0] += 0.0125
        in_flight.refused += 9
        limit.check(60, work_s=1.5, request_s=0.025, is_free=lambda: True)
    assert dropped == [True]


def test_work_that_waits_when_an_overload_begins_is_refused() -> None:
    queue, may_end = WorkQueue(1, "test", WaitLimit(1, seconds=1e-9)), threading.Event()
    started = threading.Event()

    def run() -> bool:
        started.set()
        return may_end.wait(30)

    async def ask() -> None:
        assert await queue.do(lambda: sum(range(1000))) == 499_500  # its time is the estimate for others
        running = asyncio.ensure_future(queue.do(run))
        assert await asyncio.to_thread(started.wait, 30)
        waiting = [asyncio.ensure_future(queue.do(lambda: 1)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(RequestError):
            await queue.do(lambda: 1)
        may_end.set()
        assert await running
        refused = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(error) for error in refused] == [RequestError] * 2
        assert await queue.do(lambda: 2) == 2  # a thread is free

    try:
        asyncio.run(ask())
    finally:
        may_end.set()
        queue.close()


def test_cancelled_work_keeps_nothing_while_the_threads_are_busy() -> None:
    class Body:
        """Stands for a large object."""

    queue, may_end = WorkQueue(1, "test"), threading.Event()

    async def ask() -> None:
        body = Body()
        running = asyncio.ensure_future(queue.do(lambda: may_end.wait(30)))
        task = asyncio.ensure_future(queue.do(partial(str, body)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        kept = weakref.ref(body)
        del body, task
        gc.collect()
        assert kept() is None
        may_end.set()
        assert await running

    try:
        asyncio.run(ask())
    finally:
        may_end.set()
        queue.close()


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
