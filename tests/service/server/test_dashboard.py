"""Tests that a real Prometheus answers the queries of the dashboard, and sees what goes wrong."""

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from service.server.pipeline.metrics import DECLARATIONS

_FOLDER = Path(__file__).resolve().parents[3] / "service" / "deploy" / "monitoring"
_DASHBOARD: dict[str, Any] = json.loads((_FOLDER / "grafana" / "dashboard.json").read_text())
_PANELS = [panel for panel in _DASHBOARD["panels"] if panel["type"] != "row"]
_QUERIES = [
    pytest.param(target["expr"], id=f"{panel['title']}-{target['refId']}")
    for panel in _PANELS
    for target in panel["targets"]
]
_ENDINGS = ("_bucket", "_sum", "_count")

Until = Callable[..., Any]


class _Prometheus:
    """A Prometheus that scrapes every second."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1"

    def get(self, path: str, **parameters: str) -> Any:
        url = f"{self._url}/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as response:
            return json.load(response)["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return found

    def alerts(self) -> dict[str, dict[str, Any]]:
        return {alert["labels"]["alertname"]: alert for alert in self.get("alerts")["alerts"]}


def _as_grafana_sends_it(expression: str) -> str:
    return expression.replace("$__rate_interval", "1m").replace("$model", ".*")


@contextmanager
def _prometheus(folder: Path, *, port: int, scraped: int, until: Until) -> Iterator[_Prometheus]:
    """Run Prometheus with the configuration of the compose file; only addresses and intervals differ."""
    program = shutil.which("prometheus")
    assert program is not None
    configuration = yaml.safe_load((_FOLDER / "prometheus.yml").read_text())
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    configuration["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{scraped}"]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    shutil.copy(_FOLDER / "alerts.yml", folder)
    options = ("config.file=prometheus.yml", "storage.tsdb.path=data", f"web.listen-address=127.0.0.1:{port}")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, *(f"--{option}" for option in options)], cwd=folder, stdout=log, stderr=log
        )
    try:
        running = _Prometheus(port)
        until(lambda: running.query("up == 1"))
        yield running
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def observed(
    start_server: Callable[..., Any],
    models_folder: Path,
    data_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    until: Until,
    free_port: Callable[[], int],
) -> Iterator[_Prometheus]:
    """A Prometheus and a server with a broken model, after traffic, an overload and a killed worker."""
    if shutil.which("prometheus") is None:
        pytest.skip("there is no Prometheus; on Debian or Ubuntu: apt-get install prometheus")
    eight = (data_folder / "pictures" / "eight.png").read_bytes()
    models = tmp_path_factory.mktemp("models")
    for name in ("mnist", "imdb", "cats_vs_dogs"):
        shutil.copytree(models_folder / name, models / name)
    (models / "imdb" / "2" / "model.onnx").write_bytes(b"broken")
    with start_server(MODELS=str(models), MAX_QUEUE="2") as server, ThreadPoolExecutor(4) as threads:

        def load(_: int) -> None:
            for _ in range(4):
                assert server.ask("POST", "/models/mnist", eight).status in (200, 429)
                assert server.ask("POST", "/models/imdb", b"A wonderful film.").status in (200, 429)
                assert server.ask("POST", "/models/mnist", b"no picture").status in (422, 429)

        with server.busy(clients=4):
            # The first value of a series is no increase: most series should be there before the first scrape.
            list(threads.map(load, range(4)))
        folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
        with _prometheus(folder, port=port, scraped=server.port, until=until) as watcher:
            with server.busy(clients=4):
                for _ in range(3):
                    list(threads.map(load, range(4)))
                    until(_after_a_scrape(watcher))
            (worker,) = server.workers()
            os.kill(worker, signal.SIGKILL)
            until(lambda: watcher.query("lectern_worker_restarts_total == 1"))
            assert server.ask("POST", "/models/mnist", eight).status == 200
            until(_after_a_scrape(watcher))
            yield watcher


def _after_a_scrape(watcher: _Prometheus) -> Callable[[], bool]:
    """Return a condition that is true after the next scrape that succeeds."""
    at = "max(timestamp(lectern_workers))"
    before = watcher.query(at)[0]["value"][1]
    return lambda: bool(found := watcher.query(at)) and found[0]["value"][1] != before


@pytest.mark.parametrize("expression", _QUERIES)
def test_every_query_of_the_dashboard_has_an_answer(observed: _Prometheus, expression: str) -> None:
    answer = observed.query(_as_grafana_sends_it(expression))
    assert answer
    assert any(series["value"][1] != "NaN" for series in answer)


def test_the_dashboard_shows_the_overload_the_killed_worker_and_the_broken_model(
    observed: _Prometheus,
) -> None:
    def value(title: str) -> float:
        (panel,) = (panel for panel in _PANELS if panel["title"] == title)
        (series,) = observed.query(_as_grafana_sends_it(panel["targets"][0]["expr"]))
        return float(series["value"][1])

    assert value("Copies") == 1
    assert value("Broken versions") == 1
    assert value("Worker restarts, 1 h") > 0
    assert 0.05 < value("Refused") < 1


def test_prometheus_raises_the_alerts_of_the_server(observed: _Prometheus, until: Until) -> None:
    names = ("LecternWorkerRestarted", "LecternModelUnavailable", "LecternOverloaded")
    # The others wait for minutes before they fire, so that a moment of trouble wakes nobody up.
    alerts = until(lambda: set(names) <= (found := observed.alerts()).keys() and found)
    assert alerts["LecternWorkerRestarted"]["state"] == "firing"
    assert alerts["LecternModelUnavailable"]["labels"]["model"] == "imdb"
    assert alerts["LecternModelUnavailable"]["labels"]["version"] == "2"


def test_the_names_of_the_metrics_follow_the_conventions_of_prometheus(server: Any) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("there is no promtool; on Debian or Ubuntu: apt-get install prometheus")
    page = server.ask("GET", "/metrics").body
    done = subprocess.run([program, "check", "metrics"], input=page, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_queries_and_alerts_use_only_metrics_that_the_server_has() -> None:
    declared = {one.name for one in DECLARATIONS}
    texts = [*(parameter.values[0] for parameter in _QUERIES), (_FOLDER / "alerts.yml").read_text()]
    used = {name for text in texts for name in re.findall(r"lectern_[a-z_]+", str(text))}
    used = {re.sub(rf"({'|'.join(_ENDINGS)})$", "", name) for name in used}
    assert used <= declared


def test_every_field_of_the_dashboard_is_in_grafanas_schema() -> None:
    plugins.register_default_plugins()
    known = JSONEncoder().encode(Dashboard.from_json(_DASHBOARD))  # leaves out what the schema does not have
    lost = dict(_leaves(_DASHBOARD)).items() - dict(_leaves(json.loads(known))).items()
    # Grafana writes the one and reads the other.
    places = {".templating.list.1.definition", ".annotations.list.0.titleFormat"}
    assert {place for place, _ in lost} == places


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the text, numbers and words of a JSON value with their places."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from _leaves(inner, f"{place}.{key}")
    else:
        yield place, value


def test_panels_do_not_overlap_and_use_the_chosen_data_source() -> None:
    assert len({panel["id"] for panel in _DASHBOARD["panels"]}) == len(_DASHBOARD["panels"])
    cells: set[tuple[int, int]] = set()
    for panel in _DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        own = set(
            itertools.product(
                range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
            )
        )
        assert not own & cells
        cells |= own
    variables = {variable["name"] for variable in _DASHBOARD["templating"]["list"]}
    assert variables == {"datasource", "model"}
    for panel in _PANELS:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
