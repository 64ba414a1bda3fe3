"""Owns the choice between a network's two forms: 32-bit floats, or weights and activations of 8 bits."""

import sys
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from service.inference.card import Card

Precision = Literal["float32", "int8"]
PrecisionChoice = Literal["auto", "float32", "int8"]
PRECISIONS: tuple[PrecisionChoice, ...] = ("auto", "float32", "int8")

FLOAT32_FILE = "model.onnx"
INT8_FILE = "model.int8.onnx"

# The measuring ends with the first of these: so many pairs of runs, or so many seconds.
_PAIRS, _SECONDS = 8, 0.1
# The time that this thread really ran: a start among other work would otherwise toss a coin. Windows counts
# it in steps of 16 ms.
clock = time.perf_counter if sys.platform == "win32" else time.thread_time
# What int8 has to gain before its small loss of accuracy is taken; also keeps a tie from being tossed anew
# by every worker.
_GAIN = 0.9


def settle(card: Card, choice: PrecisionChoice, *, on_cpu: bool) -> PrecisionChoice:
    """Say what a choice comes to before anything is loaded.

    Args:
        card: The model's.
        choice: What was asked for.
        on_cpu: Whether the network runs on the CPU alone; graphics processors gain nothing from these files.

    Returns:
        ``float32`` for a model without an 8-bit form, else the choice; ``auto`` has to be measured.
    """
    return choice if card.quantized and on_cpu else "float32"


def path_of(folder: Path, precision: Precision) -> Path:
    """Return the file in a model's folder that holds the network in a precision."""
    return folder / (INT8_FILE if precision == "int8" else FLOAT32_FILE)


def faster(card: Card, float32: ort.InferenceSession, int8: ort.InferenceSession) -> Precision:
    """Measure both forms in turn on one input, for a tenth of a second or two pairs of runs.

    Args:
        card: The model's, for the input's shape.
        float32: The one form.
        int8: The other.

    Returns:
        ``int8`` where its shortest run is a tenth shorter at least.
    """
    batch = ones(card)
    sessions = (float32, int8)
    for session in sessions:
        session.run(None, {card.input.name: batch})
    shortest = [float("inf"), float("inf")]
    end = time.perf_counter() + _SECONDS
    for pair in range(_PAIRS):
        for place, session in enumerate(sessions):
            begun = clock()
            session.run(None, {card.input.name: batch})
            shortest[place] = min(shortest[place], clock() - begun)
        if pair and time.perf_counter() >= end:
            break
    return "int8" if shortest[1] <= _GAIN * shortest[0] else "float32"


def ones(card: Card) -> npt.NDArray[Any]:
    """Return the smallest batch that the network takes, filled with ones."""
    shape = [1 if size == -1 else size for size in card.input.shape]
    return np.ones(shape, dtype=card.input.dtype)
