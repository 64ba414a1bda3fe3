"""Predictions from a real server equal those in process, for every kind of body."""

import base64
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from service.inference.catalog import Catalog
from service.inference.prediction import Prediction

Server = Any
Encode = Callable[..., bytes]


def _multipart(*files: bytes, name: str = "file") -> tuple[bytes, dict[str, str]]:
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"; filename="{number}.png"\r\n'
        "Content-Type: image/png\r\n\r\n".encode()
        + content
        + b"\r\n"
        for number, content in enumerate(files)
    ]
    return b"".join(parts) + b"--edge--\r\n", {"Content-Type": "multipart/form-data; boundary=edge"}


@pytest.fixture
def digits(samples: Callable[[str], Any]) -> tuple[bytes, ...]:
    chosen: tuple[bytes, ...] = samples("mnist").inputs[:3]
    return chosen


def _same(rows: list[dict[str, Any]], prediction: Prediction) -> bool:
    pairs = list(zip(rows, prediction.scores, strict=True))
    return all(
        row["label"] == score.label and math.isclose(row["score"], score.score, abs_tol=1e-6)
        for row, score in pairs
    )


def test_the_subject_at_the_end_of_a_small_long_photo_is_found(
    server: Server, catalog: Catalog, data_folder: Path, encode: Encode
) -> None:
    with Image.open(data_folder / "pictures" / "cat.jpg") as cat:
        photo = Image.new("RGB", (240, 60), (120, 150, 90))
        photo.paste(cat.resize((60, 60)), (180, 0))
    picture = encode(photo)

    answer = server.ask("POST", "/models/cats_vs_dogs", picture)

    assert answer.json()[0]["label"] == "cat"
    assert _same(answer.json(), catalog.predictor("cats_vs_dogs").predict([picture])[0])


