"""Owns what an evaluation looks like in a terminal."""

from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table

from training.evaluation.evaluate import Evaluation
from training.evaluation.latency import describe_cost
from training.evaluation.pen_digits import Drawn


def print_evaluation(result: Evaluation, console: Console) -> None:
    """Print an evaluation figure by figure, and who was taken for whom where digits were drawn."""
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
    if result.drawn:
        console.print(_confusion_table(result.drawn, card.labels))
    if measured.robustness and measured.robustness is not card.robustness:
        click.echo(f"{card.name} {card.version} {measured.robustness.summary}")
    if measured.latency and measured.latency is not card.latency:
        click.echo(describe_cost(measured))
    if not result.same_data:
        console.print(
            f"The copy of {card.training.dataset} in the cache is not the one that the card was made from; "
            "small differences are to be expected."
        )


def _confusion_table(drawn: Drawn, labels: Sequence[str]) -> Table:
    """Return a table of which drawn digits were taken for which."""
    table = Table(title=f"{drawn.figures.count:,} drawn digits, and what they were read as")
    for column in ("drawn", *labels):
        table.add_column(column, justify="right")
    for label, counts in zip(labels, drawn.confusion.tolist(), strict=True):
        table.add_row(label, *(str(count) if count else "·" for count in counts))
    return table
