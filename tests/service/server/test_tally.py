"""What is added up in a worker reaches the metrics as if it had been observed one by one."""

import asyncio

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from service.server.pipeline import metrics


def test_durations_that_were_added_up_look_like_observed_ones() -> None:
    added, observed = CollectorRegistry(), CollectorRegistry()
    times = metrics._Times()
    one, other = (
        Histogram("h", "h", ["route"], buckets=metrics._SECONDS, registry=registry).labels("/r")
        for registry in (added, observed)
    )
    for seconds in (0.0, 0.0005, 0.00051, 0.03, 0.5, 29.0, 30.0, 31.0, 1000.0):
        times.add(seconds)
        other.observe(seconds)
    times.put_into(one)

    def samples(registry: CollectorRegistry) -> list[bytes]:
        return [line for line in generate_latest(registry).splitlines() if b"_created" not in line]

    assert samples(added) == samples(observed)


def test_numbers_reach_the_metrics_by_themselves() -> None:
    def total() -> float:
        return metrics._predictions.labels("made-up")._value.get()

    async def count() -> None:
        metrics.tally.inference("made-up", 3, 0.001)
        assert total() == before
        while total() < before + 3:
            await asyncio.sleep(0.01)

    metrics.tally.flush()
    before = total()
    asyncio.run(asyncio.wait_for(count(), 10))
    assert total() == before + 3


def test_a_loop_that_ended_too_early_does_not_hold_up_the_next() -> None:
    async def count_and_leave() -> None:
        metrics.tally.inference("made-up", 1, 0.001)

    metrics.tally.flush()
    asyncio.run(count_and_leave())

    test_numbers_reach_the_metrics_by_themselves()
