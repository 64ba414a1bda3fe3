"""Models are loaded and unloaded at run time, in all workers and without a lost request."""

import http.client
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import tritonclient.http as triton
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

Server = Any
StartServer = Callable[..., Any]
TinyModel = Callable[..., Path]
Until = Callable[..., Any]

_KEY = {"Authorization": "Bearer secret"}


def _bias(label: int) -> tuple[float, ...]:
    return tuple(9.0 if index == label else 0.0 for index in range(10))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def controlled(folder: Path, tiny_model: TinyModel, start_server: StartServer) -> Iterator[Server]:
    """A server of two workers whose models can be changed, with a key."""
    for name in ("digits", "other", "busy"):
        tiny_model(folder, name=name, version=1, bias=_bias(1))
    with start_server(
        grpc=True, MODELS=str(folder), MODEL_CONTROL="1", WORKERS="2", API_KEYS="secret"
    ) as server:
        yield server


def _change(server: Server, name: str, action: str) -> Any:
    return server.ask("POST", f"/v2/repository/models/{name}/{action}", headers=_KEY)


def _answers(server: Server, name: str, picture: bytes, *, requests: int = 24) -> set[tuple[int, str | None]]:
    """Return the statuses and versions of requests on connections of their own, which all workers get."""
    found = (server.ask("POST", f"/models/{name}", picture, _KEY) for _ in range(requests))
    return {(answer.status, answer.headers["X-Model-Version"]) for answer in found}


def test_a_new_version_is_served_by_all_workers_when_the_call_returns(
    controlled: Server, folder: Path, tiny_model: TinyModel, digit_png: bytes
) -> None:
    tiny_model(folder, name="digits", version=2, bias=_bias(2))
    assert _answers(controlled, "digits", digit_png) == {(200, "1")}
    answer = _change(controlled, "digits", "load")
    assert answer.status == 200, answer.body
    assert [(row["version"], row["state"]) for row in answer.json()] == [("1", "READY"), ("2", "READY")]
    assert _answers(controlled, "digits", digit_png) == {(200, "2")}
    best = controlled.ask("POST", "/models/digits?top_k=1", digit_png, _KEY).json()[0]["label"]
    assert best == "2"
    metadata = controlled.ask("GET", "/v2/models/digits", headers=_KEY).json()
    assert metadata["versions"] == ["1", "2"]


def test_a_broken_version_is_refused_and_the_old_one_goes_on(
    controlled: Server, folder: Path, tiny_model: TinyModel, digit_png: bytes
) -> None:
    place = tiny_model(folder, name="digits", version=9)
    (place / "model.onnx").write_bytes(b"cut")
    try:
        answer = _change(controlled, "digits", "load")
        assert (answer.status, answer.json()["code"]) == (503, "checksum_mismatch")
        assert answer.json()["error"].startswith("digits/9/model.onnx: SHA-256 is")
        assert {status for status, _ in _answers(controlled, "digits", digit_png)} == {200}
        assert controlled.ask("GET", "/models/digits/versions/9", headers=_KEY).status == 404
    finally:
        shutil.rmtree(place)


def test_a_model_is_unloaded_and_loaded_again(controlled: Server, digit_png: bytes, until: Until) -> None:
    def named() -> bool:
        return '"other"' in controlled.ask("GET", "/docs.json").body.decode()

    assert named()
    assert _change(controlled, "other", "unload").json() == []
    assert _answers(controlled, "other", digit_png) == {(404, None)}
    until(lambda: not named())
    assert _change(controlled, "other", "unload").status == 404
    # A worker that starts anew does not load it either.
    first = controlled.workers()
    os.kill(first[0], signal.SIGKILL)
    until(lambda: len(controlled.workers()) == 2 and controlled.workers() != first)
    until(lambda: _change(controlled, "busy", "load").status == 200)
    assert _answers(controlled, "other", digit_png) == {(404, None)}
    assert _change(controlled, "other", "load").status == 200
    assert _answers(controlled, "other", digit_png) == {(200, "1")}
    until(named)


