"""Owns calibrating a network by its file alone: run it on the validation split, fit, and build that in."""

import math

import onnx

from training.datasets import Examples
from training.export.calibration import Calibration, fit_calibration
from training.export.head import calibrate, remove_calibration
from training.export.inference import run_network

# A temperature this close to 1 is none: fitted to other examples it would come out farther off.
_NEGLIGIBLE = 0.01


def calibrate_network(proto: onnx.ModelProto, validation: Examples) -> Calibration:
    """Fit a network's calibration and build it into its graph, in place of an earlier one.

    Args:
        proto: Changed in place.
        validation: Examples that no weight was fitted to, as the network takes them.

    Returns:
        What was built in; one that changes nothing where nothing was needed.

    Raises:
        ExportError: The network ends neither in softmax nor in a sigmoid.
    """
    remove_calibration(proto)
    found = fit_calibration(run_network(proto, validation.x), validation.y)
    if found.method == "temperature" and abs(math.log(found.temperature)) < _NEGLIGIBLE:
        return Calibration()
    calibrate(proto, found)
    return found
