"""The event-loop batcher does one run per iteration and gives each request its own result."""

import asyncio
import gc
import random
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from service.inference.catalog import Catalog
from service.server.execution.event_loop_batcher import MAX_RUN_S, EventLoopBatcher
from service.server.execution.latency_profile import LatencyProfile
from service.server.execution.pending_request import BatchResult
from service.server.pipeline.limits import InFlightRequests

_POISON = -1.0


class Echo:
    """A fake model that rebatcher its inputs and records its runs."""

    def __init__(self) -> None:
        self.card = SimpleNamespace(
            name="echo", version=1, task="image-classification", labels=("it",), unsure_below=0.5
        )
        self.runs: list[list[float]] = []

    def probabilities(self, batch: Any) -> Any:
        self.runs.append(batch.reshape(len(batch), -1)[:, 0].tolist())
        if (batch == _POISON).any():
            raise ZeroDivisionError("a poisoned input")
        return batch.reshape(len(batch), -1)[:, :1]


def _ask(
    batcher: EventLoopBatcher, model: Any, *numbers: float, seconds: float = 1e-4, width: int = 1
) -> Any:
    batch = np.repeat(np.array(numbers).reshape(-1, 1), width, axis=1)
    return asyncio.ensure_future(batcher.run(model, batch, profile=LatencyProfile(seconds, 64)))


def _numbers(answer: BatchResult) -> list[float]:
    return answer.probabilities[:, 0].tolist()


def test_requests_of_one_iteration_share_a_run_and_each_gets_its_own_result() -> None:
    async def ask() -> None:
        batcher, model = EventLoopBatcher(InFlightRequests()), Echo()
        answers = await asyncio.gather(*(_ask(batcher, model, *numbers) for numbers in ([1], [2, 3], [4])))
        assert [_numbers(answer) for answer in answers] == [[1], [2, 3], [4]]
        assert model.runs == [[1, 2, 3, 4]]

    asyncio.run(ask())


def test_a_single_request_does_not_wait_for_others() -> None:
    async def ask() -> None:
        batcher, model = EventLoopBatcher(InFlightRequests()), Echo()
        task = _ask(batcher, model, 1)
        for _ in range(3):  # the iterations of the request, the run and the result
            await asyncio.sleep(0)
        assert task.done()
        assert _numbers(task.result()) == [1]

    asyncio.run(ask())


def test_no_run_blocks_the_event_loop_for_longer_than_the_limit() -> None:
    async def ask() -> None:
        batcher, model = EventLoopBatcher(InFlightRequests()), Echo()
        await asyncio.gather(*(_ask(batcher, model, place, seconds=MAX_RUN_S / 3) for place in range(7)))
        assert model.runs == [[0, 1, 2], [3, 4, 5], [6]]

    asyncio.run(ask())


def test_only_inputs_of_one_model_shape_and_dtype_share_a_run() -> None:
    async def ask() -> None:
        batcher, one, other = EventLoopBatcher(InFlightRequests()), Echo(), Echo()
        short = np.array([[9]], dtype=np.uint8)
        await asyncio.gather(
            _ask(batcher, one, 1),
            _ask(batcher, other, 2),
            _ask(batcher, one, 3, width=2),
            batcher.run(one, short, profile=LatencyProfile(1e-4, 64)),
            _ask(batcher, one, 4),
        )
        assert one.runs == [[1, 4], [3], [9]]
        assert other.runs == [[2]]

    asyncio.run(ask())


def test_a_request_that_fails_does_not_fail_the_others_of_its_run() -> None:
    async def ask() -> None:
        batcher, model = EventLoopBatcher(InFlightRequests()), Echo()
        tasks = [_ask(batcher, model, number) for number in (1, _POISON, 3)]
        first, second, third = await asyncio.gather(*tasks, return_exceptions=True)
        assert (_numbers(first), _numbers(third)) == ([1], [3])
        assert isinstance(second, ZeroDivisionError)

    asyncio.run(ask())


