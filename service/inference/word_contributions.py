"""Computes what each word of a text contributes to a prediction.

The network runs without each known word and phrase in turn (Robnik-Šikonja and Kononenko 2008,
doi:10.1109/TKDE.2007.190734). Nothing is approximated or sampled. If the network is linear in its words, the
contribution is the weight of the word, up to the calibration. A network of sequences runs without all places
of the word; what follows moves up.
"""

import numpy as np
import numpy.typing as npt

from service.inference.errors import InputTooLarge, InvalidInput, shorten
from service.inference.prediction import WordContribution, WordContributions, log_odds
from service.inference.predictor import Predictor
from service.inference.preprocessing.text import PADDING, Ids, spelling

# The time grows with the square of the words: 5,000 take less than a second.
_MAX_WORDS = 5_000
_IDS_PER_RUN = 100_000  # bounds the memory of a run


def word_contributions(predictor: Predictor, text: str, *, label: str | None = None) -> WordContributions:
    """Compute what each known word and phrase of a text contributes to a label.

    Args:
        predictor: A classifier of texts.
        text: Plain text or HTML.
        label: One of the card's labels; the most probable one if None.

    Raises:
        InvalidInput: The model is no classifier of texts, or has no such label.
        InputTooLarge: The text is too long, or has more than 5,000 different known words and phrases.
        NoWords: The network knows no word of the text.
    """
    card, vocabulary = predictor.card, predictor.vocabulary
    if vocabulary is None:
        raise InvalidInput(
            f"{card.name} reads {card.reads}; only models of texts have contributions of words"
        )
    if card.task != "text-classification":
        raise InvalidInput(
            f"{card.name} is a model for {card.task}; only labels that exclude each other have contributions "
            "of words"
        )
    if label is not None and label not in card.labels:
        raise InvalidInput(f"{card.name} has no label {shorten(label)}; it has {', '.join(card.labels)}")
    length = card.input.length
    places = vocabulary.locate(text, length=length)
    if len(places) > _MAX_WORDS:
        raise InputTooLarge(
            f"the text has {len(places)} different words and phrases that the network knows, "
            f"more than {_MAX_WORDS}; send a shorter one"
        )
    numbers = np.array(sorted(places), dtype=np.int32)
    ids = numbers if length is None else vocabulary.encode(text, length=length)
    whole = predictor.probabilities(ids[np.newaxis])
    index = int(whole[0].argmax()) if label is None else card.labels.index(label)
    (before,) = log_odds(whole, index)
    changes = before - log_odds(_without_each(predictor, ids, numbers), index)
    words = [
        WordContribution(spelling(vocabulary.words[number - 1]), change, tuple(places[number]))
        for number, change in zip(numbers.tolist(), changes.tolist(), strict=True)
    ]
    words.sort(key=lambda word: abs(word.contribution), reverse=True)
    return WordContributions(card.name, card.version, card.labels[index], float(before), tuple(words))


def _without_each(predictor: Predictor, ids: Ids, numbers: Ids) -> npt.NDArray[np.float32]:
    """Run the network on ids without each of the distinct numbers; return float32 (numbers, labels)."""
    rows = max(1, _IDS_PER_RUN // len(ids))
    runs = []
    for start in range(0, len(numbers), rows):
        left_out = ids == numbers[start : start + rows, np.newaxis]
        batch = np.where(left_out, PADDING, ids)
        if predictor.card.input.length is not None:
            # The padding of a sequence is at its end.
            batch = np.take_along_axis(batch, np.argsort(left_out, axis=1, kind="stable"), axis=1)
        runs.append(predictor.probabilities(batch))
    return np.concatenate(runs)
