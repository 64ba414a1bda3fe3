"""Compares the figures of a card with those of a new evaluation."""

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from service.inference.card import Card

# Sections of a card that an evaluation can measure.
SECTIONS = (
    "metrics",
    "calibration",
    "selective_prediction",
    "out_of_distribution",
    "pen_digits",
    "robustness",
    "latency",
    "quantized",
    "faithfulness",
)
# Accuracy must agree to the last example. Other figures are sums of floats, which differ between processors.
_EXACT = 1e-9
_ROUNDING = 1e-4
# Predictions at a threshold may change, and decoders may differ by one grey level.
_FEW_EXAMPLES = 5e-4
_FEW_OF_A_CLASS = 5e-3


@dataclass(frozen=True)
class Comparison:
    """A figure of the card, None if it has none, and the measured one."""

    name: str
    card: float | None
    measured: float
    tolerance: float

    @property
    def same(self) -> bool:
        """Whether both agree; a new figure does."""
        return self.card is None or abs(self.card - self.measured) <= self.tolerance


def measured_sections(card: Card, measured: Card) -> dict[str, object]:
    """Return the sections of a card that were measured again."""
    sections = {name: getattr(measured, name) for name in SECTIONS}
    return {name: value for name, value in sections.items() if value is not getattr(card, name)}


def compare(card: Card, measured: Card) -> tuple[Comparison, ...]:
    """Compare the figures that were measured again with those of the card.

    Args:
        card: The card of the model.
        measured: The same card with the new figures.
    """
    known = {name: value for name, value, _ in _figures(card)}
    skipped = dict.fromkeys(set(SECTIONS) - {"metrics"} - set(measured_sections(card, measured)))
    return tuple(
        Comparison(name, known.get(name), value, tolerance)
        for name, value, tolerance in _figures(replace(measured, **skipped))
    )


def _figures(card: Card) -> Iterator[tuple[str, float, float]]:
    """Yield the name, value and tolerance of each figure."""
    metrics = card.metrics
    yield "test examples", metrics.count, 0
    yield "accuracy", metrics.accuracy, _EXACT
    yield "log-loss", metrics.log_loss, _ROUNDING
    yield "expected calibration error", metrics.expected_calibration_error, _ROUNDING
    for label, value in metrics.per_class_accuracy.items():
        yield f"accuracy on {label}", value, _EXACT
    if selective := card.selective_prediction:
        for split, result in (("validation", selective.validation), ("test", selective.test)):
            yield f"coverage, {split}", result.coverage, _FEW_EXAMPLES
            yield f"selective accuracy, {split}", result.accuracy, _FEW_EXAMPLES
    if unknown := card.out_of_distribution:
        for kind in unknown.counts:
            yield f"unsure {kind}", getattr(unknown, kind), _FEW_EXAMPLES
    if digits := card.pen_digits:
        yield "pen digits", digits.accuracy, _FEW_EXAMPLES
        for label, value in digits.per_class_accuracy.items():
            yield f"pen digit {label}", value, _FEW_OF_A_CLASS
    if faithfulness := card.faithfulness:
        yield "drop, hottest fifth covered", faithfulness.hottest_drop, _FEW_OF_A_CLASS
        yield "drop, random fifth covered", faithfulness.random_drop, _FEW_OF_A_CLASS
    if robustness := card.robustness:
        for row in robustness.rows:
            yield row.name, row.accuracy, _FEW_EXAMPLES