def test_the_inputs_of_a_cancelled_request_are_not_run() -> None:
    async def ask() -> None:
        batcher, model = EventLoopBatcher(InFlightRequests()), Echo()
        cancelled, other = _ask(batcher, model, 1), _ask(batcher, model, 2)
        # Both requests are pending; the cancellation comes before the run.
        asyncio.get_running_loop().call_soon(cancelled.cancel)
        assert _numbers(await other) == [2]
        assert model.runs == [[2]]
        assert cancelled.cancelled()

    asyncio.run(ask())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_thousands_of_random_requests_get_their_own_results_and_leave_nothing(seed: int) -> None:
    rng = random.Random(seed)

    async def client(batcher: EventLoopBatcher, model: Echo, number: float) -> None:
        await asyncio.sleep(rng.random() * 0.05)
        kind = rng.choices(["good", "bad", "cancelled"], [8, 1, 1])[0]
        numbers = [number + place / 100 for place in range(rng.randint(1, 20))]
        if kind == "bad":
            numbers[rng.randrange(len(numbers))] = _POISON
        task = _ask(batcher, model, *numbers, seconds=rng.choice([1e-5, 1e-4]))
        if kind == "cancelled":
            asyncio.get_running_loop().call_later(rng.random() * 1e-4, task.cancel)
        try:
            assert _numbers(await task) == numbers
        except ZeroDivisionError:
            assert kind == "bad"
        except asyncio.CancelledError:
            assert kind == "cancelled"

    async def ask() -> None:
        batcher, model = EventLoopBatcher(InFlightRequests()), Echo()
        await asyncio.gather(*(client(batcher, model, float(number)) for number in range(2_000)))
        assert any(len(run) > 20 for run in model.runs), "no two requests ever shared a run"
        assert len(asyncio.all_tasks()) == 1
        left = weakref.ref(batcher)
        del batcher
        gc.collect()
        assert left() is None

    asyncio.run(ask())


def test_a_result_does_not_depend_on_the_requests_that_share_the_run(models_folder: Path) -> None:
    model = Catalog(models_folder).predictor("mnist", 1)
    pictures = np.random.default_rng(0).integers(0, 256, (12, 28, 28), dtype=np.uint8)
    alone = np.concatenate([model.probabilities(picture[np.newaxis]) for picture in pictures])

    async def ask() -> list[BatchResult]:
        batcher = EventLoopBatcher(InFlightRequests())
        return await asyncio.gather(
            *(
                batcher.run(model, picture[np.newaxis], profile=LatencyProfile(1e-4, 64))
                for picture in pictures
            )
        )

    together = np.concatenate([answer.probabilities for answer in asyncio.run(ask())])
    assert np.abs(together - alone).max() < 1e-6


def test_a_run_waits_for_requests_that_arrive_but_not_for_long() -> None:
    async def ask() -> None:
        in_flight, model = InFlightRequests(), Echo()
        batcher = EventLoopBatcher(in_flight)

        async def arrive() -> None:
            await asyncio.sleep(0)  # one iteration later than the other
            in_flight.arriving -= 1
            await batcher.run(model, np.array([[2]]), profile=LatencyProfile(1e-4, 64))  # type: ignore[arg-type]

        in_flight.arriving = 1
        await asyncio.gather(_ask(batcher, model, 1), arrive())
        assert model.runs == [[1, 2]]
        in_flight.arriving = 1  # and never arrives
        await asyncio.wait_for(_ask(batcher, model, 3), 5)
        assert model.runs[1:] == [[3]]

    asyncio.run(ask())


def test_the_only_request_in_the_server_runs_at_once() -> None:
    async def ask() -> None:
        in_flight, model = InFlightRequests(), Echo()
        batcher = EventLoopBatcher(in_flight)
        in_flight.running = 1
        call = batcher.run(model, np.array([[1]]), profile=LatencyProfile(1e-4, 64))  # type: ignore[arg-type]
        with pytest.raises(StopIteration) as ended:  # without waiting for anything
            call.send(None)
        assert _numbers(ended.value.value) == [1]
        in_flight.arriving = 1
        assert await asyncio.gather(_ask(batcher, model, 2), _ask(batcher, model, 3))
        assert [sorted(run) for run in model.runs[1:]] == [[2, 3]]

    asyncio.run(ask())
