"""A real server records what its clients got, and no more than it is asked to."""

import base64
import io
import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as triton
from PIL import Image
from pyarrow import parquet

from service.batch.record import record

Server = Any
StartServer = Callable[..., Any]
Until = Callable[..., Any]

_TEXT = "A wonderful little film, moving and superbly acted."


def _rows(folder: Path) -> list[dict[str, Any]]:
    lines = [
        line for path in sorted(folder.glob("*")) for line in path.read_bytes().splitlines(keepends=True)
    ]
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def _rows_of(folder: Path, request_id: str) -> list[dict[str, Any]]:
    return [row for row in _rows(folder) if row["request_id"] == request_id]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recorded") / "record"


@pytest.fixture(scope="module")
def recording(start_server: StartServer, folder: Path) -> Any:
    with start_server(RECORD=str(folder), RECORD_INPUTS="all", grpc=True) as running:
        yield running


def test_without_the_setting_nothing_is_recorded(server: Server, digit_png: bytes) -> None:
    server.ask("POST", "/models/mnist", digit_png)
    assert "records" not in server.log()
    assert server.metric("lectern_recorded_requests_total") == 0


def test_a_row_has_the_answer_of_the_request(
    recording: Server, folder: Path, digit_png: bytes, until: Until
) -> None:
    answer = recording.ask("POST", "/models/mnist", digit_png, {"X-Request-ID": "row-1"})
    (row,) = until(lambda: _rows_of(folder, "row-1"))
    assert row["scores"] == answer.json()
    assert row["label"] == answer.json()[0]["label"]
    assert row["score"] == answer.json()[0]["score"]
    assert row["unsure"] is (answer.headers["X-Lectern-Unsure"] == "true")
    assert str(row["version"]) == answer.headers["X-Model-Version"]
    assert {name: row[name] for name in ("model", "precision", "route", "status", "input", "error")} == {
        "model": "mnist",
        "precision": "float32",
        "route": "/models/{name}",
        "status": 200,
        "input": 0,
        "error": None,
    }
    assert row["milliseconds"] > 0
    assert row["time"].endswith("+00:00")


def test_a_picture_is_recorded_as_the_network_reads_it(
    recording: Server, folder: Path, digit_png: bytes, until: Until
) -> None:
    read = recording.ask("POST", "/models/mnist/input", digit_png).body
    recording.ask("POST", "/models/mnist", digit_png, {"X-Request-ID": "picture-1"})
    (row,) = until(lambda: _rows_of(folder, "picture-1"))
    recorded = Image.open(io.BytesIO(base64.b64decode(row["picture"])))
    np.testing.assert_array_equal(np.asarray(recorded), np.asarray(Image.open(io.BytesIO(read))))


def test_every_input_of_every_protocol_is_a_row(
    recording: Server, folder: Path, digit_png: bytes, mnist_digits: Any, until: Until
) -> None:
    encoded = base64.b64encode(digit_png).decode()
    tensor = {"name": "ids", "datatype": "BYTES", "shape": [2], "data": [_TEXT, "Dull."]}
    for request_id, path, document in (
        ("many-hf", "/models/mnist", {"inputs": [encoded] * 2}),
        ("many-oip", "/v2/models/imdb/infer", {"inputs": [tensor]}),
        ("many-tf", "/v1/models/mnist:predict", {"instances": mnist_digits[:3].tolist()}),
        ("one-bento", "/classify_text", {"model": "imdb", "text": _TEXT}),
    ):
        assert recording.post_json(path, document, {"X-Request-ID": request_id}).status == 200
    files = triton.InferInput("image", [1], "BYTES")
    files.set_data_from_numpy(np.array([digit_png], dtype=object))
    with triton.InferenceServerClient(recording.grpc_address) as client:
        client.infer("mnist", [files], headers={"x-request-id": "grpc"})
    expected = {"many-hf": 2, "many-oip": 2, "many-tf": 3, "one-bento": 1, "grpc": 1}
    until(lambda: len(_rows_of(folder, "grpc")) == 1)
    found = Counter(row["request_id"] for row in _rows(folder))
    assert {name: found[name] for name in expected} == expected
    assert [row["text"] for row in _rows_of(folder, "many-oip")] == [_TEXT, "Dull."]
    assert [row["input"] for row in _rows_of(folder, "many-tf")] == [0, 1, 2]


def test_only_requests_for_predictions_are_recorded(
    recording: Server, folder: Path, digit_png: bytes, data_folder: Path, until: Until
) -> None:
    number = (data_folder / "pictures" / "number.png").read_bytes()
    for method, path, body, status in (
        ("POST", "/models/mnist/read", number, 200),
        ("POST", "/models/mnist/explain", digit_png, 200),
        ("POST", "/models/mnist/explain", b"no picture", 422),
        ("POST", "/models/mnist/input", digit_png, 200),
        ("POST", "/models/other", digit_png, 404),
        ("GET", "/models/mnist", None, 200),
        ("GET", "/readyz", None, 200),
    ):
        assert recording.ask(method, path, body, {"X-Request-ID": "not-recorded"}).status == status
    recording.ask("POST", "/models/mnist", digit_png, {"X-Request-ID": "recorded-last"})
    until(lambda: _rows_of(folder, "recorded-last"))
    assert not _rows_of(folder, "not-recorded")


