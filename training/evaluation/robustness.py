"""Evaluates the robustness of an image classifier: the accuracy of it and of version 1 under corruptions.

The corruptions follow ImageNet-C (Hendrycks and Dietterich 2019). They apply to the picture that a user would
send, before the model's preprocessing. Lengths in pixels refer to pictures of 28 pixels and grow with the
picture. For digits and garments, new parts of the picture have the colour of the page (the median of the
border); for photos they are its reflection.
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps

from service.inference import Predictor
from service.inference.card import Robustness, RobustnessRow
from training.datasets import Examples
from training.evaluation.batch_prediction import encode_png, is_correct, predict_files

Pixels = npt.NDArray[np.uint8]
Change = Callable[[Pixels, np.random.Generator], Pixels]

_REFERENCE_SIDE = 28
_SHIFT = 2
_DEGREES = 15.0
_BLUR_SIGMA = 1.0
_NOISE_DEVIATION = 0.1 * 255
_CONTRAST = 0.5
_JPEG_QUALITY = 30
_SUPERSAMPLING = 4  # for the filters that change the width of strokes
_RANK_FILTER_SIDE = 5  # after supersampling: half a pixel of 28 on each side of a stroke
_SEED = 0


@dataclass(frozen=True)
class Corruption:
    """One corruption of a picture, uint8 (height, width) or (height, width, 3)."""

    name: str  # in the card
    change: Change = lambda picture, rng: picture  # maps a picture to the corrupted one
    quality: int | None = None  # JPEG quality of the file; None for PNG

    def encode(self, picture: Pixels, rng: np.random.Generator) -> bytes:
        """Return the corrupted picture as a file."""
        image = Image.fromarray(self.change(picture, rng))
        if self.quality is None:
            return encode_png(image)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=self.quality)
        return buffer.getvalue()


def corruptions(*, digits: bool) -> tuple[Corruption, ...]:
    """Return all corruptions for a kind of picture, in the order of the table."""
    general = (
        Corruption("shift by 2 px of 28, right, left, down or up", _shift),
        Corruption("rotation by 15°, either way", _rotate),
        Corruption("scale 0.7", partial(_scale, factor=0.7)),
        Corruption("scale 1.3", partial(_scale, factor=1.3)),
        Corruption("Gaussian blur, sigma 1 px of 28", _blur),
        Corruption("Gaussian noise, deviation 0.1 of the range", _add_noise),
        Corruption("contrast 0.5", _lower_contrast),
        Corruption("JPEG quality 30", quality=_JPEG_QUALITY),
    )
    if not digits:
        return general
    return (
        *general,
        Corruption("thin strokes, 1 px of 28 less", partial(_filter_strokes, rank=ImageFilter.MinFilter)),
        Corruption("bold strokes, 1 px of 28 more", partial(_filter_strokes, rank=ImageFilter.MaxFilter)),
        Corruption("inverted colours", lambda picture, rng: 255 - picture),
    )


def evaluate_robustness(
    predictor: Predictor,
    baseline: Predictor,
    test: Examples,
    *,
    announce: Callable[[RobustnessRow], None] = lambda row: None,
) -> Robustness:
    """Measure a model and its version 1 under every corruption, on the same pictures.

    Args:
        predictor: Predictor of the model.
        baseline: Predictor of version 1; the model itself if it is version 1.
        test: The whole test set, uint8 (n, height, width) or (n, height, width, 3), as users would send it.
        announce: Called with each row.
    """
    is_baseline = predictor.card.version == baseline.card.version
    predictors = [baseline] if is_baseline else [predictor, baseline]

    def measure(corruption: Corruption) -> RobustnessRow:
        rng = np.random.default_rng(_SEED)
        results = predict_files(predictors, (corruption.encode(picture, rng) for picture in test.x))
        accuracies = [float(is_correct(result, test.y).mean()) for result in results]
        row = RobustnessRow(name=corruption.name, accuracy=accuracies[0], baseline=accuracies[-1])
        announce(row)
        return row

    base = measure(Corruption("unchanged"))
    digits = predictor.card.input.preprocessing == "digit"
    rows = tuple(measure(corruption) for corruption in corruptions(digits=digits))
    summary = "this is version 1" if is_baseline else summarize(base, rows, count=len(test))
    return Robustness(unchanged=base, rows=rows, summary=summary)


def summarize(base: RobustnessRow, rows: Sequence[RobustnessRow], *, count: int) -> str:
    """List the rows in which a model loses more than half of the accuracy that version 1 loses.

    A loss is the accuracy on unchanged pictures minus that on corrupted ones. Losses below one standard error
    of the accuracy are left out. The summary also says in which rows half of version 1's loss is below it.

    Args:
        base: Accuracy on unchanged pictures.
        rows: Accuracy under each corruption.
        count: Number of test pictures.
    """
    exceeding = []
    for row in rows:
        loss, baseline_loss = base.accuracy - row.accuracy, base.baseline - row.baseline
        error = np.sqrt(row.accuracy * (1 - row.accuracy) / count)
        if loss > baseline_loss / 2 and loss > error:
            chance = " (half of that is within chance)" if baseline_loss / 2 <= error else ""
            rank = "above" if row.accuracy > row.baseline else "below"
            points = f"{100 * abs(row.accuracy - row.baseline):.2f} points {rank} it"
            exceeding.append(f"{row.name}: {loss:.4f} against {baseline_loss:.4f}{chance}, {points}")
    if not exceeding:
        return "loses at most half as much as version 1 in every row"
    return "loses more than half as much as version 1 under " + "; ".join(exceeding)


def _shift(picture: Pixels, rng: np.random.Generator) -> Pixels:
    distance = round(picture.shape[0] * _SHIFT / _REFERENCE_SIDE)
    offset = ((distance, 0), (-distance, 0), (0, distance), (0, -distance))[rng.integers(4)]
    return _transform(picture, np.eye(2), shift=offset, resampling=Image.Resampling.NEAREST)


def _rotate(picture: Pixels, rng: np.random.Generator) -> Pixels:
    angle = np.deg2rad(_DEGREES) * (1 if rng.random() < 0.5 else -1)
    sine, cosine = np.sin(angle), np.cos(angle)
    return _transform(picture, np.array([[cosine, -sine], [sine, cosine]]))


def _scale(picture: Pixels, rng: np.random.Generator, *, factor: float) -> Pixels:
    return _transform(picture, np.eye(2) / factor)


def _transform(
    picture: Pixels,
    matrix: npt.NDArray[np.float64],
    *,
    shift: tuple[int, int] = (0, 0),
    resampling: Image.Resampling = Image.Resampling.BICUBIC,
) -> Pixels:
    """Apply an affine map about the centre; the matrix maps places in the result to places in the source."""
    side = picture.shape[0]
    margin = side // 2
    margins = ((margin, margin), (margin, margin))
    if picture.ndim == 3:
        padded = np.pad(picture, (*margins, (0, 0)), mode="symmetric")
    else:
        padded = np.pad(picture, margins, constant_values=_page_level(picture))
    centre = side / 2
    corner = matrix @ (-centre - np.array(shift)) + centre + margin
    row, column = matrix
    coefficients = (row[0], row[1], corner[0], column[0], column[1], corner[1])
    image = Image.fromarray(padded)
    return np.asarray(image.transform((side, side), Image.Transform.AFFINE, coefficients, resampling))


def _page_level(picture: Pixels) -> int:
    return int(np.median(np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])))


def _blur(picture: Pixels, rng: np.random.Generator) -> Pixels:
    sigma = _BLUR_SIGMA * picture.shape[0] / _REFERENCE_SIDE
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(sigma)))


def _add_noise(picture: Pixels, rng: np.random.Generator) -> Pixels:
    noise = rng.normal(0, _NOISE_DEVIATION, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def _lower_contrast(picture: Pixels, rng: np.random.Generator) -> Pixels:
    mean = picture.mean(axis=(0, 1), keepdims=True)
    changed: Pixels = np.rint(mean + (picture - mean) * _CONTRAST).astype(np.uint8)
    return changed


def _filter_strokes(
    picture: Pixels, rng: np.random.Generator, *, rank: Callable[[int], ImageFilter.RankFilter]
) -> Pixels:
    """Erode or dilate strokes at a higher resolution."""
    side = picture.shape[0]
    dark_page = _page_level(picture) < 128
    image = Image.fromarray(picture)
    light = image if dark_page else ImageOps.invert(image)
    large = light.resize((side * _SUPERSAMPLING, side * _SUPERSAMPLING), Image.Resampling.BICUBIC)
    small = large.filter(rank(_RANK_FILTER_SIDE)).resize((side, side), Image.Resampling.BOX)
    return np.asarray(small if dark_page else ImageOps.invert(small))
