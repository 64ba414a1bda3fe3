"""Tests explanations of the bundled models without a window."""

from pathlib import Path

import numpy as np
import pytest

from desktop.explain.backend import ExplanationBackend, ExplanationRequest, scale_feature_maps
from service.inference import Catalog
from service.inference.errors import InvalidInput, ModelNotFound
from service.inference.overlay import heat_overlay

DATA = Path(__file__).parents[2] / "data"
SAMPLE = np.load(DATA / "mnist.npz")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog()


@pytest.fixture(scope="module")
def backend(catalog: Catalog) -> ExplanationBackend:
    return ExplanationBackend(lambda: catalog)


def digit(label: int) -> np.ndarray:
    return SAMPLE["x"][np.flatnonzero(SAMPLE["y"] == label)[0]]


def test_heat_map_and_feature_maps_equal_those_of_the_explainer(
    catalog: Catalog, backend: ExplanationBackend
) -> None:
    pixels = digit(3)
    request = ExplanationRequest(model="mnist", version=1, pixels=pixels, label="3", layer="conv2d_1")
    explanation = backend.explain(request)
    explainer = catalog.explainer("mnist", 1)
    expected = heat_overlay(pixels, explainer.heat(pixels, label="3"))
    np.testing.assert_array_equal(explanation.overlay, np.asarray(expected))
    maps = explainer.feature_maps(pixels, layer="conv2d_1")
    assert explanation.maps.layer == "conv2d_1"
    assert explanation.maps.images.shape == (64, 11, 11)
    np.testing.assert_array_equal(explanation.maps.maxima, maps.max(axis=(0, 1)))
    alive = np.flatnonzero(explanation.maps.maxima > 0)
    assert [explanation.maps.images[channel].argmax() for channel in alive] == [
        maps[:, :, channel].argmax() for channel in alive
    ]


def test_an_unknown_layer_is_replaced_by_the_first(backend: ExplanationBackend) -> None:
    request = ExplanationRequest(model="mnist", version=1, pixels=digit(3), layer="block5_conv3")
    explanation = backend.explain(request)
    assert explanation.maps.layer == "conv2d"
    assert explanation.overlay is None


def test_without_pixels_there_is_the_card_only(backend: ExplanationBackend) -> None:
    explanation = backend.explain(ExplanationRequest(model="mnist", version=1))
    assert [layer.type for layer in explanation.card.layers].count("Conv2D") == 3
    assert (explanation.overlay, explanation.maps) == (None, None)


def test_a_network_without_convolutions_has_a_heat_map_only(backend: ExplanationBackend) -> None:
    garment = np.load(DATA / "fashion_mnist.npz")["x"][0]
    explanation = backend.explain(
        ExplanationRequest(model="fashion_mnist", version=1, pixels=garment, label="Bag")
    )
    assert explanation.overlay.shape == (280, 280, 3)
    assert explanation.maps is None


def test_a_network_for_texts_has_its_card_only(backend: ExplanationBackend) -> None:
    explanation = backend.explain(ExplanationRequest(model="imdb", version=1, label="positive"))
    assert explanation.card.explanation is None
    assert explanation.card.layers


def test_errors_name_their_cause(backend: ExplanationBackend) -> None:
    with pytest.raises(ModelNotFound, match="no version 99"):
        backend.explain(ExplanationRequest(model="mnist", version=99))
    with pytest.raises(InvalidInput, match="shape"):
        backend.explain(ExplanationRequest(model="mnist", version=1, pixels=digit(1)[:20], label="1"))


def test_first_filters_equal_those_of_the_network(catalog: Catalog, backend: ExplanationBackend) -> None:
    networks = backend.convolutional_models()
    versions = [(card.name, card.version) for card in networks]
    assert ("mnist", 1) in versions
    assert ("fashion_mnist", 1) not in versions
    filters = backend.first_filters(networks[versions.index(("mnist", 1))])
    weights = catalog.explainer("mnist", 1).filters()
    assert filters.shape == (32, 1, 3, 3)
    np.testing.assert_array_equal(filters[5, 0], weights[:, :, 0, 5])


def test_a_constant_channel_is_black() -> None:
    maps = np.zeros((2, 2, 2), dtype=np.float32)
    maps[:, :, 0] = 7
    maps[0, 1, 1] = 2
    shown = scale_feature_maps("conv", maps)
    assert not shown.images[0].any()
    assert shown.images[1].tolist() == [[0, 255], [0, 0]]
    assert shown.maxima.tolist() == [7, 2]
