"""Tests of the explanations of the committed models."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from service.inference.catalog import Catalog
from service.inference.errors import ChecksumMismatch, InvalidInput
from service.inference.explain import Explainer, _geometry
from service.inference.overlay import heat_overlay, map_sheet


@pytest.fixture(scope="module")
def catalog(models_folder: Path) -> Catalog:
    return Catalog(models_folder, providers=("cpu",))


@pytest.fixture(scope="module")
def eight(data_folder: Path) -> bytes:
    return (data_folder / "pictures" / "eight.png").read_bytes()


def _picture_cards(catalog: Catalog) -> list[tuple[str, int]]:
    return [
        (card.name, version)
        for card in catalog
        for version in catalog.versions(card.name)
        if card.task == "image-classification"
    ]


def test_every_image_classifier_can_be_explained(catalog: Catalog) -> None:
    for name, version in _picture_cards(catalog):
        explainer, card = catalog.explainer(name, version), catalog.card(name, version)
        pixels = np.full(card.input.shape[1:], 128, dtype=np.uint8)
        heat = explainer.heat(pixels, label=card.labels[0])
        assert heat.ndim == 2
        assert np.isfinite(heat).all()
        for layer in explainer.layers:
            maps = explainer.feature_maps(pixels, layer=layer)
            table = {row.name: row.output_shape for row in card.layers}
            assert maps.shape == table[layer][1:]


@pytest.mark.parametrize(("name", "times"), [("mnist", 1.4), ("fashion_mnist", 1.4)])
def test_covering_the_hottest_part_lowers_the_probability_more_than_a_random_part(
    catalog: Catalog, samples: Callable[[str], Any], name: str, times: float
) -> None:
    predictor, explainer = catalog.predictor(name), catalog.explainer(name)
    random = np.random.default_rng(5)
    lost_hot = lost_random = 0.0
    for value in samples(name).inputs[:60]:
        pixels = predictor.prepare(value)
        before = predictor.probabilities(pixels[None])[0]
        best = int(before.argmax())
        heat = explainer.heat(pixels, label=predictor.card.labels[best])
        rows = np.arange(28) * heat.shape[0] // 28
        hidden = []
        for hotness in (heat, random.random(heat.shape)):
            copy = pixels.copy()
            copy[hotness[np.ix_(rows, rows)] >= np.sort(hotness, axis=None)[-heat.size // 5]] = 0
            hidden.append(copy)
        after = predictor.probabilities(np.stack(hidden))[:, best]
        lost_hot += float(before[best] - after[0])
        lost_random += float(before[best] - after[1])
    assert lost_hot > times * lost_random


def test_heat_map_depends_on_the_label(catalog: Catalog, eight: bytes) -> None:
    predictor, explainer = catalog.predictor("mnist", 1), catalog.explainer("mnist", 1)
    pixels = predictor.prepare(eight)
    assert explainer.heat(pixels, label="8").sum() > explainer.heat(pixels, label="1").sum()


def test_filters_are_those_of_the_first_convolution(catalog: Catalog) -> None:
    assert catalog.explainer("mnist", 1).filters().shape == (3, 3, 1, 32)
    with pytest.raises(InvalidInput, match="no convolutional layer"):
        catalog.explainer("fashion_mnist", 1).filters()


def test_unknown_labels_and_layers_are_reported_with_the_existing_ones(
    catalog: Catalog, eight: bytes
) -> None:
    explainer = catalog.explainer("mnist", 1)
    pixels = catalog.predictor("mnist", 1).prepare(eight)
    with pytest.raises(InvalidInput, match="'ten'; it has 0, 1, 2"):
        explainer.heat(pixels, label="ten")
    with pytest.raises(InvalidInput, match="'conv9'; it has conv2d"):
        explainer.feature_maps(pixels, layer="conv9")
    with pytest.raises(InvalidInput, match=r"\[28, 28\]"):
        explainer.heat(pixels[:20], label="8")


@pytest.mark.parametrize("subject", ["label", "layer"])
def test_long_labels_and_layers_are_shortened(catalog: Catalog, eight: bytes, subject: str) -> None:
    explainer = catalog.explainer("mnist", 1)
    explain = explainer.heat if subject == "label" else explainer.feature_maps
    with pytest.raises(InvalidInput) as raised:
        explain(catalog.predictor("mnist", 1).prepare(eight), **{subject: "x" * 60_000})
    assert len(str(raised.value)) < 200


def test_text_models_cannot_be_explained(catalog: Catalog) -> None:
    with pytest.raises(InvalidInput, match="only models that classify pictures"):
        catalog.explainer("imdb")


def test_file_with_a_wrong_checksum_is_reported(tmp_path: Path, catalog: Catalog) -> None:
    card = catalog.card("mnist", 1)
    (tmp_path / "explain.onnx").write_bytes((catalog.folder(card) / "explain.onnx").read_bytes() + b"x")
    with pytest.raises(ChecksumMismatch, match=r"explain\.onnx"):
        Explainer.load(tmp_path, card, network=lambda: catalog.predictor("mnist", 1))


@pytest.mark.parametrize("shape", [(28, 28), (32, 32, 3), (180, 180, 3)])
def test_overlay_is_hottest_where_the_heat_map_is(shape: tuple[int, ...]) -> None:
    heat = np.zeros((7, 7), dtype=np.float32)
    heat[1, 5] = 2.0
    overlay = np.asarray(heat_overlay(np.full(shape, 90, dtype=np.uint8), heat), dtype=np.float32)
    assert min(overlay.shape[:2]) >= 180
    row, column = np.unravel_index(overlay.sum(axis=2).argmax(), overlay.shape[:2])
    assert (int(row) * 7 // overlay.shape[0], int(column) * 7 // overlay.shape[1]) == (1, 5)


def test_overlay_of_an_empty_heat_map_is_uniformly_cold() -> None:
    overlay = np.asarray(heat_overlay(np.full((28, 28), 90, np.uint8), np.zeros((7, 7), np.float32)))
    assert np.ptp(overlay.reshape(-1, 3), axis=0).max() == 0


def test_a_map_sheet_shows_each_channel_once(digit_maps: Callable[[int], npt.NDArray[np.float32]]) -> None:
    sheet = map_sheet(digit_maps(5))
    # Five channels of 4 x 4 are in three columns and two rows with gaps of two, enlarged by an integer.
    assert sheet.width % (3 * 6 - 2) == 0
    assert sheet.width // 16 == sheet.height // 10
    assert len(np.unique(np.asarray(sheet))) > 2


@pytest.fixture
def digit_maps() -> Callable[[int], npt.NDArray[np.float32]]:
    return lambda count: np.random.default_rng(1).random((4, 4, count), dtype=np.float32)


@pytest.mark.parametrize(("name", "version"), [("mnist", 1), ("mnist", 2), ("fashion_mnist", 2)])
def test_a_kernel_makes_the_feature_map_but_for_scale_bias_and_activation(
    catalog: Catalog, name: str, version: int
) -> None:
    explainer = catalog.explainer(name, version)
    pixels = np.random.default_rng(3).integers(0, 256, (28, 28), dtype=np.uint8)
    maps = explainer.feature_maps(pixels, layer=explainer.layers[0])
    compared = 0
    for index in range(maps.shape[2]):
        kernel, values = explainer.kernel(index), maps[..., index]
        assert (kernel.stride, kernel.padding) == ((1, 1), (0, 0))
        windows = np.lib.stride_tricks.sliding_window_view(pixels.astype(np.float64), kernel.weights.shape)
        sums = np.einsum("yxij,ij->yx", windows, kernel.weights)
        growing = values > 0.01  # where ReLU and swish grow
        if growing.sum() > 50:
            first, second = (one[growing].argsort().argsort() for one in (sums, values))
            assert np.corrcoef(first, second)[0, 1] > 0.9999
            compared += 1
    assert compared > maps.shape[2] / 2


@pytest.mark.parametrize(
    ("size", "output", "kernel", "geometry"),
    [
        (28, 26, 3, (0, 1)),
        (32, 32, 3, (1, 1)),
        (32, 31, 2, (0, 1)),
        (180, 90, 3, (0, 2)),  # padded after the picture alone
        (31, 16, 3, (1, 2)),
        (31, 15, 3, (0, 2)),
        (224, 56, 7, (1, 4)),
    ],
)
def test_stride_and_padding_follow_from_the_sizes(
    size: int, output: int, kernel: int, geometry: tuple[int, int]
) -> None:
    assert _geometry(size, output, kernel) == geometry


def test_networks_for_colours_have_no_kernels(catalog: Catalog) -> None:
    with pytest.raises(InvalidInput, match="cifar10 reads colours"):
        catalog.explainer("cifar10").kernel(0)
