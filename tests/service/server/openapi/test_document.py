"""The OpenAPI document matches the routes, each response to its examples, and each error response."""

import base64
import io
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

import service.server
from service.inference import errors
from service.inference.catalog import Catalog
from service.server.execution.engine import Engine
from service.server.openapi.document import build_document
from service.server.pipeline.errors import NOT_IN_HTTP_RESPONSES, ErrorCode, error_response, to_request_error
from service.server.protocols.explain import ExplainProtocol
from service.server.protocols.huggingface import HuggingFaceProtocol
from service.server.protocols.models import ModelsProtocol
from service.server.protocols.oip.routes import OipProtocol
from service.server.protocols.tfserving.routes import TfServingProtocol
from service.settings import Settings

Server = Any
Json = dict[str, Any]
KEY = {"Authorization": "Bearer alpha"}
JSON = "application/json"
_SOURCES = Path(service.server.__file__).parent
_BLANK = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAIAQAAAADsdIMmAAAAC0lEQVR42mNgwA8AABAAAZgL6h8AAAAASUVORK5CYII="


@dataclass(frozen=True)
class Operation:
    """One method of one path of the document."""

    path: str
    method: str
    content: Json

    @property
    def name(self) -> str:
        name: str = self.content["operationId"]
        return name

    def statuses(self) -> set[int]:
        return {int(status) for status in self.content["responses"]}

    def address(self, **values: object) -> str:
        """The path with the values, or the document's own examples, as parameters."""
        path = self.path
        for part in self.content["parameters"]:
            if part.get("in") == "path":
                value = values.get(part["name"], part.get("example", part["schema"].get("enum", [""])[0]))
                path = path.replace("{" + part["name"] + "}", str(value))
        return path


def operations(document: Json) -> list[Operation]:
    return [
        Operation(path, method.upper(), content)
        for path, methods in document["paths"].items()
        for method, content in methods.items()
    ]


def closed(schema: Any) -> Any:
    """Return a schema whose objects allow no further properties."""
    if isinstance(schema, dict):
        parts = {key: closed(part) for key, part in schema.items()}
        return parts | ({"additionalProperties": False} if isinstance(schema.get("properties"), dict) else {})
    return [closed(part) for part in schema] if isinstance(schema, list) else schema


def check(document: Json, operation: Operation, answer: Any) -> None:
    """Check a response against the document: headers, content type, and a body without other fields."""
    known = operation.content["responses"]
    assert str(answer.status) in known, (operation.name, answer.status, answer.body[:300])
    said = known[str(answer.status)]
    if "$ref" in said:
        said = document["components"]["responses"][said["$ref"].rpartition("/")[2]]
    for name in {"X-Request-ID", "X-Model-Version", "Server-Timing", "X-Lectern-Unsure", "ETag"}:
        assert (name in answer.headers) == (name in said["headers"]), (operation.name, name)
    kind = answer.headers["Content-Type"].partition(";")[0]
    assert kind in said["content"], (operation.name, kind)
    schema = said["content"][kind]["schema"]
    if schema.get("format") == "binary":
        return
    components = document["components"]["schemas"]
    schema, components = closed(schema), closed(components) | {"Card": components["Card"]}
    body = answer.json() if kind == JSON else answer.body.decode()
    Draft202012Validator({**schema, "components": {"schemas": components}}).validate(body)


@pytest.fixture(scope="module")
def document(server: Server) -> Json:
    found: Json = server.ask("GET", "/docs.json").json()
    return found


@pytest.fixture(scope="module")
def keyed(strict: Server) -> Json:
    found: Json = strict.ask("GET", "/openapi.json").json()
    return found


_ROUTES = """
import json
from service.server.app import create_app
from service.settings import Settings
routes = create_app(Settings()).handler.router.routes
print(json.dumps([(route.path_format, method) for route in routes for method in route.methods]))
"""


