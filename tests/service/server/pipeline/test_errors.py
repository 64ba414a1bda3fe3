"""The error table, and the error responses of a real server."""

import ast
import base64
import http.client
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest

import service.server
from service.inference import errors
from service.server.pipeline.errors import ErrorCode, markdown_table, to_request_error
from service.server.protocols.oip import inference_pb2

Server = Any
_SOURCES = Path(service.server.__file__).parent
JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}
FORM = {"Content-Type": "multipart/form-data; boundary=edge"}
KEY = {"Authorization": "Bearer alpha"}
DEEP = b"[" * 1000 + b"]" * 1000  # the deepest JSON that the parser accepts; too deep for Python's repr
_PART = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n%s\r\n'
_FIELD = b'--edge\r\nContent-Disposition: form-data; name="word"\r\n\r\nseven\r\n'


def check(answer: Any, status: int, code: str) -> None:
    """Check an error response: its status, its code and its exact form."""
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    document = answer.json()
    assert list(document) == ["error", "code", "request_id"]
    assert document["code"] == code
    assert document["request_id"] == answer.headers["X-Request-ID"]
    assert len(document["error"]) > 15
    assert "Traceback" not in document["error"]


@pytest.mark.parametrize(
    ("path", "headers", "body", "status", "code"),
    [
        ("mnist", JSON, b"", 400, "malformed_json"),
        ("mnist", JSON, b'{"inputs": ', 400, "malformed_json"),
        ("mnist", JSON, b'{"inputs": "\xff"}', 400, "malformed_json"),
        ("mnist", JSON, b'{"inputs": "\\ud800"}', 400, "malformed_json"),
        ("mnist", JSON, b"[" * 100_000, 400, "malformed_json"),
        ("mnist", JSON, b"NaN", 400, "malformed_json"),
        ("mnist", {"Content-Type": "application/ld+json"}, b"{", 400, "malformed_json"),
        ("mnist", JSON, b"[]", 400, "invalid_request"),
        ("mnist", JSON, b"{}", 400, "invalid_request"),
        ("mnist", JSON, b'{"inputs": null}', 400, "invalid_request"),
        ("mnist", JSON, b'{"inputs": []}', 400, "invalid_request"),
        ("mnist", JSON, b'{"inputs": [1]}', 400, "invalid_tensor"),
        ("mnist", JSON, b'{"inputs": [["aGk="]]}', 400, "invalid_tensor"),
        ("mnist", JSON, b'{"inputs": {"b64": "aGk="}}', 400, "invalid_request"),
        ("mnist", JSON, b'{"inputs": "http://example.org/digit.png"}', 400, "invalid_base64"),
        ("mnist", JSON, b'{"inputs": "\xc3\xa9"}', 400, "invalid_base64"),
        ("mnist", JSON, b'{"inputs": "aGk=", "parameters": []}', 400, "invalid_parameter"),
        ("mnist", JSON, b'{"inputs": "aGk=", "parameters": [3]}', 400, "invalid_parameter"),
        ("mnist", JSON, b'{"inputs": "aGk=", "parameters": {"top_k": 0}}', 400, "invalid_parameter"),
        ("mnist", JSON, b'{"inputs": "aGk=", "parameters": {"top_k": true}}', 400, "invalid_parameter"),
        ("mnist", JSON, b'{"inputs": "", "parameters": {"top_k": %s}}' % DEEP, 400, "invalid_parameter"),
        ("mnist", JSON, b'{"inputs": "aGk=", "parameters": {"top_k": 1.5}}', 400, "invalid_parameter"),
        ("mnist", JSON, b'{"inputs": "aGk=", "parameters": {"top_k": 1e300}}', 400, "invalid_parameter"),
        ("mnist", JSON, b'{"inputs": "aGk=", "parameters": {"top_k": 1e999}}', 400, "malformed_json"),
        ("mnist?top_k=0", {}, b"x", 400, "invalid_parameter"),
        ("mnist?top_k=-1", {}, b"x", 400, "invalid_parameter"),
        ("mnist?top_k=two", {}, b"x", 400, "invalid_parameter"),
        ("mnist?top_k=", {}, b"x", 400, "invalid_parameter"),
        ("mnist?top_k=%C2%B2", {}, b"x", 400, "invalid_parameter"),
        ("mnist?top_k=" + "9" * 5000, {}, b"x", 400, "invalid_parameter"),
        ("mnist", FORM, b"", 400, "malformed_multipart"),
        ("mnist", FORM, b"no boundary in it", 400, "malformed_multipart"),
        ("mnist", FORM, _PART % b"cut off", 400, "malformed_multipart"),
        ("mnist", FORM, _PART % b"whole" + _PART % b"cut off", 400, "malformed_multipart"),
        ("mnist", FORM, b"--edge--\r\n", 400, "invalid_request"),
        ("mnist", FORM, _FIELD + b"--edge--\r\n", 400, "invalid_request"),
        ("mnist", {"Content-Type": "multipart/form-data"}, _PART % b"x", 400, "malformed_multipart"),
        (
            "mnist",
            {"Content-Type": "multipart/form-data; boundary="},
            _PART % b"x",
            400,
            "malformed_multipart",
        ),
        ("imdb", TEXT, b"caf\xe9", 400, "invalid_request"),
        ("imdb", FORM, _PART % b"\xff\xfe" + b"--edge--\r\n", 400, "invalid_request"),
        ("imdb", JSON, b'{"inputs": [true]}', 400, "invalid_tensor"),
        ("minst", {}, b"x", 404, "model_not_found"),
        ("mnist/versions/99", {}, b"x", 404, "model_not_found"),
        ("mnist/versions/0", {}, b"x", 404, "model_not_found"),
        ("mnist/versions/one", {}, b"x", 404, "model_not_found"),
        ("mnist/versions/" + "9" * 5000, {}, b"x", 404, "model_not_found"),
        ("..%2f..%2fetc%2fpasswd", {}, b"x", 404, "not_found"),
        ("mnist/nothing", {}, b"x", 404, "not_found"),
        ("mnist", TEXT, b"seven", 415, "unsupported_media_type"),
        ("mnist", {"Content-Type": "application/pdf"}, b"%PDF-1.7", 415, "unsupported_media_type"),
        (
            "mnist",
            {"Content-Type": "application/vnd.bentoml+pickle"},
            b"\x80\x04.",
            415,
            "unsupported_media_type",
        ),
        ("imdb", {"Content-Type": "image/png"}, b"x", 415, "unsupported_media_type"),
        ("mnist", {}, b"", 422, "damaged_image"),
        ("mnist", {}, b"<html><body>404</body></html>", 422, "damaged_image"),
        ("mnist", JSON, b'{"inputs": ""}', 422, "damaged_image"),
        ("mnist", FORM, _PART % b"" + b"--edge--\r\n", 422, "damaged_image"),
        ("imdb", {}, b"", 422, "no_words"),
        ("imdb", TEXT, b"?!... <br />", 422, "no_words"),
        ("imdb", TEXT, b"&#" + b"9" * 5000 + b";", 422, "no_words"),
        ("imdb", JSON, b'{"inputs": ["fine", ""]}', 422, "no_words"),
    ],
)
def test_an_unusable_request_is_an_error(
    server: Server, path: str, headers: Mapping[str, str], body: bytes, status: int, code: str
) -> None:
    check(server.ask("POST", f"/models/{path}", body, headers), status, code)


