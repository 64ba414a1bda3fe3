"""Writes the sum of one value of a convolution in the language of the window."""

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication

from desktop.lab.convolution.filters import COLORS
from desktop.lab.convolution.weighted_sum import WeightedSum

# The terms of larger kernels are too long to read.
_MAX_SUM_SIZE = 3


def sum_lines(
    terms: WeightedSum, *, relu: bool, depth: int, added: int | None, number: Callable[[float], str]
) -> list[str]:
    """Return the lines that explain a value.

    Args:
        terms: The products and the bias.
        relu: Whether ReLU follows.
        depth: The slice whose products are written.
        added: Number of products that the animation has added; all if None.
        number: Formats a number.
    """
    translate = QCoreApplication.translate
    count = terms.count if added is None else added
    side = terms.weights.shape[-1]
    lines = []
    if side <= _MAX_SUM_SIZE:
        if added is not None:
            depth = min((max(added, 1) - 1) // (side * side), len(terms.weights) - 1)
        lines = terms.lines(depth, count=None if added is None else added - depth * side * side)
    if count < terms.count:
        return [
            *lines,
            translate("SumText", "{0} of {1} products: {2} so far").format(
                count, terms.count, number(terms.partial(count))
            ),
        ]
    return [*lines, _total(terms, relu=relu, number=number)]


def _total(terms: WeightedSum, *, relu: bool, number: Callable[[float], str]) -> str:
    translate = QCoreApplication.translate
    parts = terms.slice_sums()
    text = ""
    if len(parts) == COLORS:
        names = (translate("SumText", "red"), translate("SumText", "green"), translate("SumText", "blue"))
        text = " + ".join(f"{name} {number(part)}" for name, part in zip(names, parts, strict=True))
    if terms.bias:
        text += " + " if text else f"{number(terms.partial(terms.count))} + "
        text += translate("SumText", "bias {0}").format(number(terms.bias))
    if text:
        text += f" = {number(terms.value)}"
    elif terms.weights.shape[-1] > _MAX_SUM_SIZE:
        text = translate("SumText", "The sum of {0} products is {1}").format(terms.count, number(terms.value))
    else:
        text = translate("SumText", "The sum is {0}").format(number(terms.value))
    if relu:
        text += translate("SumText", "; ReLU makes it {0}").format(number(max(terms.value, 0.0)))
    return text