def _served() -> set[tuple[str, str]]:
    """Every method of every path that the server has."""
    # BentoML warns when it is imported, so it runs in another process.
    command = [sys.executable, "-W", "ignore", "-c", _ROUTES]
    printed = subprocess.run(command, cwd=_SOURCES.parents[1], capture_output=True, text=True, check=True)
    return {(path, method) for path, method in json.loads(printed.stdout.splitlines()[-1])}


def test_it_has_every_route_of_the_server_and_no_other(document: Json) -> None:
    # Every GET route also answers HEAD. The files of the playground are no part of the API.
    served = {
        (path, method)
        for path, method in _served()
        if method != "HEAD" and not path.startswith("/playground/")
    }
    assert {(operation.path, operation.method) for operation in operations(document)} == served


def test_no_path_takes_an_undocumented_method(document: Json, server: Server) -> None:
    for path, methods in document["paths"].items():
        address = path.replace("{name}", "mnist").replace("{version}", "1")
        for method in {"get", "post", "put", "delete", "patch"} - set(methods):
            answer = server.ask(method.upper(), address)
            assert answer.status == 405, (method, path)
            allowed = set(answer.headers["Allow"].lower().split(", ")) - {"head"}
            assert allowed == set(methods), path
            schema = closed(document["components"]["schemas"]["Error405"])
            Draft202012Validator(schema).validate(answer.json())


def test_the_methods_of_bentoml_have_the_fields_of_its_schema(server: Server, document: Json) -> None:
    routes = {row["route"]: row for row in server.ask("GET", "/schema.json").json()["routes"]}
    assert set(routes) == {"/classify_image", "/classify_text"}
    for path, row in routes.items():
        name = "ClassifyImage" if path.endswith("image") else "ClassifyText"
        said = document["components"]["schemas"][name]
        assert set(said["properties"]) == set(row["input"]["properties"])
        assert set(said["required"]) == set(row["input"]["required"])
        answer = document["components"]["schemas"]["Classification"]
        assert set(answer["properties"]) == set(row["output"]["properties"])


def test_its_schemas_have_the_names_and_labels_of_the_served_models(document: Json) -> None:
    catalog, schemas = Catalog(), document["components"]["schemas"]
    pictures = {card.name for card in catalog if card.task == "image-classification"}
    texts = {card.name for card in catalog} - pictures
    labels = {label for card in catalog for label in card.labels}
    for schema, field, values in (
        ("ClassifyImage", "model", pictures),
        ("ClassifyText", "model", texts),
        ("Classification", "model", pictures | texts),
        ("Explanation", "model", pictures),
        ("ModelSummary", "name", pictures | texts),
        ("LabelScore", "label", labels),
        ("Score", "label", labels),
    ):
        assert set(schemas[schema]["properties"][field]["enum"]) == values, schema
    assert "x-served" not in json.dumps(document)


def test_it_is_valid_with_keys_and_without(document: Json, keyed: Json) -> None:
    for each in (document, keyed):
        assert list(OpenAPIV31SpecValidator(each).iter_errors()) == []
    assert "security" not in document
    assert keyed["security"] == [{"key": []}, {"header": []}]


def test_its_examples_are_valid_by_their_schemas(document: Json) -> None:
    components = {"components": document["components"]}
    count = 0
    for operation in operations(document):
        for content in operation.content.get("requestBody", {}).get("content", {}).values():
            for example in content.get("examples", {}).values():
                Draft202012Validator({**content["schema"], **components}).validate(example["value"])
                count += 1
    assert count > 40


def test_every_operation_that_takes_json_has_an_example_for_each_of_its_models(document: Json) -> None:
    for operation in operations(document):
        if operation.method == "POST":
            documented = {name.partition("-")[0] for name in _examples(operation, JSON)}
            names = operation.content["parameters"][0].get("schema", {}).get("enum", [])
            assert set(names) <= documented, operation.name
            assert documented, operation.name