@pytest.mark.parametrize(
    "content_type", [None, "image/png", "image/x-odd", "application/octet-stream", "IMAGE/PNG; q=1"]
)
def test_raw_bytes_are_a_picture(
    server: Server, catalog: Catalog, digits: tuple[bytes, ...], content_type: str | None
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = server.ask("POST", "/models/mnist", digits[0], headers)
    assert answer.status == 200
    assert _same(answer.json(), catalog.predictor("mnist").predict([digits[0]])[0])


def test_bytes_from_curl_are_a_picture(server: Server, digits: tuple[bytes, ...]) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert server.ask("POST", "/models/mnist", digits[0], headers).status == 200


def test_a_chunked_body_is_a_picture(server: Server, catalog: Catalog, digits: tuple[bytes, ...]) -> None:
    def pieces() -> Iterator[bytes]:
        for start in range(0, len(digits[0]), 50):
            yield digits[0][start : start + 50]

    answer = server.ask(
        "POST", "/models/mnist", pieces(), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
    )
    assert _same(answer.json(), catalog.predictor("mnist").predict([digits[0]])[0])


def test_one_file_of_a_form_is_answered_with_one_list(
    server: Server, catalog: Catalog, digits: tuple[bytes, ...]
) -> None:
    answer = server.ask("POST", "/models/mnist", *_multipart(digits[0]))
    assert _same(answer.json(), catalog.predictor("mnist").predict([digits[0]])[0])


def test_several_files_of_a_form_are_answered_in_their_order(
    server: Server, catalog: Catalog, digits: tuple[bytes, ...]
) -> None:
    rows = server.ask("POST", "/models/mnist", *_multipart(*digits, name="anything")).json()
    assert len(rows) == 3
    assert all(map(_same, rows, catalog.predictor("mnist").predict(digits)))


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_a_picture_in_json_is_answered_with_one_list(
    server: Server, catalog: Catalog, digits: tuple[bytes, ...], prefix: str
) -> None:
    answer = server.post_json("/models/mnist", {"inputs": prefix + base64.b64encode(digits[0]).decode()})
    assert _same(answer.json(), catalog.predictor("mnist").predict([digits[0]])[0])


def test_pictures_in_json_are_answered_in_their_order(
    server: Server, catalog: Catalog, digits: tuple[bytes, ...]
) -> None:
    inputs = [base64.b64encode(digit).decode() for digit in digits]
    rows = server.post_json("/models/mnist", {"inputs": inputs}).json()
    assert all(map(_same, rows, catalog.predictor("mnist").predict(digits)))
    assert len(server.post_json("/models/mnist", {"inputs": inputs[:1]}).json()) == 1


def test_a_plain_text_is_answered_with_one_list(server: Server, catalog: Catalog) -> None:
    text = "An exquisite film, and Amélie’s café scene is a wonder."
    for headers in ({"Content-Type": "text/plain; charset=utf-8"}, {}):
        answer = server.ask("POST", "/models/imdb", text.encode(), headers)
        assert _same(answer.json(), catalog.predictor("imdb").predict([text])[0])


def test_a_plain_text_has_the_charset_of_its_content_type(server: Server, catalog: Catalog) -> None:
    text = "Amélie’s café scene is a wonder."
    expected = catalog.predictor("imdb").predict([text])[0]
    for charset in ("utf-16le", "windows-1252", "utf-8"):
        headers = {"Content-Type": f"text/plain; charset={charset}"}
        assert _same(server.ask("POST", "/models/imdb", text.encode(charset), headers).json(), expected)
    headers = {"Content-Type": "text/plain; charset=nope"}
    assert server.ask("POST", "/models/imdb", text.encode(), headers).status == 415


def test_texts_in_json_are_answered_with_a_list_each_even_a_single_one(
    server: Server, catalog: Catalog
) -> None:
    texts = ["a dull, awful film", "wonderful"]
    expected = catalog.predictor("imdb").predict(texts)
    assert all(map(_same, server.post_json("/models/imdb", {"inputs": texts}).json(), expected))
    single = server.post_json("/models/imdb", {"inputs": texts[0]}).json()
    assert len(single) == 1
    assert _same(single[0], expected[0])


def test_top_k_comes_from_the_query_or_the_parameters(server: Server, digits: tuple[bytes, ...]) -> None:
    complete = server.ask("POST", "/models/mnist", digits[0]).json()
    encoded = base64.b64encode(digits[0]).decode()
    assert server.ask("POST", "/models/mnist?top_k=2", digits[0]).json() == complete[:2]
    for top_k in (1, 3, 10, 1000):
        answer = server.post_json("/models/mnist", {"inputs": encoded, "parameters": {"top_k": top_k}})
        assert answer.json() == complete[:top_k]
    both = server.post_json("/models/mnist?top_k=5", {"inputs": encoded, "parameters": {"top_k": 2}})
    assert both.json() == complete[:2]
    for none in ({}, {"top_k": None}, None):
        assert server.post_json("/models/mnist", {"inputs": encoded, "parameters": none}).json() == complete
    for wrong in ([], "", 0, False):
        answer = server.post_json("/models/mnist", {"inputs": encoded, "parameters": wrong})
        assert (answer.status, answer.json()["code"]) == (400, "invalid_parameter"), wrong


def test_scores_are_probabilities_best_first(server: Server, digits: tuple[bytes, ...]) -> None:
    rows = server.ask("POST", "/models/mnist", digits[0]).json()
    scores = [row["score"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1, abs=1e-5)
    assert {row["label"] for row in rows} == set("0123456789")


def test_the_headers_have_version_times_and_unsure_predictions(
    server: Server, catalog: Catalog, digits: tuple[bytes, ...]
) -> None:
    answer = server.ask("POST", "/models/mnist", *_multipart(*digits))
    version = catalog.card("mnist").version
    assert answer.headers["X-Model-Version"] == str(version)
    assert re.fullmatch(
        r"decode;dur=\d+\.\d{3}, queue;dur=\d+\.\d{3}, inference;dur=\d+\.\d{3}",
        answer.headers["Server-Timing"],
    )
    unsure = [prediction.unsure for prediction in catalog.predictor("mnist").predict(digits)]
    assert answer.headers["X-Lectern-Unsure"] == ",".join(str(value).lower() for value in unsure)
    named = server.ask("POST", f"/models/mnist/versions/{version}", digits[0])
    assert named.headers["X-Model-Version"] == str(version)


def test_a_picture_of_several_digits_is_unsure_and_the_reason_is_said(
    server: Server, catalog: Catalog, digits: tuple[bytes, ...], data_folder: Path
) -> None:
    number = (data_folder / "pictures" / "number.png").read_bytes()

    alone = server.ask("POST", "/models/mnist", number)
    assert (alone.headers["X-Lectern-Unsure"], alone.headers["X-Lectern-Reason"]) == (
        "true",
        "several_digits",
    )
    assert _same(alone.json(), catalog.predictor("mnist").predict([number])[0])

    one = server.ask("POST", "/models/mnist", digits[0])
    assert "X-Lectern-Reason" not in one.headers
    both = server.ask("POST", "/models/mnist", *_multipart(digits[0], number))
    assert both.headers["X-Lectern-Reason"] == "none,several_digits"
    assert both.headers["X-Lectern-Unsure"] == f"{one.headers['X-Lectern-Unsure']},true"


def test_lines_that_are_too_thick_are_said(server: Server, thick_png: bytes) -> None:
    answer = server.ask("POST", "/models/mnist", thick_png)

    assert (answer.headers["X-Lectern-Unsure"], answer.headers["X-Lectern-Reason"]) == (
        "true",
        "stroke_too_thick",
    )


def test_every_model_answers_over_http_as_in_process(
    server: Server, catalog: Catalog, samples: Callable[[str], Any]
) -> None:
    for card in catalog:
        predictor = catalog.predictor(card.name)
        for value in samples(card.name).inputs[:4]:
            body = value.encode() if isinstance(value, str) else value
            rows = server.ask("POST", f"/models/{card.name}", body).json()
            assert _same(rows, predictor.predict([value])[0]), card.name


def test_a_large_picture_is_answered_as_in_process(
    server: Server,
    catalog: Catalog,
    digits: tuple[bytes, ...],
    encode: Callable[..., bytes],
    mnist_digits: Any,
) -> None:
    large = encode(mnist_digits[0].repeat(40, axis=0).repeat(40, axis=1), "BMP")
    assert len(large) > 1_000_000
    rows = server.ask("POST", "/models/mnist", large).json()
    assert _same(rows, catalog.predictor("mnist").predict([large])[0])
