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


@pytest.mark.parametrize("optimizer", ["rmsprop", "adam", "sgd"])
def test_word_layer_learns_as_a_dense_layer_on_multi_hot_vectors(optimizer: str) -> None:
    multi_hot = (np.random.default_rng(1).random((32, 20)) < 0.3).astype(np.float32)
    ids = np.where(multi_hot > 0, np.arange(1, 21), 0).astype(np.int32)
    classes = np.arange(32, dtype=np.float32)[:, np.newaxis] % 2
    keras.utils.set_random_seed(1)
    ours = keras.Sequential([keras.Input((20,), dtype="int32"), WordSum(20, 1)])
    plain = keras.Sequential([keras.Input((20,)), keras.layers.Dense(1)])
    plain.set_weights(ours.get_weights())

    for model, x in ((ours, ids), (plain, multi_hot)):
        model.compile(optimizer, "mse")
        for _ in range(3):
            model.train_on_batch(x, classes)

    for weights, expected in zip(ours.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(weights, expected, atol=1e-6)


def test_penalty_of_the_word_layer_is_that_of_a_dense_layer_on_multi_hot_vectors() -> None:
    l2 = keras.regularizers.L2(0.001)
    words = keras.Input((None,), dtype="int32")
    ours = keras.Model(words, WordSum(4, 5, kernel_regularizer=l2)(words))
    multi_hot = keras.Input((4,))
    plain = keras.Model(multi_hot, keras.layers.Dense(5, kernel_regularizer=l2)(multi_hot))
    plain.set_weights(ours.get_weights())

    penalties = [float(keras.ops.convert_to_numpy(sum(model.losses))) for model in (ours, plain)]

    assert penalties[0] == pytest.approx(penalties[1], rel=1e-6)
    assert penalties[0] > 0
    restored = WordSum.from_config(ours.layers[-1].get_config())
    assert restored.kernel_regularizer.l2 == pytest.approx(0.001)


def test_words_that_no_text_contains_have_a_ratio_too() -> None:
    statistics = measure_texts(IDS, np.array([1, 0, 1, 0]), words=6)

    assert len(statistics.log_count_ratios) == 6


def test_log_count_ratios_compare_the_share_of_a_word_in_both_classes() -> None:
    ratios = measure_texts(IDS, np.array([1, 0, 1, 0]), words=4).log_count_ratios

    # Counts plus one: in class 1, (3, 1, 2, 1) of 7; in class 0, (1, 2, 2, 3) of 8.
    expected = np.log([(3 / 7) / (1 / 8), (1 / 7) / (2 / 8), (2 / 7) / (2 / 8), (1 / 7) / (3 / 8)])
    np.testing.assert_allclose(ratios, expected, rtol=1e-6)


def test_untrained_bigram_network_is_a_mild_naive_bayes() -> None:
    recipe = load_recipe("imdb-bigrams")
    statistics = measure_texts(IDS, np.array([1, 0, 1, 0]), words=4)
    model = recipe.build(Network(recipe.hyperparameters, statistics))

    probability = float(keras.ops.convert_to_numpy(model(IDS[:1]))[0, 0])

    ratios = statistics.log_count_ratios
    assert probability == pytest.approx(1 / (1 + np.exp(-0.05 * (ratios[0] + ratios[2]))), abs=1e-6)