def test_the_response_to_every_example_is_as_documented(document: Json, server: Server) -> None:
    catalog = Catalog()
    for operation in operations(document):
        if operation.method == "GET":
            check(document, operation, server.ask("GET", operation.address()))
            continue
        for kind in operation.content["requestBody"]["content"]:
            for key, example in _examples(operation, kind).items():
                model, value = key.partition("-")[0], example["value"]
                # On the page, people choose name and version; the summary says which name.
                known = [card for card in catalog if card.name == model]
                address = operation.address(name=model, version=known[0].version if known else 1)
                body = json.dumps(value) if kind == JSON else value.encode()
                answer = server.ask("POST", address, body, {"Content-Type": kind})
                assert answer.status == 200, (operation.name, key, answer.body[:300])
                check(document, operation, answer)


def test_the_first_example_fits_the_parameters_that_the_page_fills_in(document: Json, server: Server) -> None:
    for operation in operations(document):
        if operation.method == "POST":
            example = next(iter(_examples(operation, JSON).values()))
            answer = server.post_json(operation.address(), example["value"])
            assert answer.status == 200, (operation.name, answer.body)


def test_every_documented_content_type_is_read(document: Json, server: Server, digit_png: bytes) -> None:
    form = (
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n%s\r\n--edge--\r\n'
    )
    array = io.BytesIO()
    np.save(array, np.zeros((1, 28, 28), np.uint8))
    bodies = {
        "image/*": ({"Content-Type": "image/png"}, digit_png),
        "application/x-npy": ({"Content-Type": "application/x-npy"}, array.getvalue()),
        "application/octet-stream": ({"Content-Type": "application/octet-stream"}, digit_png),
        "multipart/form-data": ({"Content-Type": "multipart/form-data; boundary=edge"}, form % digit_png),
    }
    tensor = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": "0"}
    seen = set()
    for operation in operations(document):
        for kind in operation.content.get("requestBody", {}).get("content", {}):
            if kind in (JSON, "text/plain", "text/csv"):
                continue  # the examples have them, those of tables in test_heads.py
            headers, body = (tensor, bytes(784)) if operation.name.startswith("oip") else bodies[kind]
            answer = server.ask("POST", operation.address(), body, headers)
            assert answer.status == 200, (operation.name, kind, answer.body)
            check(document, operation, answer)
            seen.add(kind)
    assert seen == set(bodies)


def test_a_binary_response_and_an_explanation_in_json_are_as_documented(
    document: Json, server: Server, digit_png: bytes
) -> None:
    named = {operation.name: operation for operation in operations(document)}
    infer = named["oipInfer"]
    value = next(iter(_examples(infer, JSON).values()))["value"]
    answer = server.post_json(infer.address(), value | {"parameters": {"binary_data_output": True}})
    head = int(answer.headers["Inference-Header-Content-Length"])
    assert json.loads(answer.body[:head])["outputs"][0]["parameters"]["binary_data_size"] > 0
    explanation = Catalog().card("mnist").explanation
    assert explanation is not None
    for question in ("label=8", f"layer={explanation.layers[0]}"):
        path = named["explain"].address(name="mnist") + f"?as=json&{question}"
        answer = server.ask("POST", path, digit_png)
        assert answer.status == 200, answer.body
        check(document, named["explain"], answer)


def _examples(operation: Operation, kind: str) -> Json:
    found: Json = operation.content["requestBody"]["content"][kind].get("examples", {})
    return found


# --- error responses


def test_it_has_each_code_of_the_error_table_that_http_responses_can_have(keyed: Json) -> None:
    documented = {
        (int(name.removeprefix("Error")), code)
        for name, schema in keyed["components"]["schemas"].items()
        if re.fullmatch(r"Error\d+", name)
        for code in schema["properties"]["code"]["enum"]
    }
    rows = [row for row in ErrorCode if row not in NOT_IN_HTTP_RESPONSES]
    assert documented == {(row.status, row.code) for row in rows}
    for row in rows:
        assert row.meaning in keyed["components"]["responses"][f"Error{row.status}"]["description"]


