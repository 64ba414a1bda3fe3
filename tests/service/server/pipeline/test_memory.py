"""The memory of all requests: what does not fit is refused or waits, and errors keep none."""

import gc
import io
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
import yaml
from PIL import Image

from service.inference.errors import InputTooLarge
from service.resources import LEAST_WORKER_MEMORY
from service.server.pipeline.errors import RequestError
from service.server.pipeline.memory import (
    HeldMemory,
    RequestMemory,
    WorkingMemory,
    memory_shares,
    release,
)
from service.server.protocols.oip.inference_pb2 import ModelInferRequest
from service.settings import Settings

Server = Any
_MB = 1_000_000
_MANIFEST = (
    Path(__file__).resolve().parents[4] / "service" / "deploy" / "kubernetes" / "base" / "deployment.yaml"
)
_FORM = {"Content-Type": "multipart/form-data; boundary=edge"}
_PART = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n%b\r\n--edge--\r\n'


def _limit_of_the_manifest() -> int:
    deployment = yaml.safe_load(_MANIFEST.read_text())
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    memory: str = container["resources"]["limits"]["memory"]
    assert memory.endswith("Gi")
    return int(memory.removesuffix("Gi")) << 30


def test_requests_beyond_the_memory_are_refused_until_others_end() -> None:
    memory = RequestMemory(100)
    with HeldMemory(memory) as one, HeldMemory(memory) as other:
        one.take(60)
        other.take(40)
        with pytest.raises(RequestError, match="take 100 of 100 bytes") as refused:
            other.take(1)
        assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})
        one.give_back()
        other.take(60)
    assert memory.used == 0


def test_a_request_that_never_fits_is_an_error_of_its_own() -> None:
    with HeldMemory(RequestMemory(100)) as held:
        held.take(60)
        with pytest.raises(RequestError, match=r"takes 101 bytes.*has 100.*LECTERN_MEMORY_MB") as refused:
            held.take(41)
        assert refused.value.status == 413


def test_work_waits_for_room_first_come_first_served() -> None:
    memory, order, first_may_end = WorkingMemory(100), list[int](), threading.Event()

    def work(size: int) -> None:
        with memory.reserve(size):
            order.append(size)
            if size == 60:
                first_may_end.wait(10)

    with ThreadPoolExecutor(3) as threads:
        tasks = [threads.submit(work, 60)]
        while not order:
            time.sleep(0.001)
        tasks.append(threads.submit(work, 100))
        while not memory._first.locked():
            time.sleep(0.001)
        tasks.append(threads.submit(work, 10))
        first_may_end.set()
        for task in tasks:
            task.result(10)
    assert order == [60, 100, 10]


def test_work_that_never_fits_is_an_error() -> None:
    with pytest.raises(InputTooLarge, match=r"takes 200 MB.*has 100.*LECTERN_MEMORY_MB"):
        WorkingMemory(100 * _MB).reserve(200 * _MB).__enter__()


def test_a_released_error_keeps_nothing_even_in_a_cycle() -> None:
    class Body:
        """Stands for a large object."""

    def fail() -> tuple[Exception, "weakref.ref[Body]"]:
        body, errors = Body(), list[Exception]()
        watched = weakref.ref(body)

        def inner(kept: Body, errors: list[Exception]) -> None:
            try:
                raise ValueError("cause")
            except ValueError as cause:
                error = RuntimeError("error")
                errors.append(error)  # a local variable that leads to the error
                raise error from cause

        try:
            inner(body, errors)
        except RuntimeError as error:
            return error, watched
        raise AssertionError

    gc.collect()
    gc.disable()
    try:
        error, watched = fail()
        assert watched() is not None
        release(error)
        assert watched() is None
    finally:
        gc.enable()


