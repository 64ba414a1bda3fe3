"""Says how sure a prediction is, and writes it as a text."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QCoreApplication

from desktop.names import label_name
from desktop.prediction.backends import PredictionResult
from desktop.window.messages import format_percent
from service.inference import Prediction

# A label is close to the best one if its probability is at least this share of the best.
_CLOSE_SHARE = 0.25
# A flat prediction has more close labels than this.
_MAX_CLOSE = 3


class Certainty(Enum):
    """How sure a prediction is."""

    SURE = "sure"
    UNSURE = "unsure"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class TileAnswer:
    """What a thumbnail says of a result.

    Attributes:
        caption: The answer in a few characters.
        tip: The answer with its probability.
        doubtful: Whether the answer is unsure.
    """

    caption: str
    tip: str
    doubtful: bool


def close_labels(prediction: Prediction) -> tuple[str, ...]:
    """Return the labels whose probabilities are close to that of the best one, best first."""
    least = prediction.best.score * _CLOSE_SHARE
    return tuple(score.label for score in prediction.scores if score.score >= least)


def certainty(prediction: Prediction) -> Certainty:
    """Return how sure a prediction is; unknown if it is unsure and many labels are close."""
    if not prediction.unsure:
        return Certainty.SURE
    return Certainty.UNSURE if len(close_labels(prediction)) <= _MAX_CLOSE else Certainty.UNKNOWN


def answer_text(prediction: Prediction) -> str:
    """Return a prediction in words: its label, all close labels as a question, or that it is unknown."""
    match certainty(prediction):
        case Certainty.SURE:
            return label_name(prediction.best.label)
        case Certainty.UNSURE:
            return _question([label_name(label) for label in close_labels(prediction)])
        case Certainty.UNKNOWN:
            return QCoreApplication.translate("Doubt", "Looks like nothing I know")


def least_score(result: PredictionResult) -> float:
    """Return the probability of the best label, 0 to 1; for several digits, that of the least sure one."""
    if result.reading is not None:
        return min((digit.score for digit in result.reading.digits), default=0.0)
    return result.prediction.best.score


def tile_answer(result: PredictionResult) -> TileAnswer:
    """Return what a thumbnail says of a result: the number of several digits, or else the prediction."""
    reading, prediction = result.reading, result.prediction
    if reading is not None:
        number = " ".join(reading.texts)
        return TileAnswer(number, number, reading.unsure)
    how_sure, answer = certainty(prediction), answer_text(prediction)
    caption = "?" if how_sure is Certainty.UNKNOWN else answer
    tip = f"{answer} {format_percent(prediction.best.score)}"
    return TileAnswer(caption, tip, how_sure is not Certainty.SURE)


def _question(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{names[0]}?"
    text = QCoreApplication.translate("Doubt", "{0} or {1}?")
    return text.format(", ".join(names[:-1]), names[-1])
