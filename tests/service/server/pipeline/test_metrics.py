"""The metrics count requests and runs once, with labels that no client can choose."""

import base64
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

Server = Any
StartServer = Callable[..., Any]


_KEY = {"Authorization": "Bearer alpha"}


def _count(server: Server, series: str, *, default: float | None = None) -> float:
    text = server.ask("GET", "/metrics", headers=_KEY).body.decode()
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    if found is None and default is not None:
        return default
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


def test_overload_shows_in_the_metrics(
    strict: Server, samples: Callable[[str], Any], until: Callable[..., Any]
) -> None:
    """The limit of the server is one request."""
    series = 'lectern_request_errors_total{code="overloaded"}'
    before, rejected = _count(strict, series, default=0.0), 0
    pictures = {"inputs": [base64.b64encode(samples("cats_vs_dogs").inputs[0]).decode()] * 4}
    with ThreadPoolExecutor(8) as pool:
        while not rejected:
            answers = pool.map(
                lambda _: strict.post_json("/models/cats_vs_dogs", pictures, _KEY).status, range(16)
            )
            rejected += list(answers).count(429)
    assert _count(strict, series) == before + rejected
    assert _count(strict, "lectern_requests_in_flight_limit") == 1
    until(lambda: _count(strict, "lectern_requests_in_flight") == 0)


def test_errors_are_counted_by_their_code(server: Server) -> None:
    series = 'lectern_request_errors_total{code="damaged_image"}'
    server.ask("POST", "/models/mnist", b"no picture")
    before = _count(server, series)
    server.ask("POST", "/models/mnist", b"no picture")
    server.ask("GET", "/models")
    assert _count(server, series) == before + 1
