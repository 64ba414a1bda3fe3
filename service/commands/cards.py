"""Shows cards: a table of all versions, or everything about one."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from service.inference.card import Card, Latency, Metrics, QuantizedFile
from service.inference.repository.checks import read_table

_PIPE_WIDTH = 1_000  # columns of a table that is not printed on a terminal


def print_table(cards: Sequence[Card], defaults: Mapping[str, int]) -> None:
    """Print a row for each version; a terminal that is too narrow shortens the titles, a pipe shows all."""
    console = Console(markup=False)  # a title may contain brackets
    terminal = console.is_terminal
    if not terminal:
        console.width = _PIPE_WIDTH
    rows = Table(box=None, pad_edge=False, expand=terminal)
    rows.add_column("model", no_wrap=True)
    rows.add_column("version", no_wrap=True)
    rows.add_column("title", no_wrap=True, overflow="ellipsis", ratio=1 if terminal else None)
    for figure in ("accuracy", "latency", "in 8 bits", "size"):
        rows.add_column(figure, no_wrap=True, justify="right")
    for card in cards:
        form = card.quantized
        rows.add_row(
            card.name,
            f"{card.version}{' *' if defaults[card.name] == card.version else ''}",
            card.title,
            f"{card.metrics.accuracy:.2%}" if card.metrics else _regression_figure(card),
            _latency(card.latency),
            f"{form.metrics.accuracy:.2%}, {_latency(form)}" if form else "–",
            f"{card.onnx.bytes / 1e6:.2f} MB",
        )
    console.print(rows)


def card_text(card: Card) -> str:
    """Return the figures of a card, its recipe, its input and the layers of its network."""
    lines = [
        f"{card.name} {card.version}: {card.title}",
        f"task        {card.task}",
        f"labels      {', '.join(card.labels)}",
        *_metrics_text(card),
        *_latency_text(card),
        f"recipe      {_recipe_text(card)}",
        f"input       {card.input.dtype} {list(card.input.shape)}, {card.input.preprocessing}",
        *_columns_text(card),
        f"licence     {card.provenance.license}",
        "",
        f"{'layer':<28}{'type':<24}{'output shape':<22}{'parameters':>12}",
    ]
    for layer in card.layers:
        shape = " x ".join("n" if size == -1 else str(size) for size in layer.output_shape)
        lines.append(f"{layer.name:<28}{layer.type:<24}{shape:<22}{layer.parameters:>12,}")
    return "\n".join([*lines, f"{'total':<74}{card.parameters:>12,}"])


def _metrics_text(card: Card) -> list[str]:
    """Return the lines of the card's figures on the test set, those of the 8-bit form too."""
    if card.metrics:
        return [
            *_figures("", card.metrics),
            f"unsure      below {card.unsure_below:.3f}",
            *(_figures(" in 8 bits", card.quantized.metrics) if card.quantized else ()),
        ]
    figures = card.regression
    assert figures is not None, "a card without metrics is that of a regression"
    return [
        f"error       {figures.mean_absolute_error:.4g} {figures.unit}".rstrip()
        + f" in the mean, on {figures.count:,} test examples; R² {figures.r2:.3f}",
    ]


def _figures(form: str, metrics: Metrics) -> tuple[str, ...]:
    return (
        f"accuracy    {metrics.accuracy:.4f} on {metrics.count:,} test examples{form}",
        f"log-loss    {metrics.log_loss:.4f}{form}",
        f"calibration {metrics.expected_calibration_error:.4f} expected error{form}",
    )


def _latency_text(card: Card) -> list[str]:
    """Return the line of the latencies that were measured, if any was."""
    measured = ((card.latency, ""), (card.quantized, " in 8 bits"))
    figures = [f"{_latency(part)}{form}" for part, form in measured if part]
    return [f"latency     {', '.join(figures)}"] if figures else []


def _columns_text(card: Card) -> list[str]:
    """Return the lines of the columns that a model of tables reads, with their ranges in training."""
    if card.reads != "tables":
        return []
    return ["columns"] + [
        f"  {column.name:<28}{column.minimum:>9.4g} to {column.maximum:<9.4g} {column.description}".rstrip()
        for column in read_table(card).columns
    ]


def _recipe_text(card: Card) -> str:
    training, source = card.training, card.recipe.settings.get("init_from")
    parts = [f"{card.recipe.name}, {training.epochs} epochs, seed {training.seed}"]
    parts += [f"with {run.recipe}, seed {run.seed}" for run in (card.ensemble or card.weight_average)[1:]]
    if source:
        parts.append(f"after {source['recipe']}, seed {source['seed']}, {source['epochs']} epochs")
    return ", ".join([*parts, f"{training.seconds:,.0f} s on {training.machine}"])


def _regression_figure(card: Card) -> str:
    return f"R² {card.regression.r2:.3f}" if card.regression else "–"


def _latency(part: Latency | QuantizedFile | None) -> str:
    return "–" if part is None else f"{part.milliseconds:.2g} ms"
