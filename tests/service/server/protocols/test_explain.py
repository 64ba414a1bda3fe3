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


def test_one_feature_map_has_the_filter_that_makes_it(server: Any, eight: bytes, catalog: Catalog) -> None:
    path = "/models/mnist/versions/1/explain?layer=conv2d"
    every = np.array(server.ask("POST", f"{path}&as=json", eight).json()["values"])
    document = server.ask("POST", f"{path}&map=5&as=json", eight).json()
    assert (document["layer"], document["map"]) == ("conv2d", 5)
    np.testing.assert_array_equal(document["values"], every[..., 5])
    filters = catalog.explainer("mnist", 1).filters()
    np.testing.assert_allclose(document["kernel"].pop("weights"), filters[:, :, 0, 5])
    assert document["kernel"] == {"stride": [1, 1], "padding": [0, 0]}
    deeper = server.ask(
        "POST", "/models/mnist/versions/1/explain?layer=conv2d_1&map=63&as=json", eight
    ).json()
    assert "kernel" not in deeper
    picture = server.ask("POST", f"{path}&map=5", eight)
    assert Image.open(io.BytesIO(picture.body)).size == (286, 286)


@pytest.mark.parametrize(
    ("version", "question", "count"), [(1, "", 16), (2, "?count=3", 3), (1, "?count=64", 64)]
)
def test_the_feature_maps_of_all_layers_come_as_one_picture(
    server: Any, eight: bytes, catalog: Catalog, version: int, question: str, count: int
) -> None:
    answer = server.ask("POST", f"/models/mnist/versions/{version}/maps{question}", eight)
    assert (answer.headers["Content-Type"], answer.headers["X-Model-Version"]) == ("image/png", str(version))
    sheet = np.asarray(Image.open(io.BytesIO(answer.body)))
    explainer = catalog.explainer("mnist", version)
    pixels = catalog.predictor("mnist", version).prepare(eight)
    top = 0
    for layer in explainer.layers:
        maps = explainer.feature_maps(pixels, layer=layer)
        height, width, _ = maps.shape
        for index in range(min(count, maps.shape[2])):
            one, drawn = maps[..., index], sheet[top : top + height, index * width : (index + 1) * width]
            spread = max(float(np.ptp(one)), 1e-9)
            np.testing.assert_allclose(drawn, (one - one.min()) / spread * 255, atol=1)
        top += height
    assert sheet.shape[0] == top


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/models/mnist/explain?as=gif", b"", 400, "invalid_parameter"),
        ("/models/mnist/explain?label=ten", None, 400, "invalid_input"),
        ("/models/mnist/explain?layer=none", None, 400, "invalid_input"),
        ("/models/mnist/explain?layer=", None, 400, "invalid_input"),
        ("/models/mnist/explain?map=0", None, 400, "invalid_parameter"),
        ("/models/mnist/explain?layer=whitening&map=18", None, 400, "invalid_parameter"),
        ("/models/mnist/explain?layer=none&map=0", None, 400, "invalid_input"),
        ("/models/mnist/maps?count=0", None, 400, "invalid_parameter"),
        ("/models/mnist/maps?count=many", None, 400, "invalid_parameter"),
        ("/models/fashion_mnist/versions/1/maps", None, 400, "invalid_input"),
        ("/models/imdb/maps", b"A fine film.", 400, "invalid_input"),
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
