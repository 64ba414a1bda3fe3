"""Finds the logits of a network before the confidence that an export adds to them.

``training.export`` appends a detector of pictures without a class, and a calibration. A layer of the network
may have a name like those of their nodes, so they are followed back from the scores.
"""

from collections.abc import Mapping

import onnx

_CALIBRATION = "calibration/"
_FIRST_STEP = f"{_CALIBRATION}scaled"
_SCALING, _FACTOR = ("detector/logits", "Mul"), ("detector/factor", "Sigmoid")
_KEPT = ("detector/kept", "Where")  # keeps the label; detectors of earlier versions do not have it

_Makers = Mapping[str, onnx.NodeProto]  # by the names of the tensors that they compute


def find_logits(graph: onnx.GraphProto, head: onnx.NodeProto) -> str:
    """Return the name of the logits that the last layer of a classifier computes.

    Args:
        graph: The graph of the classifier.
        head: Its softmax or sigmoid.
    """
    makers = {output: node for node in graph.node for output in node.output}
    return _before_detector(makers, _before_calibration(makers, head.input[0]))


def _before_calibration(makers: _Makers, tensor: str) -> str:
    pending, seen = [tensor], set()
    while pending:
        node = makers.get(pending.pop())
        if node is None or node.name in seen or not node.name.startswith(_CALIBRATION):
            continue
        if node.name == _FIRST_STEP:
            return str(node.input[0])
        seen.add(node.name)
        pending += node.input
    return tensor


def _before_detector(makers: _Makers, tensor: str) -> str:
    kept, scaled = makers.get(tensor), tensor
    if kept is not None and (kept.name, kept.op_type) == _KEPT:
        scaled = kept.input[2]
    scaling = makers.get(scaled)
    if scaling is None or (scaling.name, scaling.op_type) != _SCALING:
        return tensor
    factor = makers.get(scaling.input[1])
    if factor is None or (factor.name, factor.op_type) != _FACTOR:
        return tensor
    return str(scaling.input[0])
