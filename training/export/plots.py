"""Plots training curves, confusion matrices, predicted values and images."""

import io
import itertools
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter
from sklearn.metrics import ConfusionMatrixDisplay

from service.inference.card import Card
from training.fit.run import Epoch
from training.metrics import Classes, Probabilities, Values, confusion

_COLORS = {"training": "#c2571a", "validation": "#1f5c99"}
# Distinguishable with the common colour-vision deficiencies (Okabe and Ito 2008).
_SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")
_GRID = "#dddddd"
# Of a confusion matrix; beyond, its labels and numbers could not be read anyway.
_MOST_INCHES, _MOST_COUNTED = 30.0, 50
_STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "text.parse_math": False,  # a label may contain dollar signs
}
_TITLE: dict[str, Any] = {"x": 0.01, "ha": "left", "fontsize": 11, "fontweight": "bold"}


def plot_curves(history: Sequence[Epoch], *, title: str) -> bytes:
    """Plot loss and accuracy by epoch, of training and validation.

    Args:
        history: One row an epoch.
        title: Title of the figure.

    Returns:
        A PNG file.
    """
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(9, 3.6), dpi=110, layout="constrained")
        figure.suptitle(title, **_TITLE)
        left, right = figure.subplots(1, 2)
        measure = history[0].measure
        for axes, name, shown in ((left, "loss", "Loss"), (right, "accuracy", measure.capitalize())):
            for attribute, (label, color) in zip((name, f"validation_{name}"), _COLORS.items(), strict=True):
                values = [getattr(row, attribute) for row in history]
                epochs = range(1, len(history) + 1)
                axes.plot(epochs, values, color=color, label=label, marker="o", markersize=3.5, linewidth=1.6)
            _label_epochs(axes, title=shown)
        if measure == "accuracy":
            right.yaxis.set_major_formatter(PercentFormatter(1.0))
        left.legend(frameon=False)
        return _png(figure)


def plot_comparison(histories: Mapping[str, Sequence[Epoch]], *, title: str) -> bytes:
    """Plot loss and accuracy of several runs by epoch: training dashed, validation solid.

    Args:
        histories: The epochs of each run, by its name.
        title: Title of the figure.

    Returns:
        A PNG file.
    """
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(9, 4.2), dpi=110, layout="constrained")
        figure.suptitle(title, **_TITLE)
        left, right = figure.subplots(1, 2)
        measures = dict.fromkeys(row.measure for history in histories.values() for row in history)
        for axes, name, shown in (
            (left, "loss", "Loss"),
            (right, "accuracy", " or ".join(map(str.capitalize, measures))),
        ):
            for index, history in enumerate(histories.values()):
                epochs = range(1, len(history) + 1)
                for attribute, style in ((name, "--"), (f"validation_{name}", "-")):
                    values = [getattr(row, attribute) for row in history]
                    # A line through one point would be invisible.
                    marker = {"marker": "o", "fillstyle": "none" if style == "--" else "full"}
                    single = marker if len(history) == 1 else {}
                    axes.plot(epochs, values, style, color=_color(index), linewidth=1.6, **single)
            _label_epochs(axes, title=f"{shown} (dashed: training, solid: validation)")
            axes.title.set_fontsize(10)
        if [*measures] == ["accuracy"]:
            right.yaxis.set_major_formatter(PercentFormatter(1.0))
        lines = [Line2D([], [], color=_color(index)) for index in range(len(histories))]
        figure.legend(lines, list(histories), loc="outside lower center", ncols=4, frameon=False)
        return _png(figure)


def plot_images(rows: Sequence[Sequence[npt.NDArray[np.uint8]]], *, title: str) -> bytes:
    """Plot images in a grid.

    Args:
        rows: Rows of equal length, of uint8 images (height, width) or (height, width, 3).
        title: Title of the figure.

    Returns:
        A PNG file.
    """
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(len(rows[0]), len(rows) + 0.4), dpi=72, layout="constrained")
        figure.suptitle(title, **_TITLE)
        grid = figure.subplots(len(rows), len(rows[0]), squeeze=False)
        for axes, image in zip(grid.flat, itertools.chain.from_iterable(rows), strict=True):
            axes.imshow(image, cmap="gray", vmin=0, vmax=255)
            axes.set_axis_off()
        return _png(figure)


def _label_epochs(axes: Axes, *, title: str) -> None:
    axes.set(title=title, xlabel="Epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)


def _color(index: int) -> str:
    return _SERIES[index % len(_SERIES)]


def plot_confusion(card: Card, probabilities: Probabilities, y: Classes) -> bytes:
    """Plot the confusion matrix of a test set.

    Args:
        card: The card of the network.
        probabilities: (n, classes), its predictions.
        y: (n,) true classes.

    Returns:
        A PNG file.
    """
    assert card.metrics is not None, "a classifier has metrics"
    counts, labels = confusion(probabilities, y), card.labels
    side = min(2.6 + 0.52 * len(labels), _MOST_INCHES)
    with matplotlib.rc_context(_STYLE | {"axes.spines.left": False, "axes.spines.bottom": False}):
        figure = Figure(figsize=(side + 0.6, side), dpi=110, layout="constrained")
        title = f"{card.name} {card.version}: {card.metrics.accuracy:.2%} of {len(y):,} test examples"
        figure.suptitle(title, **_TITLE)
        display = ConfusionMatrixDisplay(counts, display_labels=labels).plot(
            ax=figure.subplots(),
            cmap="Blues",
            colorbar=False,
            include_values=len(labels) <= _MOST_COUNTED,
            text_kw={"fontsize": 8},
            # The square root makes rare confusions visible.
            im_kw={"norm": PowerNorm(0.5)},
        )
        display.ax_.set_xticklabels(labels, rotation=45, ha="right", rotation_mode="anchor")
        display.ax_.tick_params(length=0)
        for text in display.text_[counts == 0] if display.text_ is not None else ():
            text.set_visible(False)
        return _png(figure)


def plot_values(card: Card, values: Values, y: Values) -> bytes:
    """Plot the predicted values of a regression over the true ones of a test set.

    Args:
        card: The card of the network.
        values: (n, values), its predictions.
        y: (n, values), the targets.

    Returns:
        A PNG file.
    """
    figures = card.regression
    assert figures is not None, "a regression has its metrics"
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(4.4 * len(card.labels), 4.4), dpi=110, layout="constrained")
        figure.suptitle(
            f"{card.name} {card.version}: R² {figures.r2:.3f}, {len(y):,} test examples", **_TITLE
        )
        panels = figure.subplots(1, len(card.labels), squeeze=False)[0]
        for axes, label, predicted, true in zip(panels, card.labels, values.T, y.T, strict=True):
            span = [min(predicted.min(), true.min()), max(predicted.max(), true.max())]
            axes.plot(span, span, color=_GRID, linewidth=1.6, zorder=1)
            axes.scatter(true, predicted, s=14, color=_COLORS["validation"], alpha=0.7, zorder=2)
            unit = f" ({figures.unit})" if figures.unit else ""
            axes.set(xlabel=f"{label}, true{unit}", ylabel=f"{label}, predicted{unit}")
            axes.set_aspect("equal")
        return _png(figure)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A label in a script that the font lacks is drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        # Without the version of Matplotlib in the metadata, equal figures give equal files.
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