def test_the_body_of_an_internal_error_is_as_documented(document: Json) -> None:
    body = json.loads(bytes(error_response(to_request_error(errors.LecternError()), request_id="id").body))
    schema = closed(document["components"]["schemas"]["Error500"])
    Draft202012Validator(schema).validate(body)


@dataclass
class ErrorCase:
    """Makes every operation that documents a status answer with it."""

    status: int
    ask: Callable[[Server, Operation], Any]
    skip: tuple[str, ...] = ()


def _bad_json(server: Server, operation: Operation) -> Any:
    return server.ask("POST", operation.address(), b"{", {"Content-Type": JSON})


def _no_such_model(server: Server, operation: Operation) -> Any:
    if operation.path.startswith("/classify"):
        body = {"model": "nothing", "image": _BLANK, "text": "fine"}
        return server.post_json(operation.path, body)
    address = operation.address(name="nothing", file="nothing")
    if operation.method == "GET":
        return server.ask("GET", address)
    return server.post_json(address, {"inputs": ["x"]})


def _unsupported(server: Server, operation: Operation) -> Any:
    kinds = {"Content-Type": "application/pdf", "Content-Encoding": "br"}
    return server.ask("POST", operation.address(), b"%PDF-1.7", kinds)


def _unusable(server: Server, operation: Operation) -> Any:
    texts, path = operation.path == "/classify_text", operation.path
    if path.startswith("/classify"):
        body: Json = {"model": "imdb", "text": "?"} if texts else {"model": "mnist", "image": _BLANK}
    elif path.startswith("/v1"):
        body = {"instances": [{"b64": _BLANK}]}
    elif path.startswith("/v2"):
        value = next(iter(_examples(operation, JSON).values()))["value"]
        body = {"inputs": [value["inputs"][0] | {"data": [_BLANK]}]}
    else:
        body = {"inputs": _BLANK}
    return server.post_json(operation.address(), body)


@pytest.mark.parametrize(
    "case",
    [
        ErrorCase(400, _bad_json),
        ErrorCase(404, _no_such_model),
        ErrorCase(415, _unsupported),
        ErrorCase(422, _unusable),
    ],
    ids=lambda case: str(case.status),
)
def test_the_error_of_an_unusable_request_is_as_documented(
    document: Json, server: Server, case: ErrorCase
) -> None:
    for operation in _with(document, case.status):
        answer = case.ask(server, operation)
        assert answer.status == case.status, (operation.name, answer.status, answer.body)
        check(document, operation, answer)


def test_the_error_of_a_missing_key_or_a_long_body_is_as_documented(
    keyed: Json, strict: Server, read_answer: Callable[[socket.socket], Any]
) -> None:
    unkeyed = [operation for operation in operations(keyed) if "security" in operation.content]
    assert {operation.path for operation in unkeyed} >= {"/livez", "/readyz", "/", "/docs.json"}
    for operation in operations(keyed):
        answer = strict.ask(
            operation.method, operation.address(), b"" if operation.method == "POST" else None
        )
        assert (answer.status == 401) == (401 in operation.statuses()), operation.name
        assert (answer.status == 401) == (operation not in unkeyed), operation.name
        check(keyed, operation, answer)
    for operation in _with(keyed, 413):
        # Only the head is sent, so that the response arrives before the server closes the connection.
        answer = read_answer(strict.begin(operation.address(), bytes(1_000_001), sent=0, headers=KEY))
        assert answer.status == 413, operation.name
        check(keyed, operation, answer)


_CONNECTIONS = 24


