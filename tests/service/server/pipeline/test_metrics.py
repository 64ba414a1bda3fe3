"""The metrics count requests and runs once, with labels that no client can choose."""

import base64
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from service.server.pipeline import metrics

Server = Any
StartServer = Callable[..., Any]


_KEY = {"Authorization": "Bearer alpha"}


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
    assert server.metric("lectern_requests_total", route="/models/{name}", status="200") >= 1
    assert server.metric("lectern_request_seconds_bucket", le="+Inf", route="/models/{name}") >= 6
    assert server.metric("lectern_requests_in_flight") == 0


def test_one_request_adds_one_to_its_counters(server: Server, digit_png: bytes) -> None:
    one, several = "lectern_inference_seconds_count", "lectern_predictions_total"
    stages = ("lectern_decode_seconds_count", "lectern_queue_seconds_count")
    encoded = base64.b64encode(digit_png).decode()
    server.post_json("/models/mnist", {"inputs": [encoded]})
    before = {name: server.metric(name, model="mnist") for name in (one, several, *stages)}
    server.post_json("/models/mnist", {"inputs": [encoded] * 3})
    grown = {name: server.metric(name, model="mnist") - before[name] for name in before}
    assert grown == {one: 1, several: 3, **dict.fromkeys(stages, 1)}


def test_requests_have_the_model_version_and_precision_that_answered(
    server: Server, digit_png: bytes
) -> None:
    for path, version in (("/models/mnist", None), ("/models/mnist/versions/1", "1")):
        labels = {"route": path.replace("mnist", "{name}").replace("/1", "/{version}")}
        answer = server.ask("POST", path, digit_png)
        assert answer.status == 200
        version = version or answer.headers["X-Model-Version"]
        labels |= {"model": "mnist", "version": version, "precision": "float32", "status": "200"}
        before = server.metric("lectern_requests_total", **labels)
        server.ask("POST", path, digit_png)
        assert server.metric("lectern_requests_total", **labels) == before + 1
        assert server.metric("lectern_request_seconds_count", route=labels["route"], model="mnist") >= 1


def test_only_models_and_versions_of_the_server_become_labels(server: Server, digit_png: bytes) -> None:
    for path in ("/models/mnist/versions/98765", "/models/nimst", "/v2/models/nimst/infer"):
        assert server.ask("POST", path, digit_png).status == 404
    models = server.ask("GET", "/models").json()["models"]
    versions = {str(number) for model in models for number in model["versions"]}
    used = server.samples("lectern_requests_total")
    assert {labels["model"] for labels, _ in used} <= {"", *(model["name"] for model in models)}
    assert {labels["version"] for labels, _ in used} <= {"", *versions}


def test_predictions_are_counted_by_their_label_and_whether_they_are_unsure(
    server: Server, digit_png: bytes
) -> None:
    answer = server.ask("POST", "/models/mnist", digit_png)
    labels = {"model": "mnist", "version": answer.headers["X-Model-Version"]}
    labels["label"] = answer.json()[0]["label"]
    labels["unsure"] = answer.headers["X-Lectern-Unsure"]
    before = server.metric("lectern_predictions_total", **labels)
    server.ask("POST", "/models/mnist", digit_png)
    assert server.metric("lectern_predictions_total", **labels) == before + 1
    answer = server.ask("POST", "/models/imdb", b"Tom and Anna travel to Rome.")  # states no opinion
    assert answer.headers["X-Lectern-Unsure"] == "true"
    label = answer.json()[0]["label"]
    assert server.metric("lectern_predictions_total", model="imdb", label=label, unsure="true") >= 1


def test_the_helps_say_what_is_counted(server: Server) -> None:
    text = server.ask("GET", "/metrics").body.decode()
    helps = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE))
    assert "rediction" not in helps["lectern_requests_in_flight"]
    assert helps["lectern_inference_seconds"].startswith("Seconds of one run")
    assert "queue" not in helps["lectern_batch_inputs"]


