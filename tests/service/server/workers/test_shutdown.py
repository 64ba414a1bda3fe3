"""A server that ends loses no request: it drains first, and its running requests end."""

import http.client
import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import psutil
import pytest

Server = Any
StartServer = Callable[..., Any]
Until = Callable[..., Any]

_PROBES = ("/readyz", "/v2/health/ready", "/v2/models/mnist/ready")


def _ask(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> Any:
    connection.request(method, path, body)
    response = connection.getresponse()
    response.read()
    return response


def test_after_sigterm_everything_is_answered_for_a_while_but_the_readiness_probes(
    start_server: StartServer, digit_png: bytes, read_answer: Callable[..., Any], until: Until
) -> None:
    with start_server(DRAIN_S="2") as server:
        in_flight = server.begin("/models/mnist", digit_png, sent=20)
        disconnected = server.begin("/models/mnist", digit_png, sent=20)
        server.ask("GET", "/models")
        disconnected.close()
        kept = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=30) for _ in range(3)]
        for connection in kept:
            assert _ask(connection, "POST", "/models/mnist", digit_png).headers["Connection"] is None
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.ask("GET", "/readyz").status == 503)
        assert {server.ask("GET", path).json()["code"] for path in _PROBES} == {"not_ready"}
        # An open connection and a new one, on the fast path and through ASGI.
        for connection, method, path in zip(
            kept[:2], ("POST", "GET"), ("/models/mnist", "/models"), strict=True
        ):
            body = digit_png if method == "POST" else None
            for _ in range(2):
                answer = _ask(connection, method, path, body)
                assert (answer.status, answer.headers["Connection"]) == (200, "close")
        assert server.ask("GET", "/livez").status == 200
        assert kept[2].sock.recv(1) == b""  # It was idle, and is closed when the server stops listening.
        in_flight.sendall(digit_png[20:])
        answer = read_answer(in_flight)
        assert (answer.status, len(answer.json())) == (200, 10)
        # A request that its client left unfinished would hold the server until the deadline of 30 s.
        assert server.process.wait(15) == 0
        for connection in kept:
            connection.close()
    assert "Traceback" not in server.log()


def test_a_request_that_is_still_on_its_way_at_the_end_gets_an_error_response(
    start_server: StartServer, read_answer: Callable[..., Any]
) -> None:
    with start_server(TIMEOUT_S="1") as server:
        connection = server.begin("/models/mnist", bytes(1_000_000), sent=1_000)
        server.ask("GET", "/models")
        server.process.send_signal(signal.SIGTERM)
        answer = read_answer(connection)
        assert (answer.status, answer.json()["code"]) == (503, "not_ready")
        assert server.process.wait(15) == 0
    assert "Traceback" not in server.log()


def test_a_restart_behind_a_proxy_loses_no_request(
    start_server: StartServer, server: Server, digit_png: bytes, until: Until
) -> None:
    counts: Counter[str] = Counter()
    with start_server(DRAIN_S="2") as restarted:
        ready, end = {restarted.port, server.port}, threading.Event()

        def check() -> None:
            """Use the servers that say that they are ready, as a proxy does."""
            while not end.wait(0.2):
                for each in (restarted, server):
                    status = 0
                    with suppress(OSError):
                        status = each.ask("GET", "/readyz").status
                    (ready.add if status == 200 else ready.discard)(each.port)

        def send() -> None:
            """Send requests over kept connections, and repeat none."""
            connections = {port: http.client.HTTPConnection("127.0.0.1", port, timeout=20) for port in ready}
            while not end.wait(0.001):
                for port in tuple(ready):
                    try:
                        counts[str(_ask(connections[port], "POST", "/models/mnist", digit_png).status)] += 1
                    except (OSError, http.client.HTTPException) as error:
                        counts[repr(error)] += 1
                        connections[port].close()
            for connection in connections.values():
                connection.close()

        threads = [threading.Thread(target=work) for work in (check, send, send, send)]
        for thread in threads:
            thread.start()
        try:
            until(lambda: counts.total() > 100)  # before the restart
            restarted.process.send_signal(signal.SIGTERM)
            restarted.process.wait(30)
            before = counts.total()
            until(lambda: counts.total() > before + 100)  # and after it
        finally:
            end.set()
        for thread in threads:
            thread.join()
    assert set(counts) == {"200"}, counts


def test_a_second_signal_ends_the_server_quickly(
    start_server: StartServer, digit_png: bytes, until: Until
) -> None:
    with start_server(DRAIN_S="60") as server:
        (worker,) = server.workers()
        with closing(server.begin("/models/mnist", digit_png, sent=20)):
            os.kill(worker, signal.SIGTERM)
            until(lambda: server.ask("GET", "/readyz").status == 503)
            os.kill(worker, signal.SIGINT)
            until(lambda: worker not in server.workers(), seconds=15)
        # The replacement of this worker would drain for a minute.
        parent = psutil.Process(server.process.pid)
        parent.suspend()
        for process in (*parent.children(recursive=True), parent):
            process.kill()
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_all_processes_is_not_a_second_one(
    start_server: StartServer, digit_png: bytes, read_answer: Callable[..., Any], number: signal.Signals
) -> None:
    # systemd sends a signal to each process of a service, and the supervisor passes it on.
    with start_server(DRAIN_S="4") as server:
        in_flight = server.begin("/models/mnist", digit_png, sent=20)
        server.ask("GET", "/models")
        for process in (server.process.pid, *server.workers()):
            os.kill(process, number)
        with suppress(subprocess.TimeoutExpired):
            server.process.wait(2)  # After a second signal, requests have one more second.
        if number == signal.SIGTERM:
            assert server.ask("POST", "/models/mnist", digit_png).status == 200
        in_flight.sendall(digit_png[20:])
        assert read_answer(in_flight).status == 200
        assert server.process.wait(15) == 0
    assert "Traceback" not in server.log()
