"""Checks that an exported network gives the outputs of the trained one."""

import numpy as np
import numpy.typing as npt

from service.inference.prediction import APPLIES_FROM
from training.errors import ExportError
from training.metrics import Probabilities

MAX_KERAS_DIFFERENCE = 1e-4
# Rounding in float32 may exchange two labels whose probabilities are closer than this.
_TIE_TOLERANCE = 1e-5


def check_values(
    expected: npt.NDArray[np.float32], exported: npt.NDArray[np.float32], *, y: npt.NDArray[np.float32]
) -> float:
    """Compare the values of a regression in Keras and ONNX Runtime.

    Args:
        expected: (n, values), Keras.
        exported: (n, values), ONNX Runtime.
        y: (n, values), the targets.

    Returns:
        The largest difference, in standard deviations of the targets.

    Raises:
        ExportError: It is above 1e-4.
    """
    return _check_difference(expected / y.std(axis=0), exported / y.std(axis=0))


def check_parity(expected: Probabilities, exported: Probabilities, *, multi_label: bool = False) -> float:
    """Compare the probabilities of Keras and ONNX Runtime.

    Args:
        expected: (n, classes), Keras.
        exported: (n, classes), ONNX Runtime.
        multi_label: Whether several labels can apply at once.

    Returns:
        The largest difference.

    Raises:
        ExportError: The difference is above 1e-4, or a label changed that was not a tie.
    """
    difference = _check_difference(expected, exported)
    if multi_label:
        other = (expected >= APPLIES_FROM) != (exported >= APPLIES_FROM)
        changed = int((other & (np.abs(expected - APPLIES_FROM) > _TIE_TOLERANCE)).sum())
    else:
        chosen = expected[np.arange(len(expected)), exported.argmax(axis=1)]
        changed = int((expected.max(axis=1) - chosen > _TIE_TOLERANCE).sum())
    count = expected.size if multi_label else len(expected)
    if changed:
        raise ExportError(f"{changed} of {count} labels changed in the export; nothing was written")
    return difference


def _check_difference(expected: npt.NDArray[np.float32], exported: npt.NDArray[np.float32]) -> float:
    difference = float(np.abs(expected - exported).max())
    if not difference <= MAX_KERAS_DIFFERENCE:
        raise ExportError(
            f"Keras and ONNX Runtime differ by {difference:.2g}, more than {MAX_KERAS_DIFFERENCE:g}; "
            "nothing was written"
        )
    return difference
