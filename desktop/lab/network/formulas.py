"""Writes what a stage computes as a formula with its numbers."""

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication

from desktop.lab.network.map_detail import MapDetail
from desktop.lab.network.stage import Function, Stage, StageKind

Number = Callable[[float], str]

_FUNCTIONS = {
    Function.RELU: "y = max(0, x)",
    Function.RELU6: "y = min(max(0, x), 6)",
    Function.ELU: "y = x  (x > 0),  eˣ − 1  (x ≤ 0)",
    Function.SILU: "y = x / (1 + e⁻ˣ)",
    Function.SIGMOID: "y = 1 / (1 + e⁻ˣ)",
    Function.TANH: "y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)",
    Function.SOFTMAX: "yᵢ = exp(xᵢ) / Σ exp(xⱼ)",
}
# Products of a value that are written out.
_TERMS = 4


def input_word(kind: StageKind) -> str:
    """Return the heading of what a stage reads."""
    translate = QCoreApplication.translate
    return (
        translate("NetworkFormulas", "Logits")
        if kind is StageKind.SCORES
        else translate("NetworkFormulas", "Inputs")
    )


def function_formula(function: Function) -> str:
    """Return the formula of an activation function or of softmax; empty for a pooling."""
    return _FUNCTIONS.get(function, "")


def formula_text(stage: Stage, detail: MapDetail, number: Number) -> str:
    """Return the formula of a stage, and its number of parameters.

    Args:
        stage: The stage.
        detail: A map of it.
        number: Formats a number.
    """
    translate = QCoreApplication.translate
    if stage.kind is StageKind.CONVOLUTION and stage.weights is not None:
        maps, depth, rows, columns = stage.weights.shape
        one = "" if stage.bias is None else " + 1"
        text = translate("NetworkFormulas", "y = Σ kernel over input + bias; inputs: {0}")
        count = f"({depth} · {rows} · {columns}{one}) · {maps} = {_grouped(stage.parameters)}"
        parameters = translate("NetworkFormulas", "Parameters: {0}").format(count)
        return f"{text.format(detail.count)}\n{parameters}"
    if stage.kind is StageKind.DENSE and stage.weights is not None:
        inputs, units = stage.weights.shape
        text = translate("NetworkFormulas", "y = Σ weight · input + bias; inputs: {0}")
        count = f"({inputs} + 1) · {units} = {_grouped(stage.parameters)}"
        parameters = translate("NetworkFormulas", "Parameters: {0}").format(count)
        return f"{text.format(detail.count)}\n{parameters}"
    if stage.kind is StageKind.NORMALIZATION and detail.factor is not None:
        return f"y = {number(detail.factor)} · x {_signed(detail.bias, number)}"
    if stage.kind is StageKind.POOLING and stage.windows:
        window = stage.windows[-1]
        largest = stage.function is Function.MAXIMUM
        text = (
            translate("NetworkFormulas", "y = the largest of {0} × {0} values, stride {1}")
            if largest
            else translate("NetworkFormulas", "y = the mean of {0} × {0} values, stride {1}")
        )
        return text.format(window.size, window.stride)
    if stage.kind is StageKind.GLOBAL_POOLING:
        largest = stage.function is Function.MAXIMUM
        return (
            translate("NetworkFormulas", "y = the largest value of the map")
            if largest
            else translate("NetworkFormulas", "y = the mean of the map")
        )
    if stage.kind is StageKind.RESIZING and stage.factor is not None:
        return translate("NetworkFormulas", "y = x, {0} times as large by interpolation").format(
            number(stage.factor)
        )
    if stage.kind is StageKind.ADDITION:
        return "y = x₁ + x₂"
    if stage.kind is StageKind.MULTIPLICATION:
        return "y = x₁ · x₂"
    return "" if stage.function is None else function_formula(stage.function)


def sum_text(detail: MapDetail, place: tuple[int, int], number: Number) -> str:
    """Return a value as the sum of what the inputs add to it; without kernels, the value alone.

    Args:
        detail: The map.
        place: Row and column of the value.
        number: Formats a number.
    """
    value = float(detail.values[place])
    if detail.parts is None:
        return number(value)
    parts = [float(part) for part in detail.parts[(slice(None), *place)]]
    shown = sorted(parts, key=abs, reverse=True)[:_TERMS]
    terms = [number(shown[0]), *(_signed(part, number) for part in shown[1:])]
    others = detail.count - len(shown)
    if others:
        rest = value - detail.bias - sum(shown)
        text = QCoreApplication.translate("NetworkFormulas", "({0} others)")
        terms.append(f"{_signed(rest, number)} {text.format(others)}")
    if detail.bias:
        bias = QCoreApplication.translate("NetworkFormulas", "(bias)")
        terms.append(f"{_signed(detail.bias, number)} {bias}")
    return f"{' '.join(terms)} = {number(value)}"


def _signed(value: float, number: Number) -> str:
    return f"{'−' if value < 0 else '+'} {number(abs(value))}"


def _grouped(count: int) -> str:
    return f"{count:,}".replace(",", " ")
