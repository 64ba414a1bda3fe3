"""Chooses between the 32-bit and the 8-bit form of a network."""

import sys
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from service.inference.card import Card
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


def resolve_precision(card: Card, choice: PrecisionChoice, *, on_cpu: bool) -> PrecisionChoice:
    """Return the precision of a model as far as it is known before the network is loaded.

    Args:
        card: Card of the model.
        choice: Precision that was requested.
        on_cpu: Whether the network runs on the CPU alone; the 8-bit form is not faster on GPUs.

    Returns:
        ``float32`` for a model without an 8-bit form, otherwise the choice; ``auto`` needs a measurement.
    """
    return choice if card.quantized and on_cpu else "float32"


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


def dummy_batch(card: Card) -> npt.NDArray[Any]:
    """Return the smallest batch that the network accepts, filled with ones."""
    shape = [1 if size == -1 else size for size in card.input.shape]
    return np.ones(shape, dtype=card.input.dtype)
