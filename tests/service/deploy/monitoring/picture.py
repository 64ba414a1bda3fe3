"""Makes the picture of the dashboard's panels for the README: ``python picture.py``.

A real Prometheus watches a real server with a mixed load, an overload, a killed worker and a broken model.
Matplotlib draws the panels from its answers to the queries of the dashboard.
"""

import contextlib
import http.client
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import psutil
import yaml

_ROOT = Path(__file__).resolve().parents[4]
_MONITORING = _ROOT / "service" / "deploy" / "monitoring"
_PORT, _PROMETHEUS_PORT = 3390, 3391
_URL, _PROMETHEUS = f"http://127.0.0.1:{_PORT}", f"http://127.0.0.1:{_PROMETHEUS_PORT}/api/v1"
_MIXED_S, _OVERLOAD_S, _QUIET_S = 30, 20, 15
_PICTURES_OF_A_BATCH = 32
_PANELS = (
    *("Requests by status", "Requests by model", "Refusals by limit"),
    *("Time of a request", "Where the time goes", "Requests in flight"),
    *("Workers", "Errors by code", "Inputs in a run"),
)
_INK, _GRID = "#3d4653", "#d8dde3"


def main() -> None:
    """Run the server through its bad days, and draw what Prometheus has seen."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        shutil.copytree(_ROOT / "models", folder / "models")
        with _running(_server_command(), cwd=_ROOT, models=folder / "models") as server:
            _wait(f"{_URL}/readyz")
            with _running(_prometheus_command(folder), cwd=folder):
                _wait(f"{_PROMETHEUS}/query?query=up")
                _wait_for("lectern_workers == 2")
                started = time.time()
                events = _failures(server, folder / "models")
                answers = {title: _answers(title, started) for title in _PANELS}
    _draw(answers, events, started, _MONITORING / "panels.png")


def _server_command() -> list[str]:
    return [sys.executable, "-c", "from service.cli import main; main()", "serve", "--port", str(_PORT)]


def _prometheus_command(folder: Path) -> list[str]:
    configuration = yaml.safe_load((_MONITORING / "prometheus.yml").read_text())
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    configuration["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{_PORT}"]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    shutil.copy(_MONITORING / "alerts.yml", folder)
    return [
        *("prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data"),
        f"--web.listen-address=127.0.0.1:{_PROMETHEUS_PORT}",
    ]


@contextlib.contextmanager
def _running(
    command: list[str], *, cwd: Path, models: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    settings = {"LECTERN_MODELS": str(models), "LECTERN_WORKERS": "2", "LECTERN_MAX_QUEUE": "4"}
    environment = os.environ | (settings if models else {})
    process = subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _wait(url: str) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def _failures(server: subprocess.Popen[bytes], models: Path) -> dict[str, float]:
    """Send loads and cause faults; return when each began."""
    pictures = _ROOT / "tests" / "data" / "pictures"
    mixed = [
        *(("mnist", (pictures / "eight.png").read_bytes()) for _ in range(4)),
        ("fashion_mnist", (pictures / "ankle_boot.png").read_bytes()),
        ("cifar10", (pictures / "ship.png").read_bytes()),
        ("cats_vs_dogs", (pictures / "cat.jpg").read_bytes()),
        *(("imdb", text) for text in (b"A wonderful little film, moving and superbly acted.", b"Dull.")),
        ("mnist", b"no picture"),
    ]
    events = {"mixed load": time.time()}
    with _load(mixed, clients=2):
        time.sleep(_MIXED_S)
        events["overload"] = time.time()
        with _load([("cats_vs_dogs", _array_file(_PICTURES_OF_A_BATCH))], clients=24):
            time.sleep(_OVERLOAD_S)
        time.sleep(_QUIET_S)
        events["a worker is killed"] = time.time()
        worker = next(
            child
            for child in psutil.Process(server.pid).children()
            if "service.server.workers.worker" in child.cmdline()
        )
        worker.kill()
        time.sleep(_QUIET_S * 2)
        events["a model is broken"] = time.time()
        (models / "imdb" / "2" / "model.onnx").write_bytes(b"broken")
        server.send_signal(signal.SIGHUP)  # The workers that replace the old ones read the models again.
        _wait_for("lectern_model_unavailable")
        time.sleep(_QUIET_S)
    return events


def _wait_for(expression: str) -> None:
    """Wait until Prometheus has an answer to a query."""
    url = f"{_PROMETHEUS}/query?{urllib.parse.urlencode({'query': expression})}"
    while True:
        with urllib.request.urlopen(url, timeout=5) as response:
            if json.load(response)["data"]["result"]:
                return
        time.sleep(0.5)


def _array_file(pictures: int) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros((pictures, 180, 180, 3), np.uint8))
    return stream.getvalue()


@contextlib.contextmanager
def _load(requests: list[tuple[str, bytes]], *, clients: int) -> Iterator[None]:
    done = threading.Event()

    def send(first: int) -> None:
        number = first
        while not done.wait(0.02):
            model, body = requests[number % len(requests)]
            path = f"/models/{model}/versions/2" if model == "imdb" else f"/models/{model}"
            request = urllib.request.Request(f"{_URL}{path}", body, {"Content-Type": ""})
            # A worker that is killed leaves a response incomplete.
            with contextlib.suppress(OSError, http.client.HTTPException):
                urllib.request.urlopen(request, timeout=30).read()
            number += 1

    threads = [threading.Thread(target=send, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _answers(title: str, started: float) -> list[tuple[str, list[float], list[float]]]:
    """Return label, times since the start and values of each series of a panel."""
    dashboard = json.loads((_MONITORING / "grafana" / "dashboard.json").read_text())
    panel = next(panel for panel in dashboard["panels"] if panel["title"] == title)
    series = []
    for target in panel["targets"]:
        expression = target["expr"].replace("$__rate_interval", "10s").replace("$model", ".*")
        asked = {"query": expression, "start": started, "end": time.time(), "step": 1}
        with urllib.request.urlopen(f"{_PROMETHEUS}/query_range?{urllib.parse.urlencode(asked)}") as response:
            results: list[dict[str, Any]] = json.load(response)["data"]["result"]
        for result in results:
            label = target["legendFormat"]
            labels = result["metric"]
            label = re.sub(r"{{(\w+)}}", lambda name, has=labels: has.get(name[1], ""), label)
            times, values = zip(*result["values"], strict=True)
            series.append((label, [float(at) - started for at in times], [float(value) for value in values]))
    return series


def _draw(
    answers: dict[str, list[tuple[str, list[float], list[float]]]],
    events: dict[str, float],
    started: float,
    path: Path,
) -> None:
    plt.rcParams.update({"font.size": 7, "text.color": _INK, "axes.edgecolor": _GRID})
    figure, all_axes = plt.subplots(3, 3, figsize=(11, 8.8), dpi=110, layout="constrained")
    for axes, (title, series) in zip(all_axes.flat, answers.items(), strict=True):
        axes.set_title(title, loc="left", fontsize=8, fontweight="bold")
        for label, times, values in series:
            axes.plot(times, values, label=label, linewidth=1)
        for number, at in enumerate(events.values(), start=1):
            axes.axvline(at - started, color=_INK, linewidth=0.6, linestyle=":")
            axes.text(at - started + 1, 0.98, str(number), transform=axes.get_xaxis_transform(), va="top")
        axes.grid(color=_GRID, linewidth=0.5)
        axes.set_ylim(0, axes.get_ylim()[1] * 1.1)  # room for the numbers of the events
        axes.tick_params(colors=_INK, length=0)
        axes.spines[["top", "right"]].set_visible(False)
        below = {"loc": "upper left", "bbox_to_anchor": (-0.02, -0.08), "borderpad": 0}
        axes.legend(frameon=False, fontsize=6, ncols=3, columnspacing=1, handlelength=1.2, **below)
    names = ", ".join(f"{number}: {name}" for number, name in enumerate(events, start=1))
    figure.suptitle(f"{names}; time in seconds", fontsize=8)
    figure.savefig(path)


if __name__ == "__main__":
    main()
