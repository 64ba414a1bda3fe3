"""Tests what the faults benchmark computes and stores, and that its client hides no failure or latency."""

import asyncio
import http.server
import io
import itertools
import json
import math
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner
from faults import report
from faults.bench import until
from faults.client import Call, Client, Exchange, Response, connect, is_closed
from faults.command import faults
from faults.load import (
    at_full_speed,
    at_rate,
    capacity,
    count_expected,
    failed_requests,
    failures,
    latency_ms,
    lateness_ms,
    quantile,
)
from faults.payloads import damaged_picture, mixed, photo, upload
from faults.proxy import Proxy, configuration, haproxy, status
from faults.results import Results, Row, at_most, not_measured, read_results
from faults.runner import SCENARIOS
from faults.scenarios import overload, soak
from faults.servers import Figures, memory_limit_mb, parse_memory_mb
from peers.errors import BenchmarkError
from peers.protocols import Payload
from PIL import Image, UnidentifiedImageError

_ROOT = Path(__file__).resolve().parents[2]
_ECHO = Call("echo", "/", Payload(b"body", (), 1, lambda body: body == b"body"))


def _exchange(
    latency: float = 0.1, status: int = 200, *, due: float = 0.0, late: float = 0.0, retry_after: bool = False
) -> Exchange:
    return Exchange(
        name="photo",
        due=due,
        sent=due + late,
        ended=due + latency,
        status=status,
        expected=status == 200,
        retry_after=retry_after,
        error="" if status else "ConnectionError",
    )


@pytest.fixture
def results() -> Results:
    """Three promises: kept, not kept, not measured."""
    rows = [
        at_most("latency", 12.34, 50, "ms", digits=1),
        at_most("lost requests", 3, 0),
        not_measured("copies", "0", "HAProxy is not installed"),
    ]
    return Results("a machine", "2026-01-02", True, {"overload": rows[:2], "rolling restart": rows[2:]})


def test_a_row_compares_a_figure_with_its_bound() -> None:
    assert at_most("latency", 12.34, 50, "ms", digits=1) == Row("latency", "≤ 50 ms", "12.3 ms", True)
    assert at_most("lost", 0, 0) == Row("lost", "0", "0", True)
    assert at_most("memory", 3000.0, 1074, "MB") == Row("memory", "≤ 1,074 MB", "3,000 MB", False)


@pytest.mark.parametrize(("value", "text"), [(math.nan, "none"), (math.inf, "never")])
def test_a_figure_that_was_not_reached_misses_its_bound(value: float, text: str) -> None:
    assert at_most("latency", value, 50, "ms") == Row("latency", "≤ 50 ms", text, False)
    assert at_most("latency", value, 50, note="2 of 3").measured == f"{text} (2 of 3)"


def test_the_table_shows_each_promise(results: Results) -> None:
    lines = report.markdown(results).splitlines()
    assert lines[0].startswith("a machine; 2026-01-02; the short form.")
    assert lines[4:] == [
        "| overload | latency | ≤ 50 ms | 12.3 ms | met |",
        "| overload | lost requests | 0 | 3 | missed |",
        "| rolling restart | copies | 0 | HAProxy is not installed | – |",
    ]
    assert results.missed == 1


