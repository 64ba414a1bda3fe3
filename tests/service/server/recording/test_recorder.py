"""The recorder never makes a request wait or fail, and says what is missing."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import REGISTRY

from service.inference.predictor import Predictor
from service.server.pipeline.access_log import RequestRecord, Run
from service.server.recording import recorder as module
from service.server.recording.files import RecordFiles
from service.server.recording.recorder import RequestRecorder
from service.settings import Settings

Add = Callable[..., RequestRecord]


def _count(result: str) -> float:
    return REGISTRY.get_sample_value("lectern_recorded_requests_total", {"result": result}) or 0.0


class _SlowFiles(RecordFiles):
    """Files on a disk that does not respond until it is released."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, max_bytes=1_000_000, workers=1)
        self.released, self.reached = threading.Event(), threading.Event()

    def write(self, content: bytes | bytearray) -> None:
        self.reached.set()
        assert self.released.wait(30)
        super().write(content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "record"


@pytest.fixture
def settings(folder: Path) -> Settings:
    return Settings(record=folder, record_inputs="all")


@pytest.fixture
def make(settings: Settings, folder: Path) -> Iterator[Callable[..., RequestRecorder]]:
    made: list[RequestRecorder] = []

    def start(files: RecordFiles | None = None) -> RequestRecorder:
        files = files or RecordFiles(folder, max_bytes=10_000_000, workers=1)
        made.append(RequestRecorder(files, settings))
        made[-1].start()
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def predictor(catalog: Any) -> Predictor:
    found: Predictor = catalog.predictor("mnist")
    return found


@pytest.fixture
def add(predictor: Predictor) -> Add:
    def add(recorder: RequestRecorder, *, inputs: int = 1, **fields: Any) -> RequestRecord:
        request = RequestRecord(
            **{"request_id": "1", "method": "POST", "path": "/", "client": "-", "status": 200} | fields
        )
        recorder.begin(request)
        if request.runs is not None and inputs:
            pixels = np.zeros((inputs, 28, 28), np.uint8)
            request.runs.append(Run(predictor, predictor.probabilities(pixels), (), None, pixels))
        recorder.add(request, 0.001)
        return request

    return add


def _rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.iterdir()) for line in path.read_bytes().splitlines()]


def test_a_finished_request_no_longer_holds_its_inputs(make: Any, add: Add) -> None:
    assert add(make()).runs is None


def test_errors_of_a_model_are_recorded_but_no_refusals_and_no_others(
    make: Any, add: Add, folder: Path
) -> None:
    recorder = make()
    add(recorder, inputs=0, model="mnist", status=422, code="damaged_image")
    add(recorder, inputs=0, model="mnist", status=429, code="overloaded", limit="wait")
    add(recorder, inputs=0, status=404, code="model_not_found")
    recorder.close()
    (row,) = _rows(folder)
    assert (row["error"], row["status"], row["label"]) == ("damaged_image", 422, None)


def test_a_share_of_the_requests_is_recorded(folder: Path, add: Add) -> None:
    recorder = RequestRecorder(
        RecordFiles(folder, max_bytes=10_000_000, workers=1), Settings(record=folder, record_share=0.1)
    )
    taken = 0
    for _ in range(2_000):
        request = RequestRecord(request_id="1", method="POST", path="/", client="-")
        recorder.begin(request)
        taken += request.runs is not None
    assert 120 < taken < 290  # six standard deviations


def test_a_disk_that_does_not_respond_holds_no_request_up_and_bounds_the_memory(
    make: Any, add: Add, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_WAITING", 20)
    files, lost = _SlowFiles(folder), _count("lost")
    recorder = make(files)
    add(recorder, request_id="first")
    assert files.reached.wait(30)
    for number in range(50):
        add(recorder, request_id=str(number))
    assert _count("lost") == lost + 30
    files.released.set()
    recorder.close()
    assert [row["request_id"] for row in _rows(folder)] == ["first", *map(str, range(20))]


def test_large_inputs_that_wait_are_bounded_too(
    make: Any, add: Add, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_WAITING_BYTES", 100_000)
    recorder = make()
    add(recorder, inputs=1_000, request_id="large")
    add(recorder, inputs=3, request_id="small")
    recorder.close()
    assert [(row["request_id"], row["input"]) for row in _rows(folder)] == [("small", n) for n in range(3)]


def test_a_folder_that_cannot_be_written_is_one_line_of_the_log(
    make: Any, add: Add, folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_RETRY_S", 0)
    folder.write_bytes(b"a file in its place")
    lost, tried = _count("lost"), threading.Semaphore(0)

    class Files(RecordFiles):
        def write(self, content: bytes | bytearray) -> None:
            try:
                super().write(content)
            finally:
                tried.release()

    with caplog.at_level(logging.INFO, logger="lectern"):
        recorder = make(Files(folder, max_bytes=1_000_000, workers=1))
        for _ in range(3):
            add(recorder)
            assert tried.acquire(timeout=30)
        folder.unlink()
        add(recorder, request_id="last")
        recorder.close()
    said = [record.getMessage() for record in caplog.records if str(folder) in record.getMessage()]
    assert said == [
        f"records 100 % of the requests in {folder}, with texts and pictures",
        f"{folder}: requests cannot be recorded (File exists); they are answered, and missing in the record",
        f"{folder}: requests are recorded again; 3 are missing",
    ]
    assert _count("lost") == lost + 3
    assert [row["request_id"] for row in _rows(folder)] == ["last"]


def test_a_request_that_is_larger_than_a_file_is_missing(make: Any, add: Add, folder: Path) -> None:
    lost = _count("lost")
    recorder = make(RecordFiles(folder, max_bytes=16_000, workers=1))
    add(recorder, inputs=20, request_id="large")
    add(recorder, request_id="small")
    recorder.close()
    assert _count("lost") == lost + 1
    assert [row["request_id"] for row in _rows(folder)] == ["small"]


def test_a_request_that_has_no_line_ends_nothing(
    make: Any, add: Add, folder: Path, predictor: Predictor, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = make()
    wrong = RequestRecord(request_id="wrong", method="POST", path="/", client="-", status=200)
    wrong.runs = [Run(predictor, np.zeros((1, 3), np.float32), (), None, None)]
    recorder.add(wrong, 0.001)
    add(recorder, request_id="right")
    recorder.close()
    assert [row["request_id"] for row in _rows(folder)] == ["right"]
    assert any("request wrong cannot be recorded" in record.getMessage() for record in caplog.records)