def test_a_blank_picture_is_an_error_of_its_own(server: Server, encode: Callable[..., bytes]) -> None:
    from PIL import Image

    for color in ("white", "black", "navy"):
        check(
            server.ask("POST", "/models/mnist", encode(Image.new("RGB", (100, 80), color))),
            422,
            "blank_image",
        )


def test_a_truncated_picture_is_damaged(server: Server, digit_png: bytes) -> None:
    check(server.ask("POST", "/models/mnist", digit_png[:-40]), 422, "damaged_image")


def test_the_message_names_the_wrong_one_of_several_inputs(server: Server, digit_png: bytes) -> None:
    inputs = [base64.b64encode(content).decode() for content in (digit_png, b"no picture", digit_png)]
    answer = server.post_json("/models/mnist", {"inputs": inputs})
    check(answer, 422, "damaged_image")
    assert "input 2 of 3" in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/models/mnist", "GET, HEAD, POST"),
        ("DELETE", "/models", "GET, HEAD"),
        ("POST", "/models", "GET, HEAD"),
        ("OPTIONS", "/models/mnist", "GET, HEAD, POST"),
        ("PATCH", "/models/mnist/versions/1", "GET, HEAD, POST"),
        ("POST", "/readyz", "GET, HEAD"),
        ("POST", "/metrics", "GET, HEAD"),
        ("GET", "/models/mnist/explain", "POST"),
    ],
)
def test_a_wrong_method_is_answered_with_the_methods_of_the_path(
    server: Server, method: str, path: str, allowed: str
) -> None:
    answer = server.ask(method, path)
    check(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("POST", "/nothing"),
        ("GET", "/schema"),
        ("GET", "/%00%0a%c3%a9"),
    ],
)
def test_a_missing_path_is_answered_with_an_existing_one(server: Server, method: str, path: str) -> None:
    answer = server.ask(method, path)
    check(answer, 404, "not_found")
    assert "/models" in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "document", "status", "code"),
    [
        ("classify_image", {"model": "minst", "image": "aGk="}, 404, "model_not_found"),
        ("classify_image", {"model": "mnist", "image": "aGk=", "version": 99}, 404, "model_not_found"),
        ("classify_image", {"model": "mnist", "image": "aGk="}, 422, "damaged_image"),
        ("classify_image", {"model": "mnist", "image": ""}, 422, "damaged_image"),
        ("classify_image", {"model": "mnist", "image": "http://127.0.0.1:1/x.png"}, 400, "invalid_base64"),
        ("classify_image", {"model": "imdb", "image": "aGk="}, 400, "invalid_input"),
        ("classify_image", {"model": "mnist"}, 400, "invalid_request"),
        ("classify_image", {"model": "mnist", "image": 7}, 400, "invalid_request"),
        ("classify_image", {"model": "mnist", "image": ["aGk="]}, 400, "invalid_request"),
        ("classify_image", {"model": "mnist", "image": "aGk=", "top_k": 0}, 400, "invalid_request"),
        (
            "classify_image",
            {"model": "mnist", "image": "aGk=", "top_k": float("nan")},
            400,
            "invalid_request",
        ),
        ("classify_image", {"model": None, "image": "aGk="}, 400, "invalid_request"),
        ("classify_image", ["mnist"], 400, "invalid_request"),
        ("classify_image", None, 400, "invalid_request"),
        ("classify_text", {"model": "imdb", "text": "...!"}, 422, "no_words"),
        ("classify_text", {"model": "imdb", "text": "&#" + "9" * 5000}, 422, "no_words"),
        ("classify_text", {"model": "mnist", "text": "seven"}, 400, "invalid_input"),
    ],
)
def test_errors_of_bentomls_methods_have_the_same_form(
    server: Server, path: str, document: Any, status: int, code: str
) -> None:
    check(server.post_json(f"/{path}", document), status, code)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 10_000, b'{"model": "mnist", "image": "\\ud800"}']
)
def test_malformed_json_to_bentomls_methods_is_an_error_of_the_same_form(server: Server, body: bytes) -> None:
    check(server.ask("POST", "/classify_image", body, JSON), 400, "invalid_request")


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/vnd.bentoml+pickle",
        "multipart/form-data; boundary=edge",
        "text/plain",
        "application/pdf",
    ],
)
def test_bentomls_methods_read_json_only_so_that_nothing_is_unpickled_or_fetched(
    server: Server, content_type: str | None
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    check(server.ask("POST", "/classify_image", _PART % b"x", headers), 415, "unsupported_media_type")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_wrong_method_of_bentomls_routes_is_an_error_of_the_same_form(server: Server, method: str) -> None:
    answer = server.ask(method, "/classify_image")
    check(answer, 405, "method_not_allowed")
    assert (answer.headers["Allow"], "use POST" in answer.json()["error"]) == ("POST", True)


def test_a_picture_over_the_limit_is_an_error_before_it_is_decoded(
    strict: Server, encode: Callable[..., bytes]
) -> None:
    from PIL import Image

    answer = strict.ask("POST", "/models/mnist", encode(Image.new("L", (101, 100))), KEY)
    check(answer, 413, "too_large")
    assert "101 x 100" in answer.json()["error"]
    encoded = base64.b64encode(encode(Image.new("L", (101, 100)))).decode()
    check(strict.post_json("/classify_image", {"model": "mnist", "image": encoded}, KEY), 413, "too_large")


def test_a_text_over_the_limit_is_an_error(server: Server) -> None:
    check(server.ask("POST", "/models/imdb", b"good " * 200_001), 413, "too_large")


def test_a_batch_over_the_limit_is_an_error_before_it_is_decoded(strict: Server) -> None:
    check(strict.post_json("/models/mnist", {"inputs": ["no base64!"] * 5}, KEY), 413, "batch_too_large")
    check(strict.post_json("/models/mnist", {"inputs": ["aGk="] * 5}, KEY), 413, "batch_too_large")
    body = (_PART % b"x") * 5 + b"--edge--\r\n"
    check(strict.ask("POST", "/models/mnist", body, FORM | KEY), 413, "batch_too_large")


@pytest.mark.parametrize("path", ["/models/mnist", "/classify_image", "/models/mnist/explain"])
def test_a_body_over_the_limit_is_an_error_before_it_is_sent(
    strict: Server, path: str, read_answer: Callable[..., Any]
) -> None:
    answer = read_answer(strict.begin(path, bytes(50_000_000), sent=0, headers=KEY | JSON))
    check(answer, 413, "body_too_large")


def test_a_connection_is_kept_after_a_body_over_the_limit(strict: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", strict.port, timeout=30)
    connection.connect()
    before = connection.sock.getsockname()
    for body, status in ((bytes(5_000_000), 413), (b"no picture", 422)):
        connection.request("POST", "/models/mnist", body, KEY)
        response = connection.getresponse()
        response.read()
        assert response.status == status
    assert connection.sock.getsockname() == before
    connection.close()


def test_a_chunked_body_over_the_limit_is_an_error(strict: Server) -> None:
    chunks = (bytes(300_000) for _ in range(4))
    headers = KEY | {"Transfer-Encoding": "chunked"}
    check(strict.ask("POST", "/models/mnist", chunks, headers, encode_chunked=True), 413, "body_too_large")


def test_a_body_that_does_not_arrive_in_time_is_an_error(
    strict: Server, read_answer: Callable[..., Any]
) -> None:
    arriving = [
        strict.begin(path, b"x" * 100, sent=50, headers=KEY | JSON)
        for path in ("/models/mnist", "/classify_image")
    ]
    for connection in arriving:
        check(read_answer(connection), 408, "request_timeout")


@pytest.mark.parametrize("path", ["/models/mnist", "/classify_image"])
def test_more_requests_than_the_limit_get_429_and_retry_after(
    strict: Server, path: str, digit_png: bytes, until: Callable[..., Any]
) -> None:
    def rejected() -> Any:
        answer = strict.post_json(path, {"inputs": "aGk="}, KEY)
        return answer if answer.status == 429 else None

    with strict.busy(headers=KEY):
        answer = until(rejected)
        check(answer, 429, "overloaded")
        assert int(answer.headers["Retry-After"]) >= 1
        assert strict.ask("GET", "/readyz").status == 200
    until(lambda: strict.ask("POST", "/models/mnist", digit_png, KEY).status == 200)


@pytest.mark.parametrize("path", ["/models/mnist", "/classify_image"])
def test_requests_whose_body_has_not_arrived_keep_no_others_out(
    strict: Server, path: str, digit_png: bytes, read_answer: Callable[..., Any]
) -> None:
    arriving = [strict.begin(path, digit_png, sent=20, headers=KEY | JSON) for _ in range(8)]
    statuses = {strict.ask("POST", "/models/mnist", digit_png, KEY).status for _ in range(20)}
    assert statuses == {200}
    for connection in arriving:
        connection.close()


@pytest.mark.parametrize(
    "authorization", [None, "Bearer gamma", "Bearer ", "Basic alpha", "alpha", "Bearer alpha,beta"]
)
@pytest.mark.parametrize("path", ["/models", "/models/mnist", "/metrics", "/nothing", "/classify_image"])
def test_a_request_without_a_key_gets_401(strict: Server, path: str, authorization: str | None) -> None:
    answer = strict.ask("GET", path, headers={"Authorization": authorization} if authorization else {})
    check(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("authorization", ["Bearer alpha", "bearer beta", "Bearer  beta "])
def test_each_key_is_accepted(strict: Server, authorization: str) -> None:
    assert strict.ask("GET", "/models", headers={"Authorization": authorization}).status == 200


def test_probes_and_pages_need_no_key(strict: Server) -> None:
    for path in ("/livez", "/readyz", "/healthz", "/", "/playground/main.js", "/docs", "/docs.json"):
        assert strict.ask("GET", path).status == 200


def test_an_error_of_a_model_names_its_file_without_the_servers_folders(
    start_server: Callable[..., Any],
    tiny_model: Callable[..., Path],
    tmp_path: Path,
    digit_png: bytes,
    until: Callable[..., Any],
) -> None:
    network = tiny_model(tmp_path, version=1) / "model.onnx"
    network.write_bytes(network.read_bytes()[:100])
    tiny_model(tmp_path, version=2)
    image = base64.b64encode(digit_png).decode()
    with start_server(MODELS=str(tmp_path), grpc=True) as server:
        answers = [
            server.ask("POST", "/models/mnist/versions/1", digit_png),
            server.post_json("/classify_image", {"model": "mnist", "image": image, "version": 1}),
            server.post_json("/v1/models/mnist/versions/1:predict", {"instances": [{"b64": image}]}),
        ]
        for answer in answers:
            check(answer, 503, "checksum_mismatch")
            assert str(tmp_path) not in answer.body.decode()
            assert answer.json()["error"].startswith("mnist/1/model.onnx: ")
            message = f"request {answer.headers['X-Request-ID']} failed: mnist/1/model.onnx: "
            until(lambda message=message: message in server.log())
        with grpc.insecure_channel(server.grpc_address) as channel:
            infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
            tensor = {"name": "image", "datatype": "UINT8", "shape": [1, 28, 28]}
            request = inference_pb2.ModelInferRequest(
                model_name="mnist", model_version="1", inputs=[tensor], raw_input_contents=[bytes(784)]
            )
            with pytest.raises(grpc.RpcError) as raised:
                infer(request.SerializeToString())
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
        assert str(tmp_path) not in str(raised.value)


def test_no_error_response_left_a_traceback_in_the_log(server: Server, strict: Server) -> None:
    for running in (server, strict):
        assert "Traceback" not in running.log()
        assert "ERROR" not in running.log()


# --- the error table


def test_every_row_of_the_table_is_raised() -> None:
    raised = {row.name for row in ErrorCode if row.exception is not None}
    for path in _SOURCES.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                raised |= set(re.findall(r"ErrorCode\.([A-Z_0-9]+)", ast.unparse(function)))
    assert raised == {row.name for row in ErrorCode}


def test_every_error_of_an_input_or_model_has_its_row() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    rows = {row.exception: row for row in ErrorCode if row.exception}
    assert len({row.code for row in rows.values()}) == len(rows)
    for kind in kinds:
        error = to_request_error(kind("the reason"))
        if issubclass(kind, (errors.InputError, errors.ModelNotFound)):
            assert (error.code, error.message) == (kind.code, "the reason")
            continue
        if issubclass(kind, errors.ModelError):
            assert error.message == "the reason"
            assert error.code == ("model_error" if kind is errors.CardError else kind.code)
        else:
            # The reason can name folders of the server.
            assert "the reason" not in error.message
            assert (error.status, error.code) == (500, "internal_error")


def test_every_row_has_a_grpc_status() -> None:
    for row in ErrorCode:
        assert isinstance(grpc.StatusCode[row.grpc_status], grpc.StatusCode)
        assert (row.grpc_status == "INTERNAL") == (row.status == 500)


def test_the_markdown_table_has_every_code_with_its_statuses_and_meaning() -> None:
    lines = markdown_table().splitlines()
    assert len({line.count("|") for line in lines}) == 1
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert rows == [
        [f"`{row.code}`", str(row.status), f"`{row.grpc_status}`", row.meaning] for row in ErrorCode
    ]


_LONG = "x" * 5000


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", f"/models/mnist/versions/{_LONG}", {}),
        ("GET", f"/v1/models/mnist/versions/{_LONG}", {}),
        ("GET", f"/v2/models/mnist/versions/{_LONG}", {}),
        ("PUT", f"/models/{_LONG}", {}),
        ("GET", f"/static_content/{_LONG}", {}),
        ("POST", "/models/mnist", {"Content-Type": _LONG}),
        ("POST", f"/models/mnist?top_k={_LONG}", {}),
        ("POST", f"/models/mnist/explain?as={_LONG}", {}),
        ("POST", "/models/mnist", {"Content-Type": f"multipart/form-data; boundary={_LONG}"}),
        ("POST", "/v2/models/mnist/infer", {"Inference-Header-Content-Length": _LONG}),
    ],
)
def test_a_message_repeats_at_most_a_short_part_of_what_the_client_sends(
    server: Server, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = server.ask(method, path, _LONG.encode() if method == "POST" else None, headers)
    assert 400 <= answer.status < 500
    assert len(answer.json()["error"]) < 250
    assert _LONG[:41] not in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/models/mnist", {"inputs": _LONG + "!"}),
        ("/models/mnist", {"inputs": "", "parameters": {"top_k": _LONG}}),
        ("/v1/models/mnist:predict", {"instances": [0], "signature_name": _LONG}),
        ("/v1/models/mnist:predict", {"instances": [{_LONG: 0}]}),
        ("/v1/models/imdb:predict", {"instances": [[_LONG]]}),
        ("/v2/models/mnist/infer", {"inputs": [{"name": _LONG}]}),
        ("/v2/models/mnist/infer", {"inputs": [{"name": "image", "shape": [1] * 5000, "datatype": _LONG}]}),
    ],
)
def test_a_message_repeats_at_most_a_short_part_of_a_json_body(
    server: Server, path: str, document: object
) -> None:
    answer = server.post_json(path, document)
    assert 400 <= answer.status < 500
    assert len(answer.json()["error"]) < 250
    assert _LONG[:41] not in answer.json()["error"]