def test_results_are_stored_and_read(results: Results, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(results.to_json(), encoding="utf-8")
    assert read_results(path) == results


@pytest.mark.parametrize("text", ["", "[]", '{"scenarios": {}}', '{"scenarios": {"overload": [{"x": 1}]}}'])
def test_another_file_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(BenchmarkError, match=r"other\.json: is not a result"):
        read_results(path)


def test_the_readme_shows_the_committed_results() -> None:
    text = report.README.read_text(encoding="utf-8")
    assert f"<!-- faults -->\n{report.section()}\n<!-- /faults -->" in text
    assert set(read_results(report.RESULTS).scenarios) == set(SCENARIOS)


def test_the_readme_is_written(results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- faults -->\nold\n<!-- /faults -->\nafter\n", encoding="utf-8")
    monkeypatch.setattr(report, "README", page)
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results.json")
    report.write(results)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- faults -->\na machine; 2026-01-02;")
    assert text.endswith("| – |\n<!-- /faults -->\nafter\n")


def test_a_readme_without_a_place_is_an_error(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "README.md"
    page.write_text("no place\n", encoding="utf-8")
    monkeypatch.setattr(report, "README", page)
    with pytest.raises(BenchmarkError, match="lacks the lines"):
        report.write(results)


def test_a_quantile_is_a_measured_value() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1.0)) == (50.0, 99.0, 100.0)
    assert quantile([7.0], 0.5) == 7.0
    assert math.isnan(quantile([], 0.99))


def test_a_latency_counts_from_the_time_when_the_request_was_due() -> None:
    exchanges = [_exchange(0.3, late=0.2)]
    assert latency_ms(exchanges, 0.5) == pytest.approx(300)
    assert lateness_ms(exchanges) == pytest.approx(200)


def test_failures_are_counted_by_their_kind() -> None:
    exchanges = [_exchange(), *[_exchange(status=503)] * 2, *[_exchange(status=0)] * 3]
    assert failures(exchanges) == "3 × photo: ConnectionError, 2 × photo: 503"
    assert count_expected(exchanges) == 1
    row = failed_requests("failed", exchanges)
    assert (row.measured, row.met) == (f"5 (of 6: {failures(exchanges)})", False)
    assert failed_requests("failed", [_exchange()]) == Row("failed", "0", "0 (of 1)", True)


def test_overload_compares_with_half_load() -> None:
    usual = [_exchange(0.1)] * 100
    during = [_exchange(0.2)] * 10 + [_exchange(0.01, 429, retry_after=True)] * 90
    rows = overload.rows(usual, during, usual, [200.0, 202.0, 203.0, 201.0], rate=50)
    assert [row.measured.partition(" (")[0] for row in rows] == [
        "2.0 ×",
        "10 ms",
        "0",
        "0.5 %",
        "1.00 ×",
        "0.0 ms",
    ]
    assert all(row.met for row in rows)


def test_overload_misses_its_promises() -> None:
    usual = [_exchange(0.1)] * 100
    during = [_exchange(0.4, late=0.1), _exchange(0.2, 429, retry_after=True), _exchange(status=429)]
    during += [_exchange(status=503), _exchange(status=0)]
    rows = overload.rows(usual, during, [_exchange(0.2)], [200.0, 300.0], rate=50)
    assert not any(row.met for row in rows)
    assert rows[2].measured == "3 (1 × photo: 429, 1 × photo: 503, 1 × photo: ConnectionError)"


def test_a_server_that_answers_nothing_misses_every_promise() -> None:
    rows = overload.rows([], [], [], [], rate=50)
    assert [row.met for row in rows] == [False, False, True, True, False, False]


def test_growth_compares_the_ends_of_the_samples() -> None:
    samples = [Figures(200.0 + index / 10, 10, 20, 5) for index in range(100)]
    memory, *others = soak.growth_rows(samples, max_memory=1.0)
    assert (memory.measured, memory.met) == ("4.0 %", False)
    assert [row.measured for row in others] == ["0", "0", "0"]


def test_memory_of_a_moment_is_no_growth() -> None:
    samples = [Figures(200.0 + (index % 4) * (10 + index), 10, 20, 5) for index in range(100)]
    memory, *_ = soak.growth_rows(samples, max_memory=1.0)
    assert (memory.measured, memory.met) == ("0.0 %", True)


def test_growth_of_a_count_is_a_miss() -> None:
    samples = [Figures(200.0, 10 + index // 5, 20 - index // 5, 5) for index in range(10)]
    memory, threads, descriptors, files = soak.growth_rows(samples, max_memory=1.0)
    assert (memory.met, threads.met, descriptors.met, files.met) == (True, False, True, True)


@pytest.mark.parametrize(("text", "size"), [("1Gi", 1073.741824), ("512Mi", 536.870912), ("2G", 2000.0)])
def test_quantities_of_memory(text: str, size: float) -> None:
    assert parse_memory_mb(text) == pytest.approx(size)


def test_the_memory_limit_is_that_of_the_manifest() -> None:
    assert 256 < memory_limit_mb() < 16_000


def test_payloads_are_what_they_claim_to_be() -> None:
    with Image.open(io.BytesIO(photo().payload.body)) as picture:
        assert picture.size == (1600, 1200)
    assert 14e6 < len(upload(form=False).payload.body) < 16e6
    assert len(upload(form=True).payload.body) < 16e6
    with Image.open(io.BytesIO(upload(form=False).payload.body)) as picture:
        picture.load()
    assert {call.status for call in mixed()} == {200, 400, 404, 422}


def test_the_damaged_picture_is_small_and_cannot_be_decoded() -> None:
    body = damaged_picture().payload.body
    assert len(body) < 200_000
    with Image.open(io.BytesIO(body)) as picture:
        assert picture.width * picture.height == 40_000_000
        with pytest.raises((OSError, UnidentifiedImageError)):
            picture.load()


def test_the_status_of_a_server_in_haproxy() -> None:
    table = "# pxname,svname,status,\nlectern,lectern-80,UP,\nlectern,lectern-81,DOWN,\n"
    assert [status(table, port) for port in (80, 81, 82)] == ["UP", "DOWN", ""]


def test_the_configuration_names_every_server() -> None:
    text = configuration(Proxy(3000, Path("control")), [3001, 3002])
    assert "bind 127.0.0.1:3000" in text
    assert "    server lectern-3001 127.0.0.1:3001\n    server lectern-3002 127.0.0.1:3002\n" in text


def test_without_haproxy_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faults.proxy.shutil.which", lambda name, path=None: None)
    with pytest.raises(BenchmarkError, match="apt-get install haproxy"), haproxy([1], tmp_path):
        pass


def test_a_haproxy_that_ends_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faults.proxy.shutil.which", lambda name, path=None: sys.executable)
    with pytest.raises(BenchmarkError, match=r"does not start; see .*haproxy\.log"), haproxy([1], tmp_path):
        pass


def test_until_waits_for_a_condition() -> None:
    assert asyncio.run(until(lambda: True, seconds=1)) < 1
    assert asyncio.run(until(lambda: False, seconds=0.01)) == math.inf


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections: ClassVar[set[object]] = set()
    pause_s = 0.0

    def do_POST(self) -> None:
        type(self).connections.add(self.client_address)
        time.sleep(self.pause_s)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/drop":
            self.close_connection = True
            return
        self.send_response(429 if self.path == "/busy" else 200)
        self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(len(body)))
        if self.path == "/last":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends a body back."""
    _Handler.connections, _Handler.pause_s = set(), 0.0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def _send(port: int, *calls: Call, connections: int = 1) -> list[Exchange]:
    async def send() -> list[Exchange]:
        client = Client(port, connections=connections, timeout_s=20)
        exchanges = [await client.send(call) for call in calls]
        client.close()
        return exchanges

    return asyncio.run(send())


@pytest.mark.parametrize("connections", [1, 3])
def test_the_client_keeps_its_connections(echo: int, connections: int) -> None:
    exchanges = _send(echo, *[_ECHO] * 6, connections=connections)
    assert [one.expected for one in exchanges] == [True] * 6
    assert len(_Handler.connections) == connections


def test_the_client_leaves_a_connection_that_the_server_closes(echo: int) -> None:
    exchanges = _send(echo, replace(_ECHO, path="/last"), _ECHO)
    assert [one.expected for one in exchanges] == [True, True]
    assert len(_Handler.connections) == 2


def test_the_client_does_not_retry(echo: int) -> None:
    dropped, other = _send(echo, replace(_ECHO, path="/drop"), _ECHO)
    assert (dropped.status, dropped.expected, dropped.error) == (
        0,
        False,
        "ConnectionError the server disconnected",
    )
    assert other.expected


def test_a_response_that_is_not_the_expected_one(echo: int) -> None:
    busy, other = _send(
        echo, replace(_ECHO, path="/busy"), replace(_ECHO, payload=replace(_ECHO.payload, body=b"x"))
    )
    assert (busy.status, busy.retry_after, busy.expected) == (429, True, False)
    assert (other.status, other.expected) == (200, False)


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    (exchange,) = _send(port, _ECHO)
    assert (exchange.status, exchange.expected) == (0, False)
    assert "Refused" in exchange.error


def test_a_response_in_pieces_is_complete_at_its_end() -> None:
    response = Response()
    for piece in (b"HTTP/1.1 429 Too Many\r\nRetry-", b"After: 1\r\nContent-Length: 2\r\n\r\no"):
        response.feed(piece)
        assert response.status == 0
    response.feed(b"k")
    assert (response.status, response.headers["retry-after"], bytes(response.body)) == (429, "1", b"ok")
    assert response.keep_alive


def test_a_connection_that_the_other_side_has_closed() -> None:
    async def check() -> tuple[bool, bool]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            connection = await connect(listener.getsockname()[1])
            accepted, _ = listener.accept()
            before = is_closed(connection)
            accepted.close()
            await until(lambda: is_closed(connection), seconds=20)
            after = is_closed(connection)
            connection.close()
            return before, after

    assert asyncio.run(check()) == (False, True)


def test_requests_are_sent_when_they_are_due(echo: int) -> None:
    # Each response takes as long as ten requests: a client that waits for responses would send fewer.
    _Handler.pause_s = 0.2

    async def load() -> list[Exchange]:
        client = Client(echo, timeout_s=20)
        exchanges = await at_rate(client, [_ECHO], rate=50, seconds=1.0)
        client.close()
        return exchanges

    exchanges = asyncio.run(load())
    assert len(exchanges) >= 50
    dues = sorted(one.due for one in exchanges)
    assert [after - before for before, after in itertools.pairwise(dues)] == pytest.approx(
        [0.02] * (len(dues) - 1), abs=1e-6
    )
    assert latency_ms(exchanges, 0.5) >= 200
    assert failures(exchanges) == ""


def test_the_capacity_counts_expected_responses(echo: int) -> None:
    assert asyncio.run(capacity(echo, [replace(_ECHO, path="/busy")], seconds=0.2)) == 1.0
    exchanges = asyncio.run(at_full_speed(echo, [_ECHO], connections=2, seconds=0.2))
    assert count_expected(exchanges) == len(exchanges) > 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--only", "fire"), "there is no scenario 'fire'; choose from overload"),
        (("run.json",), "run.json: a file is read with --readme only"),
        (("--readme", "nowhere.json"), "nowhere.json: cannot be read"),
        (("--readme", "--only", "soak"), "--readme needs all scenarios"),
    ],
)
def test_a_wrong_option_is_one_line(words: tuple[str, ...], says: str) -> None:
    done = CliRunner().invoke(faults, words)
    assert done.exit_code == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.bench
@pytest.mark.timeout(1200)
def test_the_short_form_measures_every_scenario(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(_ROOT / "tests" / "benchmarks"),
        "faults",
        "--short",
        "--out",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    measured = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert set(measured["scenarios"]) == set(SCENARIOS)
    assert all(measured["scenarios"].values())
    missed = [row for rows in measured["scenarios"].values() for row in rows if row["met"] is False]
    assert missed == []
