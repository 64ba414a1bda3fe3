"""Records each recipe's result in ``results.json``, and makes the READMEs' tables of recipes and models."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from service.inference.card import Card, Metrics
from service.inference.catalog import BUNDLED, Catalog
from service.inference.files import write_json
from training.errors import RunError
from training.recipes import load_recipe

RESULTS = Path(__file__).with_name("results.json")
_MISSING = "–"
_Row = TypeVar("_Row")


@dataclass(frozen=True, kw_only=True)
class Result:
    """Result of a single run of a recipe, measured with its exported ONNX file on the whole test set."""

    recipe: str
    dataset: str
    parameters: int  # of the network, as Keras counts them
    accuracy: float  # on the test set, 0 to 1; of a regression, R²
    epochs: int
    seed: int
    seconds: float  # wall-clock time of the training
    machine: str  # processor, number of cores and GPU, as text


def read_results(path: Path = RESULTS) -> dict[str, Result]:
    """Return the results by name of recipe; none if there is no such file."""
    if not path.exists():
        return {}
    return {row["recipe"]: Result(**row) for row in json.loads(path.read_text(encoding="utf-8"))}


def record_result(card: Card, path: Path = RESULTS) -> None:
    """Record a card's figures in place of its recipe's earlier result; the file is replaced atomically.

    Raises:
        RunError: The network is made of several runs, so its figures are not those of the recipe.
    """
    if card.ensemble or card.weight_average:
        raise RunError(
            f"{path}: holds results of single runs, and {card.name} {card.version} is made of several; "
            "export a single run with --record"
        )
    result = Result(
        recipe=card.recipe.name,
        dataset=card.training.dataset,
        parameters=card.parameters,
        accuracy=card.metrics.accuracy if card.metrics else _r2(card),
        epochs=card.training.epochs,
        seed=card.training.seed,
        seconds=card.training.seconds,
        machine=card.training.machine,
    )
    rows = read_results(path) | {result.recipe: result}
    write_json(path, [rows[name] for name in sorted(rows)])


def recipes_table() -> str:
    """Return a Markdown table of the recipes' own results, in the order of their data sets."""
    columns: dict[str, Callable[[Result], str]] = {
        "recipe": lambda result: f"`{result.recipe}`",
        "data set": lambda result: result.dataset,
        "parameters": lambda result: f"{result.parameters:,}",
        "lecture": _lecture_accuracy,
        "test accuracy": _accuracy,
        "epochs": lambda result: f"{result.epochs}",
        "training time": lambda result: _duration(result.seconds),
    }
    return _table(
        columns, sorted(read_results().values(), key=lambda result: (result.dataset, result.recipe))
    )


def models_table() -> str:
    """Return a Markdown table of the figures of all versions of the committed models."""
    columns: dict[str, Callable[[Card], str]] = {
        "model": lambda card: f"{card.name} {card.version}",
        "recipe": lambda card: f"`{card.recipe.name}`",
        "test accuracy (8-bit)": lambda card: (
            _both(card, lambda metrics: f"{metrics.accuracy:.4f}") if card.metrics else f"R² {_r2(card):.4f}"
        ),
        "log-loss": lambda card: f"{card.metrics.log_loss:.3f}" if card.metrics else _MISSING,
        "calibration error (8-bit)": lambda card: _both(
            card, lambda metrics: f"{metrics.expected_calibration_error:.4f}"
        ),
        "coverage: selective accuracy": _selective,
        "pen digits": lambda card: f"{card.pen_digits.accuracy:.2%}" if card.pen_digits else _MISSING,
        "latency (8-bit)": _latency,
    }
    catalog = Catalog(BUNDLED)
    versions = ((card.name, version) for card in catalog for version in catalog.versions(card.name))
    return _table(columns, (catalog.card(name, version) for name, version in versions))


def summary_table() -> str:
    """Return a Markdown table of the default version of each committed model."""
    columns: dict[str, Callable[[Card], str]] = {
        "model": lambda card: f"`{card.name}`",
        "reads": lambda card: card.title.partition(":")[0],
        "test accuracy (8-bit)": lambda card: (
            _both(card, lambda metrics: f"{metrics.accuracy:.2%}") if card.metrics else f"R² {_r2(card):.2f}"
        ),
        "one prediction (8-bit)": _latency,
    }
    return _table(columns, Catalog(BUNDLED))


def _table(columns: Mapping[str, Callable[[_Row], str]], rows: Iterable[_Row]) -> str:
    """Format a Markdown table; columns after the second one are aligned to the right."""
    alignment = ["---", "---"] + ["--:"] * (len(columns) - 2)
    lines = [" | ".join(cell(row) for cell in columns.values()) for row in rows]
    return "\n".join(
        [f"| {' | '.join(columns)} |", f"|{'|'.join(alignment)}|", *(f"| {line} |" for line in lines)]
    )


def _lecture_accuracy(result: Result) -> str:
    accuracy = load_recipe(result.recipe).lecture_accuracy
    return f"{accuracy:.4f}" if accuracy else _MISSING


def _accuracy(result: Result) -> str:
    measure = load_recipe(result.recipe).head.measure
    return f"{'' if measure == 'accuracy' else f'{measure} '}{result.accuracy:.4f}"


def _r2(card: Card) -> float:
    assert card.regression is not None, "a card without metrics is that of a regression"
    return card.regression.r2


def _selective(card: Card) -> str:
    if card.selective_prediction is None:
        return _MISSING
    test = card.selective_prediction.test
    return f"{test.coverage:.1%}: {test.accuracy:.2%}"


def _both(card: Card, cell: Callable[[Metrics], str]) -> str:
    """Return a figure of the 32-bit form, and in brackets that of the 8-bit form if there is one.

    A regression has no such figure.
    """
    if card.metrics is None:
        return _MISSING
    int8 = f" ({cell(card.quantized.metrics)})" if card.quantized else ""
    return cell(card.metrics) + int8


def _latency(card: Card) -> str:
    if card.latency is None:
        return _MISSING
    int8 = f" ({card.quantized.milliseconds:.2g})" if card.quantized else ""
    return f"{card.latency.milliseconds:.2g}{int8} ms"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
