"""Explanations over HTTP equal those in process."""

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


def test_json_has_the_heat_for_the_requested_label(server: Any, eight: bytes, models_folder: Path) -> None:
    catalog = Catalog(models_folder)
    pixels = catalog.predictor("mnist", 1).prepare(eight)

    answer = server.ask("POST", "/models/mnist/versions/1/explain?as=json&label=3", eight)

    assert (answer.status, answer.headers["X-Model-Version"]) == (200, "1")
    document = answer.json()
    assert (document["model"], document["label"]) == ("mnist", "3")
    expected = catalog.explainer("mnist", 1).heat(pixels, label="3")
    np.testing.assert_allclose(np.array(document["values"]), expected, atol=1e-6)


def test_without_a_label_the_most_probable_one_is_explained(server: Any, eight: bytes) -> None:
    assert server.ask("POST", "/models/mnist/explain?as=json", eight).json()["label"] == "8"


def test_feature_maps_come_as_numbers_and_as_a_picture(server: Any, eight: bytes) -> None:
    path = "/models/mnist/versions/1/explain?layer=conv2d"
    assert np.array(server.ask("POST", f"{path}&as=json", eight).json()["values"]).shape == (26, 26, 32)
    answer = server.ask("POST", path, eight)
    assert answer.headers["Content-Type"] == "image/png"
    assert min(Image.open(io.BytesIO(answer.body)).size) >= 280


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/models/mnist/explain?as=gif", b"", 400, "invalid_parameter"),
        ("/models/mnist/explain?label=ten", None, 400, "invalid_input"),
        ("/models/mnist/explain?layer=none", None, 400, "invalid_input"),
        ("/models/mnist/explain?layer=", None, 400, "invalid_input"),
        ("/models/mnist/explain", b"no picture", 422, "damaged_image"),
        ("/models/imdb/explain", b"A fine film.", 400, "invalid_input"),
        ("/models/nothing/explain", b"", 404, "model_not_found"),
        ("/models/mnist/versions/99/explain", b"", 404, "model_not_found"),
    ],
)
def test_a_request_that_cannot_be_explained_is_an_error(
    server: Any, eight: bytes, path: str, body: bytes | None, status: int, code: str
) -> None:
    answer = server.ask("POST", path, eight if body is None else body)
    assert (answer.status, answer.json()["code"]) == (status, code)
