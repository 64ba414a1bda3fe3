"""The thread batcher gives each request its own result, in order and in time, and leaves nothing behind."""

import asyncio
import gc
import random
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from service.inference.catalog import Catalog
from service.server.execution.latency_profile import LatencyProfile
from service.server.execution.pending_request import BatchResult
from service.server.execution.thread_batcher import ThreadBatcher
from service.server.execution.waiting import WaitLimit
from service.server.pipeline.errors import RequestError
from service.server.pipeline.limits import request_deadline

_POISON = -1.0
_MAX_BATCH = 64


class Echo:
    """A fake model that returns its inputs and records its runs."""

    def __init__(self, name: str = "echo", seconds: float = 0.0) -> None:
        self.card = SimpleNamespace(
            name=name, version=1, task="image-classification", labels=("it", "twice"), unsure_below=0.5
        )
        self.runs: list[list[float]] = []
        self.at_once = self.most_at_once = 0
        self.go = threading.Event()
        self.go.set()
        self.entered = threading.Semaphore(0)
        self._seconds = seconds
        self._lock = threading.Lock()

    def probabilities(self, batch: Any) -> Any:
        with self._lock:
            self.runs.append(batch[:, 0].tolist())
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.entered.release()
        try:
            assert self.go.wait(30)
            if self._seconds:
                time.sleep(self._seconds)
            if (batch[:, 0] == _POISON).any():
                raise ZeroDivisionError("a poisoned input")
            return np.column_stack([batch[:, 0], batch[:, 0] * 2])
        finally:
            with self._lock:
                self.at_once -= 1

    def inputs(self) -> list[float]:
        return [number for run in self.runs for number in run]


Ask = Callable[..., Awaitable[BatchResult]]


@pytest.fixture
def queue() -> Iterator[ThreadBatcher]:
    """A batcher with one thread, so that the order of its runs is known."""
    made = ThreadBatcher(1)
    yield made
    made.close()


def _ask(queue: ThreadBatcher, model: Echo, *numbers: float, best: int = 4, seconds: float = 0.0) -> Any:
    batch = np.array(numbers, dtype=np.float64).reshape(-1, 1)
    return asyncio.ensure_future(queue.run(model, batch, profile=LatencyProfile(seconds, best)))  # type: ignore[arg-type]


async def _entered(model: Echo) -> None:
    """Wait until a thread is in the model."""
    await asyncio.get_running_loop().run_in_executor(None, model.entered.acquire)


async def _behind(queue: ThreadBatcher, model: Echo, *waiting: tuple[float, ...], best: int = 4) -> list[Any]:
    """Occupy the only thread with one request, and send others; return all tasks."""
    model.go.clear()
    tasks = [_ask(queue, model, 0.0, best=best)]
    await _entered(model)
    tasks += [_ask(queue, model, *numbers, best=best) for numbers in waiting]
    await asyncio.sleep(0)
    return tasks


def test_the_first_request_starts_at_once_and_the_next_run_takes_all_that_wait(queue: ThreadBatcher) -> None:
    model = Echo()

    async def ask() -> None:
        tasks = await _behind(queue, model, *((float(number),) for number in range(1, 7)))
        model.go.set()
        for number, answer in enumerate(await asyncio.gather(*tasks)):
            assert answer.probabilities.tolist() == [[number, number * 2]]

    asyncio.run(ask())
    assert model.runs == [[0], [1, 2, 3, 4], [5, 6]]


def test_the_wait_is_that_for_the_models_of_the_requests_that_wait() -> None:
    queue, model = ThreadBatcher(1, WaitLimit(1, seconds=1.0)), Echo()
    fast = LatencyProfile(0.0, 4)

    async def ask() -> None:
        tasks = await _behind(queue, model, *((float(number),) for number in range(1, 7)))
        queue.check(fast)  # six inputs of a fast network
        tasks += [_ask(queue, model, 9.0, seconds=0.4) for _ in range(3)]
        await asyncio.sleep(0)
        # With it an overload begins, which refuses all that wait.
        queue.check(fast)
        model.go.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [BatchResult] + [RequestError] * 9

    try:
        asyncio.run(ask())
    finally:
        queue.close()
    assert model.inputs() == [0]


def test_a_large_request_is_split_and_its_result_is_complete(queue: ThreadBatcher) -> None:
    model = Echo()

    async def ask() -> None:
        tasks = await _behind(queue, model, tuple(map(float, range(1, 8))), (8.0,))
        model.go.set()
        answers = await asyncio.gather(*tasks)
        assert answers[1].probabilities[:, 0].tolist() == [1, 2, 3, 4, 5, 6, 7]
        assert answers[2].probabilities.tolist() == [[8, 16]]

    asyncio.run(ask())
    assert model.runs == [[0], [1, 2, 3, 4], [5, 6, 7, 8]]


