"""Quick networks: one run a turn of the event loop, and everyone's own answer."""

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
from service.server.execution.event_loop_batcher import LONGEST_S, EventLoopBatcher
from service.server.execution.latency_profile import LatencyProfile
from service.server.execution.thread_batcher import Answer

_POISON = -1.0


class Echo:
    """Stands for a model: gives back each input's number, and notes what it was asked."""

    def __init__(self) -> None:
        self.card = SimpleNamespace(name="echo")
        self.runs: list[list[float]] = []

    def probabilities(self, batch: Any) -> Any:
        self.runs.append(batch.reshape(len(batch), -1)[:, 0].tolist())
        if (batch == _POISON).any():
            raise ZeroDivisionError("a poisoned input")
        return batch.reshape(len(batch), -1)[:, :1]


def _ask(turns: EventLoopBatcher, model: Any, *numbers: float, seconds: float = 1e-4, width: int = 1) -> Any:
    batch = np.repeat(np.array(numbers).reshape(-1, 1), width, axis=1)
    return asyncio.ensure_future(turns.run(model, batch, pace=LatencyProfile(seconds, 64)))


def _numbers(answer: Answer) -> list[float]:
    return answer.probabilities[:, 0].tolist()


def test_requests_of_one_turn_are_one_run_and_each_gets_its_own_answer() -> None:
    async def ask() -> None:
        turns, model = EventLoopBatcher(), Echo()
        answers = await asyncio.gather(*(_ask(turns, model, *numbers) for numbers in ([1], [2, 3], [4])))
        assert [_numbers(answer) for answer in answers] == [[1], [2, 3], [4]]
        assert model.runs == [[1, 2, 3, 4]]

    asyncio.run(ask())


def test_one_that_is_alone_waits_for_nobody() -> None:
    async def ask() -> None:
        turns, model = EventLoopBatcher(), Echo()
        task = _ask(turns, model, 1)
        for _ in range(3):  # the request's own turn, the run's, and that of the answer
            await asyncio.sleep(0)
        assert task.done()
        assert _numbers(task.result()) == [1]

    asyncio.run(ask())


def test_no_run_holds_the_event_loop_up_for_longer_than_it_may() -> None:
    async def ask() -> None:
        turns, model = EventLoopBatcher(), Echo()
        await asyncio.gather(*(_ask(turns, model, place, seconds=LONGEST_S / 3) for place in range(7)))
        assert model.runs == [[0, 1, 2], [3, 4, 5], [6]]

    asyncio.run(ask())


def test_inputs_of_other_models_shapes_and_types_are_not_mixed_in() -> None:
    async def ask() -> None:
        turns, one, other = EventLoopBatcher(), Echo(), Echo()
        short = np.array([[9]], dtype=np.uint8)
        await asyncio.gather(
            _ask(turns, one, 1),
            _ask(turns, other, 2),
            _ask(turns, one, 3, width=2),
            turns.run(one, short, pace=LatencyProfile(1e-4, 64)),
            _ask(turns, one, 4),
        )
        assert one.runs == [[1, 4], [3], [9]]
        assert other.runs == [[2]]

    asyncio.run(ask())


def test_a_request_that_fails_does_not_fail_those_of_its_turn() -> None:
    async def ask() -> None:
        turns, model = EventLoopBatcher(), Echo()
        tasks = [_ask(turns, model, number) for number in (1, _POISON, 3)]
        first, second, third = await asyncio.gather(*tasks, return_exceptions=True)
        assert (_numbers(first), _numbers(third)) == ([1], [3])
        assert isinstance(second, ZeroDivisionError)

    asyncio.run(ask())


def test_what_a_cancelled_caller_asked_is_not_computed() -> None:
    async def ask() -> None:
        turns, model = EventLoopBatcher(), Echo()
        gone, there = _ask(turns, model, 1), _ask(turns, model, 2)
        # Both have asked; this stands before the run, as a caller's time that is up can.
        asyncio.get_running_loop().call_soon(gone.cancel)
        assert _numbers(await there) == [2]
        assert model.runs == [[2]]
        assert gone.cancelled()

    asyncio.run(ask())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_thousands_of_random_callers_get_their_own_answers_and_leave_nothing(seed: int) -> None:
    rng = random.Random(seed)

    async def caller(turns: EventLoopBatcher, model: Echo, number: float) -> None:
        await asyncio.sleep(rng.random() * 0.05)
        kind = rng.choices(["good", "bad", "gone"], [8, 1, 1])[0]
        numbers = [number + place / 100 for place in range(rng.randint(1, 20))]
        if kind == "bad":
            numbers[rng.randrange(len(numbers))] = _POISON
        task = _ask(turns, model, *numbers, seconds=rng.choice([1e-5, 1e-4]))
        if kind == "gone":
            asyncio.get_running_loop().call_later(rng.random() * 1e-4, task.cancel)
        try:
            assert _numbers(await task) == numbers
        except ZeroDivisionError:
            assert kind == "bad"
        except asyncio.CancelledError:
            assert kind == "gone"

    async def ask() -> None:
        turns, model = EventLoopBatcher(), Echo()
        await asyncio.gather(*(caller(turns, model, float(number)) for number in range(2_000)))
        assert any(len(run) > 20 for run in model.runs), "no two requests ever shared a run"
        assert len(asyncio.all_tasks()) == 1
        left = weakref.ref(turns)
        del turns
        gc.collect()
        assert left() is None

    asyncio.run(ask())


def test_an_answer_is_the_same_whoever_shares_the_run(models_folder: Path) -> None:
    model = Catalog(models_folder).predictor("mnist", 1)
    pictures = np.random.default_rng(0).integers(0, 256, (12, 28, 28), dtype=np.uint8)
    alone = np.concatenate([model.probabilities(picture[np.newaxis]) for picture in pictures])

    async def ask() -> list[Answer]:
        turns = EventLoopBatcher()
        return await asyncio.gather(
            *(turns.run(model, picture[np.newaxis], pace=LatencyProfile(1e-4, 64)) for picture in pictures)
        )

    together = np.concatenate([answer.probabilities for answer in asyncio.run(ask())])
    assert np.abs(together - alone).max() < 1e-6


def test_a_run_waits_for_those_on_their_way_but_not_for_long() -> None:
    async def ask() -> None:
        turns, model = EventLoopBatcher(), Echo()

        async def arrive() -> None:
            await asyncio.sleep(0)  # a turn later than the other
            turns.coming -= 1
            await turns.run(model, np.array([[2]]), pace=LatencyProfile(1e-4, 64))

        turns.coming = 1
        await asyncio.gather(_ask(turns, model, 1), arrive())
        assert model.runs == [[1, 2]]
        turns.coming = 1  # and never arrives
        await asyncio.wait_for(_ask(turns, model, 3), 5)
        assert model.runs[1:] == [[3]]

    asyncio.run(ask())


def test_one_that_nobody_can_join_is_not_put_off_by_a_turn() -> None:
    async def ask() -> None:
        turns, model = EventLoopBatcher(), Echo()
        call = turns.run(model, np.array([[1]]), pace=LatencyProfile(1e-4, 64), alone=True)  # type: ignore[arg-type]
        with pytest.raises(StopIteration) as ended:  # without waiting for anything
            call.send(None)
        assert _numbers(ended.value.value) == [1]
        turns.coming = 1
        assert await asyncio.gather(
            turns.run(model, np.array([[2]]), pace=LatencyProfile(1e-4, 64), alone=True),  # type: ignore[arg-type]
            _ask(turns, model, 3),
        )
        assert [sorted(run) for run in model.runs[1:]] == [[2, 3]]

    asyncio.run(ask())
