"""Describes results for people, and prints an evaluation in a terminal."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from service.inference.card import Card, Metrics, RegressionMetrics
from training.evaluation.evaluate import Evaluation
from training.evaluation.garment_photos import PHOTOS_PER_GROUND, GarmentPhotoRow
from training.evaluation.latency import describe_latency
from training.evaluation.long_photos import PHOTOS_PER_SHAPE, LongPhotoRow
from training.evaluation.numbers import NumberFigures
from training.evaluation.pages import PAGES_PER_KIND
from training.metrics import confidence_interval

_FEW_EXAMPLES = 100


def describe_accuracy(metrics: Metrics, *, examples: str = "test examples") -> str:
    """Describe an accuracy with its 95 % confidence interval, and warn if there are few examples.

    Args:
        metrics: Those of a test split.
        examples: What the split contains, for people.
    """
    low, high = confidence_interval(metrics.accuracy, count=metrics.count)
    text = (
        f"accuracy {metrics.accuracy:.4f} on {metrics.count} {examples} "
        f"(95 % confidence interval {low:.4f} to {high:.4f})"
    )
    if metrics.count < _FEW_EXAMPLES:
        text += f". Caution: {metrics.count} {examples} say little; chance decides between similar networks"
    return text


def describe_result(metrics: Metrics | RegressionMetrics) -> str:
    """Describe an accuracy as :func:`describe_accuracy` does, or the errors of a regression."""
    if isinstance(metrics, Metrics):
        return describe_accuracy(metrics)
    unit = f" {metrics.unit}" if metrics.unit else ""
    return (
        f"R² {metrics.r2:.4f}, mean absolute error {metrics.mean_absolute_error:.4g}{unit} on "
        f"{metrics.count} test examples"
    )


def card_result(card: Card) -> Metrics | RegressionMetrics:
    """Return the metrics of a card of any task."""
    metrics = card.metrics or card.regression
    assert metrics is not None, "every card has one of them"
    return metrics


def print_evaluation(result: Evaluation, console: Console) -> None:
    """Print each figure beside that of the card, and the confusion matrix of pen digits if there is one."""
    card, measured = result.card, result.measured
    table = Table(title=f"{card.name} {card.version}: {card.title}", title_justify="left")
    for column in ("figure", "card", "measured", ""):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for row in result.rows:
        digits = 0 if row.name == "test examples" else 5
        known = "–" if row.card is None else f"{row.card:.{digits}f}"
        verdict = "new" if row.card is None else "same" if row.same else "DIFFERS"
        table.add_row(row.name, known, f"{row.measured:.{digits}f}", verdict)
    console.print(table)
    if result.confusion is not None:
        console.print(_confusion_table(result.confusion, card.labels))
    if result.pages is not None:
        console.print(_pages_table(result.pages))
    if result.numbers is not None:
        console.print(_numbers_table(result.numbers))
    if result.long_photos:
        console.print(_long_photos_table(result.long_photos))
    if result.garment_photos:
        console.print(_garment_photos_table(result.garment_photos))
    if measured.robustness and measured.robustness is not card.robustness:
        _print_line(console, f"{card.name} {card.version} {measured.robustness.summary}")
    if measured.latency and measured.latency is not card.latency:
        _print_line(console, describe_latency(measured))
    if not result.same_data:
        console.print(
            f"The data of {card.training.dataset} in the cache differ from those that the card was made "
            "with; small differences are expected."
        )


def _confusion_table(confusion: npt.NDArray[np.int64], labels: Sequence[str]) -> Table:
    table = Table(title=f"{confusion.sum():,} pen digits and their predictions")
    for column in ("drawn", *labels):
        table.add_column(column, justify="right")
    for label, counts in zip(labels, confusion.tolist(), strict=True):
        table.add_row(label, *(str(count) if count else "·" for count in counts))
    return table


def _pages_table(accuracies: Mapping[str, float]) -> Table:
    table = Table(title=f"{PAGES_PER_KIND} test digits on each kind of page")
    table.add_column("page")
    table.add_column("accuracy", justify="right")
    for name, accuracy in accuracies.items():
        table.add_row(name, f"{accuracy:.2%}")
    return table


def _numbers_table(figures: NumberFigures) -> Table:
    table = Table(title=f"{figures.count} numbers of 2 to 6 test digits")
    table.add_column("figure")
    table.add_column("share", justify="right")
    for name, share in (
        ("numbers without a mistake", figures.numbers),
        ("digits right", figures.digits),
        ("single test digits taken for several", figures.test_digits_divided),
        ("single pen digits taken for several", figures.pen_digits_divided),
    ):
        table.add_row(name, f"{share:.2%}")
    return table


def _long_photos_table(rows: Sequence[LongPhotoRow]) -> Table:
    table = Table(title=f"{PHOTOS_PER_SHAPE} test pictures in long photos of each shape")
    for column in ("photo", "correct", "middle alone", "unsure", "correct if sure", "unsure without subject"):
        table.add_column(column, justify="left" if column == "photo" else "right")
    for row in rows:
        shares = (
            row.accuracy,
            row.middle_accuracy,
            row.unsure,
            row.selective_accuracy,
            row.unsure_without_subject,
        )
        table.add_row(row.name, *(f"{share:.1%}" for share in shares))
    return table


def _garment_photos_table(rows: Sequence[GarmentPhotoRow]) -> Table:
    table = Table(title=f"{PHOTOS_PER_GROUND} test garments in synthetic photos of each kind")
    for column in ("photo", "correct", "unsure", "correct if sure", "unsure without garment"):
        table.add_column(column, justify="left" if column == "photo" else "right")
    for row in rows:
        shares = (row.accuracy, row.unsure, row.selective_accuracy, row.unsure_without_garment)
        table.add_row(row.name, *(f"{share:.1%}" for share in shares))
    return table


def _print_line(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, soft_wrap=True)
