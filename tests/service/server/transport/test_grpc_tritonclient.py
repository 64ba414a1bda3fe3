"""NVIDIA's gRPC clients for Triton, blocking, with callbacks and aio, called as their example programs do."""

import asyncio
import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as triton
import tritonclient.grpc.aio as aio
import tritonclient.http as http

from service.inference.catalog import Catalog

Server = Any
Expected = Callable[..., Any]


def _input(name: str, values: Any, datatype: str) -> Any:
    tensor = triton.InferInput(name, list(values.shape), datatype)
    tensor.set_data_from_numpy(values)
    return tensor


def _files(*contents: bytes) -> Any:
    return np.array(contents, dtype=np.object_)


def test_the_client_reads_health_and_metadata(client: Any, catalog: Catalog) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    metadata = client.get_server_metadata()
    assert metadata.name == "lectern"
    assert metadata.version
    assert "classification" in metadata.extensions
    for card in catalog:
        assert client.is_model_ready(card.name)
        assert client.is_model_ready(card.name, str(card.version))


def test_metadata_and_index_are_those_of_http(client: Any, server: Server, catalog: Catalog) -> None:
    with http.InferenceServerClient(f"127.0.0.1:{server.port}") as other:
        for card in catalog:
            for number in catalog.versions(card.name):
                metadata = client.get_model_metadata(card.name, str(number), as_json=True)
                for row in metadata["inputs"] + metadata["outputs"]:
                    row["shape"] = [int(size) for size in row["shape"]]  # JSON of protobuf quotes them
                assert metadata == other.get_model_metadata(card.name, str(number))
        index = client.get_model_repository_index(as_json=True)["models"]
        assert [{"reason": "", **row} for row in index] == other.get_model_repository_index()


def test_configuration_and_statistics_are_those_of_http(
    client: Any, server: Server, catalog: Catalog, mnist_digits: Any
) -> None:
    client.infer("mnist", [_input("image", mnist_digits[:3], "UINT8")])
    with http.InferenceServerClient(f"127.0.0.1:{server.port}") as other:
        for card in catalog:
            config = client.get_model_config(card.name, as_json=True)["config"]
            for row in config["input"] + config["output"]:
                row["dims"] = [int(size) for size in row["dims"]]  # JSON of protobuf quotes them
            # protobuf leaves out the first value of an enumeration.
            config["input"][0].setdefault("format", "FORMAT_NONE")
            assert config == other.get_model_config(card.name)
        of_grpc = client.get_inference_statistics("mnist").model_stats
        of_http = other.get_inference_statistics("mnist")["model_stats"]
        versions = list(map(str, catalog.versions("mnist")))
        assert [row.version for row in of_grpc] == [row["version"] for row in of_http] == versions
        counts = [(row["inference_count"], row["execution_count"]) for row in of_http]
        assert [(row.inference_count, row.execution_count) for row in of_grpc] == counts
        everything = client.get_inference_statistics().model_stats
        assert {row.name for row in everything} == {card.name for card in catalog}


@pytest.mark.parametrize("count", [1, 3, 64])
def test_pixels_are_answered_as_in_process(
    client: Any, mnist_digits: Any, expected: Expected, count: int
) -> None:
    batch = mnist_digits[:count]
    result = client.infer("mnist", [_input("image", batch, "UINT8")])
    answer = result.as_numpy("probabilities")
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, expected("mnist", batch=batch), atol=1e-6)


@pytest.mark.parametrize(
    ("datatype", "dtype"),
    [
        ("UINT16", "u2"), ("UINT32", "u4"), ("UINT64", "u8"),
        ("INT16", "i2"), ("INT32", "i4"), ("INT64", "i8"),
        ("FP16", "f2"), ("FP32", "f4"), ("FP64", "f8"),
    ],
)  # fmt: skip
def test_other_datatypes_carry_the_same_pixels(
    client: Any, mnist_digits: Any, expected: Expected, datatype: str, dtype: str
) -> None:
    result = client.infer("mnist", [_input("image", mnist_digits[:2].astype(dtype), datatype)])
    answer = result.as_numpy("probabilities")
    np.testing.assert_allclose(answer, expected("mnist", batch=mnist_digits[:2]), atol=1e-6)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10", "cats_vs_dogs", "imdb"])
