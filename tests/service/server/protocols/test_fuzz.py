"""Hundreds of seeded mutations of valid requests give neither a 5xx nor a traceback."""

import base64
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

Server = Any
_SEED = 20240817
_ROUNDS = 40


def _mutated(content: bytes, chance: random.Random) -> bytes:
    """Overwrite, cut, repeat or insert a few bytes."""
    body = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(body) + 1)
        length = chance.choice((1, 1, 2, 4, 30))
        match chance.randrange(5):
            case 0:
                body[place : place + length] = chance.randbytes(length)
            case 1:
                del body[place : place + length]
            case 2:
                body[place:place] = body[place : place + length] * chance.randint(1, 4)
            case 3:
                body[place:place] = chance.choice(
                    (b"\0", b"\xff" * 4, b'"', b"[", b"\r\n", b"--edge", b"-1", b"1e999")
                )
            case 4 if len(body) > 40:
                del body[place:]
        body = body or bytearray(b"\0")
    return bytes(body)


@pytest.fixture(scope="session")
def valid_requests(mnist_digits: Any, encode: Callable[..., bytes]) -> dict[str, tuple[str, str, bytes]]:
    """Name → path, content type and body of a request that is answered with 200."""
    digit = mnist_digits[0]
    encoded = base64.b64encode(encode(digit)).decode()
    disposition = 'Content-Disposition: form-data; name="file"; filename="a.png"'
    part = f"--edge\r\n{disposition}\r\nContent-Type: image/png\r\n\r\n".encode() + encode(digit) + b"\r\n"
    pictures = {kind: encode(digit, kind) for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")}
    return {kind: ("/models/mnist", f"image/{kind.lower()}", body) for kind, body in pictures.items()} | {
        "json": (
            "/models/mnist",
            "application/json",
            json.dumps({"inputs": [encoded], "parameters": {"top_k": 3}}).encode(),
        ),
        "multipart": ("/models/mnist", "multipart/form-data; boundary=edge", part * 2 + b"--edge--\r\n"),
        "text": ("/models/imdb", "text/plain", "A café &amp; <b>films</b> &#8217;twas good".encode()),
        "text json": ("/models/imdb", "application/json", json.dumps({"inputs": ["good", "bad é"]}).encode()),
        "bento": (
            "/classify_image",
            "application/json",
            json.dumps({"model": "mnist", "image": encoded, "top_k": 3, "version": None}).encode(),
        ),
        "tensorflow serving rows": (
            "/v1/models/mnist:predict",
            "application/json",
            json.dumps({"instances": [{"b64": encoded}, {"image": {"b64": encoded}}]}).encode(),
        ),
        "tensorflow serving columns": (
            "/v1/models/mnist:predict",
            "application/json",
            json.dumps({"signature_name": "serving_default", "inputs": {"image": [digit.tolist()]}}).encode(),
        ),
    }


def test_the_requests_before_mutation_are_valid(
    server: Server, valid_requests: dict[str, tuple[str, str, bytes]]
) -> None:
    for name, (path, kind, body) in valid_requests.items():
        assert server.ask("POST", path, body, {"Content-Type": kind}).status == 200, name


def test_no_mutation_of_a_valid_request_makes_the_server_fail(
    server: Server, valid_requests: dict[str, tuple[str, str, bytes]], digit_png: bytes
) -> None:
    chance = random.Random(_SEED)
    for name, (path, kind, body) in valid_requests.items():
        for number in range(_ROUNDS):
            mutant = _mutated(body, chance)
            answer = server.ask("POST", path, mutant, {"Content-Type": kind})
            assert answer.status < 500, (name, number, mutant[:300], answer.body)
            if answer.status != 200:
                assert set(answer.json()) == {"error", "code", "request_id"}, (name, number)
    assert server.ask("POST", "/models/mnist", digit_png).status == 200
    assert "Traceback" not in server.log()
