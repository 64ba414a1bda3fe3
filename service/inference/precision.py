"""Chooses between the 32-bit and the 8-bit form of a network."""

import sys
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from msgspec.structs import replace

from service.inference.card import Card, Metrics, QuantizedFile
from service.inference.defaults import PrecisionChoice as PrecisionChoice

Precision = Literal["float32", "int8"]

NETWORK_FILE, INT8_FILE = "model.onnx", "model.int8.onnx"

# The measurement ends after this many pairs of runs or this many seconds.
_MAX_PAIRS, _MAX_SECONDS = 8, 0.1
# Time of this thread alone, so that other work on the machine does not count. On Windows its resolution of
# 16 ms is too coarse.
cpu_clock = time.perf_counter if sys.platform == "win32" else time.thread_time
# int8 costs a little accuracy, so it must be clearly faster. This also keeps workers from choosing
# differently when both are equally fast.
_MAX_INT8_RATIO = 0.9
# An 8-bit form that loses more accuracy on the test set, or whose calibration error is larger than this and
# by a tenth larger than the network's, is used only on request.
_MAX_ACCURACY_LOSS = 0.001
_MAX_CALIBRATION_ERROR, _MAX_CALIBRATION_RATIO = 0.01, 1.1
_ROUNDING = 1e-9


def resolve_precision(card: Card, choice: PrecisionChoice, *, on_cpu: bool) -> PrecisionChoice:
    """Return the precision of a model as far as it is known before the network is loaded.

    Args:
        card: Card of the model.
        choice: Precision that was requested.
        on_cpu: Whether the network runs on the CPU alone; the 8-bit form is not faster on GPUs.

    Returns:
        ``float32`` for a model without an 8-bit form, and in place of ``auto`` if that form is clearly less
        accurate or less calibrated; otherwise the choice. ``auto`` needs a measurement.
    """
    if card.quantized is None or not on_cpu:
        return "float32"
    if choice == "auto" and not _is_as_good(card.quantized, card.metrics):
        return "float32"
    return choice


def metrics_of(card: Card, precision: PrecisionChoice) -> Metrics | None:
    """Return the test metrics of the form of a network that answers, those in float32 for ``auto``.

    A regression has none.
    """
    return card.quantized.metrics if card.quantized and precision == "int8" else card.metrics


def onnx_path(folder: Path, precision: Precision) -> Path:
    """Return the ONNX file of a precision in a model's folder."""
    return folder / (INT8_FILE if precision == "int8" else NETWORK_FILE)


def measure_faster(card: Card, float32: ort.InferenceSession, int8: ort.InferenceSession) -> Precision:
    """Run both forms alternately on one input, for about a tenth of a second.

    Args:
        card: Card of the model.
        float32: Session of the 32-bit form.
        int8: Session of the 8-bit form.

    Returns:
        ``int8`` if its shortest run takes at most 90 % of the other's, otherwise ``float32``.
    """
    batch = dummy_batch(card)
    sessions = (float32, int8)
    for session in sessions:
        session.run(None, {card.input.name: batch})
    shortest = [float("inf"), float("inf")]
    end = time.perf_counter() + _MAX_SECONDS
    for pair in range(_MAX_PAIRS):
        for index, session in enumerate(sessions):
            start = cpu_clock()
            session.run(None, {card.input.name: batch})
            shortest[index] = min(shortest[index], cpu_clock() - start)
        if pair and time.perf_counter() >= end:
            break
    return "int8" if shortest[1] <= _MAX_INT8_RATIO * shortest[0] else "float32"


def served_card(card: Card, precision: PrecisionChoice) -> Card:
    """Return a card with the threshold of unsure predictions that the form which answers has."""
    if precision != "int8" or card.quantized is None or card.quantized.unsure_below is None:
        return card
    return replace(card, unsure_below=card.quantized.unsure_below)


def _is_as_good(form: QuantizedFile, network: Metrics | None) -> bool:
    """Return whether an 8-bit form is known to be nearly as accurate and as calibrated as its network."""
    if network is None:
        return False
    loss = network.accuracy - form.metrics.accuracy
    limit = max(_MAX_CALIBRATION_ERROR, _MAX_CALIBRATION_RATIO * network.expected_calibration_error)
    return loss <= _MAX_ACCURACY_LOSS + _ROUNDING and form.metrics.expected_calibration_error <= limit


def dummy_batch(card: Card) -> npt.NDArray[Any]:
    """Return the smallest batch that the network accepts, filled with ones."""
    shape = [1 if size == -1 else size for size in card.input.shape]
    return np.ones(shape, dtype=card.input.dtype)
