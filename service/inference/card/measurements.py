"""Defines the parts of a card that hold what was measured on a model."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from service.inference.card.part import LARGEST, CardPart, Finite, Milliseconds, Positive, Share


class Metrics(CardPart, frozen=True, kw_only=True):
    """Metrics of the exported ONNX file on the whole test set.

    With several labels at once, a prediction is right if the decisions on all labels are.
    """

    accuracy: Share
    log_loss: Annotated[float, Meta(ge=0, le=LARGEST)]  # mean, natural logarithm
    expected_calibration_error: Share  # over 15 equal bins of confidence
    per_class_accuracy: Mapping[str, Finite]  # by label
    count: Positive  # of test examples


class RegressionMetrics(CardPart, frozen=True, kw_only=True):
    """Metrics of a regression: those of the exported ONNX file on the whole test set."""

    unit: str  # of the values, as text; empty for a pure number
    mean_absolute_error: Finite  # in that unit, as the next one
    root_mean_squared_error: Finite
    r2: Finite  # coefficient of determination: 1 is exact, 0 as good as the test set's mean
    count: Positive  # of test examples


class Latency(CardPart, frozen=True, kw_only=True):
    """Latency of the network for one input, with one thread of ONNX Runtime on the CPU."""

    milliseconds: Milliseconds  # median
    ratio: Finite  # to the time of version 1, measured alternately
    machine: str  # processor, number of cores and GPU, as text


class Calibration(CardPart, frozen=True, kw_only=True):
    """Calibration of the probabilities, fitted on the validation split.

    ``chance_level_error`` is the expected calibration error on a test set of this size if every probability
    were exactly right, which sampling alone causes.
    """

    method: str
    temperature: Finite  # divisor of the logits (temperature scaling, Guo et al. 2017)
    offsets: tuple[Finite, ...]  # added to the logits of the labels; empty if there are none
    chance_level_error: Finite


class Coverage(CardPart, frozen=True, kw_only=True):
    """Coverage of a confidence threshold, and its selective accuracy, both 0 to 1."""

    coverage: Finite  # share of predictions whose confidence reaches the threshold
    accuracy: Finite  # share of correct predictions among those


class SelectivePrediction(CardPart, frozen=True, kw_only=True):
    """Effect of the confidence threshold ``unsure_below``."""

    target_accuracy: Finite  # selective accuracy on the validation split that the threshold was chosen for
    validation: Coverage
    test: Coverage


class OutOfDistribution(CardPart, frozen=True, kw_only=True):
    """Shares of pictures without a class that a model of pictures marks as unsure or refuses."""

    digits: Finite | None = None  # test pictures of MNIST; not for models of digits
    garments: Finite | None = None  # test pictures of Fashion-MNIST; not for models of garments
    photos: Finite | None = None  # test pictures of CIFAR-10; not for models of its classes
    scribbles: Finite  # random ones
    letters: Finite | None = None  # of fonts; only for models of photos
    folders: Mapping[str, Finite] = {}  # further pictures, by the name of their folder
    counts: Mapping[str, int]  # pictures of each kind
    # Photos of the model's classes from another data set: those that are not unsure, and how many are right.
    elsewhere: Coverage | None = None

    @property
    def shares(self) -> Mapping[str, float]:
        """The shares of all kinds, by name."""
        return {
            kind: self.folders[kind] if kind in self.folders else getattr(self, kind) for kind in self.counts
        }


class PenDigits(CardPart, frozen=True, kw_only=True):
    """Evaluation of a model of digits on digits drawn with a pen, which are in no training set."""

    accuracy: Finite
    per_class_accuracy: Mapping[str, Finite]  # by label
    unsure: Finite  # share of predictions marked as unsure, 0 to 1
    selective_accuracy: Finite  # share of correct predictions among the others, 0 to 1
    count: int  # of drawings


class Drawings(CardPart, frozen=True, kw_only=True):
    """Shares of drawings of which MNIST has few or none, as a model of digits reads them."""

    straight_ones: Finite  # straight strokes that are read as 1
    straight_ones_sure: Finite  # and are not marked as unsure
    flagged_ones: Finite  # straight strokes with a flag that are read as 1
    flagged_ones_sure: Finite  # and are not marked as unsure
    letters: Finite  # letters, A to Z without B, I, O, S and Z, that are marked as unsure
    shapes: Finite  # stars, hearts, arrows and faces that are marked as unsure
    counts: Mapping[str, int]  # drawings of each kind


class RobustnessRow(CardPart, frozen=True, kw_only=True):
    """Accuracy on the corrupted test set; ``baseline`` is the accuracy of version 1."""

    name: str
    accuracy: Finite
    baseline: Finite


class Robustness(CardPart, frozen=True, kw_only=True):
    """Evaluation on corrupted pictures."""

    unchanged: RobustnessRow  # without a corruption
    rows: tuple[RobustnessRow, ...]  # one for each corruption
    summary: str  # the corruptions that cost more than half of what they cost version 1, as text


class Faithfulness(CardPart, frozen=True, kw_only=True):
    """Deletion test of the heat maps (Samek et al. 2017): mean drops of the label's probability."""

    hottest_drop: Finite  # when the hottest fifth of the picture is covered
    random_drop: Finite  # when a random fifth is covered
    count: int  # of test pictures
