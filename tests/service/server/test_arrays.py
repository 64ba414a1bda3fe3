"""Arrays in all shapes and scales that callers have get the predictions of the network's own batch."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as grpc
import tritonclient.http as http
from PIL import Image

from service.client import Client, RequestRefused
from service.inference.catalog import Catalog
from service.inference.errors import InvalidInput, InvalidTensor
from service.inference.preprocessing import prepare_digit

Server = Any
Run = Callable[..., Any]
Array = Any

_SHAPES: dict[str, Callable[[Array], Array]] = {
    "batch": lambda digits: digits,
    "with channel": lambda digits: digits[..., None],
    "flat": lambda digits: digits.reshape(len(digits), -1),
    "one": lambda digits: digits[0],
    "one with channel": lambda digits: digits[0][..., None],
    "one flat": lambda digits: digits[0].reshape(-1),
}
_SCALES: dict[str, Callable[[Array], Array]] = {
    "levels": lambda digits: digits,
    "float levels": lambda digits: digits.astype(np.float32),
    "shares": lambda digits: digits.astype(np.float32) / 255,
    "double shares": lambda digits: digits / 255,
}


@pytest.fixture
def digits(mnist_digits: Array) -> Array:
    return mnist_digits[:3]


def _npy(values: Array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


def _triton(module: Any, port: int, values: Array) -> Array:
    datatype = {"uint8": "UINT8", "float32": "FP32", "float64": "FP64", "bool": "BOOL"}[values.dtype.name]
    with module.InferenceServerClient(f"127.0.0.1:{port}") as client:
        tensor = module.InferInput("image", list(values.shape), datatype)
        tensor.set_data_from_numpy(values)
        return client.infer("mnist", [tensor]).as_numpy("probabilities")


@pytest.mark.parametrize("scale", _SCALES)
@pytest.mark.parametrize("shape", _SHAPES)
def test_every_form_gets_the_same_answer_from_every_protocol(
    server: Server, catalog: Catalog, digits: Array, shape: str, scale: str
) -> None:
    values = np.ascontiguousarray(_SCALES[scale](_SHAPES[shape](digits)))
    expected = catalog.predictor("mnist").probabilities(digits)[: 1 if shape.startswith("one") else None]

    served = server.post_json("/v1/models/mnist:predict", {"instances": values.tolist()})
    np.testing.assert_allclose(served.json()["predictions"], expected, atol=1e-5)
    tensor = {"name": "image", "datatype": "FP64", "shape": list(values.shape), "data": values.tolist()}
    infer = server.post_json("/v2/models/mnist/infer", {"inputs": [tensor]})
    np.testing.assert_allclose(infer.json()["outputs"][0]["data"], expected.reshape(-1), atol=1e-5)
    np.testing.assert_allclose(_triton(http, server.port, values), expected, atol=1e-5)
    np.testing.assert_allclose(_triton(grpc, server.grpc_port, values), expected, atol=1e-5)

    best = [str(row.argmax()) for row in expected]
    simple = server.post_json("/models/mnist", {"inputs": values.tolist(), "parameters": {"top_k": 1}}).json()
    rows = [simple] if shape.startswith("one") else simple
    assert [row[0]["label"] for row in rows] == best
    with Client(server.url) as client:
        assert [row.best.label for row in client.predict_many("mnist", values)] == best
    local = catalog.predictor("mnist").predict_array(values)
    assert [row.best.label for row in local] == best


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.zeros((2, 1, 28, 28)), "channels first"),
        (np.full((1, 28, 28), -1.5), "standardised"),
        (np.full((1, 28, 28), 4095), "more than 8 bits"),
        (np.full((1, 28, 28), np.nan), "not finite"),
        (np.zeros((1, 28, 28, 3)), "reads grey"),
        (np.zeros((28, 28, 3)), "reads grey"),
        (np.zeros((28, 28, 5)), "number of pictures last"),
        (np.zeros((1, 1, 28, 28, 1)), r"28, 28, 1\]; too many dimensions"),
        (np.zeros((1, 32, 32)), r"\[-1, 28, 28\], \[-1, 28, 28, 1\], \[28, 28\] or \[-1, 784\]"),
        (np.zeros((0, 28, 28)), "it is empty"),
    ],
)
def test_a_refusal_says_what_the_array_looks_like(
    server: Server, catalog: Catalog, values: Array, says: str
) -> None:
    with pytest.raises(InvalidTensor, match=says):
        catalog.predictor("mnist").predict_array(values)
    with Client(server.url) as client, pytest.raises(RequestRefused, match=says) as refused:
        client.predict_many("mnist", values)
    assert (refused.value.status, refused.value.code) == (400, "invalid_tensor")


def test_integers_of_0_and_1_are_black_and_white(catalog: Catalog, digits: Array) -> None:
    predictor, white = catalog.predictor("mnist"), np.where(digits > 127, 255, 0).astype(np.uint8)
    expected = predictor.predict_array(white)
    for dtype in (np.uint8, np.int64, np.bool_, np.float16):
        assert predictor.predict_array((white > 0).astype(dtype)) == expected


def test_digits_in_black_and_white_are_softened_like_pictures_by_every_protocol(
    server: Server, catalog: Catalog, digits: Array
) -> None:
    white = np.where(digits > 127, 255, 0).astype(np.uint8)
    pictures = [prepare_digit(Image.fromarray(digit)) for digit in white]
    expected = catalog.predictor("mnist").probabilities(np.stack(pictures))
    for values in (white, white > 0):
        served = server.post_json("/v1/models/mnist:predict", {"instances": values.tolist()})
        np.testing.assert_allclose(served.json()["predictions"], expected, atol=1e-5)
        np.testing.assert_allclose(_triton(http, server.port, values), expected, atol=1e-5)
        np.testing.assert_allclose(_triton(grpc, server.grpc_port, values), expected, atol=1e-5)
        local = catalog.predictor("mnist").predict_array(values)
        assert [row.best.label for row in local] == [str(row.argmax()) for row in expected]


def test_a_batch_beyond_the_limit_is_refused(server: Server) -> None:
    with Client(server.url) as client, pytest.raises(RequestRefused) as refused:
        client.predict_many("mnist", np.zeros((65, 28, 28), np.uint8))
    assert refused.value.code == "batch_too_large"


@pytest.mark.parametrize(
    "body",
    [
        _npy(np.zeros((2, 28, 28), np.uint8))[:-1],
        _npy(np.array(["a"])),
        b"\x93NUMPY\x01\x00\xff\xff",
        _npy(np.zeros((2, 28, 28), np.uint8)).replace(b"(2, 28, 28)", b"(2**9, 28,)"),
    ],
    ids=["cut off", "texts", "no header", "a shape that is no number"],
)
def test_a_damaged_or_other_array_file_is_refused(server: Server, body: bytes) -> None:
    answer = server.ask("POST", "/models/mnist", body, {"Content-Type": "application/x-npy"})
    assert (answer.status, answer.json()["code"]) == (400, "invalid_tensor")
    assert " at 0x" not in answer.json()["error"]


@pytest.mark.parametrize(
    ("shape", "content"),
    [
        (f"({'1, ' * 65})", b"\1"),
        (f"(0, {2**62}, {2**62})", b""),
        (f"(0, {10**30})", b""),
        ("(True, 1)", b"\1"),
        ("(-1, -1)", b"\1"),
    ],
    ids=["many dimensions", "too large", "beyond 64 bits", "a truth value", "negative"],
)
def test_a_shape_that_no_array_has_is_refused(server: Server, shape: str, content: bytes) -> None:
    body = _npy(np.zeros(1, np.uint8))
    header = body[10:-1].replace(b"(1,)", shape.encode()).rstrip() + b"\n"
    body = body[:8] + len(header).to_bytes(2, "little") + header + content
    answer = server.ask("POST", "/models/mnist", body, {"Content-Type": "application/x-npy"})
    assert (answer.status, answer.json()["code"]) == (400, "invalid_tensor")


def test_predict_of_the_client_refuses_several_inputs(server: Server, digits: Array) -> None:
    with Client(server.url) as client, pytest.raises(InvalidInput, match="3 inputs; call predict_many"):
        client.predict("mnist", digits)


def test_ids_that_repeat_and_rows_of_other_vocabularies_are_refused(catalog: Catalog) -> None:
    predictor = catalog.predictor("imdb")
    with pytest.raises(InvalidTensor, match="Keras"):
        predictor.predict_array(np.ones((2, 10_000)))
    with pytest.raises(InvalidTensor, match="Keras"):
        predictor.predict_array(np.ones((1, 10_000)), encoding="multi_hot")
    with pytest.raises(InvalidTensor, match="7 more than once"):
        predictor.predict_array(np.array([[1, 7, 7, 0, 0]]))


def test_a_multi_hot_row_is_read_like_its_ids(server: Server, catalog: Catalog) -> None:
    predictor, ids = catalog.predictor("imdb"), predictor_ids(catalog)
    row = np.zeros((1, predictor.card.input.parameters["words"] + 1), np.uint8)
    row[0, ids] = 1
    expected = predictor.predict_array(ids[None])
    assert predictor.predict_array(row, encoding="multi_hot") == expected
    with Client(server.url) as client:
        assert client.predict_many("imdb", row, encoding="multi_hot")[0].best.label == expected[0].best.label


def test_a_multi_hot_row_is_read_over_every_protocol(server: Server, catalog: Catalog) -> None:
    predictor, ids = catalog.predictor("imdb"), predictor_ids(catalog)
    row = np.zeros((1, predictor.card.input.parameters["words"] + 1), np.uint8)
    row[0, ids] = 1
    expected = predictor.probabilities(ids[None])
    body = {"instances": row.tolist(), "signature_name": "multi_hot"}
    served = server.post_json("/v1/models/imdb:predict", body).json()
    np.testing.assert_allclose(served["predictions"], expected, atol=1e-5)
    name = predictor.card.input.name
    tensor = {"name": name, "datatype": "INT32", "shape": list(row.shape), "data": row.tolist()}
    body = {"inputs": [tensor], "parameters": {"encoding": "multi_hot"}}
    infer = server.post_json("/v2/models/imdb/infer", body).json()
    np.testing.assert_allclose(infer["outputs"][0]["data"], expected.reshape(-1), atol=1e-5)
    body["parameters"]["encoding"] = "one_hot"
    assert server.post_json("/v2/models/imdb/infer", body).json()["error"].startswith("parameters.encoding")


def test_booleans_are_black_and_white_over_every_protocol(server: Server, digits: Array) -> None:
    values = digits > 127
    black_and_white = (values * 255).tolist()
    expected = server.post_json("/models/mnist", {"inputs": black_and_white}).json()
    rows: Any = values.tolist()
    assert server.post_json("/models/mnist", {"inputs": rows}).json() == expected
    probabilities = server.post_json("/v1/models/mnist:predict", {"instances": black_and_white}).json()
    assert server.post_json("/v1/models/mnist:predict", {"instances": rows}).json() == probabilities
    tensor = {"name": "image", "datatype": "BOOL", "shape": list(values.shape), "data": rows}
    found = server.post_json("/v2/models/mnist/infer", {"inputs": [tensor]}).json()["outputs"][0]["data"]
    np.testing.assert_allclose(found, np.ravel(probabilities["predictions"]), atol=1e-6)
    for module, port in ((http, server.port), (grpc, server.grpc_port)):
        found = _triton(module, port, values)
        np.testing.assert_allclose(found, probabilities["predictions"], atol=1e-6)


@pytest.mark.parametrize("number", ["NaN", "-Infinity"])
def test_a_number_that_json_does_not_have_is_named(server: Server, number: str) -> None:
    body = f'{{"inputs": [[0, {number}]]}}'
    answer = server.ask("POST", "/models/mnist", body, {"Content-Type": "application/json"})
    assert "JSON has no NaN" in answer.json()["error"]


def test_pictures_in_colour_are_taken_as_levels_or_shares(catalog: Catalog) -> None:
    predictor = catalog.predictor("cifar10")
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    expected = predictor.predict_array(picture[None])
    assert predictor.predict_array(picture) == expected
    assert predictor.predict_array(picture / 255) == expected
    with pytest.raises(InvalidTensor, match="channels first"):
        predictor.predict_array(picture.transpose(2, 0, 1))
    with pytest.raises(InvalidTensor, match=r"grey\?"):
        predictor.predict_array(picture[..., :1])
    with pytest.raises(InvalidTensor, match="too many dimensions"):
        predictor.predict_array(picture[None, None])


def predictor_ids(catalog: Catalog) -> Array:
    return catalog.predictor("imdb").prepare("A wonderful, superb film.")


@pytest.mark.parametrize("remote", [False, True])
def test_predict_reads_array_files(
    run: Run, server: Server, tmp_path: Path, digits: Array, catalog: Catalog, remote: bool
) -> None:
    best = [row.best.label for row in catalog.predictor("mnist").predict_array(digits)]
    np.save(tmp_path / "digits.npy", digits / 255)
    np.savez(tmp_path / "mnist.npz", x_test=digits, y_test=np.arange(3))
    where = ("--url", server.url) if remote else ()
    for name in ("digits.npy", "mnist.npz:x_test"):
        result = run("predict", "mnist", str(tmp_path / name), "--top-k", "1", *where)
        lines = result.out.splitlines()
        assert result.status == 0, result.err
        assert lines[2].startswith(f"{tmp_path / name}[1]  mnist")
        assert [line.split()[0] for line in lines[1::2]] == best
    result = run("predict", "mnist", str(tmp_path / "mnist.npz"), *where)
    assert result.status == 1
    assert "x_test, y_test; name one of them as mnist.npz:NAME" in result.err