@pytest.fixture(scope="module")
def impatient_server(start_server: Callable[..., Any]) -> Iterator[Server]:
    """A server that allows one request at a time, little time for it, and few connections."""
    with start_server(
        MAX_QUEUE="1", MAX_BATCH="512", TIMEOUT_S="0.1", MAX_CONNECTIONS=str(_CONNECTIONS), DRAIN_S="3"
    ) as running:
        yield running


def test_the_errors_of_deadline_overload_and_shutdown_are_as_documented(
    document: Json,
    impatient_server: Server,
    read_answer: Callable[[socket.socket], Any],
    until: Callable[..., Any],
) -> None:
    slow = _with(document, 408)
    connections = [impatient_server.begin(operation.address(), b"{}", sent=1) for operation in slow]
    late = read_answer(impatient_server.begin_long(pictures=160))
    assert late.status == 504
    (infer,) = (operation for operation in _with(document, 504) if operation.name == "oipInfer")
    check(document, infer, late)
    for operation, connection in zip(slow, connections, strict=True):
        answer = read_answer(connection)
        assert answer.status == 408, operation.name
        check(document, operation, answer)
    with impatient_server.busy():
        for operation in _with(document, 429):
            answer = _overloaded(impatient_server, operation)
            assert int(answer.headers["Retry-After"]) >= 1
            check(document, operation, answer)
    with ExitStack() as stack:
        for _ in range(_CONNECTIONS):
            stack.enter_context(socket.create_connection(("127.0.0.1", impatient_server.port)))
        probes = _expect_503(document, impatient_server, _with(document, 503))
    assert 0 < len(probes) < len(_with(document, 503))
    impatient_server.process.send_signal(signal.SIGTERM)
    until(lambda: impatient_server.ask("GET", "/readyz").status == 503)
    assert not _expect_503(document, impatient_server, probes)


def _expect_503(document: Json, server: Server, asked: list[Operation]) -> list[Operation]:
    """Check that operations answer 503; return those that answer 200."""
    successful = []
    for operation in asked:
        answer = server.ask(operation.method, operation.address())
        if answer.status == 200:
            successful.append(operation)
            continue
        assert answer.status == 503, operation.name
        check(document, operation, answer)
    return successful


def _overloaded(server: Server, operation: Operation) -> Any:
    """Send requests beside others until the server answers 429."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        answer = server.ask("POST", operation.address())
        if answer.status == 429:
            return answer
    raise AssertionError(f"{operation.name} never answered 429")


def test_these_tests_provoke_every_documented_status(document: Json, keyed: Json) -> None:
    provoked = {200, 304, 400, 401, 404, 408, 413, 415, 422, 429, 500, 503, 504}
    assert set().union(*(operation.statuses() for operation in operations(keyed))) == provoked
    assert set().union(*(operation.statuses() for operation in operations(document))) == provoked - {401}


def _with(document: Json, status: int) -> list[Operation]:
    found = [operation for operation in operations(document) if status in operation.statuses()]
    assert found
    return found


# --- other models


def test_other_models_have_examples_too(tiny_model: Callable[..., Path], tmp_path: Path) -> None:
    tiny_model(tmp_path, name="runes", version=3, bias=(0.0, 1.0))
    settings = Settings()
    engine = Engine(settings)
    endpoints = [
        *HuggingFaceProtocol(engine, settings).routes(),
        *ModelsProtocol(engine).routes(),
        *ExplainProtocol(engine, settings).routes(),
        *OipProtocol(engine, settings).routes(),
        *TfServingProtocol(engine, settings).routes(),
    ]
    document = build_document(endpoints, Catalog(tmp_path), settings)
    engine.close()
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    named = {operation.name: operation for operation in operations(document)}
    assert named["predictVersion"].address() == "/models/runes/versions/3"
    assert set(_examples(named["predict"], JSON)) == {"runes"}
    assert base64.b64decode(_examples(named["predict"], JSON)["runes"]["value"]["inputs"]).startswith(
        b"\x89PNG"
    )
