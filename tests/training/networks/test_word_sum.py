"""WordSum equals a dense layer on multi-hot vectors; imdb-bigrams starts as naive Bayes."""

import keras
import numpy as np
import pytest

from training.networks.network import Network
from training.networks.statistics import measure_texts
from training.networks.word_sum import WordSum
from training.recipes import load_recipe

IDS = np.array([[1, 3, 0], [2, 3, 4], [1, 0, 0], [4, 0, 0]], dtype=np.int32)


def test_word_sum_equals_a_dense_layer_on_the_multi_hot_vector() -> None:
    keras.utils.set_random_seed(1)
    layer = WordSum(4, 5)
    sums = keras.ops.convert_to_numpy(layer(IDS))

    multi_hot = np.array([[1, 0, 1, 0], [0, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 1]], dtype=np.float32)
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(sums, multi_hot @ kernel + bias, atol=1e-6)


def test_log_count_ratios_compare_the_share_of_a_word_in_both_classes() -> None:
    ratios = measure_texts(IDS, np.array([1, 0, 1, 0])).log_count_ratios

    # Counts plus one: in class 1, (3, 1, 2, 1) of 7; in class 0, (1, 2, 2, 3) of 8.
    expected = np.log([(3 / 7) / (1 / 8), (1 / 7) / (2 / 8), (2 / 7) / (2 / 8), (1 / 7) / (3 / 8)])
    np.testing.assert_allclose(ratios, expected, rtol=1e-6)


def test_untrained_bigram_network_is_a_mild_naive_bayes() -> None:
    recipe = load_recipe("imdb-bigrams")
    statistics = measure_texts(IDS, np.array([1, 0, 1, 0]))
    model = recipe.build(Network(recipe.hyperparameters, statistics))

    probability = float(keras.ops.convert_to_numpy(model(IDS[:1]))[0, 0])

    ratios = statistics.log_count_ratios
    assert probability == pytest.approx(1 / (1 + np.exp(-0.05 * (ratios[0] + ratios[2]))), abs=1e-6)
