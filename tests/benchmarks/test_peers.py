"""The benchmark of peers reckons rightly; what it measures is seen only where it is run."""

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
import pytest
from click.testing import CliRunner
from peers import readme
from peers.chart import svg
from peers.command import peers
from peers.course import Plan
from peers.dialects import Digits, Post, nothing
from peers.environment import build
from peers.faults import BenchError, PeerError
from peers.figures import About, Bare, Cell, Figures, machine, merged, read_figures
from peers.limits import Limit, measure
from peers.load import Load, parse
from peers.pace import Paced, run_paced, whole_answer
from peers.report import added_ms, limit_ratio, markdown, measures, rate_ratio, tail_ratio
from peers.running import descendants, free_port, proportional_mb
from peers.systems import MODEL, all_systems

_ROOT = Path(__file__).resolve().parents[2]


def _load(rate: float, *, p50_ms: float = 1.0, failed: float = 0.0) -> Load:
    return Load(requests=100, rate=rate, failed=failed, p50_ms=p50_ms, p99_ms=4.0, max_ms=9.0, cpu_us=250.0)


@pytest.fixture
def figures() -> Figures:
    """Two rounds: in the second the whole machine was at half its speed."""
    return Figures(
        machine="a machine",
        dates=["2026-01-02"],
        seconds=2,
        systems={
            "lectern": About("Lectern, 2 worker(s)", 2, (3.5,), (200.0,)),
            "bentoml": About("BentoML, tutorial", 2, (6.0,)),
        },
        left_out={"triton": "no such Python"},
        loads={
            Cell("lectern", "png", 16): [_load(3000.0), _load(1500.0)],
            Cell("bentoml", "png", 16): [_load(200.0), _load(100.0, failed=0.25)],
            Cell("lectern", "png", 1): [_load(1000.0, p50_ms=0.5), _load(500.0, p50_ms=0.9)],
            Cell("lectern", "oip-binary-64", 16): [_load(90.0), _load(45.0)],
        },
        paces={"png": [Paced(1500.0, 0.0, 1.0, 3.0), Paced(750.0, 0.0, 1.0, 7.0)]},
        limits={
            Bare("mnist", 1, 1): [Limit(0.1, 10_000.0), Limit(0.2, 5_000.0)],
            Bare("mnist", 64, 2): [Limit(4.0, 6_400.0), Limit(8.0, 3_200.0)],
        },
    )


def test_a_ratio_is_of_rounds_that_were_measured_side_by_side(figures: Figures) -> None:
    assert rate_ratio(figures, Cell("lectern", "png", 16), Cell("bentoml", "png", 16)) == 15.0


def test_what_was_not_measured_has_no_ratio(figures: Figures) -> None:
    assert rate_ratio(figures, Cell("lectern", "png", 16), Cell("triton", "png", 16)) is None
    assert tail_ratio(figures, "oip-binary") is None


def test_ratios_to_the_bare_limit(figures: Figures) -> None:
    ratio = limit_ratio(figures, Cell("lectern", "oip-binary-64", 16), Bare("mnist", 64, 2), pictures=64)
    assert ratio == pytest.approx(0.9)
    assert added_ms(figures, "png") == pytest.approx((0.4 + 0.7) / 2)
    assert tail_ratio(figures, "png") == 5.0


def test_a_measure_says_whether_it_is_met(figures: Figures) -> None:
    rows = {row.text: row for row in measures(figures)}
    first = rows["one PNG, requests/s against BentoML, tutorial"]
    assert (first.required, first.shown, first.met) == ("≥ 10 ×", "15.0 ×", True)
    tail = rows["99th percentile over median at half the highest rate, one PNG"]
    assert (tail.required, tail.shown, tail.met) == ("≤ 5 ×", "5.00 ×", True)
    missing = rows["one PNG, requests/s against litserve"]
    assert (missing.value, missing.shown, missing.met) == (None, "not measured", False)


def test_the_report_has_medians_spreads_failures_and_what_was_left_out(figures: Figures) -> None:
    text = markdown(figures)
    assert "| 2,250 (1,500–3,000) |" in text
    assert "| 250 µs | 25.0% | 15.00 |" in text
    assert "Left out: triton (no such Python)." in text
    for table in re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.strip().splitlines()}) == 1


def test_figures_come_back_from_json(figures: Figures, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(figures.to_json(), encoding="utf-8")
    assert read_figures(path) == figures


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"machine": "x"}'])
def test_a_file_that_is_no_result_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(text)
    with pytest.raises(BenchError, match=r"run\.json"):
        read_figures(path)


def test_runs_are_put_together_round_by_round(figures: Figures) -> None:
    later = replace(figures, dates=["2026-01-03"])
    whole = merged([figures, later])
    assert whole.dates == ["2026-01-02", "2026-01-03"]
    assert [load.rate for load in whole.loads[Cell("bentoml", "png", 16)]] == [200.0, 100.0, 200.0, 100.0]
    assert whole.systems["lectern"].ready_s == (3.5, 3.5)
    assert len(whole.limits[Bare("mnist", 1, 1)]) == 4
    assert len(figures.loads[Cell("bentoml", "png", 16)]) == 2


def test_runs_of_different_machines_are_not_put_together(figures: Figures) -> None:
    with pytest.raises(BenchError, match="one machine only"):
        merged([figures, replace(figures, machine="another")])


