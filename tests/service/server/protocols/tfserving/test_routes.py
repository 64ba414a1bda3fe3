"""TensorFlow Serving's REST API on a real server: requests, responses and errors."""

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from service.inference.catalog import Catalog

Server = Any
_ZEROS = [[0] * 28] * 28
_FILE = {"b64": "aGk="}
_MNIST = "/v1/models/mnist:predict"


@pytest.fixture(scope="session")
def catalog(models_folder: Any) -> Catalog:
    return Catalog(models_folder)


def _check(answer: Any, status: int, code: str) -> None:
    assert answer.status == status, answer.body[:500]
    document = answer.json()
    assert list(document) == ["error", "code", "request_id"]
    assert document["code"] == code
    assert len(document["error"]) < 400


@pytest.mark.parametrize(
    ("wrap", "field"),
    [
        (lambda rows: {"instances": rows}, "predictions"),
        (lambda rows: {"instances": [{"image": row} for row in rows]}, "predictions"),
        (lambda rows: {"instances": rows, "signature_name": "serving_default"}, "predictions"),
        (lambda rows: {"inputs": rows}, "outputs"),
        (lambda rows: {"inputs": {"image": rows}}, "outputs"),
    ],
    ids=["rows", "named rows", "with signature", "column", "named column"],
)
@pytest.mark.parametrize("version", ["", "/versions/1"])
def test_pixels_and_files_are_answered_as_in_process(
    server: Server,
    catalog: Catalog,
    mnist_digits: Any,
    encode: Callable[..., bytes],
    wrap: Callable[[list[Any]], object],
    field: str,
    version: str,
) -> None:
    expected = catalog.predictor("mnist", 1 if version else None).probabilities(mnist_digits[:3])
    files = [{"b64": base64.b64encode(encode(digit)).decode()} for digit in mnist_digits[:3]]
    for rows in (mnist_digits[:3].tolist(), files):
        answer = server.post_json(f"/v1/models/mnist{version}:predict", wrap(rows))
        assert answer.status == 200, answer.body
        assert list(answer.json()) == [field]
        np.testing.assert_allclose(answer.json()[field], expected, atol=1e-6)


@pytest.mark.parametrize("as_files", [False, True])
def test_texts_are_strings_or_files(server: Server, catalog: Catalog, as_files: bool) -> None:
    texts = ["A wonderful, moving café scene", "dull"]
    rows = [{"b64": base64.b64encode(text.encode()).decode()} for text in texts] if as_files else texts
    predictor = catalog.predictor("imdb")
    expected = predictor.probabilities(predictor.stack([predictor.prepare(text) for text in texts]))
    for document, field in (({"instances": rows}, "predictions"), ({"inputs": {"ids": rows}}, "outputs")):
        answer = server.post_json("/v1/models/imdb:predict", document).json()[field]
        np.testing.assert_allclose(answer, expected, atol=1e-6)


def test_ids_are_answered_as_in_process(server: Server, catalog: Catalog) -> None:
    ids = np.array([[3, 14, 15], [92, 65, 0]], np.int32)
    answer = server.post_json("/v1/models/imdb:predict", {"instances": ids.tolist()})
    expected = catalog.predictor("imdb").probabilities(ids)
    np.testing.assert_allclose(answer.json()["predictions"], expected, atol=1e-6)


def test_a_large_batch_is_answered_as_in_process(server: Server, catalog: Catalog, mnist_digits: Any) -> None:
    answer = server.post_json(_MNIST, {"instances": mnist_digits[:64].tolist()})
    expected = catalog.predictor("mnist").probabilities(mnist_digits[:64])
    np.testing.assert_allclose(answer.json()["predictions"], expected, atol=1e-6)
    assert answer.headers["X-Model-Version"] == str(catalog.card("mnist").version)
    assert "inference;dur=" in answer.headers["Server-Timing"]


def test_the_status_has_every_version_the_newest_first(server: Server, catalog: Catalog) -> None:
    for card in catalog:
        rows = server.ask("GET", f"/v1/models/{card.name}").json()["model_version_status"]
        assert [row["version"] for row in rows] == [str(n) for n in reversed(catalog.versions(card.name))]
        assert {row["state"] for row in rows} == {"AVAILABLE"}
        assert rows[0]["status"] == {"error_code": "OK", "error_message": ""}
        single = server.ask("GET", f"/v1/models/{card.name}/versions/{card.version}").json()
        assert single == {
            "model_version_status": [row for row in rows if row["version"] == str(card.version)]
        }


