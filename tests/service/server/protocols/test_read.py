"""Numbers over HTTP are read like in process, and what cannot be read is an error."""

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from service.inference.catalog import Catalog
from service.inference.reading.reader import Reader

Array = npt.NDArray[Any]


@pytest.fixture(scope="module")
def page(mnist_digits: Array, encode: Callable[..., bytes]) -> bytes:
    """Two lines of three digits, dark on light."""
    lines = [
        np.hstack([digit.repeat(4, 0).repeat(4, 1) for digit in row])
        for row in mnist_digits[:6].reshape(2, 3, 28, 28)
    ]
    return encode(Image.fromarray(255 - np.pad(np.vstack(lines), 30)))


def test_lines_and_boxes_equal_those_in_process(server: Any, page: bytes, models_folder: Any) -> None:
    reading = Reader(Catalog(models_folder).predictor("mnist", 1)).read(page)

    answer = server.ask("POST", "/models/mnist/versions/1/read", page)

    assert (answer.status, answer.headers["X-Model-Version"]) == (200, "1")
    document = answer.json()
    assert document["lines"] == list(reading.texts)
    assert [len(line) for line in document["lines"]] == [3, 3]
    assert document["text"] == "\n".join(document["lines"])
    assert "".join(digit["label"] for digit in document["digits"]) == "".join(document["lines"])
    assert [tuple(digit["box"]) for digit in document["digits"]] == [digit.box for digit in reading.digits]
    assert [digit["score"] for digit in document["digits"]] == pytest.approx(
        [digit.score for digit in reading.digits], abs=1e-5
    )


def test_each_digit_that_is_read_counts_as_one_prediction(server: Any, page: bytes) -> None:
    def counts() -> dict[str, float]:
        return {
            name: server.metric(name, model="mnist", version="1")
            for name in ("lectern_predictions_total", "lectern_batch_inputs_sum")
        }

    server.ask("POST", "/models/mnist/versions/1/read", page)
    before = counts()
    digits = server.ask("POST", "/models/mnist/versions/1/read", page).json()["digits"]
    after = counts()

    # The network scores more parts of the picture than turn out to be digits.
    assert after["lectern_predictions_total"] - before["lectern_predictions_total"] == len(digits) == 6
    assert after["lectern_batch_inputs_sum"] - before["lectern_batch_inputs_sum"] > len(digits)


def test_json_and_forms_are_read_too(server: Any, page: bytes) -> None:
    expected = server.ask("POST", "/models/mnist/read", page).json()
    body = b'{"inputs": "%s"}' % base64.b64encode(page)
    answer = server.ask("POST", "/models/mnist/read", body, {"Content-Type": "application/json"})
    assert answer.json()["text"] == expected["text"]
    body = (
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n%s\r\n--edge--\r\n'
        % page
    )
    answer = server.ask(
        "POST", "/models/mnist/read", body, {"Content-Type": "multipart/form-data; boundary=edge"}
    )
    assert answer.json() == expected


def test_an_array_and_several_pictures_are_refused(server: Any, page: bytes, mnist_digits: Array) -> None:
    encoded = base64.b64encode(page).decode()
    for inputs, status in ([mnist_digits[0].tolist(), 400], [[encoded, encoded], 413]):
        body = json.dumps({"inputs": inputs}).encode()
        answer = server.ask("POST", "/models/mnist/read", body, {"Content-Type": "application/json"})
        assert answer.status == status
        assert answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/models/cifar10/read", 400, "invalid_input"),
        ("/models/imdb/read", 400, "invalid_input"),
        ("/models/nothing/read", 404, "model_not_found"),
        ("/models/mnist/versions/99/read", 404, "model_not_found"),
    ],
)
def test_models_of_other_things_read_no_numbers(
    server: Any, page: bytes, path: str, status: int, code: str
) -> None:
    answer = server.ask("POST", path, page)
    assert (answer.status, answer.json()["code"]) == (status, code)


def test_a_blank_page_and_too_many_digits_are_refused(
    server: Any, mnist_digits: Array, encode: Callable[..., bytes]
) -> None:
    blank = server.ask("POST", "/models/mnist/read", encode(Image.new("L", (200, 100), 255)))
    assert (blank.status, blank.json()["code"]) == (422, "blank_image")
    rows = np.pad(mnist_digits[:80], ((0, 0), (6, 6), (6, 6))).reshape(8, 10, 40, 40)
    page = np.pad(np.vstack([np.hstack(list(row)) for row in rows]), 20)
    many = server.ask("POST", "/models/mnist/read", encode(page))
    assert (many.status, many.json()["code"]) == (413, "too_large")