def test_files_and_texts_are_answered_as_in_process(
    client: Any, samples: Any, catalog: Catalog, expected: Expected, name: str
) -> None:
    inputs = samples(name).inputs[:3]
    contents = [value.encode() if isinstance(value, str) else value for value in inputs]
    tensor = _input(catalog.card(name).input.name, _files(*contents), "BYTES")
    answer = client.infer(name, [tensor]).as_numpy("probabilities")
    np.testing.assert_allclose(answer, expected(name, *inputs), atol=1e-5)


def test_ids_of_words_are_taken_as_numbers(client: Any, expected: Expected) -> None:
    ids = np.array([[3, 7, 11]], np.int32)
    answer = client.infer("imdb", [_input("ids", ids, "INT32")]).as_numpy("probabilities")
    np.testing.assert_allclose(answer, expected("imdb", batch=ids), atol=1e-6)


def test_the_response_has_the_id_the_version_and_the_requested_output(client: Any, catalog: Catalog) -> None:
    outputs = [triton.InferRequestedOutput("probabilities")]
    for number in catalog.versions("cifar10"):
        pixels = np.zeros((1, 32, 32, 3), np.uint8)
        result = client.infer(
            "cifar10", [_input("image", pixels, "UINT8")], str(number), outputs, request_id="lecture 7"
        )
        response = result.get_response()
        assert (response.model_name, response.model_version) == ("cifar10", str(number))
        assert response.id == "lecture 7"
        assert [output.name for output in response.outputs] == ["probabilities"]


def test_classification_names_the_best_labels(client: Any, mnist_digits: Any, expected: Expected) -> None:
    outputs = [triton.InferRequestedOutput("probabilities", class_count=2)]
    result = client.infer("mnist", [_input("image", mnist_digits[:3], "UINT8")], outputs=outputs)
    rows = result.as_numpy("probabilities")
    assert rows.shape == (3, 2)
    for row, truth in zip(rows, expected("mnist", batch=mnist_digits[:3]), strict=True):
        best = row[0].decode().split(":")
        assert best[1:] == [str(truth.argmax())] * 2
        assert float(best[0]) == pytest.approx(truth.max(), abs=1e-5)


def test_sixteen_clients_get_their_own_responses(client: Any, mnist_digits: Any, expected: Expected) -> None:
    truth = expected("mnist", batch=mnist_digits[:128]).argmax(axis=1)

    def ask(index: int) -> int:
        result = client.infer("mnist", [_input("image", mnist_digits[index : index + 1], "UINT8")])
        return int(result.as_numpy("probabilities").argmax())

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(ask, range(128))) == truth.tolist()


def test_async_infer_with_a_callback(client: Any, mnist_digits: Any) -> None:
    done: queue.Queue[Any] = queue.Queue()
    tensor = _input("image", mnist_digits[:1], "UINT8")
    client.async_infer("mnist", [tensor], lambda result, error: done.put((result, error)))
    result, error = done.get(timeout=30)
    assert error is None
    assert result.as_numpy("probabilities").shape == (1, 10)


def test_the_aio_client(server: Server, mnist_digits: Any, expected: Expected) -> None:
    async def ask() -> Any:
        async with aio.InferenceServerClient(server.grpc_address) as opened:
            assert await opened.is_server_ready()
            tensors = [_input("image", mnist_digits[index : index + 1], "UINT8") for index in range(16)]
            answers = await asyncio.gather(*(opened.infer("mnist", [tensor]) for tensor in tensors))
            return np.concatenate([answer.as_numpy("probabilities") for answer in answers])

    np.testing.assert_allclose(asyncio.run(ask()), expected("mnist", batch=mnist_digits[:16]), atol=1e-6)
