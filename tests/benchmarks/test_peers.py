"""Tests the computations of ``./run bench peers``, and its parts on small loads."""

import http.server
import math
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import psutil
import pytest
from click.testing import CliRunner
from peers import readme
from peers.baseline import BaselineResult, measure
from peers.chart import draw, svg
from peers.command import peers
from peers.environment import build
from peers.errors import BenchmarkError, PeerError
from peers.fixed_rate import FixedRateResult, complete_status, run_at_fixed_rate
from peers.processes import RunningSystem, family, free_port
from peers.protocols import Digits, Payload, empty
from peers.report import baseline_ratio, markdown, median_rates, overhead_ms, rate_ratio, tail_ratio, targets
from peers.results import (
    BaselineKey,
    LoadKey,
    Results,
    SystemInfo,
    describe_machine,
    merge,
    read_results,
)
from peers.runner import Plan
from peers.systems import MODEL, all_systems
from peers.wrk import LoadResult, parse

_ROOT = Path(__file__).resolve().parents[2]


def _load(rate: float, *, p50_ms: float = 1.0, failed: float = 0.0) -> LoadResult:
    return LoadResult(
        requests=100, rate=rate, failed=failed, p50_ms=p50_ms, p99_ms=4.0, max_ms=9.0, cpu_us=250.0
    )


@pytest.fixture
def results() -> Results:
    """Two rounds; the machine has half its speed in the second."""
    return Results(
        machine="a machine",
        dates=["2026-01-02"],
        seconds=2,
        systems={
            "lectern": SystemInfo("Lectern, 2 worker(s)", 2, (3.5,), (200.0,)),
            "bentoml": SystemInfo("BentoML, tutorial", 2, (6.0,)),
        },
        skipped={"triton": "no such Python"},
        loads={
            LoadKey("lectern", "png", 16): [_load(3000.0), _load(1500.0)],
            LoadKey("bentoml", "png", 16): [_load(200.0), _load(100.0, failed=0.005)],
            LoadKey("lectern", "png", 1): [_load(1000.0, p50_ms=0.5), _load(500.0, p50_ms=0.9)],
            LoadKey("lectern", "oip-binary-64", 16): [_load(90.0), _load(45.0)],
        },
        fixed_rates={"png": [FixedRateResult(1500.0, 0.0, 1.0, 3.0), FixedRateResult(750.0, 0.0, 1.0, 7.0)]},
        baselines={
            BaselineKey("mnist", 1, 1): [BaselineResult(0.1, 10_000.0), BaselineResult(0.2, 5_000.0)],
            BaselineKey("mnist", 64, 2): [BaselineResult(4.0, 6_400.0), BaselineResult(8.0, 3_200.0)],
        },
    )


def test_a_ratio_compares_the_same_round(results: Results) -> None:
    assert rate_ratio(results, LoadKey("lectern", "png", 16), LoadKey("bentoml", "png", 16)) == 15.0


def test_without_a_measurement_there_is_no_ratio(results: Results) -> None:
    assert rate_ratio(results, LoadKey("lectern", "png", 16), LoadKey("triton", "png", 16)) is None
    assert tail_ratio(results, "oip-binary") is None


def test_ratios_to_the_baseline(results: Results) -> None:
    ratio = baseline_ratio(
        results, LoadKey("lectern", "oip-binary-64", 16), BaselineKey("mnist", 64, 2), pictures=64
    )
    assert ratio == pytest.approx(0.9)
    assert overhead_ms(results, "png") == pytest.approx((0.4 + 0.7) / 2)
    assert tail_ratio(results, "png") == 5.0


def test_a_target_is_met_or_missed(results: Results) -> None:
    rows = {row.text: row for row in targets(results)}
    first = rows["one PNG, requests/s against BentoML, tutorial"]
    assert (first.required, first.shown, first.met) == ("≥ 10 ×", "15.0 ×", True)
    tail = rows["99th percentile over median at half the highest rate, one PNG"]
    assert (tail.required, tail.shown, tail.met) == ("≤ 5 ×", "5.00 ×", True)
    missing = rows["one PNG, requests/s against litserve"]
    assert (missing.value, missing.shown, missing.met) == (None, "–", False)


def test_the_report_has_medians_spreads_failures_and_skipped_systems(results: Results) -> None:
    text = markdown(results)
    assert "| 2,250 (1,500–3,000) |" in text
    assert "| 250 µs | 0.5% | 15.00 |" in text
    assert "Skipped: triton (no such Python)." in text
    for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.strip().splitlines()}) == 1