def test_the_chart_is_a_picture_of_the_rates(figures: Figures) -> None:
    root = ElementTree.fromstring(svg(figures))
    words = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert words.index("2,250") < words.index("150")
    widths = [float(node.get("width", 0)) for node in root.iter("{http://www.w3.org/2000/svg}rect")][1:]
    assert widths[0] / widths[1] == pytest.approx(15.0, rel=1e-2)


def test_what_wrk_printed_is_read() -> None:
    load = parse("Running 2s test\nlectern-bench 1000 2000000 40 10 1500.5 2500.0 9000.0\n")
    assert load == Load(1000, 480.0, 50 / 1010, 1.5005, 2.5, 9.0)


def test_wrk_that_got_no_answer_at_all_has_failed() -> None:
    load = parse("lectern-bench 0 2000000 0 0 0.0 0.0 0.0\n")
    assert (load.rate, load.failed) == (0.0, 1.0)


def test_wrk_without_figures_is_a_fault() -> None:
    with pytest.raises(BenchError, match="unable to connect"):
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
def test_an_answer_is_whole_or_not_yet(got: bytes, status: int | None) -> None:
    assert whole_answer(got) == status


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked = 0

    def do_POST(self) -> None:
        type(self).asked += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if self.headers["X-Kind"] == "good" else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that gives back what it gets, with 500 to what is not marked as good."""
    _Handler.asked = 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_requests_leave_at_the_given_rate(echo: int) -> None:
    post = Post(b"body", (("X-Kind", "good"),), 1, bool)
    paced = run_paced(echo, "/", post, rate=100, seconds=0.5)
    assert _Handler.asked == 50
    assert paced.failed == 0.0
    assert 0 < paced.p50_ms <= paced.p99_ms < 2000


def test_refusals_at_a_given_rate_are_failures(echo: int) -> None:
    paced = run_paced(echo, "/", Post(b"body", (("X-Kind", "bad"),), 1, bool), rate=50, seconds=0.2)
    assert (paced.failed, paced.p50_ms) == (1.0, math.inf)


def test_the_bare_limit_is_measured_in_processes_of_its_own() -> None:
    limit = measure(MODEL, batch=2, processes=2, seconds=0.05)
    assert limit.call_ms > 0
    assert limit.rate > 0


def test_answers_in_every_dialect_are_checked() -> None:
    digits = Digits.read()
    label, wrong = int(digits.labels[0]), int(digits.labels[0] + 1) % 10
    png = digits.png()
    for right in (
        f'[{{"label": "{label}", "score": 0.9}}]',
        f'{{"{label}": 0.9, "{wrong}": 0.1}}',
        f'[{{"{label}": 0.9, "{wrong}": 0.1}}]',
        f'{{"label": {label}, "scores": []}}',
    ):
        assert png.is_right(right.encode())
    assert not png.is_right(f'{{"{wrong}": 0.9, "{label}": 0.1}}'.encode())
    scores = [float(index == label) for index in range(10)]
    assert digits.oip_json().is_right(f'{{"outputs": [{{"data": {scores}}}]}}'.encode())
    assert not digits.oip_json().is_right(f'{{"outputs": [{{"data": {scores[::-1]}}}]}}'.encode())


def test_a_binary_answer_is_read_behind_its_json() -> None:
    digits = Digits.read()
    post = digits.oip_binary(64)
    rows = np.eye(10, dtype="<f4")[digits.labels[:64]]
    head = b'{"outputs": [{"name": "probabilities", "shape": [64, 10]}]}'
    assert post.is_right(head + rows.tobytes())
    assert not post.is_right(head + rows[::-1].tobytes())
    assert nothing().is_right(b"ok\n")


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


def test_a_peer_that_cannot_be_built_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("peers.environment._PYTHONS", {"triton": str(tmp_path / "python3.11")})
    with pytest.raises(PeerError, match=r"triton needs .*apt-get install"):
        build("triton", tmp_path)


def test_ports_and_processes() -> None:
    assert 1024 <= free_port() <= 65533
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in descendants(os.getpid())
        assert proportional_mb(child.pid) > 0.1


def test_the_machine_is_described() -> None:
    assert re.search(r", \d+ cores, \d+ GB, Linux", machine())


@pytest.mark.parametrize("words", [(), ("--help",), ("peers", "--help")])
def test_help_is_given(words: tuple[str, ...]) -> None:
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
def test_mistakes_are_told_in_one_line(words: tuple[str, ...], says: str) -> None:
    done = _bench("peers", *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_wrk_the_command_says_how_to_get_it() -> None:
    done = _bench("peers", PATH="")
    assert done.returncode == 2
    assert "apt-get install wrk" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_closed_terminal_stops_the_servers_as_ctrl_c_does(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_the_readme_shows_the_committed_figures() -> None:
    text = (_ROOT / "README.md").read_text(encoding="utf-8")
    if readme.FIGURES.exists():
        assert f"<!-- speed -->\n{readme.section()}\n<!-- /speed -->" in text
        assert readme.CHART.read_text(encoding="utf-8") == svg(read_figures(readme.FIGURES))
    else:
        assert "<!-- speed -->" in text


def test_the_readme_is_written(figures: Figures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- speed -->\nold\n<!-- /speed -->\nafter\n", encoding="utf-8")
    monkeypatch.setattr(readme, "_README", page)
    monkeypatch.setattr(readme, "FIGURES", tmp_path / "figures.json")
    monkeypatch.setattr(readme, "CHART", tmp_path / "chart.svg")
    monkeypatch.setattr(readme, "ROOT", tmp_path)
    readme.write(figures)
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
