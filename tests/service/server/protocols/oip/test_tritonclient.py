"""Triton's HTTP clients, blocking, asynchronous and aio, get the predictions of the process."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.http as http
import tritonclient.http.aio as aio
from tritonclient.utils import InferenceServerException, deserialize_bytes_tensor, serialize_byte_tensor

from service.inference.catalog import Catalog

Server = Any
Expected = Callable[..., Any]


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    with http.InferenceServerClient(f"127.0.0.1:{server.port}") as opened:
        yield opened


def _input(name: str, values: Any, datatype: str, *, binary: bool = True, module: Any = http) -> Any:
    tensor = module.InferInput(name, list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


def _files(*contents: bytes) -> Any:
    return np.array(contents, dtype=np.object_)


def test_the_client_reads_health_and_metadata(client: Any, catalog: Catalog) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.get_server_metadata()["name"] == "lectern"
    assert {"binary_tensor_data", "classification"} <= set(client.get_server_metadata()["extensions"])
    for card in catalog:
        assert client.is_model_ready(card.name)
        assert client.is_model_ready(card.name, str(card.version))
        metadata = client.get_model_metadata(card.name)
        assert metadata["versions"] == [str(number) for number in catalog.versions(card.name)]
        assert [row["name"] for row in metadata["inputs"]] == [card.input.name]
        assert metadata == client.get_model_metadata(card.name, str(card.version))
    assert not client.is_model_ready("minst")
    assert not client.is_model_ready("mnist", "99")


def test_the_repositorys_index_has_every_version(client: Any, catalog: Catalog) -> None:
    rows = [(row["name"], row["version"]) for row in client.get_model_repository_index()]
    assert rows == [(card.name, str(number)) for card in catalog for number in catalog.versions(card.name)]


def test_metadata_and_configuration_describe_a_valid_request(client: Any, mnist_digits: Any) -> None:
    metadata, config = client.get_model_metadata("mnist"), client.get_model_config("mnist")
    takes, gives = metadata["inputs"][0], metadata["outputs"][0]
    assert config["input"][0]["dims"] == takes["shape"][1:]
    assert config["input"][0]["data_type"] == f"TYPE_{takes['datatype']}"
    count = min(config["max_batch_size"], len(mnist_digits))
    result = client.infer("mnist", [_input(takes["name"], mnist_digits[:count], takes["datatype"])])
    assert result.as_numpy(gives["name"]).shape == (count, gives["shape"][1])
    assert result.get_response()["outputs"][0]["datatype"] == gives["datatype"]


def test_statistics_count_inputs_runs_and_the_times_of_the_stages(client: Any, mnist_digits: Any) -> None:
    def read() -> dict[str, Any]:
        (row,) = client.get_inference_statistics("mnist", "2")["model_stats"]
        return dict(row)

    pixels = [_input("image", mnist_digits[:5], "UINT8")]
    client.infer("mnist", pixels, model_version="2")
    before = read()
    client.infer("mnist", pixels, model_version="2")
    with pytest.raises(InferenceServerException):
        client.infer("mnist", [_input("image", mnist_digits[:5, :5], "UINT8")], model_version="2")
    after = read()
    assert after["inference_count"] - before["inference_count"] == 5
    # On a busy machine, threads share the inputs.
    assert 1 <= after["execution_count"] - before["execution_count"] <= 5
    old, new = before["inference_stats"], after["inference_stats"]
    assert {name: new[name]["count"] - old[name]["count"] for name in new} == dict.fromkeys(new, 1)
    assert new["compute_infer"]["ns"] > old["compute_infer"]["ns"]
    assert new["success"]["ns"] - old["success"]["ns"] == sum(
        new[name]["ns"] - old[name]["ns"] for name in ("queue", "compute_input", "compute_infer")
    )
    with pytest.raises(InferenceServerException, match="there is no model"):
        client.get_inference_statistics("minst")


@pytest.mark.parametrize("count", [1, 3, 64])
@pytest.mark.parametrize("binary", [True, False])
def test_pixels_are_answered_as_in_process(
    client: Any, mnist_digits: Any, expected: Expected, binary: bool, count: int
) -> None:
    batch = mnist_digits[:count]
    wanted = [http.InferRequestedOutput("probabilities", binary_data=binary)]
    result = client.infer("mnist", [_input("image", batch, "UINT8", binary=binary)], outputs=wanted)
    answer = result.as_numpy("probabilities")
    assert answer.dtype == np.float32
    np.testing.assert_allclose(answer, expected("mnist", batch=batch), atol=1e-6)


@pytest.mark.parametrize(
    ("datatype", "dtype"),
    [
        ("UINT16", np.uint16),
        ("INT16", np.int16),
        ("INT32", np.int32),
        ("INT64", np.int64),
        ("UINT64", np.uint64),
        ("FP16", np.float16),
        ("FP32", np.float32),
        ("FP64", np.float64),
    ],
)
def test_pixels_of_any_type_of_number_are_the_same_pixels(
    client: Any, mnist_digits: Any, expected: Expected, datatype: str, dtype: Any
) -> None:
    tensor = _input("image", mnist_digits[:2].astype(dtype), datatype)
    answer = client.infer("mnist", [tensor]).as_numpy("probabilities")
    np.testing.assert_array_equal(
        answer, client.infer("mnist", [_input("image", mnist_digits[:2], "UINT8")]).as_numpy("probabilities")
    )
    np.testing.assert_allclose(answer, expected("mnist", batch=mnist_digits[:2]), atol=1e-6)


def test_files_and_texts_as_bytes_are_answered_by_every_version_as_in_process(
    client: Any, samples: Callable[[str], Any], catalog: Catalog
) -> None:
    for name, version in [(card.name, number) for card in catalog for number in catalog.versions(card.name)]:
        predictor = catalog.predictor(name, version)
        inputs = samples(name).inputs[:3]
        encoded = [value.encode() if isinstance(value, str) else value for value in inputs]
        tensor = _input(predictor.card.input.name, _files(*encoded), "BYTES")
        result = client.infer(name, [tensor], model_version=str(version))
        assert result.get_response()["model_version"] == str(version)
        expected = predictor.probabilities(predictor.stack([predictor.prepare(value) for value in inputs]))
        np.testing.assert_allclose(result.as_numpy("probabilities"), expected, atol=1e-6)


def test_pictures_of_different_sizes_and_kinds_fit_in_one_tensor(
    client: Any, encode: Callable[..., bytes], mnist_digits: Any, expected: Expected
) -> None:
    large = mnist_digits[1].repeat(9, axis=0).repeat(9, axis=1)
    files = [encode(mnist_digits[0]), encode(large, "JPEG"), encode(large)]
    for values in (_files(*files), _files(*files).reshape(3, 1)):
        answer = client.infer("mnist", [_input("image", values, "BYTES")]).as_numpy("probabilities")
        np.testing.assert_allclose(answer, expected("mnist", *files), atol=1e-6)


def test_texts_in_json_and_ids_are_answered_as_in_process(
    client: Any, catalog: Catalog, expected: Expected
) -> None:
    texts = ["A wonderful, moving café scene", "dull"]
    values = np.array(texts, dtype=np.object_)
    answer = client.infer("imdb", [_input("ids", values, "BYTES", binary=False)])
    np.testing.assert_allclose(answer.as_numpy("probabilities"), expected("imdb", *texts), atol=1e-6)
    predictor = catalog.predictor("imdb")
    ids = predictor.stack([predictor.prepare(text) for text in texts])
    for datatype in ("INT32", "INT64"):
        tensor = _input("ids", ids.astype(datatype.lower()), datatype)
        again = client.infer("imdb", [tensor]).as_numpy("probabilities")
        np.testing.assert_allclose(again, expected("imdb", *texts), atol=1e-6)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("count", [1, 3, 10, 1000])
def test_classification_names_the_best_labels(
    client: Any, mnist_digits: Any, catalog: Catalog, expected: Expected, binary: bool, count: int
) -> None:
    wanted = [http.InferRequestedOutput("probabilities", binary_data=binary, class_count=count)]
    result = client.infer("mnist", [_input("image", mnist_digits[:4], "UINT8")], outputs=wanted)
    rows = result.as_numpy("probabilities")
    assert rows.shape == (4, min(count, 10))
    labels = catalog.card("mnist").labels
    for row, probabilities in zip(rows, expected("mnist", batch=mnist_digits[:4]), strict=True):
        texts = [value.decode() if isinstance(value, bytes) else value for value in row]
        values, indices, names = zip(*(text.split(":") for text in texts), strict=True)
        best = np.sort(probabilities)[::-1][: len(row)]
        np.testing.assert_allclose(np.array(values, np.float32), best, atol=1e-6)
        assert indices[0] == str(probabilities.argmax())
        assert list(names) == [labels[int(index)] for index in indices]


def test_the_response_has_the_requests_id_and_the_version(
    client: Any, mnist_digits: Any, catalog: Catalog
) -> None:
    tensor = _input("image", mnist_digits[:1], "UINT8")
    version = str(catalog.card("mnist").version)
    response = client.infer("mnist", [tensor], request_id="lecture 7", model_version=version).get_response()
    assert (response["id"], response["model_name"], response["model_version"]) == (
        "lecture 7",
        "mnist",
        version,
    )
    assert "id" not in client.infer("mnist", [tensor]).get_response()


def test_unknown_parameters_have_no_effect(client: Any, mnist_digits: Any) -> None:
    tensor = _input("image", mnist_digits[:1], "UINT8")
    result = client.infer(
        "mnist", [tensor], sequence_id=7, sequence_start=True, priority=1, timeout=9, parameters={"own": 1}
    )
    assert result.as_numpy("probabilities").shape == (1, 10)


def test_concurrent_requests_each_get_their_own_response(
    server: Server, mnist_digits: Any, expected: Expected
) -> None:
    with http.InferenceServerClient(f"127.0.0.1:{server.port}", concurrency=8) as client:
        pending = [
            client.async_infer("mnist", [_input("image", mnist_digits[index : index + 1], "UINT8")])
            for index in range(40)
        ]
        answers = np.concatenate([request.get_result().as_numpy("probabilities") for request in pending])
    np.testing.assert_allclose(answers, expected("mnist", batch=mnist_digits[:40]), atol=1e-6)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_requests_and_responses_may_be_compressed(
    server: Server, client: Any, mnist_digits: Any, expected: Expected, encoding: str
) -> None:
    compressed = {
        "request_compression_algorithm": encoding,
        "response_compression_algorithm": encoding,
    }
    probabilities = expected("mnist", batch=mnist_digits[:64])
    for binary in (True, False):
        outputs = [http.InferRequestedOutput("probabilities", binary_data=binary)]
        tensor = _input("image", mnist_digits[:64], "UINT8", binary=binary)
        result = client.infer("mnist", [tensor], outputs=outputs, **compressed)
        np.testing.assert_allclose(result.as_numpy("probabilities"), probabilities, atol=1e-6)

    async def ask() -> Any:
        async with aio.InferenceServerClient(f"127.0.0.1:{server.port}") as other:
            tensor = _input("image", mnist_digits[:64], "UINT8", module=aio)
            return await other.infer("mnist", [tensor], **compressed)

    np.testing.assert_allclose(asyncio.run(ask()).as_numpy("probabilities"), probabilities, atol=1e-6)


def test_the_aio_client_is_answered_as_in_process(
    server: Server, mnist_digits: Any, digit_png: bytes, expected: Expected
) -> None:
    async def ask() -> tuple[list[Any], Any]:
        async with aio.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
            assert await client.is_server_ready()
            calls = [
                client.infer("mnist", [_input("image", mnist_digits[index : index + 2], "UINT8", module=aio)])
                for index in range(20)
            ]
            files = await client.infer("mnist", [_input("image", _files(digit_png), "BYTES", module=aio)])
            return await asyncio.gather(*calls), files

    results, files = asyncio.run(ask())
    for index, result in enumerate(results):
        np.testing.assert_allclose(
            result.as_numpy("probabilities"),
            expected("mnist", batch=mnist_digits[index : index + 2]),
            atol=1e-6,
        )
    np.testing.assert_allclose(files.as_numpy("probabilities"), expected("mnist", digit_png), atol=1e-6)


def test_the_clients_body_builder_and_parser_fit(
    server: Server, mnist_digits: Any, expected: Expected
) -> None:
    tensor = _input("image", mnist_digits[:2], "UINT8")
    body, length = http.InferenceServerClient.generate_request_body([tensor])
    answer = server.ask(
        "POST", "/v2/models/mnist/infer", body, {"Inference-Header-Content-Length": str(length)}
    )
    assert answer.headers["Content-Type"] == "application/octet-stream"
    result = http.InferenceServerClient.parse_response_body(
        answer.body, header_length=int(answer.headers["Inference-Header-Content-Length"])
    )
    np.testing.assert_allclose(
        result.as_numpy("probabilities"), expected("mnist", batch=mnist_digits[:2]), atol=1e-6
    )


def test_a_bytes_tensor_is_written_as_the_client_writes_it(
    client: Any, server: Server, mnist_digits: Any, infer: Callable[..., Any]
) -> None:
    wanted = [http.InferRequestedOutput("probabilities", class_count=2)]
    rows = client.infer("mnist", [_input("image", mnist_digits[:2], "UINT8")], outputs=wanted)
    document = {
        "inputs": [
            {
                "name": "image",
                "shape": [2, 28, 28],
                "datatype": "UINT8",
                "parameters": {"binary_data_size": 1568},
            }
        ],
        "outputs": [{"name": "probabilities", "parameters": {"binary_data": True, "classification": 2}}],
    }
    answer = infer(server, "mnist", document, binary=mnist_digits[:2].tobytes())
    tail = answer.body[int(answer.headers["Inference-Header-Content-Length"]) :]
    assert tail == serialize_byte_tensor(rows.as_numpy("probabilities")).item()
    assert len(deserialize_bytes_tensor(tail)) == 4


def test_the_client_raises_errors_with_the_servers_message(client: Any, mnist_digits: Any) -> None:
    with pytest.raises(InferenceServerException, match="there is no model 'minst'") as missing:
        client.infer("minst", [_input("image", mnist_digits[:1], "UINT8")])
    assert missing.value.status() == "404"
    with pytest.raises(InferenceServerException, match=r"shape \[-1, 28, 28\].*got \[1, 28\]") as wrong:
        client.infer("mnist", [_input("image", mnist_digits[0, :1], "UINT8")])
    assert wrong.value.status() == "400"
    with pytest.raises(InferenceServerException, match="has no version 99"):
        client.get_model_metadata("mnist", "99")
    with pytest.raises(InferenceServerException, match="exactly one output"):
        client.infer(
            "mnist",
            [_input("image", mnist_digits[:1], "UINT8")],
            outputs=[http.InferRequestedOutput("logits")],
        )


def test_the_client_sends_the_api_key(strict: Server, mnist_digits: Any) -> None:
    with http.InferenceServerClient(f"127.0.0.1:{strict.port}") as client:
        assert client.is_server_ready()  # a probe: it needs none
        tensor = _input("image", mnist_digits[:1], "UINT8")
        with pytest.raises(InferenceServerException, match="API key"):
            client.infer("mnist", [tensor])
        result = client.infer("mnist", [tensor], headers={"Authorization": "Bearer alpha"})
        assert result.as_numpy("probabilities").shape == (1, 10)