def test_inputs_of_other_models_and_shapes_are_not_mixed_in(queue: ThreadBatcher) -> None:
    model, other = Echo(), Echo("other")

    async def ask() -> None:
        tasks = await _behind(queue, model, (1.0,))
        tasks += [_ask(queue, other, 2.0), _ask(queue, model, 3.0)]
        wide = queue.run(model, np.full((1, 2), 4.0), profile=LatencyProfile(0.0, 4))  # type: ignore[arg-type]
        tasks.append(asyncio.ensure_future(wide))
        await asyncio.sleep(0)
        model.go.set()
        await asyncio.gather(*tasks)

    asyncio.run(ask())
    assert (model.runs, other.runs) == ([[0], [1, 3], [4]], [[2]])


def test_idle_threads_share_a_request() -> None:
    queue, model = ThreadBatcher(2), Echo()

    async def ask() -> None:
        model.go.clear()
        task = _ask(queue, model, 1.0, 2.0, 3.0, 4.0)
        await _entered(model)
        await _entered(model)
        model.go.set()
        assert (await task).probabilities[:, 0].tolist() == [1, 2, 3, 4]

    asyncio.run(ask())
    assert sorted(model.runs) == [[1, 2], [3, 4]]
    queue.close()


def test_a_request_that_fails_does_not_fail_those_in_its_run(queue: ThreadBatcher) -> None:
    model = Echo()

    async def ask() -> list[Any]:
        tasks = await _behind(queue, model, (1.0,), (2.0,), (_POISON,), (4.0,))
        model.go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = asyncio.run(ask())
    assert isinstance(answers.pop(3), ZeroDivisionError)
    assert [answer.probabilities[0, 0] for answer in answers] == [0, 1, 2, 4]
    assert model.runs[1] == [1, 2, _POISON, 4]


def test_the_rest_of_a_failed_request_is_not_run(queue: ThreadBatcher) -> None:
    model = Echo()

    async def ask() -> None:
        model.go.clear()
        task = _ask(queue, model, *[_POISON] * _MAX_BATCH, best=1)
        await _entered(model)
        rest = _ask(queue, model, 1.0)
        model.go.set()
        with pytest.raises(ZeroDivisionError):
            await task
        await rest

    asyncio.run(ask())
    assert model.inputs().count(_POISON) < _MAX_BATCH


def test_the_inputs_of_a_cancelled_request_are_not_run(queue: ThreadBatcher) -> None:
    model = Echo()

    async def ask() -> None:
        tasks = await _behind(queue, model, (1.0,), (2.0, 3.0), (4.0,))
        tasks[2].cancel()
        await asyncio.gather(tasks[2], return_exceptions=True)
        model.go.set()
        assert [(await tasks[at]).probabilities[0, 0] for at in (0, 1, 3)] == [0, 1, 4]

    asyncio.run(ask())
    assert model.inputs() == [0, 1, 4]


async def _run(queue: ThreadBatcher, model: Echo, *numbers: float, seconds: float = 0.0) -> BatchResult:
    return await _ask(queue, model, *numbers, seconds=seconds)  # type: ignore[no-any-return]


def test_a_request_that_cannot_finish_in_time_is_not_started_and_ends_at_the_deadline(
    queue: ThreadBatcher,
) -> None:
    model = Echo()

    async def late(within: float, seconds: float) -> float:
        started = time.monotonic()
        request_deadline.set(started + within)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(within):
                await _run(queue, model, 7.0, seconds=seconds)
        return time.monotonic() - started

    async def ask() -> None:
        tasks = await _behind(queue, model, (1.0,))
        passed = asyncio.ensure_future(late(0.02, 0.0))
        hopeless = asyncio.ensure_future(late(0.6, 10.0))
        assert 0.02 <= await passed < 0.5
        model.go.set()
        await asyncio.gather(*tasks)
        assert 0.6 <= await hopeless < 1.5

    asyncio.run(ask())
    assert model.inputs() == [0, 1]


def test_no_more_runs_at_once_than_there_are_slots() -> None:
    queue, model = ThreadBatcher(3), Echo()

    async def ask() -> None:
        model.go.clear()
        tasks = [_ask(queue, model, float(number), best=1) for number in range(60)]
        for _ in range(3):
            await _entered(model)
        model.go.set()
        await asyncio.gather(*tasks)

    asyncio.run(ask())
    queue.close()
    assert model.most_at_once == 3
    assert sorted(model.inputs()) == [float(number) for number in range(60)]


def test_the_result_says_how_long_a_request_waited(queue: ThreadBatcher) -> None:
    model = Echo(seconds=0.05)

    async def ask() -> list[BatchResult]:
        return await asyncio.gather(*(_ask(queue, model, float(number), best=1) for number in range(3)))

    first, second, third = asyncio.run(ask())
    assert first.waited_s < second.waited_s < third.waited_s
    assert second.waited_s >= 0.05
    assert all(answer.ran_s >= 0.05 for answer in (first, second, third))


def test_requests_that_wait_are_cancelled_on_close(queue: ThreadBatcher) -> None:
    model = Echo()

    async def ask() -> None:
        first, second = await _behind(queue, model, (1.0,))
        queue.close()
        with pytest.raises(asyncio.CancelledError):
            await second
        model.go.set()
        assert (await first).probabilities[0, 0] == 0

    asyncio.run(ask())
    assert model.runs == [[0]]


