"""How sure a prediction is, and its words."""

from collections.abc import Sequence

import pytest
from PySide6.QtWidgets import QApplication

from desktop.result.certainty import Certainty, answer_text, certainty
from service.inference import Prediction, Score


def predict(scores: Sequence[float], *, unsure: bool) -> Prediction:
    ranked = sorted(zip(scores, "0123456789", strict=False), reverse=True)
    return Prediction("mnist", 1, tuple(Score(label, score) for score, label in ranked), unsure)


@pytest.mark.parametrize(
    ("scores", "unsure", "how_sure", "words"),
    [
        ((0.99, 0.005, 0.005), False, Certainty.SURE, "0"),
        ((0.98, 0.005, 0.015), True, Certainty.UNSURE, "0?"),
        ((0.6, 0.35, 0.05), True, Certainty.UNSURE, "0 or 1?"),
        ((0.35, 0.33, 0.32), True, Certainty.UNSURE, "0, 1 or 2?"),
        ((0.5, 0.5), True, Certainty.UNSURE, "1 or 0?"),
        ((0.3, 0.25, 0.2, 0.15, 0.1), True, Certainty.UNKNOWN, "Looks like nothing I know"),
    ],
)
def test_all_close_labels_and_no_others_are_named(
    qapp: QApplication, scores: Sequence[float], unsure: bool, how_sure: Certainty, words: str
) -> None:
    prediction = predict(scores, unsure=unsure)
    assert (certainty(prediction), answer_text(prediction)) == (how_sure, words)
