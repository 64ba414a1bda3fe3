"""Evaluates the robustness of an image classifier: its accuracy under corruptions, beside version 1's."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from service.inference import Predictor
from service.inference.card import Robustness, RobustnessRow
from training.datasets import Examples
from training.evaluation.batch_prediction import is_correct, predict_files
from training.evaluation.corruptions import Corruption, corruptions, unchanged

_SEED = 0


def evaluate_robustness(
    predictor: Predictor,
    baseline: Predictor,
    test: Examples,
    *,
    announce: Callable[[RobustnessRow], None] = lambda row: None,
) -> Robustness:
    """Measure a model and its version 1 under every corruption, on the same pictures.

    Args:
        predictor: Of the model.
        baseline: Of version 1; the model itself if it is version 1.
        test: The whole test set, uint8 (n, height, width) or (n, height, width, 3), as users would send it.
        announce: Called with each row.
    """
    is_baseline = predictor.card.version == baseline.card.version
    predictors = [baseline] if is_baseline else [predictor, baseline]

    def measure(corruption: Corruption) -> RobustnessRow:
        results = predict_files(predictors, _corrupted_files(corruption, test))
        accuracies = [float(is_correct(result, test.y).mean()) for result in results]
        row = RobustnessRow(name=corruption.name, accuracy=accuracies[0], baseline=accuracies[-1])
        announce(row)
        return row

    base = measure(Corruption("unchanged", unchanged))
    digits = predictor.card.input.preprocessing == "digit"
    rows = tuple(measure(corruption) for corruption in corruptions(digits=digits))
    summary = "this is version 1" if is_baseline else summarize(base, rows, count=len(test))
    return Robustness(unchanged=base, rows=rows, summary=summary)


def summarize(base: RobustnessRow, rows: Sequence[RobustnessRow], *, count: int) -> str:
    """List the rows in which a model loses more than half of the accuracy that version 1 loses.

    A loss is the accuracy on unchanged pictures minus that on corrupted ones. Losses below one standard error
    of the accuracy are left out. The summary says where half of version 1's loss is that small.

    Args:
        base: Accuracy on unchanged pictures.
        rows: Accuracy under each corruption.
        count: Number of test pictures.
    """
    exceeding = []
    for row in rows:
        loss, baseline_loss = base.accuracy - row.accuracy, base.baseline - row.baseline
        error = np.sqrt(row.accuracy * (1 - row.accuracy) / count)
        if loss > baseline_loss / 2 and loss > error:
            chance = " (half of that is within chance)" if baseline_loss / 2 <= error else ""
            rank = "above" if row.accuracy > row.baseline else "below"
            points = f"{100 * abs(row.accuracy - row.baseline):.2f} points {rank} it"
            exceeding.append(f"{row.name}: {loss:.4f} against {baseline_loss:.4f}{chance}, {points}")
    if not exceeding:
        return "loses at most half as much as version 1 in every row"
    return "loses more than half as much as version 1 under " + "; ".join(exceeding)


def _corrupted_files(corruption: Corruption, test: Examples) -> Iterator[bytes]:
    rng = np.random.default_rng(_SEED)
    return (corruption.encode(picture, rng) for picture in test.x)