def test_a_closed_event_loop_does_not_stop_the_threads(queue: ThreadBatcher) -> None:
    model = Echo()

    async def leave() -> None:
        model.go.clear()
        _ask(queue, model, 1.0)
        await _entered(model)

    async def ask() -> BatchResult:
        return await _run(queue, model, 2.0)

    asyncio.run(leave())
    model.go.set()
    assert asyncio.run(ask()).probabilities.tolist() == [[2, 4]]


@pytest.mark.parametrize("seed", range(4))
def test_thousands_of_random_requests_get_their_own_results_in_time_and_leave_nothing(seed: int) -> None:
    chance = random.Random(seed)
    slots, best = chance.choice([1, 2, 3]), chance.choice([1, 2, 5, 16, 64])
    queue, models = ThreadBatcher(slots), [Echo("left"), Echo("right", seconds=0.0001)]
    counts = dict.fromkeys(("answered", "failed", "cancelled", "late"), 0)
    never_started: set[float] = set()
    arrays: list[weakref.ref[Any]] = []

    async def one(at: int) -> None:
        await asyncio.sleep(chance.random())
        model = chance.choice(models)
        numbers = at * _MAX_BATCH + np.arange(chance.choice([1, 1, 1, 2, 7, _MAX_BATCH]), dtype=np.float64)
        kind = chance.choices(["plain", "poisoned", "cancelled", "late"], [6, 1, 2, 1])[0]
        if kind == "poisoned":
            numbers[chance.randrange(len(numbers))] = _POISON
        batch = numbers.reshape(-1, 1)
        arrays.append(weakref.ref(batch))
        call = queue.run(model, batch, profile=LatencyProfile(0.0, best))  # type: ignore[arg-type]
        counts[await _outcome(kind, call, numbers, chance.random() * 0.05, never_started)] += 1

    async def everyone() -> None:
        loop: Any = asyncio.get_running_loop()
        await asyncio.gather(*(one(at) for at in range(1500)))
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert not [handle for handle in loop._scheduled if not handle.cancelled()]
        assert not queue._queue
        assert queue._waiting_inputs == 0

    asyncio.run(everyone())
    queue._pool.shutdown(wait=True)
    assert (queue._active_threads, queue._runs) == (0, 0)
    # Whether a deadline or a cancellation comes before the result depends on the machine.
    assert min(counts["answered"], counts["failed"]) > 0
    assert not never_started & {number for model in models for number in model.inputs()}
    for model in models:
        whole = [number for number in model.inputs() if number != _POISON]
        assert max(map(len, model.runs)) <= best
        assert len(whole) >= len(set(whole))
    gc.collect()
    assert not [array for array in arrays if array() is not None]


async def _outcome(kind: str, call: Any, numbers: Any, seconds: float, never_started: set[float]) -> str:
    """Make a request in one of several ways, check what came of it, and say what that was."""
    if kind == "cancelled":
        task = asyncio.ensure_future(call)
        if seconds < 0.01:  # before it is in the queue, so that no thread can take it
            task.cancel()
            never_started.update(numbers.tolist())
        call = task if seconds < 0.01 else _cancelled_after(task, seconds)
    started, within = time.monotonic(), seconds if kind == "late" else 30.0
    try:
        request_deadline.set(started + within)
        async with asyncio.timeout(within):
            answer = await call
    except TimeoutError:
        assert kind == "late"
        assert time.monotonic() - started < within + 1.0
        return "late"
    except asyncio.CancelledError:
        return "cancelled"
    except ZeroDivisionError:
        assert kind == "poisoned"
        return "failed"
    assert answer.probabilities[:, 0].tolist() == numbers.tolist()
    assert answer.probabilities[:, 1].tolist() == (numbers * 2).tolist()
    return "answered"


async def _cancelled_after(task: Any, seconds: float) -> BatchResult:
    timer = asyncio.get_running_loop().call_later(seconds, task.cancel)
    try:
        return await task  # type: ignore[no-any-return]
    finally:
        timer.cancel()


def test_a_result_does_not_depend_on_the_requests_that_share_the_run(
    models_folder: Any, samples: Callable[[str], Any]
) -> None:
    catalog, chance = Catalog(models_folder), random.Random(7)
    queue = ThreadBatcher(2)

    async def one(name: str, row: Any, alone: Any, count: int) -> None:
        predictor = catalog.predictor(name)
        batch = predictor.stack([row] * count)
        answer = await queue.run(predictor, batch, profile=LatencyProfile(0.0, chance.choice([1, 3, 8, 64])))
        assert np.abs(answer.probabilities - alone).max() <= 1e-6, name

    async def everyone() -> None:
        calls = []
        for card in catalog:
            predictor = catalog.predictor(card.name)
            for value in samples(card.name).inputs[:6]:
                row = predictor.prepare(value)
                alone = predictor.probabilities(predictor.stack([row]))
                calls += [one(card.name, row, alone, count) for count in (1, 1, 2, 5)]
        chance.shuffle(calls)
        await asyncio.gather(*calls)

    asyncio.run(everyone())
    queue.close()
