"""Requests are refused when those before them wait too long."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from service.server.execution.waiting import WaitingWork, WaitLimit
from service.server.pipeline.errors import RequestError


def test_requests_are_refused_if_many_wait_and_take_too_long() -> None:
    limit = WaitLimit(2, seconds=1.0)
    limit.check(2, work_s=100)  # a few large ones
    limit.check(100, work_s=2)
    with pytest.raises(RequestError, match=r"3 requests wait, for about 1\.5 s") as refused:
        limit.check(3, work_s=3)
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})


def test_work_counts_until_it_starts_and_its_time_is_measured() -> None:
    work = WaitingWork(WaitLimit(1, seconds=1e-9))
    first, second, _ = [work.add() for _ in range(3)]
    assert work.run(first, lambda: sum(range(1000))) == 499_500
    with pytest.raises(RequestError):
        work.add()
    work.remove(first)
    work.remove(second)
    work.add()


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
