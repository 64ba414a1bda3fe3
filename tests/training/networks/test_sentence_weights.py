"""Weights for sentences: words of a class speak for it, and negated ones for the other class."""

import numpy as np

from service.inference.preprocessing import Vocabulary
from training.datasets.sentences import encode_sentences
from training.networks.sentence_weights import SentenceWeights, fit_sentence_weights

TEXTS = 200
VOCABULARY = Vocabulary(
    ["it", "was", "the", "film", "good", "bad", "long", "not", "wasn't", "!good", "!bad", "was_not"]
)


def _fit(texts: list[str], y: np.ndarray) -> SentenceWeights:
    encoded = [encode_sentences(text, vocabulary=VOCABULARY) for text in texts]
    return fit_sentence_weights(encoded, y, words=VOCABULARY.words)


def _logit(fitted: SentenceWeights, sentence: str) -> float:
    ids = VOCABULARY.encode(sentence)
    return float((fitted.words[ids - 1].sum() + fitted.bias) / len(ids) ** 0.5)


def _reviews(*, with_negations: bool) -> tuple[list[str], np.ndarray]:
    """Reviews of two classes; negations occur in both, whatever they negate."""
    y = np.arange(TEXTS) % 2
    texts = [f"It was {'good' if label else 'bad'}. The film was long." for label in y]
    if with_negations:
        texts = [f"{text} It was not bad." for text in texts]
    return texts, y


def test_words_of_a_class_speak_for_it() -> None:
    fitted = _fit(*_reviews(with_negations=False))

    assert _logit(fitted, "a good film") > 0.5
    assert _logit(fitted, "a bad film") < -0.5
    assert abs(_logit(fitted, "the film was long")) < 0.1


def test_negations_of_sentences_speak_for_the_other_class() -> None:
    fitted = _fit(*_reviews(with_negations=True))

    assert _logit(fitted, "It was not bad.") > 0.2
    assert _logit(fitted, "It wasn't good.") < -0.2


def test_texts_without_sentences_are_left_out() -> None:
    texts, y = _reviews(with_negations=False)

    fitted = _fit([*texts, ""], np.append(y, 1))

    alone = _fit(texts, y)
    assert (fitted.words == alone.words).all()
    assert fitted.bias == alone.bias
