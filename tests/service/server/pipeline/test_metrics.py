"""The metrics: counted once, by route template, so that no caller can make series without end."""

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

Server = Any
StartServer = Callable[..., Any]


def _count(server: Server, series: str) -> float:
    text = server.ask("GET", "/metrics").body.decode()
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    assert found, text
    return float(found[1])


def test_requests_are_counted_by_route_and_never_by_what_a_caller_writes(
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


def test_another_server_of_the_same_user_counts_for_itself(start_server: StartServer, tmp_path: Path) -> None:
    series = 'lectern_requests_total{route="/models",status="200"}'
    with start_server(home=tmp_path) as first:
        for _ in range(3):
            first.ask("GET", "/models")
        assert _count(first, series) == 3
        with start_server(home=tmp_path) as second:
            second.ask("GET", "/models")
            assert (_count(first, series), _count(second, series)) == (3, 1)
