"""Evaluates the faithfulness of heat maps with the deletion test (Samek et al. 2017)."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference import Predictor
from service.inference.card import Faithfulness
from service.inference.explain import Explainer
from service.inference.occlusion import occlusion_color
from training.datasets import Examples

_PICTURES = 200
_COVERED_SHARE = 0.2
_SEED = 0

Pixels = npt.NDArray[np.uint8]


def evaluate_faithfulness(predictor: Predictor, explainer: Explainer, test: Examples) -> Faithfulness:
    """Measure the drop of the label's probability when the hottest fifth of a picture is covered.

    A random fifth, in patches of the heat map's resolution, is covered for comparison. The cover is black on
    grey pictures, and the mean colour on photos.

    Args:
        predictor: Predictor of the model.
        explainer: Explainer of the same model.
        test: uint8 pictures as the network takes them; 200 random ones are used.
    """
    rng = np.random.default_rng(_SEED)
    pictures = test.x[rng.permutation(len(test))[:_PICTURES]]
    drops = np.zeros(2)
    for pixels in pictures:
        before = predictor.probabilities(pixels[np.newaxis])[0]
        best = int(before.argmax())
        heat = explainer.heat(pixels, label=predictor.card.labels[best])
        noise = rng.random(heat.shape, dtype=np.float32)
        covered = np.stack([_cover_hottest(pixels, values) for values in (heat, noise)])
        drops += before[best] - predictor.probabilities(covered)[:, best]
    hottest, random = (drops / len(pictures)).tolist()
    return Faithfulness(hottest_drop=hottest, random_drop=random, count=len(pictures))


def _cover_hottest(pixels: Pixels, heat: npt.NDArray[Any]) -> Pixels:
    height, width = pixels.shape[:2]
    resized = np.asarray(Image.fromarray(heat).resize((width, height), Image.Resampling.BICUBIC))
    count = round(_COVERED_SHARE * resized.size)
    hottest = np.argsort(-resized, axis=None, kind="stable")[:count]
    covered = pixels.copy()
    covered.reshape(height * width, -1)[hottest] = occlusion_color(pixels)
    return covered
