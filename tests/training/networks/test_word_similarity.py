"""A rare word gets the weight of words that occur in the same kind of texts."""

import numpy as np
from scipy import sparse

from training.networks.word_similarity import estimate_from_similar_words

FREQUENT = 150  # words of each of two topics


def _table() -> tuple[sparse.csr_array, list[str]]:
    """Texts of two topics with their own words; two rare words, a phrase and a negated word come last."""
    rng = np.random.default_rng(1)
    texts = 1_000
    topic = np.arange(texts) % 2
    table = np.zeros((texts, 2 * FREQUENT + 4), dtype=np.float32)
    for number in (0, 1):
        words = slice(number * FREQUENT, (number + 1) * FREQUENT)
        table[topic == number, words] = rng.random((texts // 2, FREQUENT)) < 0.1
    table[:10:2, -4] = 1
    table[1:10:2, -3] = 1
    table[:, -2:] = rng.random((texts, 2)) < 0.5
    words = [*(f"word{number}" for number in range(2 * FREQUENT)), "rare", "other", "word0_word1", "!word0"]
    return sparse.csr_array(table), words


def test_rare_words_get_the_weights_of_their_topic() -> None:
    table, words = _table()
    weights = np.repeat([1, -1, 0], [FREQUENT, FREQUENT, 4]).astype(np.float32)

    estimates = estimate_from_similar_words(weights, table, words=words)

    assert estimates[words.index("rare")] > 0.1
    assert estimates[words.index("other")] < -0.1
    assert estimates[words.index("word0_word1")] == estimates[words.index("!word0")] == 0


def test_estimates_are_the_same_again() -> None:
    table, words = _table()
    weights = np.linspace(-1, 1, len(words)).astype(np.float32)

    one, other = (estimate_from_similar_words(weights, table, words=words) for _ in range(2))

    assert (one == other).all()


def test_words_of_few_texts_are_no_examples() -> None:
    table, words = _table()
    weights = np.ones(len(words), dtype=np.float32)

    assert (estimate_from_similar_words(weights, table[:4], words=words) == 0).all()
