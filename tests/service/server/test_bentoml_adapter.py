"""The end and the accidents of a server: a graceful stop, callers who hang up, a killed worker."""

import os
import re
import signal
from collections.abc import Callable
from typing import Any

Server = Any
StartServer = Callable[..., Any]
Until = Callable[..., Any]


def test_on_sigterm_what_is_in_flight_is_answered_and_new_work_is_sent_away(
    start_server: StartServer, digit_png: bytes, read_answer: Callable[..., Any], until: Until
) -> None:
    with start_server() as server:
        in_flight = server.begin("/models/mnist", digit_png, sent=20)
        gone = server.begin("/models/mnist", digit_png, sent=20)
        server.ask("GET", "/models")
        gone.close()
        server.process.send_signal(signal.SIGTERM)
        draining = until(lambda: (answer := server.ask("GET", "/readyz")).status == 503 and answer)
        assert draining.json()["code"] == "not_ready"
        refused = server.ask("POST", "/models/mnist", digit_png)
        assert refused.status == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert server.ask("GET", "/livez").status == 200
        in_flight.sendall(digit_png[20:])
        answer = read_answer(in_flight)
        assert (answer.status, len(answer.json())) == (200, 10)
        # Had the caller who hung up left anything behind, this would take until the deadline of 30 s.
        assert server.process.wait(15) == 0
    assert "Traceback" not in server.log()


def test_two_workers_share_the_work_and_a_killed_one_is_replaced(
    start_server: StartServer, digit_png: bytes, until: Until
) -> None:
    with start_server(WORKERS="2") as server:
        first = until(lambda: len(pids := server.workers()) == 2 and pids)
        answers = [server.ask("POST", "/models/mnist", digit_png) for _ in range(40)]
        assert {answer.status for answer in answers} == {200}
        # Each worker counts for itself, and adds up for a moment; whichever is asked must tell the sum.
        until(lambda: _count(server, 'lectern_predictions_total{model="mnist"}') == 40)
        sums = [_count(server, 'lectern_predictions_total{model="mnist"}') for _ in range(10)]
        assert sums == [40.0] * 10
        waiting = [server.begin("/models/mnist", digit_png, sent=20) for _ in range(8)]
        until(lambda: _count(server, "lectern_requests_in_flight") == 8)
        os.kill(first[0], signal.SIGKILL)
        until(lambda: len(pids := server.workers()) == 2 and first[0] not in pids)
        until(lambda: server.ask("POST", "/models/mnist", digit_png).status == 200)
        assert first[1] in server.workers()
        for connection in waiting:
            connection.close()
        until(lambda: _count(server, "lectern_requests_in_flight") == 0)


def _count(server: Server, series: str) -> float:
    text = server.ask("GET", "/metrics").body.decode()
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    assert found, text
    return float(found[1])