def test_an_error_is_a_row_without_a_prediction_and_without_its_input(
    recording: Server, folder: Path, until: Until
) -> None:
    recording.ask("POST", "/models/mnist", b"no picture", {"X-Request-ID": "error-1"})
    (row,) = until(lambda: _rows_of(folder, "error-1"))
    assert (row["status"], row["error"], row["label"], row["scores"]) == (422, "damaged_image", None, None)
    assert "no picture" not in json.dumps(row)


def test_only_the_inputs_that_were_asked_for_are_recorded(
    start_server: StartServer, digit_png: bytes, tmp_path: Path
) -> None:
    for inputs, has_text in (("none", False), ("texts", True)):
        folder = tmp_path / inputs
        with start_server(RECORD=str(folder), RECORD_INPUTS=inputs) as server:
            server.ask("POST", "/models/mnist", digit_png)
            server.post_json("/models/imdb", {"inputs": _TEXT})
        rows = _rows(folder)
        assert [row["model"] for row in rows] == ["mnist", "imdb"]
        assert not any("picture" in row for row in rows)
        assert [row.get("text") for row in rows] == [None, _TEXT if has_text else None]


def test_no_row_has_an_address_or_a_key(start_server: StartServer, tmp_path: Path, digit_png: bytes) -> None:
    folder = tmp_path / "record"
    with start_server(RECORD=str(folder), API_KEYS="alpha") as server:
        server.ask("POST", "/models/mnist", digit_png, {"X-API-Key": "alpha"})
        server.ask("POST", "/models/mnist", digit_png, {"X-API-Key": "other"})
    (row,) = _rows(folder)
    assert not {"client", "key", "path"} & set(row)
    assert not any(word in json.dumps(row) for word in ("alpha", "127.0.0.1"))


def test_several_workers_lose_no_row_when_they_stop(
    start_server: StartServer, tmp_path: Path, digit_png: bytes
) -> None:
    folder = tmp_path / "record"
    with (
        start_server(RECORD=str(folder), WORKERS="2") as server,
        ThreadPoolExecutor(8) as threads,
    ):
        sent = list(threads.map(lambda _: server.ask("POST", "/models/mnist", digit_png), range(200)))
    assert Counter(row["request_id"] for row in _rows(folder)) == Counter(
        answer.headers["X-Request-ID"] for answer in sent
    )


def test_a_killed_worker_leaves_complete_rows_and_the_next_one_goes_on(
    start_server: StartServer, tmp_path: Path, digit_png: bytes, until: Until
) -> None:
    folder = tmp_path / "record"
    with start_server(RECORD=str(folder)) as server:
        first = server.ask("POST", "/models/mnist", digit_png).headers["X-Request-ID"]
        until(lambda: _rows_of(folder, first))
        (worker,) = server.workers()
        os.kill(worker, signal.SIGKILL)
        until(lambda: server.workers() not in ([], [worker]))
        second = until(lambda: server.ask("POST", "/models/mnist", digit_png)).headers["X-Request-ID"]
    assert [row["request_id"] for row in _rows(folder)] == [first, second]


def test_requests_are_answered_while_the_folder_cannot_be_written(
    start_server: StartServer, tmp_path: Path, digit_png: bytes, until: Until
) -> None:
    folder = tmp_path / "record"
    with start_server(RECORD=str(folder)) as server:
        folder.rmdir()
        folder.write_bytes(b"")
        for _ in range(3):
            assert server.ask("POST", "/models/mnist", digit_png).status == 200
        until(lambda: server.metric("lectern_recorded_requests_total", result="lost") == 3)
        until(lambda: server.log().count("requests cannot be recorded (File exists)") == 1)
        assert server.ask("POST", "/models/mnist", digit_png).status == 200


def test_values_and_rows_of_tables_are_recorded(
    start_server: StartServer, head_models: Path, tmp_path: Path, until: Until
) -> None:
    folder, table = tmp_path / "record", tmp_path / "record.parquet"
    with start_server(MODELS=str(head_models), RECORD=str(folder), RECORD_INPUTS="all") as server:
        assert server.post_json("/models/progress", {"inputs": [40, None]}).status == 200
        (row,) = until(lambda: _rows(folder))
    assert (row["label"], row["values"]) == (None, [{"label": "progression", "value": 155}])
    assert row["row"] == [40, None]

    record.main([str(folder), "--out", str(table)], standalone_mode=False)
    (read,) = parquet.read_table(table).to_pylist()
    assert (read["values"], read["row"]) == (row["values"], row["row"])
