"""Layers of sequences ignore padding, read words in order, and survive saving."""

from pathlib import Path

import keras
import numpy as np
import pytest

from training.networks.network import Network
from training.networks.sequence import BidirectionalGRU, MaxOverWords, MeanOverWords, WordEmbedding
from training.networks.statistics import DataStatistics
from training.recipes import load_recipe

IDS = np.array([[3, 1, 2, 0, 0], [2, 2, 4, 1, 3]], dtype=np.int32)
RECIPES = ("imdb-conv1d", "imdb-gru")


def _numbers(tensor: object) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def _network(name: str, *, l2: float = 0.0) -> keras.Model:
    keras.utils.set_random_seed(3)
    recipe = load_recipe(name).configure({"width": 0.2, "l2": l2})
    statistics = DataStatistics(classes=2, log_count_ratios=(0.0,) * 10_000)
    return recipe.build(Network(recipe.hyperparameters, statistics))


def test_padding_is_embedded_as_zeros_and_every_word_as_its_own_vector() -> None:
    layer = WordEmbedding(4, 3)
    vectors = _numbers(layer(IDS))

    (rows,) = layer.get_weights()
    np.testing.assert_array_equal(vectors[0], [rows[2], rows[0], rows[1], [0] * 3, [0] * 3])


def test_mean_is_that_of_the_words() -> None:
    values = np.random.default_rng(0).normal(size=(2, 5, 6)).astype(np.float32)

    found = _numbers(MeanOverWords()(values, IDS))

    np.testing.assert_allclose(found, [values[0, :3].mean(axis=0), values[1].mean(axis=0)], atol=1e-6)


def test_pooling_takes_the_maximum_of_neighbouring_words_and_leaves_padding_out() -> None:
    values = np.random.default_rng(0).uniform(size=(2, 5, 3)).astype(np.float32)

    found = _numbers(MaxOverWords(2)(values, IDS))

    assert found.shape == (2, 3, 3)
    first, second = values
    np.testing.assert_array_equal(found[0], [first[:2].max(axis=0), first[2], [0, 0, 0]])
    np.testing.assert_array_equal(found[1], [second[:2].max(axis=0), second[2:4].max(axis=0), second[4]])


def test_steps_of_several_words_are_as_many_as_the_words_need() -> None:
    steps = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)

    mean = _numbers(MeanOverWords(2)(steps, IDS))

    np.testing.assert_allclose(mean, [steps[0, :2].mean(axis=0), steps[1].mean(axis=0)], atol=1e-6)
    layer = BidirectionalGRU(4, words_per_step=2)
    whole = _numbers(layer(steps, IDS))
    short = _numbers(layer(steps[:1, :2], IDS[:1, :3]))
    np.testing.assert_allclose(whole[:1, :2], short, atol=1e-6)


def test_recurrent_layer_reads_the_words_of_a_text_alone_in_both_directions() -> None:
    vectors = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    layer = BidirectionalGRU(4)
    states = _numbers(layer(vectors, IDS))

    plain = keras.layers.Bidirectional(keras.layers.GRU(4, return_sequences=True))
    plain.build((None, None, 3))
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(states[:1, :3], _numbers(plain(vectors[:1, :3])), atol=1e-6)
    np.testing.assert_allclose(states[1:], _numbers(plain(vectors[1:])), atol=1e-6)


@pytest.mark.parametrize("name", RECIPES)
def test_prediction_depends_on_the_order_of_the_words_and_not_on_the_padding(name: str) -> None:
    model = _network(name)
    ids = np.random.default_rng(1).integers(1, 10_000, (1, 30), dtype=np.int32)

    alone = _numbers(model(ids))

    padded = np.pad(ids, ((0, 0), (0, 25)))
    np.testing.assert_allclose(_numbers(model(padded)), alone, atol=1e-6)
    assert abs(_numbers(model(ids[:, ::-1])) - alone).max() > 1e-6


@pytest.mark.parametrize("name", RECIPES)
def test_network_survives_saving(name: str, tmp_path: Path) -> None:
    model = _network(name, l2=0.01)
    model.save(tmp_path / "network.keras")

    restored = keras.saving.load_model(tmp_path / "network.keras")

    penalties = [float(_numbers(sum(each.losses))) for each in (model, restored)]
    assert penalties[1] == pytest.approx(penalties[0], rel=1e-5)
    np.testing.assert_allclose(_numbers(restored(IDS)), _numbers(model(IDS)), atol=1e-6)