def test_no_request_is_lost_while_versions_change(
    controlled: Server, folder: Path, tiny_model: TinyModel, digit_png: bytes, until: Until
) -> None:
    stop = threading.Event()
    counts: dict[tuple[int, str | None], int] = {}
    failures: list[Exception] = []

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", controlled.port, timeout=30)
        try:
            while not stop.is_set():
                connection.request("POST", "/models/busy", digit_png, _KEY)
                response = connection.getresponse()
                response.read()
                key = (response.status, response.headers["X-Model-Version"])
                counts[key] = counts.get(key, 0) + 1
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        for version in (2, 3, 4):
            tiny_model(folder, name="busy", version=version, bias=_bias(version))
            assert _change(controlled, "busy", "load").status == 200
            until(lambda expected=(200, str(version)): expected in counts)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert {status for status, _ in counts} == {200}
    assert sorted(version for _, version in counts) == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    "name", ["nothing", "..", "%2e%2e", "..%2fdigits", "digits%2f1", "digits%00", ".digits", "%2fetc"]
)
@pytest.mark.parametrize("action", ["load", "unload"])
def test_only_names_of_model_folders_are_accepted(controlled: Server, name: str, action: str) -> None:
    answer = _change(controlled, name, action)
    assert (answer.status, answer.json()["code"]) in ((404, "model_not_found"), (404, "not_found"))


def test_models_and_configurations_from_clients_are_refused(controlled: Server) -> None:
    parameters = {"file:9/model.onnx": "AAAA"}
    answer = controlled.post_json("/v2/repository/models/digits/load", {"parameters": parameters}, _KEY)
    assert (answer.status, answer.json()["code"]) == (400, "invalid_parameter")


def test_the_calls_need_the_key(controlled: Server) -> None:
    for action in ("load", "unload"):
        assert controlled.ask("POST", f"/v2/repository/models/digits/{action}").status == 401


def test_they_are_off_unless_enabled(server: Server) -> None:
    for action in ("load", "unload"):
        answer = server.ask("POST", f"/v2/repository/models/mnist/{action}")
        assert (answer.status, answer.json()["code"]) == (404, "not_found")
    with grpc.insecure_channel(server.grpc_address) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        with pytest.raises(grpc.RpcError) as raised:
            stub.RepositoryModelLoad(service_pb2.RepositoryModelLoadRequest(model_name="mnist"), timeout=30)
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED  # type: ignore[attr-defined]


def test_tritons_http_client_loads_and_unloads(controlled: Server) -> None:
    with triton.InferenceServerClient(f"127.0.0.1:{controlled.port}") as client:
        client.unload_model("digits", headers=_KEY)
        assert not client.is_model_ready("digits", headers=_KEY)
        client.load_model("digits", headers=_KEY)
        assert client.is_model_ready("digits", headers=_KEY)
        with pytest.raises(InferenceServerException, match="there is no folder 'nothing'"):
            client.load_model("nothing", headers=_KEY)


def test_grpc_loads_and_unloads(controlled: Server) -> None:
    metadata = (("authorization", "Bearer secret"),)
    with grpc.insecure_channel(controlled.grpc_address) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        unload = service_pb2.RepositoryModelUnloadRequest(model_name="digits")
        stub.RepositoryModelUnload(unload, metadata=metadata, timeout=30)
        rows = stub.RepositoryIndex(
            service_pb2.RepositoryIndexRequest(), metadata=metadata, timeout=30
        ).models
        assert "digits" not in {row.name for row in rows}
        load = service_pb2.RepositoryModelLoadRequest(model_name="digits")
        stub.RepositoryModelLoad(load, metadata=metadata, timeout=30)
        rows = stub.RepositoryIndex(
            service_pb2.RepositoryIndexRequest(), metadata=metadata, timeout=30
        ).models
        assert ("digits", "1", "READY") in {(row.name, row.version, row.state) for row in rows}
        load.parameters["config"].string_param = "{}"
        with pytest.raises(grpc.RpcError, match="'config' is not supported"):
            stub.RepositoryModelLoad(load, metadata=metadata, timeout=30)


def test_the_document_describes_the_calls_for_any_name(controlled: Server) -> None:
    document = controlled.ask("GET", "/docs.json").json()
    for action in ("load", "unload"):
        operation = document["paths"][f"/v2/repository/models/{{name}}/{action}"]["post"]
        assert operation["parameters"][0]["schema"] == {"type": "string"}
        assert operation["responses"]["401"]
