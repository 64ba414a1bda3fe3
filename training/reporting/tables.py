"""Makes the Markdown tables of the READMEs: recipes, served models, and a summary of the default models."""

from collections.abc import Iterable, Iterator, Sequence

from service.inference.card import Card
from service.inference.catalog import BUNDLED, Catalog
from training.recipes import load_recipe
from training.reporting.results import read_results

_MISSING = "–"


def recipes_table() -> str:
    """Return a table of the recipes' own results, in the order of their data sets."""
    rows = []
    for result in sorted(read_results().values(), key=lambda result: (result.dataset, result.recipe)):
        lecture = load_recipe(result.recipe).lecture_accuracy
        rows.append(
            (
                f"`{result.recipe}`",
                result.dataset,
                f"{result.parameters:,}",
                f"{lecture:.4f}" if lecture else _MISSING,
                f"{result.accuracy:.4f}",
                f"{result.epochs}",
                _duration(result.seconds),
            )
        )
    header = ("recipe", "data set", "parameters", "lecture", "test accuracy", "epochs", "training time")
    return _table(header, rows, text_columns=2)


def models_table() -> str:
    """Return a table of the committed models' figures, all versions."""
    header = (
        "model",
        "recipe",
        "test accuracy",
        "log-loss",
        "calibration error",
        "coverage: selective accuracy",
        "pen digits",
        "latency (8-bit)",
    )
    rows = [
        (
            f"{card.name} {card.version}",
            f"`{card.recipe.name}`",
            f"{card.metrics.accuracy:.4f}",
            f"{card.metrics.log_loss:.3f}",
            f"{card.metrics.expected_calibration_error:.4f}",
            _selective(card),
            f"{card.pen_digits.accuracy:.2%}" if card.pen_digits else _MISSING,
            _latency(card),
        )
        for card in _all_cards()
    ]
    return _table(header, rows, text_columns=2)


def summary_table() -> str:
    """Return a table of the default version of each committed model."""
    rows = [
        (
            f"`{card.name}`",
            card.title.partition(":")[0],
            f"{card.metrics.accuracy:.2%}",
            f"{card.latency.milliseconds:.2g} ms" if card.latency else _MISSING,
        )
        for card in Catalog(BUNDLED)
    ]
    return _table(("model", "reads", "test accuracy", "one prediction"), rows, text_columns=2)


def _all_cards() -> Iterator[Card]:
    catalog = Catalog(BUNDLED)
    for card in catalog:
        for version in catalog.versions(card.name):
            yield catalog.card(card.name, version)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], *, text_columns: int) -> str:
    """Format a Markdown table; columns after the first ``text_columns`` are aligned to the right."""
    alignment = ["---"] * text_columns + ["--:"] * (len(header) - text_columns)
    lines = [f"| {' | '.join(header)} |", f"|{'|'.join(alignment)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _selective(card: Card) -> str:
    if card.selective_prediction is None:
        return _MISSING
    test = card.selective_prediction.test
    return f"{test.coverage:.1%}: {test.accuracy:.2%}"


def _latency(card: Card) -> str:
    if card.latency is None:
        return _MISSING
    int8 = f" ({card.quantized.milliseconds:.2g})" if card.quantized else ""
    return f"{card.latency.milliseconds:.2g}{int8} ms"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