def test_the_shares_of_the_manifests_memory_leave_room_for_the_worker() -> None:
    megabytes = _limit_of_the_manifest() // _MB
    pod = Settings(memory_mb=megabytes)
    request, working = memory_shares(pod, resident=350 * _MB)
    # The process that starts the worker takes 100 MB.
    assert request + working + 350 * _MB + 100 * _MB < _limit_of_the_manifest()
    # A form of the largest body, and a photo of 12 megapixels.
    assert request > pod.max_body_mb * _MB
    assert working > 12 * 14 * _MB
    two_workers = memory_shares(Settings(memory_mb=megabytes, workers=2), resident=350 * _MB)
    assert sum(two_workers) < request + working
    assert memory_shares(Settings(memory_mb=1), resident=350 * _MB) == (20 * _MB, 20 * _MB)


@pytest.fixture(scope="module")
def small(
    start_server: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """A server that has little memory, and no garbage collections: what is left is never collected."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text("import gc\ngc.disable()\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        memory = str(_limit_of_the_manifest() // _MB)
        with start_server(
            grpc=True, MEMORY_MB=memory, MAX_EXPLANATIONS="1", MAX_PIXELS="50000000", MAX_BODY_MB="1000"
        ) as running:
            yield running


class _Peak:
    """A context manager that measures the most memory of a server and its worker together, in bytes."""

    def __init__(self, server: Server) -> None:
        parent = psutil.Process(server.process.pid)
        self._processes = [parent, *parent.children(recursive=True)]
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.bytes = self.now()

    def now(self) -> int:
        return sum(process.memory_info().rss for process in self._processes)

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.bytes = max(self.bytes, self.now())

    def __enter__(self) -> "_Peak":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._thread.join()


def test_a_server_with_the_least_memory_answers_within_it(
    start_server: Callable[..., Any], models_folder: Path, tmp_path: Path, digit_png: bytes
) -> None:
    shutil.copytree(models_folder / "mnist" / "1", tmp_path / "mnist" / "1")
    memory = str(LEAST_WORKER_MEMORY // _MB)
    with start_server(MODELS=str(tmp_path), MEMORY_MB=memory) as server, _Peak(server) as peak:
        assert [server.ask("POST", "/models/mnist", digit_png).status for _ in range(20)] == [200] * 20
    assert peak.bytes < LEAST_WORKER_MEMORY


@pytest.mark.parametrize(("headers", "count"), [(_FORM, 20), ({}, 40)], ids=["forms", "raw"])
def test_uploads_beyond_the_memory_get_429_and_the_pod_survives(
    small: Server, headers: dict[str, str], count: int
) -> None:
    body = bytes(15 * _MB)
    body = _PART % body if headers else body
    (worker,) = small.workers()
    with _Peak(small) as peak, ThreadPoolExecutor(count) as threads:
        ask = [threads.submit(small.ask, "POST", "/models/cats_vs_dogs", body, headers) for _ in range(count)]
        answers = [asked.result() for asked in ask]
    assert {answer.status for answer in answers} <= {422, 429}
    assert any(answer.status == 422 for answer in answers)
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status == 429)
    assert small.workers() == [worker]
    assert peak.bytes < _limit_of_the_manifest()


def _picture(size: tuple[int, int], kind: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, kind, **options)
    return stream.getvalue()


def _message() -> bytes:
    message = ModelInferRequest(model_name="mnist")
    message.inputs.add(name="image", datatype="UINT8", shape=[1, 28, 28])
    message.raw_input_contents.append(bytes(8 * _MB))
    return message.SerializeToString()


_CUT = _picture((8000, 5000))[:-200]
_NUMBERS = b"0," * (3 * _MB) + b"0"
_OIP = b'{"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 28, 28], "data": [%b]}]}'
_RAW = {"Inference-Header-Content-Length": "0"}
_REFUSED = {
    "a cut picture of 40 megapixels": ("/models/cats_vs_dogs", {}, _CUT, 422),
    "a blank picture": ("/models/mnist", {}, _picture((3000, 3000)), 422),
    "a form": ("/models/mnist", _FORM, _PART % bytes(6 * _MB), 422),
    "JSON of another kind": ("/models/mnist", {"Content-Type": "application/json"}, b"[%b]" % _NUMBERS, 400),
    "OIP": (
        "/v2/models/mnist/infer",
        {},
        b'{"inputs": [{"name": "image", "datatype": "UINT8", "shape": [1, 28, 28], "data": [%b]}]}'
        % _NUMBERS,
        400,
    ),
    "a raw tensor": (
        "/v2/models/mnist/infer",
        {"Inference-Header-Content-Length": "0"},
        bytes(6 * _MB + 1),
        400,
    ),
    "rows": ("/v1/models/mnist:predict", {}, b'{"instances": [%b]}' % (b"[]," * (600_000) + b"[]"), 400),
    "an explanation": ("/models/mnist/explain", {}, bytes(6 * _MB), 422),
    "BentoML": (
        "/classify_image",
        {"Content-Type": "application/json"},
        b'{"model": "mnist", "image": "%b"}' % (b"A" * (8 * _MB)),
        422,
    ),
}


@pytest.mark.parametrize("name", _REFUSED)
def test_the_memory_of_a_refused_request_is_free_without_a_garbage_collection(
    small: Server, name: str
) -> None:
    path, headers, body, status = _REFUSED[name]
    _check_growth(small, lambda: small.ask("POST", path, body, headers).status, status)


def test_the_memory_of_a_refused_call_is_free_without_a_garbage_collection(small: Server) -> None:
    body = _message()
    with grpc.insecure_channel(small.grpc_address) as channel:
        infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")

        def call() -> str:
            with pytest.raises(grpc.RpcError) as raised:
                infer(body)
            return str(raised.value.code().name)

        _check_growth(small, call, "INVALID_ARGUMENT")


def _check_growth(server: Server, ask: Callable[[], object], expected: object) -> None:
    """Send a request that is refused a few times; each would leave six MB or more."""
    (pid,) = server.workers()
    worker = psutil.Process(pid)
    assert [ask() for _ in range(2)] == [expected] * 2
    before = worker.memory_info().rss
    assert [ask() for _ in range(4)] == [expected] * 4
    assert worker.memory_info().rss < before + 20 * _MB


def test_what_would_never_fit_is_a_clear_error(small: Server) -> None:
    answer = small.ask("POST", "/models/cats_vs_dogs", _picture((8000, 6200), "WEBP"))
    assert (answer.status, answer.json()["code"]) == (413, "too_large")
    assert "LECTERN_MEMORY_MB" in answer.json()["error"]
    lists = b'{"instances": [%b[]]}' % (b"[]," * (2 * _MB))
    answer = small.ask("POST", "/v1/models/cats_vs_dogs:predict", lists)
    assert (answer.status, answer.json()["code"]) == (413, "too_large")


def test_a_body_larger_than_the_memory_of_all_requests_is_no_overload(
    small: Server, read_answer: Callable[..., Any]
) -> None:
    answer = read_answer(small.begin("/models/mnist", bytes(600 * _MB), sent=0))
    assert (answer.status, answer.json()["code"]) == (413, "body_too_large")
    assert "LECTERN_MEMORY_MB" in answer.json()["error"]


def test_explanations_have_a_limit_of_their_own(small: Server, data_folder: Path) -> None:
    picture = (data_folder / "pictures" / "eight.png").read_bytes()
    small.ask("POST", "/models/mnist/explain", picture)
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(small.ask, "POST", "/models/mnist/explain", picture) for _ in range(24)]
        predicted = [small.ask("POST", "/models/mnist", picture).status for _ in range(10)]
        answers = [task.result() for task in asked]
    assert {answer.status for answer in answers} == {200, 429}
    rejected = next(answer for answer in answers if answer.status == 429)
    assert "1 explanations are in flight" in rejected.json()["error"]
    assert predicted == [200] * 10
