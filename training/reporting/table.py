"""Owns the README's table of results, made from the cards and ``results.json``."""

from collections.abc import Iterable

from service.inference.card import Card
from training.recipes import NAMES
from training.reporting.results import read_results

# The lecture's own test accuracies; where it names none, there is none to compare with.
LECTURE = {
    "mnist-convnet": "0.9913",
    "mnist-two-conv": "0.6705",
    "mnist-small-convnet": "0.9911",
    "fashion-dense": "0.8761",
    "cifar10-bn-elu": "0.7846",
    "imdb-dense": "0.8524",
}


def results_table(cards: Iterable[Card]) -> str:
    """Return a Markdown table with a row for each recipe that has a result.

    Args:
        cards: Of all versions of all models.
    """
    served = {card.recipe.name: card for card in cards}
    results = read_results()
    lines = [
        "| recipe | served as | parameters | lecture | test accuracy | log-loss | calibration error "
        "| sure of: right | drawn digits | one answer | epochs | training |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name in NAMES:
        if name not in results:
            continue
        row, card = results[name], served.get(name)
        lines.append(
            f"| `{name}` | {_place(card)} | {row.parameters:,} | {LECTURE.get(name, '–')} "
            f"| {row.accuracy:.4f} | {row.log_loss:.3f} | {_doubt(card)} | {_drawn(card)} | {_cost(card)} "
            f"| {row.epochs} | {_duration(row.seconds)} |"
        )
    return "\n".join(lines)


def _place(card: Card | None) -> str:
    return f"{card.name} {card.version}" if card else "–"


def _doubt(card: Card | None) -> str:
    """Return two fields: the calibration error, and the share of sure answers and of right ones in it."""
    if card is None:
        return "– | –"
    selective = card.selective_prediction
    sure = f"{selective.test.coverage:.1%}: {selective.test.accuracy:.2%}" if selective else "–"
    return f"{card.metrics.expected_calibration_error:.4f} | {sure}"


def _drawn(card: Card | None) -> str:
    return f"{card.pen_digits.accuracy:.2%}" if card and card.pen_digits else "–"


def _cost(card: Card | None) -> str:
    """Say how many milliseconds one answer takes, in 8 bits behind a stroke."""
    if card is None or card.latency is None:
        return "–"
    times = [card.latency.milliseconds] + ([card.quantized.milliseconds] if card.quantized else [])
    return " / ".join(f"{time:.2g}" for time in times) + " ms"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