def test_the_metadata_describe_a_valid_request(server: Server, catalog: Catalog, mnist_digits: Any) -> None:
    document = server.ask("GET", "/v1/models/mnist/metadata").json()
    assert document["model_spec"] == {
        "name": "mnist",
        "signature_name": "",
        "version": str(catalog.card("mnist").version),
    }
    signatures = document["metadata"]["signature_def"]["signature_def"]
    (name, takes), *others = signatures["serving_default"]["inputs"].items()
    assert (others, takes["dtype"]) == ([], "DT_UINT8")
    assert [row["size"] for row in takes["tensor_shape"]["dim"]] == ["-1", "28", "28"]
    assert list(signatures["serving_default"]["outputs"]) == ["probabilities"]
    named = {"inputs": {name: mnist_digits[:1].tolist()}, "signature_name": next(iter(signatures))}
    assert server.post_json(_MNIST, named).status == 200
    versioned = server.ask("GET", f"/v1/models/imdb/versions/{catalog.card('imdb').version}/metadata").json()
    inputs = versioned["metadata"]["signature_def"]["signature_def"]["serving_default"]["inputs"]
    assert inputs["ids"]["dtype"] == "DT_INT32"


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        (b"", 400, "malformed_json"),
        (b"{", 400, "malformed_json"),
        (b"[" * 100_000, 400, "malformed_json"),
        (b'{"instances": [NaN]}', 400, "malformed_json"),
        ([], 400, "invalid_request"),
        ({}, 400, "invalid_request"),
        ({"instances": [_ZEROS], "inputs": [_ZEROS]}, 400, "invalid_request"),
        ({"instances": []}, 400, "invalid_request"),
        ({"instances": None}, 400, "invalid_request"),
        ({"instances": _FILE}, 400, "invalid_request"),
        ({"inputs": {"image": _FILE}}, 400, "invalid_request"),
        ({"inputs": {}}, 400, "invalid_request"),
        ({"inputs": {"pixels": [_ZEROS]}}, 400, "invalid_request"),
        ({"inputs": {"image": [_ZEROS], "other": 1}}, 400, "invalid_request"),
        ({"instances": [{"pixels": _ZEROS}]}, 400, "invalid_request"),
        ({"instances": [_ZEROS], "signature_name": "other"}, 400, "invalid_parameter"),
        ({"instances": [_ZEROS], "signature_name": 7}, 400, "invalid_parameter"),
        ({"instances": [_ZEROS], "signature_name": {}}, 400, "invalid_parameter"),
        ({"instances": [_ZEROS], "signature_name": False}, 400, "invalid_parameter"),
        ({"instances": [7]}, 400, "invalid_tensor"),
        ({"instances": ["aGk="]}, 400, "invalid_tensor"),
        ({"instances": [None]}, 400, "invalid_tensor"),
        ({"instances": [[]]}, 400, "invalid_tensor"),
        ({"instances": [[0] * 783]}, 400, "invalid_tensor"),
        ({"inputs": [0] * 28}, 400, "invalid_tensor"),
        ({"instances": [_ZEROS, _ZEROS[:27]]}, 400, "invalid_tensor"),
        ({"instances": [_ZEROS, _FILE]}, 400, "invalid_tensor"),
        ({"instances": [_FILE, _ZEROS]}, 400, "invalid_tensor"),
        ({"instances": [[[2.5] * 28] * 28]}, 400, "invalid_tensor"),
        ({"instances": [[[256] * 28] * 28]}, 400, "invalid_tensor"),
        ({"instances": [[["0"] * 28] * 28]}, 400, "invalid_tensor"),
        ({"instances": [{"b64": 7}]}, 400, "invalid_tensor"),
        ({"instances": [{"b64": "aGk=", "more": 1}]}, 400, "invalid_tensor"),
        ({"instances": [{"b64": "http://127.0.0.1:1/x.png"}]}, 400, "invalid_base64"),
        ({"instances": [_FILE]}, 422, "damaged_image"),
        ({"instances": [{"image": {"b64": ""}}]}, 422, "damaged_image"),
        ({"instances": [_ZEROS] * 65}, 413, "batch_too_large"),
        ({"instances": [_FILE] * 65}, 413, "batch_too_large"),
    ],
)
def test_an_unusable_request_is_an_error(server: Server, document: object, status: int, code: str) -> None:
    body = document if isinstance(document, bytes) else json.dumps(document)
    _check(server.ask("POST", _MNIST, body), status, code)


@pytest.mark.parametrize(
    ("rows", "status", "code"),
    [
        (["good", 7], 400, "invalid_tensor"),
        ([7], 400, "invalid_tensor"),
        (["good", {"b64": "Z29vZA=="}], 400, "invalid_tensor"),
        ([[1, 2], [3]], 400, "invalid_tensor"),
        ([[-1]], 400, "invalid_tensor"),
        ([[2**31]], 400, "invalid_tensor"),
        ([{"b64": "//8="}], 400, "invalid_request"),
        (["...!"], 422, "no_words"),
    ],
)
def test_unusable_texts_and_ids_are_an_error(server: Server, rows: list[Any], status: int, code: str) -> None:
    _check(server.post_json("/v1/models/imdb:predict", {"instances": rows}), status, code)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "minst:predict", 404, "model_not_found"),
        ("POST", "mnist/versions/99:predict", 404, "model_not_found"),
        ("POST", "mnist/versions/one:predict", 404, "model_not_found"),
        ("GET", "minst", 404, "model_not_found"),
        ("GET", "minst/metadata", 404, "model_not_found"),
        ("GET", "mnist/versions/99", 404, "model_not_found"),
        ("POST", "mnist:classify", 404, "not_found"),
        ("POST", "mnist:predict:predict", 404, "not_found"),
        ("POST", ":predict", 404, "not_found"),
        ("GET", "mnist:predict", 405, "method_not_allowed"),
        ("POST", "mnist", 405, "method_not_allowed"),
    ],
)
def test_a_missing_model_version_verb_or_method_is_an_error(
    server: Server, method: str, path: str, status: int, code: str
) -> None:
    _check(server.ask(method, f"/v1/models/{path}", b"{}" if method == "POST" else None), status, code)


def test_the_colon_may_be_escaped(server: Server) -> None:
    assert server.post_json("/v1/models/mnist%3Apredict", {"instances": [_ZEROS]}).status == 200


def test_requests_are_counted_by_route_not_by_path(server: Server) -> None:
    server.post_json(_MNIST, {"instances": [_ZEROS]})
    route = "/v1/models/{name}:predict"
    assert server.metric("lectern_requests_total", route=route, model="mnist", status="200") >= 1
