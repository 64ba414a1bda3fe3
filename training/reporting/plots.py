"""Owns the pictures for people: curves of a training, and who is taken for whom."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from service.inference.card import Card
from training.evaluation.metrics import Classes, Probabilities, confusion
from training.fit.history import Epoch

_TRAINING, _VALIDATION, _GRID = "#c2571a", "#1f5c99", "#dddddd"
_STYLE = {"font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left"}


def draw_curves(history: Sequence[Epoch], *, title: str) -> bytes:
    """Draw loss and accuracy by epoch, of training and validation.

    Args:
        history: One row an epoch.
        title: Above the picture.

    Returns:
        A PNG file.
    """
    numbers = range(1, len(history) + 1)
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(9, 3.6), dpi=110, layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
        left, right = figure.subplots(1, 2)
        for axes, name, attribute in ((left, "Loss", "loss"), (right, "Accuracy", "accuracy")):
            for prefix, label, color in (
                ("", "training", _TRAINING),
                ("validation_", "validation", _VALIDATION),
            ):
                values = [getattr(row, prefix + attribute) for row in history]
                axes.plot(
                    numbers, values, color=color, label=label, marker="o", markersize=3.5, linewidth=1.6
                )
            axes.set(title=name, xlabel="Epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(color=_GRID, linewidth=0.6)
            axes.set_axisbelow(True)
        right.yaxis.set_major_formatter(PercentFormatter(1.0))
        left.legend(frameon=False)
        return _png(figure)


def confusion_picture(card: Card, probabilities: Probabilities, y: Classes) -> bytes:
    """Draw who is taken for whom on the test set, as a PNG file."""
    return draw_confusion(
        confusion(probabilities, y),
        labels=card.labels,
        title=f"{card.name} {card.version}: {card.metrics.accuracy:.2%} of {len(y):,} test examples",
    )


def draw_confusion(counts: npt.NDArray[np.int64], *, labels: Sequence[str], title: str) -> bytes:
    """Draw a confusion matrix: share of each true class in colour, number of examples in the fields.

    Args:
        counts: (classes, classes), row the true class.
        labels: Names of the classes.
        title: Above the picture.

    Returns:
        A PNG file.
    """
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.6 + 0.52 * len(labels)
    with matplotlib.rc_context(_STYLE | {"axes.spines.left": False, "axes.spines.bottom": False}):
        figure = Figure(figsize=(side + 0.6, side), dpi=110, layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
        axes = figure.subplots()
        # The root spreads the rare confusions, which are what one looks for, over more of the colours.
        axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
        places = range(len(labels))
        axes.set_xticks(places, labels, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(places, labels)
        axes.set(xlabel="Predicted", ylabel="True")
        axes.tick_params(length=0)
        for row in places:
            for column in places:
                if counts[row, column]:
                    color = "white" if shares[row, column] > 0.3 else "black"
                    axes.text(
                        column,
                        row,
                        str(counts[row, column]),
                        ha="center",
                        va="center",
                        color=color,
                        fontsize=8,
                    )
        return _png(figure)


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    # Without the date and version of Matplotlib the same figures give the same file.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
