"""Owns proving heat maps: where they are hot, hiding the picture must cost more than it does elsewhere."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference import Predictor
from service.inference.card import Faithfulness
from service.inference.explain import Explainer
from service.inference.occlusion import cover_of
from training.datasets import Examples

_PICTURES = 200
_SHARE = 0.2  # of the picture that is hidden
_SEED = 0

Pixels = npt.NDArray[np.uint8]


def measure_hiding(predictor: Predictor, explainer: Explainer, test: Examples) -> Faithfulness:
    """Hide the hottest fifth of pictures, and a random fifth in patches as large as those of the heat map.

    What is hidden is black on grey pictures, and of the picture's mean colour on photos.

    Args:
        predictor: The model.
        explainer: Of the same model.
        test: uint8 pictures as the network takes them; 200 of them are drawn at random.
    """
    rng = np.random.default_rng(_SEED)
    pictures = test.x[rng.permutation(len(test))[:_PICTURES]]
    lost = np.zeros(2)
    for pixels in pictures:
        before = predictor.probabilities(pixels[np.newaxis])[0]
        best = int(before.argmax())
        heat = explainer.heat(pixels, label=predictor.card.labels[best])
        noise = rng.random(heat.shape, dtype=np.float32)
        hidden = np.stack([_without_hottest(pixels, values) for values in (heat, noise)])
        lost += before[best] - predictor.probabilities(hidden)[:, best]
    hottest, random = (lost / len(pictures)).tolist()
    return Faithfulness(hottest_drop=hottest, random_drop=random, count=len(pictures))


def _without_hottest(pixels: Pixels, heat: npt.NDArray[Any]) -> Pixels:
    height, width = pixels.shape[:2]
    smooth = np.asarray(Image.fromarray(heat).resize((width, height), Image.Resampling.BICUBIC))
    places = np.argsort(-smooth, axis=None, kind="stable")[: round(_SHARE * smooth.size)]
    hidden = pixels.copy()
    hidden.reshape(height * width, -1)[places] = cover_of(pixels)
    return hidden
