"""Fits the weights of words and phrases for single sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from service.inference.preprocessing.text import NEGATION_MARK, NEGATIONS, PHRASE_MARK, Ids
from training.networks.sentence import Sentence
from training.networks.word_regression import Floats, fit_word_regression
from training.networks.word_similarity import estimate_from_similar_words

# The weight of a sentence grows with its number of words and phrases, up to this one: long sentences more
# often have the sentiment of their text.
_MAX_WEIGHTED_WORDS = 120
_SENTENCES_PER_TEXT = 5.0  # total weight of the sentences of a text, beside the whole text's 1
_MIN_POLARITY = 1.0  # sum of log-count ratios from which the negation of a sentence is an example
_NEGATION_WEIGHT = 0.25  # of a negated sentence, beside a sentence of as many words
_NEGATED_OPINION_WEIGHT = 2.0  # they are rare, and reviews often report what others "did not like"
_MIN_SCALE = 0.2  # a negated phrase needs a weight too, if its classes are balanced in reviews

_Classes = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class SentenceWeights:
    """Terms of a logit: their sum, divided by the square root of the number of words and phrases."""

    words: Floats  # float32 (words,), of each word or phrase
    bias: float


@dataclass(frozen=True)
class _Rows:
    """The words of sentences, their classes, and how much each counts."""

    table: sparse.csr_array  # float32 (rows, words), 1 where a row has the word
    y: _Classes
    counts: Floats

    def __add__(self, other: "_Rows") -> "_Rows":
        return _Rows(
            sparse.vstack([self.table, other.table]).tocsr(),
            np.concatenate([self.y, other.y]),
            np.concatenate([self.counts, other.counts]),
        )


def fit_sentence_weights(
    texts: Sequence[Sequence[Sentence]], y: _Classes, *, words: Sequence[str]
) -> SentenceWeights:
    """Fit a logistic regression to sentences, each with the class of its text, and to the whole texts.

    Features are scaled by their naive Bayes log-count ratios (Wang and Manning 2012): words that hardly
    differ between the classes then get small weights, because squared weights are penalised. The fits are:

    1. from zero;
    2. with a penalty on the difference from what the first fit found for words of similar texts;
    3. of the negations' weights alone, with short sentences of clear polarity as further rows, negated and of
       the other class.

    Args:
        texts: For each text its sentences, with ids from 1.
        y: int64 (n,), class 0 or 1 of each text.
        words: The vocabulary, in the order of the ids.
    """
    listed = [sentence for text in texts for sentence in text]
    owners = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    sentences = _Rows(
        _occurrences([sentence.ids for sentence in listed], words=len(words)),
        y[owners],
        np.ones(len(listed), dtype=np.float32),
    )
    whole = _union(sentences, owners)
    rows = sentences + whole
    share = _SENTENCES_PER_TEXT * len(whole.y) / _lengths(sentences.table).sum()
    importance = np.append(share * _lengths(sentences.table), whole.counts)
    scale = _scale(whole)

    def fit(prior: Floats) -> Floats:
        return fit_word_regression(rows.table, rows.y, importance=importance, scale=scale, prior=prior)[0]

    first = fit(np.zeros_like(scale))
    second = fit(estimate_from_similar_words(first, whole.table, words=words))
    negated = _negated(listed, sentences, words=words)
    extended = rows + negated
    weights, bias = fit_word_regression(
        extended.table,
        extended.y,
        importance=np.append(importance, share * negated.counts * _lengths(negated.table)),
        scale=np.where([_negates(word) for word in words], _scale(whole + negated), np.float32(0)),
        prior=second,
    )
    return SentenceWeights(words=weights, bias=bias)


def _negated(listed: Sequence[Sentence], sentences: _Rows, *, words: Sequence[str]) -> _Rows:
    """Return the negations of the sentences whose single words speak for the class of their text."""
    ratios = _log_count_ratios(sentences)
    ratios[[PHRASE_MARK in word for word in words]] = 0
    polarity = (2 * sentences.y - 1) * (sentences.table @ ratios)
    # In a negative text, "I liked it" is about something else.
    misplaced = np.array([sentence.of_opinion for sentence in listed], dtype=bool) & (sentences.y == 0)
    clear = np.flatnonzero((polarity > _MIN_POLARITY) & ~misplaced)
    chosen = [listed[index] for index in clear.tolist()]
    repeats = [len(sentence.negations) for sentence in chosen]
    counts = [_NEGATED_OPINION_WEIGHT if sentence.of_opinion else _NEGATION_WEIGHT for sentence in chosen]
    return _Rows(
        _occurrences([ids for sentence in chosen for ids in sentence.negations], words=len(words)),
        np.repeat(1 - sentences.y[clear], repeats),
        np.repeat(np.array(counts, dtype=np.float32), repeats),
    )


def _negates(entry: str) -> bool:
    """Return whether a word or phrase has a negation or a negated word."""
    return NEGATION_MARK in entry or not NEGATIONS.isdisjoint(entry.split(PHRASE_MARK))


def _occurrences(rows: Sequence[Ids], *, words: int) -> sparse.csr_array:
    """Return float32 (rows, words), 1 where a row has the id."""
    starts = np.cumsum([0, *(len(ids) for ids in rows)])
    columns = np.concatenate([*rows, np.array([], dtype=np.int32)]) - 1
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_array((ones, columns, starts), shape=(len(rows), words))


def _union(sentences: _Rows, owners: npt.NDArray[np.int64]) -> _Rows:
    """Return the words of whole texts, for those that have a sentence."""
    _, first, texts = np.unique(owners, return_index=True, return_inverse=True)
    members = sparse.csr_array((np.ones(len(texts), dtype=np.float32), (texts, np.arange(len(texts)))))
    table = (members @ sentences.table).tocsr()
    table.data[:] = 1
    return _Rows(table, sentences.y[first], sentences.counts[first])


def _lengths(table: sparse.csr_array) -> Floats:
    """Return float32 (rows,), the weights of rows in the loss, before they are divided among texts."""
    lengths: Floats = np.sqrt(np.minimum(np.diff(table.indptr), _MAX_WEIGHTED_WORDS)).astype(np.float32)
    return lengths


def _scale(rows: _Rows) -> Floats:
    """Return float32 (words,), how much a weight may differ from its prior."""
    scale: Floats = np.hypot(_log_count_ratios(rows), np.float32(_MIN_SCALE))
    return scale


def _log_count_ratios(rows: _Rows) -> Floats:
    """Return the logarithm of each word's share in class 1 over that in class 0, with add-one smoothing."""
    sums = [rows.table.T @ (rows.counts * (rows.y == label)) + 1 for label in (0, 1)]
    negative, positive = (total / total.sum() for total in sums)
    ratios: Floats = np.log(positive / negative).astype(np.float32)
    return ratios
