"""Compares the figures of an evaluation with those of the model's card."""

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from service.inference.card import Card

# Sections of a card whose figures are compared only if they were measured again.
_OPTIONAL_SECTIONS = (
    *("selective_prediction", "out_of_distribution", "drawings"),
    *("pen_digits", "robustness", "faithfulness"),
)
# Accuracy must agree to the last example. Other figures are sums of floats, which differ between processors.
_EXACT = 1e-9
_ROUNDING = 1e-4
# Predictions at a threshold may change, and decoders may differ by one grey level.
_FEW_EXAMPLES = 5e-4
_FEW_OF_A_CLASS = 5e-3
# Sums of 8-bit products saturate on processors without VNNI.
_OTHER_PROCESSORS = 2e-3

_Figure = tuple[str, float, float]  # name, value and tolerance


@dataclass(frozen=True)
class Comparison:
    """A figure of the card, None if it has none, and the measured one."""

    name: str
    card: float | None
    measured: float
    tolerance: float

    @property
    def same(self) -> bool:
        """Whether both agree; a new figure always does."""
        return self.card is None or abs(self.card - self.measured) <= self.tolerance


def compare(card: Card, measured: Card) -> tuple[Comparison, ...]:
    """Compare the figures that were measured again with those of the card.

    Args:
        card: The card of the model.
        measured: The same card with the measured figures.
    """
    known = {name: value for name, value, _ in _figures(card)}
    skipped = dict.fromkeys(set(_OPTIONAL_SECTIONS) - set(measured_sections(card, measured)))
    return tuple(
        Comparison(name, known.get(name), value, tolerance)
        for name, value, tolerance in _figures(replace(measured, **skipped))
    )


def measured_sections(card: Card, measured: Card) -> dict[str, object]:
    """Return the sections that were measured again; the others are the same objects in both cards."""
    sections = {name: getattr(measured, name) for name in card.__struct_fields__}
    return {name: value for name, value in sections.items() if value is not getattr(card, name)}


def _figures(card: Card) -> Iterator[_Figure]:
    yield from _test_figures(card)
    yield from _further_figures(card)


def _test_figures(card: Card) -> Iterator[_Figure]:
    """Yield the figures on the test set."""
    if errors := card.regression:
        rounding = _ROUNDING * errors.root_mean_squared_error
        yield "test examples", errors.count, 0
        yield "mean absolute error", errors.mean_absolute_error, rounding
        yield "root mean squared error", errors.root_mean_squared_error, rounding
        yield "R²", errors.r2, _ROUNDING
    if metrics := card.metrics:
        yield "test examples", metrics.count, 0
        yield "accuracy", metrics.accuracy, _EXACT
        yield "log-loss", metrics.log_loss, _ROUNDING
        yield "expected calibration error", metrics.expected_calibration_error, _ROUNDING
        for label, value in metrics.per_class_accuracy.items():
            yield f"accuracy on {label}", value, _EXACT
    if form := card.quantized:
        yield "accuracy in 8 bits", form.metrics.accuracy, _OTHER_PROCESSORS
        yield "calibration error in 8 bits", form.metrics.expected_calibration_error, _OTHER_PROCESSORS
    if selective := card.selective_prediction:
        for split, result in (("validation", selective.validation), ("test", selective.test)):
            yield f"coverage, {split}", result.coverage, _FEW_EXAMPLES
            yield f"selective accuracy, {split}", result.accuracy, _FEW_EXAMPLES


def _further_figures(card: Card) -> Iterator[_Figure]:
    """Yield the figures of the longer measurements."""
    if unknown := card.out_of_distribution:
        for kind, share in unknown.shares.items():
            yield f"unsure {kind}", share, _FEW_EXAMPLES
        if elsewhere := unknown.elsewhere:
            yield "coverage, photos from elsewhere", elsewhere.coverage, _FEW_OF_A_CLASS
            yield "selective accuracy, photos from elsewhere", elsewhere.accuracy, _FEW_OF_A_CLASS
    if digits := card.pen_digits:
        yield "pen digits", digits.accuracy, _FEW_EXAMPLES
        for label, value in digits.per_class_accuracy.items():
            yield f"pen digit {label}", value, _FEW_OF_A_CLASS
    if drawings := card.drawings:
        for name in ("straight_ones", "straight_ones_sure", "flagged_ones", "flagged_ones_sure"):
            yield name.replace("_", " "), getattr(drawings, name), _FEW_OF_A_CLASS
        yield "unsure letters", drawings.letters, _FEW_OF_A_CLASS
        yield "unsure shapes", drawings.shapes, _FEW_OF_A_CLASS
    if faithfulness := card.faithfulness:
        yield "drop, hottest fifth covered", faithfulness.hottest_drop, _FEW_OF_A_CLASS
        yield "drop, random fifth covered", faithfulness.random_drop, _FEW_OF_A_CLASS
    if robustness := card.robustness:
        for row in robustness.rows:
            yield row.name, row.accuracy, _FEW_EXAMPLES