def test_another_server_of_the_same_user_counts_for_itself(start_server: StartServer, tmp_path: Path) -> None:
    def listed(server: Server) -> float:
        count: float = server.metric("lectern_requests_total", route="/models", status="200")
        return count

    with start_server(home=tmp_path) as first:
        for _ in range(3):
            first.ask("GET", "/models")
        assert listed(first) == 3
        with start_server(home=tmp_path) as second:
            second.ask("GET", "/models")
            assert (listed(first), listed(second)) == (3, 1)


def test_overload_shows_in_the_metrics(
    strict: Server, samples: Callable[[str], Any], until: Callable[..., Any]
) -> None:
    """The limit of the server is one request."""

    def refused() -> tuple[float, float]:
        errors = strict.metric("lectern_request_errors_total", code="overloaded", headers=_KEY)
        return errors, strict.metric("lectern_refusals_total", limit="requests", headers=_KEY)

    before, rejected = refused(), 0
    pictures = {"inputs": [base64.b64encode(samples("cats_vs_dogs").inputs[0]).decode()] * 4}
    with ThreadPoolExecutor(8) as pool:
        while not rejected:
            answers = pool.map(
                lambda _: strict.post_json("/models/cats_vs_dogs", pictures, _KEY).status, range(16)
            )
            rejected += list(answers).count(429)
    assert refused() == (before[0] + rejected, before[1] + rejected)
    assert strict.metric("lectern_requests_in_flight_limit", headers=_KEY) == 1
    until(lambda: strict.metric("lectern_requests_in_flight", headers=_KEY) == 0)


def test_errors_are_counted_by_their_code(server: Server) -> None:
    before = server.metric("lectern_request_errors_total", code="damaged_image")
    server.ask("POST", "/models/mnist", b"no picture")
    server.ask("GET", "/models")
    assert server.metric("lectern_request_errors_total", code="damaged_image") == before + 1


def test_every_declared_metric_is_there_after_a_prediction(server: Server, digit_png: bytes) -> None:
    server.ask("POST", "/models/mnist", digit_png)
    text = server.ask("GET", "/metrics").body.decode()
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    assert types == {one.name: one.kind for one in metrics.DECLARATIONS}
    for one in metrics.DECLARATIONS:
        name = f"{one.name}_count" if one.kind == "histogram" else one.name
        for labels, _ in server.samples(name):
            assert set(labels) == set(one.labels)


@pytest.mark.parametrize(
    ("name", "label"), [("lectern_request_errors_total", "code"), ("lectern_refusals_total", "limit")]
)
def test_rare_series_exist_before_they_are_needed(
    start_server: StartServer, tmp_path: Path, name: str, label: str
) -> None:
    with start_server(home=tmp_path) as fresh:
        found = {labels[label]: value for labels, value in fresh.samples(name)}
    assert len(found) > 5
    assert set(found.values()) == {0.0}


def test_models_workers_and_releases_show_before_any_request(
    start_server: StartServer, models_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "models"
    for version in ("1", "2"):
        shutil.copytree(models_folder / "mnist" / version, folder / "mnist" / version)
    (folder / "mnist" / "2" / "model.onnx").write_bytes(b"broken")
    with start_server(MODELS=str(folder), WORKERS="2") as running:
        ((info, one),) = running.samples("lectern_model_info")
        assert one == 1
        assert info == {
            "model": "mnist",
            "version": "1",
            "precision": "float32",
            "provider": "CPUExecutionProvider",
            "default": "true",
        }
        assert running.samples("lectern_model_unavailable") == [({"model": "mnist", "version": "2"}, 1.0)]
        running.ask("POST", "/models/mnist/versions/2", b"x")
        failed = {"route": "/models/{name}/versions/{version}", "model": "mnist", "status": "503"}
        assert running.metric("lectern_requests_total", **failed) == 1
        ((releases, _),) = running.samples("lectern_build_info")
        assert releases["version"] == running.ask("GET", "/v2").json()["version"]
        assert running.metric("lectern_workers_configured") == 2
