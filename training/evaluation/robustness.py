"""Owns the table of what changes of the pictures cost a model, beside what they cost version 1."""

from collections.abc import Callable, Iterator

import numpy as np

from service.inference import Predictor
from service.inference.card import Robustness, RobustnessRow
from training.datasets import Examples
from training.evaluation.batch_prediction import answer, right
from training.evaluation.corruptions import Corruption, corruptions, unchanged

_SEED = 0
UNCHANGED = "unchanged"


def measure_robustness(
    predictor: Predictor,
    first: Predictor,
    test: Examples,
    *,
    announce: Callable[[RobustnessRow], None] = lambda row: None,
) -> Robustness:
    """Measure a model and version 1 of it under every change, on the same changed pictures.

    Args:
        predictor: The model.
        first: Version 1; the model itself if it is that.
        test: The whole test set, uint8 (n, height, width) or (n, height, width, 3), as users would send it.
        announce: Is told of each row as it comes.
    """
    same = predictor.card.version == first.card.version
    models = [first] if same else [predictor, first]

    def row_of(corruption: Corruption) -> RobustnessRow:
        accuracies = [float(right(part, test.y).mean()) for part in answer(models, _files(corruption, test))]
        row = RobustnessRow(name=corruption.name, accuracy=accuracies[0], baseline=accuracies[-1])
        announce(row)
        return row

    base = row_of(Corruption(UNCHANGED, unchanged))
    digits = predictor.card.input.preprocessing == "digit"
    rows = tuple(row_of(corruption) for corruption in corruptions(digits=digits))
    summary = "this is version 1" if same else compare_losses(base, rows, count=len(test))
    return Robustness(unchanged=base, rows=rows, summary=summary)


def compare_losses(base: RobustnessRow, rows: tuple[RobustnessRow, ...], *, count: int) -> str:
    """Say in which rows a model loses more than half of what version 1 loses, and what to make of it.

    A loss is the accuracy on the pictures as they are less that on the changed ones. Below one standard error
    of the accuracy a loss is chance, and is passed over; so small, half of version 1's is no measure.
    """
    more = []
    for row in rows:
        lost, lost_first = base.accuracy - row.accuracy, base.baseline - row.baseline
        error = np.sqrt(row.accuracy * (1 - row.accuracy) / count)
        if lost > lost_first / 2 and lost > error:
            chance = " (half of that is within chance)" if lost_first / 2 <= error else ""
            rank = "above" if row.accuracy > row.baseline else "below"
            points = f"{100 * abs(row.accuracy - row.baseline):.2f} points {rank} it"
            more.append(f"{row.name}: {lost:.4f} against {lost_first:.4f}{chance}, {points}")
    if not more:
        return "loses at most half as much as version 1 in every row"
    return "loses more than half as much as version 1 under " + "; ".join(more)


def _files(corruption: Corruption, test: Examples) -> Iterator[bytes]:
    rng = np.random.default_rng(_SEED)
    return (corruption.file(picture, rng) for picture in test.x)
