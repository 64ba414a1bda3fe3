"""What the explanations say, from the networks that come with the project."""

from pathlib import Path

import numpy as np
import pytest

from desktop.explain.explanations import ExplanationRequest, Explanations, Network, feature_maps
from service.inference import Catalog
from service.inference.errors import InvalidInput, ModelNotFound
from service.inference.overlay import heat_overlay

DATA = Path(__file__).parents[1] / "data"
SAMPLE = np.load(DATA / "mnist.npz")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog()


@pytest.fixture(scope="module")
def explanations(catalog: Catalog) -> Explanations:
    return Explanations(lambda: catalog)


def digit(label: int) -> np.ndarray:
    return SAMPLE["x"][np.flatnonzero(SAMPLE["y"] == label)[0]]


def test_heat_and_maps_are_those_of_the_explainer(catalog: Catalog, explanations: Explanations) -> None:
    pixels = digit(3)
    wish = ExplanationRequest(model="mnist", version=1, pixels=pixels, label="3", layer="conv2d_1")
    insight = explanations.explain(wish)
    explainer = catalog.explainer("mnist", 1)
    expected = heat_overlay(pixels, explainer.heat(pixels, label="3"))
    np.testing.assert_array_equal(insight.overlay, np.asarray(expected))
    maps = explainer.feature_maps(pixels, layer="conv2d_1")
    assert insight.maps.layer == "conv2d_1"
    assert insight.maps.tiles.shape == (64, 11, 11)
    np.testing.assert_array_equal(insight.maps.peaks, maps.max(axis=(0, 1)))
    alive = np.flatnonzero(insight.maps.peaks > 0)
    assert [insight.maps.tiles[channel].argmax() for channel in alive] == [
        maps[:, :, channel].argmax() for channel in alive
    ]


def test_a_layer_of_another_network_gives_way_to_the_first(explanations: Explanations) -> None:
    wish = ExplanationRequest(model="mnist", version=1, pixels=digit(3), layer="block5_conv3")
    insight = explanations.explain(wish)
    assert insight.maps.layer == "conv2d"
    assert insight.overlay is None


def test_before_there_is_a_picture_there_is_the_card(explanations: Explanations) -> None:
    insight = explanations.explain(ExplanationRequest(model="mnist", version=1))
    assert [layer.type for layer in insight.card.layers].count("Conv2D") == 3
    assert (insight.overlay, insight.maps) == (None, None)


def test_a_network_without_convolutions_has_heat_only(explanations: Explanations) -> None:
    garment = np.load(DATA / "fashion_mnist.npz")["x"][0]
    insight = explanations.explain(
        ExplanationRequest(model="fashion_mnist", version=1, pixels=garment, label="Bag")
    )
    assert insight.overlay.shape == (280, 280, 3)
    assert insight.maps is None


def test_a_network_for_texts_has_its_card_only(explanations: Explanations) -> None:
    insight = explanations.explain(ExplanationRequest(model="imdb", version=1, label="positive"))
    assert insight.card.explanation is None
    assert insight.card.layers


def test_refusals_say_what_is_wrong(explanations: Explanations) -> None:
    with pytest.raises(ModelNotFound, match="no version 99"):
        explanations.explain(ExplanationRequest(model="mnist", version=99))
    with pytest.raises(InvalidInput, match="shape"):
        explanations.explain(ExplanationRequest(model="mnist", version=1, pixels=digit(1)[:20], label="1"))


def test_first_filters_are_those_of_the_network(catalog: Catalog, explanations: Explanations) -> None:
    networks = explanations.networks()
    assert Network("mnist", 1) in networks
    assert Network("fashion_mnist", 1) not in networks
    filters = explanations.filters(Network("mnist", 1))
    weights = catalog.explainer("mnist", 1).filters()
    assert filters.shape == (32, 3, 3)
    np.testing.assert_array_equal(filters[5], weights[:, :, 0, 5])


def test_a_channel_that_is_the_same_everywhere_is_black() -> None:
    maps = np.zeros((2, 2, 2), dtype=np.float32)
    maps[:, :, 0] = 7
    maps[0, 1, 1] = 2
    shown = feature_maps("conv", maps)
    assert not shown.tiles[0].any()
    assert shown.tiles[1].tolist() == [[0, 255], [0, 0]]
    assert shown.peaks.tolist() == [7, 2]
