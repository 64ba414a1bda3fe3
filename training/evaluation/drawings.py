"""Evaluates a model of digits on straight strokes, letters and shapes, of which MNIST has few or none."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference import Predictor
from service.inference.card import Drawings
from training.evaluation.batch_prediction import encode_png, predict_files
from training.evaluation.pictures.letters import draw_test_letters, draw_test_shapes
from training.evaluation.pictures.straight_strokes import draw_straight_strokes

COUNTS = {"straight_ones": 1_000, "flagged_ones": 1_000, "letters": 2_100, "shapes": 2_000}


def evaluate_drawings(predictor: Predictor, *, share: float = 1.0) -> Drawings:
    """Predict drawings, preprocessed as those of a user.

    Args:
        predictor: Predictor of a model of digits.
        share: Share of the drawings to use, 0 to 1; the same share always gives the same drawings.
    """
    counts = {kind: round(share * count) for kind, count in COUNTS.items()}
    threshold = predictor.card.unsure_below

    def ones(*, flagged: bool) -> tuple[float, float]:
        kind = "flagged_ones" if flagged else "straight_ones"
        scores = _predict(predictor, draw_straight_strokes(counts[kind], flagged=flagged))
        score = scores[:, predictor.card.labels.index("1")]
        is_one = (score > 0) & (score == scores.max(axis=1))
        return float(is_one.mean()), float((is_one & (score >= threshold)).mean())

    def unsure(drawings: Iterable[Image.Image]) -> float:
        return float((_predict(predictor, drawings).max(axis=1) < threshold).mean())

    straight, straight_sure = ones(flagged=False)
    flagged, flagged_sure = ones(flagged=True)
    return Drawings(
        straight_ones=straight,
        straight_ones_sure=straight_sure,
        flagged_ones=flagged,
        flagged_ones_sure=flagged_sure,
        letters=unsure(draw_test_letters(counts["letters"])),
        shapes=unsure(draw_test_shapes(counts["shapes"])),
        counts=counts,
    )


def _predict(predictor: Predictor, drawings: Iterable[Image.Image]) -> npt.NDArray[np.floating]:
    (probabilities,) = predict_files([predictor], map(encode_png, drawings))
    return probabilities
