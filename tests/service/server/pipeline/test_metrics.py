"""The metrics count requests and runs once, with labels that no client can choose."""

import asyncio
import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from service.server.pipeline import metrics

Server = Any
StartServer = Callable[..., Any]


def _count(server: Server, series: str) -> float:
    text = server.ask("GET", "/metrics").body.decode()
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    assert found, text
    return float(found[1])


def test_requests_are_counted_by_route_and_never_by_text_of_a_client(
    server: Server, digit_png: bytes
) -> None:
    for number in range(5):
        server.ask("GET", f"/nothing-{number}")
        server.ask("POST", f"/models/minst-{number}", b"x")
    server.ask("POST", "/models/mnist", digit_png)
    server.post_json("/classify_image", {"model": "mnist", "image": base64.b64encode(digit_png).decode()})
    text = server.ask("GET", "/metrics").body.decode()
    routes = set(re.findall(r'route="([^"]*)"', text))
    assert {"unmatched", "/models/{name}", "/classify_image"} <= routes
    assert not any("nothing" in route or "minst" in route for route in routes)
    assert _count(server, 'lectern_requests_total{route="/models/{name}",status="200"}') >= 1
    assert _count(server, 'lectern_request_seconds_bucket{le="+Inf",route="/models/{name}"}') >= 6
    assert _count(server, "lectern_requests_in_flight") == 0


def test_one_request_adds_one_to_its_counters(server: Server, digit_png: bytes) -> None:
    series = ('lectern_predictions_total{model="mnist"}', 'lectern_inference_seconds_count{model="mnist"}')
    before = [_count(server, name) for name in series]
    encoded = base64.b64encode(digit_png).decode()
    server.post_json("/models/mnist", {"inputs": [encoded] * 3})
    assert [_count(server, name) for name in series] == [before[0] + 3, before[1] + 1]


def test_the_helps_say_what_is_counted(server: Server) -> None:
    text = server.ask("GET", "/metrics").body.decode()
    helps = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE))
    assert "rediction" not in helps["lectern_requests_in_flight"]
    assert helps["lectern_inference_seconds"].startswith("Seconds of one run")
    assert "queue" not in helps["lectern_batch_inputs"]


def test_another_server_of_the_same_user_counts_for_itself(start_server: StartServer, tmp_path: Path) -> None:
    series = 'lectern_requests_total{route="/models",status="200"}'
    with start_server(home=tmp_path) as first:
        for _ in range(3):
            first.ask("GET", "/models")
        assert _count(first, series) == 3
        with start_server(home=tmp_path) as second:
            second.ask("GET", "/models")
            assert (_count(first, series), _count(second, series)) == (3, 1)


def test_values_that_are_added_together_equal_single_observations() -> None:
    added, observed = CollectorRegistry(), CollectorRegistry()
    one, other = (
        Histogram("h", "h", ["route"], buckets=metrics._SECONDS, registry=registry).labels("/r")
        for registry in (added, observed)
    )
    values = (0.0, 0.0005, 0.00051, 0.03, 0.5, 29.0, 30.0, 31.0, 1000.0)
    metrics._observe(one, values)
    for seconds in values:
        other.observe(seconds)

    def samples(registry: CollectorRegistry) -> list[bytes]:
        return [line for line in generate_latest(registry).splitlines() if b"_created" not in line]

    assert samples(added) == samples(observed)


def test_counts_reach_the_metrics_without_a_request_for_them() -> None:
    def total() -> float:
        return metrics._predictions.labels("made-up")._value.get()

    async def count() -> None:
        metrics.tally.run("made-up", 3, 0.001)
        metrics.tally.request("/made-up", 200, 0.001)
        assert total() == before
        while total() < before + 3:
            await asyncio.sleep(0.01)

    metrics.tally.flush()
    before = total()
    asyncio.run(asyncio.wait_for(count(), 10))
    assert total() == before + 3


def test_an_event_loop_that_was_closed_does_not_block_the_next_flush() -> None:
    async def count_and_leave() -> None:
        metrics.tally.request("/made-up", 200, 0.001)

    metrics.tally.flush()
    asyncio.run(count_and_leave())

    test_counts_reach_the_metrics_without_a_request_for_them()