def test_results_are_restored_from_json(results: Results, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(results.to_json(), encoding="utf-8")
    assert read_results(path) == results


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"machine": "x"}'])
def test_the_error_names_a_file_that_is_no_result(text: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(text)
    with pytest.raises(BenchmarkError, match=r"run\.json"):
        read_results(path)


def test_runs_are_merged_round_by_round(results: Results) -> None:
    later = replace(results, dates=["2026-01-03"])
    merged = merge([results, later])
    assert merged.dates == ["2026-01-02", "2026-01-03"]
    assert [load.rate for load in merged.loads[LoadKey("bentoml", "png", 16)]] == [200.0, 100.0, 200.0, 100.0]
    assert merged.systems["lectern"].ready_s == (3.5, 3.5)
    assert len(merged.baselines[BaselineKey("mnist", 1, 1)]) == 4
    assert len(results.loads[LoadKey("bentoml", "png", 16)]) == 2


def test_runs_of_different_machines_are_not_merged(results: Results) -> None:
    with pytest.raises(BenchmarkError, match="different machines"):
        merge([results, replace(results, machine="another")])


def test_a_system_with_failures_has_no_ratio(results: Results) -> None:
    key = LoadKey("bentoml", "png", 16)
    results.loads[key] = [_load(200.0), _load(100.0, failed=0.02)]
    assert rate_ratio(results, LoadKey("lectern", "png", 16), key) is None
    assert "| 250 µs | 2.0% | – |" in markdown(results)
    assert [title for title, _ in median_rates(results, "png")] == ["Lectern, 2 worker(s)"]


def test_a_system_that_fails_with_other_numbers_of_connections_has_no_ratio(results: Results) -> None:
    results.loads[LoadKey("bentoml", "png", 64)] = [_load(200.0, failed=1.0)]
    assert "| 250 µs | 100.0% | – |" in markdown(results)


def test_the_chart_shows_the_rates(results: Results) -> None:
    (axes,) = draw(results).axes
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == [2250.0, 150.0]
    root = ElementTree.fromstring(svg(results))
    texts = ["".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"2,250", "150", "BentoML, tutorial"} <= set(texts)


def test_the_same_results_give_the_same_chart(results: Results) -> None:
    assert svg(results) == svg(results)


def test_the_output_of_wrk_is_parsed() -> None:
    load = parse("Running 2s test\nlectern-bench 1000 2000000 40 10 1500.5 2500.0 9000.0\n")
    assert load == LoadResult(1000, 480.0, 50 / 1010, 1.5005, 2.5, 9.0)


def test_a_run_without_any_response_has_failed() -> None:
    load = parse("lectern-bench 0 2000000 0 0 0.0 0.0 0.0\n")
    assert (load.rate, load.failed) == (0.0, 1.0)


def test_output_without_a_result_is_an_error() -> None:
    with pytest.raises(BenchmarkError, match="unable to connect"):
        parse("unable to connect to 127.0.0.1:1 Connection refused\n")


@pytest.mark.parametrize(
    ("got", "status"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200),
        (b"HTTP/1.1 429 Too Many\r\ncontent-length: 0\r\n\r\n", 429),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", None),
        (b"HTTP/1.1 200 OK\r\nContent-Le", None),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", None),
    ],
)
def test_a_response_is_complete_or_not(got: bytes, status: int | None) -> None:
    assert complete_status(got) == status


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    requests = 0

    def do_POST(self) -> None:
        type(self).requests += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if self.headers["X-Kind"] == "good" else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends a body back, with status 500 unless a header marks it as good."""
    _Handler.requests = 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_requests_are_sent_at_the_given_rate(echo: int) -> None:
    post = Payload(b"body", (("X-Kind", "good"),), 1, bool)
    result = run_at_fixed_rate(echo, "/", post, rate=100, seconds=0.5)
    assert _Handler.requests == 50
    assert result.failed == 0.0
    assert 0 < result.p50_ms <= result.p99_ms < 2000


def test_error_responses_are_failures(echo: int) -> None:
    result = run_at_fixed_rate(
        echo, "/", Payload(b"body", (("X-Kind", "bad"),), 1, bool), rate=50, seconds=0.2
    )
    assert (result.failed, result.p50_ms) == (1.0, math.inf)


def test_the_baseline_is_measured_in_several_processes() -> None:
    limit = measure(MODEL, batch=2, processes=2, seconds=0.05)
    assert limit.call_ms > 0
    assert limit.rate > 0


def test_responses_of_every_protocol_are_checked() -> None:
    digits = Digits.load()
    label, wrong = int(digits.labels[0]), int(digits.labels[0] + 1) % 10
    png = digits.png()
    for right in (
        f'[{{"label": "{label}", "score": 0.9}}]',
        f'{{"{label}": 0.9, "{wrong}": 0.1}}',
        f'[{{"{label}": 0.9, "{wrong}": 0.1}}]',
        f'{{"label": {label}, "scores": []}}',
    ):
        assert png.is_correct(right.encode())
    assert not png.is_correct(f'{{"{wrong}": 0.9, "{label}": 0.1}}'.encode())
    scores = [float(index == label) for index in range(10)]
    assert digits.oip_json().is_correct(f'{{"outputs": [{{"data": {scores}}}]}}'.encode())
    assert not digits.oip_json().is_correct(f'{{"outputs": [{{"data": {scores[::-1]}}}]}}'.encode())


def test_a_binary_tensor_follows_its_json() -> None:
    digits = Digits.load()
    post = digits.oip_binary(64)
    rows = np.eye(10, dtype="<f4")[digits.labels[:64]]
    head = b'{"outputs": [{"name": "probabilities", "shape": [64, 10]}]}'
    assert post.is_correct(head + rows.tobytes())
    assert not post.is_correct(head + rows[::-1].tobytes())
    assert empty().is_correct(b"ok\n")


def test_every_peer_has_pinned_packages_and_a_script() -> None:
    folder = _ROOT / "tests" / "benchmarks" / "peers"
    for system in all_systems().values():
        if not system.environment:
            continue
        pins = (folder / "requirements" / f"{system.environment}.txt").read_text()
        packages = [line for line in pins.splitlines() if not line.startswith("#")]
        assert packages
        assert [line for line in packages if "==" not in line] == []
        assert (folder / "servers" / f"{system.environment}_server.py").exists()


def test_the_error_says_why_a_peer_cannot_be_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("peers.environment._PYTHONS", {"triton": str(tmp_path / "python3.11")})
    with pytest.raises(PeerError, match=r"triton needs .*apt-get install"):
        build("triton", tmp_path)


def test_ports_and_processes(tmp_path: Path) -> None:
    assert 1024 <= free_port() <= 65533
    command = [sys.executable, "-c", "input()", "--slot"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        assert child.pid in {process.pid for process in family(psutil.Process())}
        system = all_systems()["lectern"]
        running = RunningSystem(system, 1, psutil.Process(child.pid), 0.0, tmp_path / "log")
        assert running.worker_memory_mb()[0] > 0.1
        assert running.cpu_s() >= 0
    assert running.processes() == []


def test_the_machine_is_described() -> None:
    assert re.search(r", \d+ cores, \d+ GB, Linux", describe_machine())


@pytest.mark.parametrize("words", [(), ("--help",), ("peers", "--help")])
def test_help(words: tuple[str, ...]) -> None:
    done = _bench(*words)
    assert "./run bench" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--only", "nginx"), "there is no system 'nginx'"),
        (("--readme",), "--readme needs"),
        (("run.json",), "run.json: files are read with --readme only"),
        (("--readme", "nowhere.json"), "nowhere.json: cannot be read"),
    ],
)
def test_a_wrong_option_is_one_line(words: tuple[str, ...], says: str) -> None:
    done = _bench("peers", *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_wrk_the_command_says_how_to_get_it() -> None:
    done = _bench("peers", PATH="")
    assert done.returncode == 2
    assert "apt-get install wrk" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_closed_terminal_stops_the_servers(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = []

    def run(plan: Plan, **others: object) -> None:
        try:
            signal.raise_signal(number)
            stopped.append("too late")
        finally:
            stopped.extend(plan.names)

    monkeypatch.setattr("peers.command.run", run)
    before = {one: signal.getsignal(one) for one in (signal.SIGHUP, signal.SIGTERM)}
    signal.signal(number, signal.SIG_IGN)  # so that a mistake does not end the tests
    try:
        result = CliRunner().invoke(peers, ["--only", "lectern"])
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)

    assert stopped == ["lectern"]
    assert result.exit_code == 1


def test_the_readme_shows_the_committed_results() -> None:
    text = readme.README.read_text(encoding="utf-8")
    assert f"<!-- speed -->\n{readme.section()}\n<!-- /speed -->" in text
    assert readme.CHART.read_text(encoding="utf-8") == svg(read_results(readme.RESULTS))


def test_the_readme_is_written(results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- speed -->\nold\n<!-- /speed -->\nafter\n", encoding="utf-8")
    monkeypatch.setattr(readme, "README", page)
    monkeypatch.setattr(readme, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(readme, "CHART", tmp_path / "chart.svg")
    readme.write(results)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- speed -->\na machine; 2026-01-02;")
    assert text.endswith("(chart.svg)\n<!-- /speed -->\nafter\n")


def _bench(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(_ROOT / "tests" / "benchmarks"), *words],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
