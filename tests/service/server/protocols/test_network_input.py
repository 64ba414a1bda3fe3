"""The network's input over HTTP equals that in process."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from service.inference.catalog import Catalog


@pytest.fixture(scope="module")
def eight(data_folder: Path) -> bytes:
    return (data_folder / "pictures" / "eight.png").read_bytes()


@pytest.mark.parametrize(
    ("name", "file"),
    [("mnist", "eight.png"), ("fashion_mnist", "ankle_boot.png"), ("cats_vs_dogs", "cat.jpg")],
)
def test_png_and_json_have_the_pixels_that_the_network_reads(
    server: Any, catalog: Catalog, data_folder: Path, name: str, file: str
) -> None:
    data = (data_folder / "pictures" / file).read_bytes()
    expected = catalog.predictor(name).prepare(data)
    answer = server.ask("POST", f"/models/{name}/input", data)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/png")
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(answer.body))), expected)
    document = server.ask("POST", f"/models/{name}/versions/1/input?as=json", data).json()
    assert (document["model"], document["version"]) == (name, 1)
    np.testing.assert_array_equal(document["values"], catalog.predictor(name, 1).prepare(data))


def test_the_input_predicts_what_the_picture_predicts(server: Any, eight: bytes) -> None:
    pixels = server.ask("POST", "/models/mnist/input", eight).body
    assert server.ask("POST", "/models/mnist", pixels).body == server.ask("POST", "/models/mnist", eight).body


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/models/mnist/input?as=gif", None, 400, "invalid_parameter"),
        ("/models/mnist/input", b"no picture", 422, "damaged_image"),
        ("/models/imdb/input", b"A fine film.", 400, "invalid_input"),
        ("/models/nothing/input", None, 404, "model_not_found"),
        ("/models/mnist/versions/99/input", None, 404, "model_not_found"),
    ],
)
def test_a_request_without_a_network_input_is_an_error(
    server: Any, eight: bytes, path: str, body: bytes | None, status: int, code: str
) -> None:
    answer = server.ask("POST", path, eight if body is None else body)
    assert (answer.status, answer.json()["code"]) == (status, code)
