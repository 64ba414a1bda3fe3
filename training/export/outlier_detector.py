"""Fits a detector of pictures that show no class, and inserts it into an ONNX network before its calibration.

The detector is a logistic regression on activations of the network's stages and on its last features. Of each
channel it reads the mean, and in networks of photos also the Euclidean norm. It distinguishes the pictures of
``training.export.detector_examples``. In the graph, its output scales the logits. For a picture without a
class, all probabilities become similar, and the prediction is unsure; the label stays. The use of activations
of several layers follows Lee et al. 2018 (arXiv:1807.03888).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper
from sklearn.linear_model import LogisticRegression

from service.inference.arrays import split_rows
from service.inference.session import open_session
from training.datasets.dataset import Examples
from training.errors import ExportError
from training.export.detector_examples import DetectorExamples

Pixels = npt.NDArray[np.uint8]
_Array = npt.NDArray[np.float64]

PREFIX = "detector/"
# The nodes of a detector and what they do, from the activations to the scaled logits.
_STEPS = {
    f"{PREFIX}activations": "Concat",
    f"{PREFIX}product": "MatMul",
    f"{PREFIX}score": "Add",
    f"{PREFIX}factor": "Sigmoid",
    f"{PREFIX}logits": "Mul",
}
# The nodes after these. A factor near 0 makes all logits equal in float32, so the highest one is raised.
# Detectors of earlier versions have none of them.
_KEPT = f"{PREFIX}kept"
_LABEL_STEPS = {
    f"{PREFIX}highest": "ReduceMax",
    f"{PREFIX}is_highest": "Equal",
    f"{PREFIX}raised": "Add",
    _KEPT: "Where",
}
_CONSTANTS = (f"{PREFIX}weights", f"{PREFIX}bias", f"{PREFIX}margin")
_MARGIN = 0.01  # added to the highest logit; every temperature leaves enough of it for float32
# What a detector reads of each channel of an activation, and the operation that computes it.
_MEAN, _NORM = ("mean", "ReduceMean"), ("norm", "ReduceL2")
_REGULARIZATION = 0.01  # inverse strength, as scikit-learn counts it
_TYPICAL_FACTOR = 0.999  # of the logits of a typical picture


@dataclass(frozen=True, kw_only=True)
class OutlierDetector:
    """A linear score of activations, and the factor of the logits that follows from it.

    The factor is the sigmoid of weights times activations plus bias. The highest logit stays the highest.
    """

    # Names in the graph of activations (n, channels, height, width) or features (n, channels).
    tensors: tuple[str, ...]
    weights: _Array  # (channels of all tensors, and those of the norms,)
    bias: float
    norms: bool = False  # whether it also reads the norms of the activations


def fit_detector(
    proto: onnx.ModelProto, examples: DetectorExamples, validation: Examples, *, unsure_below: float
) -> OutlierDetector:
    """Fit a detector.

    Args:
        proto: The network, without a detector.
        examples: The pictures to distinguish, as the network takes them.
        validation: The threshold of the score is chosen on them.
        unsure_below: Threshold of the network's predictions.

    Raises:
        ExportError: The network does not end in a dense layer after convolutions.
    """
    tensors = _stages(proto)
    observed, names = _observe(proto, tensors, norms=examples.norms)
    _, known = _activations(observed, names, examples.known)
    _, unknown = _activations(observed, names, examples.outliers)
    mean, deviation = known.mean(axis=0), known.std(axis=0) + 1e-6
    model = LogisticRegression(C=_REGULARIZATION, max_iter=300, class_weight="balanced")
    model.fit(
        (np.concatenate([known, unknown]) - mean) / deviation,
        np.repeat([0, 1], [len(known), len(unknown)]),
    )
    weights = model.coef_[0] / deviation
    probabilities, held_out = _activations(observed, names, validation.x)
    scores = held_out @ weights
    right = (probabilities.max(axis=1) >= unsure_below) & (probabilities.argmax(axis=1) == validation.y)
    limit = float(np.sort(scores[right])[-round(examples.max_loss * len(scores)) - 1])
    steepness = np.log(_TYPICAL_FACTOR / (1 - _TYPICAL_FACTOR)) / (limit - float(np.median(scores)))
    return OutlierDetector(
        tensors=tensors,
        weights=-steepness * weights,
        bias=float(steepness * limit),
        norms=examples.norms,
    )


def insert_detector(proto: onnx.ModelProto, detector: OutlierDetector) -> None:
    """Insert a detector; the network must have none, and no calibration.

    Args:
        proto: The network; changed in place.
        detector: The detector.
    """
    graph = proto.graph
    softmax = _softmax(graph)
    place = list(graph.node).index(softmax)
    names, nodes = _summarize(proto, detector.tensors, norms=detector.norms)
    weights, bias, margin = _CONSTANTS
    values = (detector.weights[:, np.newaxis], np.array([detector.bias]), np.array(_MARGIN))
    for name, value in zip(_CONSTANTS, values, strict=True):
        graph.initializer.append(numpy_helper.from_array(value.astype(np.float32), name))
    logits = softmax.input[0]
    joined, product, score, factor, scaled = _STEPS
    highest, is_highest, raised, kept = _LABEL_STEPS
    nodes += [
        helper.make_node("Concat", names, [joined], name=joined, axis=1),
        helper.make_node("MatMul", [joined, weights], [product], name=product),
        helper.make_node("Add", [product, bias], [score], name=score),
        helper.make_node("Sigmoid", [score], [factor], name=factor),
        helper.make_node("Mul", [logits, factor], [scaled], name=scaled),
        helper.make_node("ReduceMax", [logits], [highest], name=highest, axes=[1], keepdims=1),
        helper.make_node("Equal", [logits, highest], [is_highest], name=is_highest),
        helper.make_node("Add", [scaled, margin], [raised], name=raised),
        helper.make_node("Where", [is_highest, raised, scaled], [kept], name=kept),
    ]
    softmax.input[0] = kept
    for offset, node in enumerate(nodes):
        graph.node.insert(place + offset, node)
    onnx.checker.check_model(proto, full_check=True)


def has_detector(graph: onnx.GraphProto) -> bool:
    """Return whether a network has a detector, whose nodes keep most of their names in 8 bits."""
    return any(node.name.startswith(PREFIX) for node in graph.node)


def remove_detector(proto: onnx.ModelProto) -> None:
    """Remove what :func:`insert_detector` inserted, if anything; the network must have no calibration.

    Raises:
        ExportError: The network has no softmax, and takes no detector.
    """
    graph = proto.graph
    inserted = _find_detector(graph)
    if not inserted:
        return
    softmax, scaling = _softmax(graph), inserted[0]
    softmax.input[0] = scaling.input[0]
    for node in inserted:
        graph.node.remove(node)
    kept = [tensor for tensor in graph.initializer if tensor.name not in _CONSTANTS]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _softmax(graph: onnx.GraphProto) -> onnx.NodeProto:
    softmax: onnx.NodeProto | None = next((node for node in graph.node if node.op_type == "Softmax"), None)
    if softmax is None:
        raise ExportError(
            "the network has no softmax, as one for two classes; only networks for more classes take a "
            "detector; nothing was written"
        )
    return softmax


def _find_detector(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return the nodes of a detector, the one that scales the logits first; an empty list if there is none.

    They are followed from the softmax back, because a layer of the network may be called detector too.
    """
    makers = {output: node for node in graph.node for output in node.output}
    found: list[onnx.NodeProto] = []
    tensor = _softmax(graph).input[0]
    label_nodes: list[onnx.NodeProto] = []
    last = makers.get(tensor)
    if last is not None and (last.name, last.op_type) == (_KEPT, _LABEL_STEPS[_KEPT]):
        label_nodes = [makers[name] for name in _LABEL_STEPS if name in makers]
        tensor = last.input[2]
    for name, kind in reversed(_STEPS.items()):
        node = makers.get(tensor)
        if node is None or (node.name, node.op_type) != (name, kind):
            return []
        found.append(node)
        tensor = node.input[1 if kind == "Mul" else 0]
    names = (
        f"{PREFIX}{name}_{number}" for name, _ in (_MEAN, _NORM) for number in range(len(found[-1].input))
    )
    return [*found, *(makers[name] for name in names if name in makers), *label_nodes]


def _stages(proto: onnx.ModelProto) -> tuple[str, ...]:
    """Return the last activation of each shape before a convolution or pooling, and the last features."""
    shapes = _shapes(proto)
    found: dict[tuple[int, ...], str] = {}
    after_convolution: set[str] = set()
    features = ""
    for node in proto.graph.node:
        source = node.input[0]
        follows = source in after_convolution
        if follows and (node.op_type == "Conv" or node.op_type.endswith("Pool")):
            found[shapes[source][1:]] = source
        if follows and node.op_type in ("MatMul", "Gemm") and not features:
            features = source
        if node.op_type == "Conv" or after_convolution & set(node.input):
            after_convolution.update(node.output)
    if not features:
        raise ExportError(
            "the network does not end in a dense layer after convolutions; a detector needs its features"
        )
    return (*found.values(), features)


def _shapes(proto: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    inferred = onnx.shape_inference.infer_shapes(proto).graph.value_info
    return {
        value.name: tuple(dimension.dim_value for dimension in value.type.tensor_type.shape.dim)
        for value in inferred
    }


def _ranks(proto: onnx.ModelProto) -> dict[str, int]:
    return {name: len(shape) for name, shape in _shapes(proto).items()}


def _summarize(
    proto: onnx.ModelProto, tensors: tuple[str, ...], *, norms: bool
) -> tuple[list[str], list[onnx.NodeProto]]:
    """Return the names of what a detector reads, (n, channels) each, and the nodes that compute it.

    Features are read as they are.
    """
    ranks = _ranks(proto)
    names, nodes = [], []
    for summary, operation in (_MEAN, _NORM) if norms else (_MEAN,):
        for number, tensor in enumerate(tensors):
            if ranks[tensor] == 2:
                names += [tensor] if summary == "mean" else []
                continue
            name = f"{PREFIX}{summary}_{number}"
            names.append(name)
            nodes.append(helper.make_node(operation, [tensor], [name], name=name, axes=[2, 3], keepdims=0))
    return names, nodes


def _observe(
    proto: onnx.ModelProto, tensors: tuple[str, ...], *, norms: bool
) -> tuple[bytes, tuple[str, ...]]:
    """Return a network that also outputs what a detector reads, and the names of these outputs."""
    names, nodes = _summarize(proto, tensors, norms=norms)
    observed = onnx.ModelProto()
    observed.CopyFrom(proto)
    observed.graph.node.extend(nodes)
    observed.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    return observed.SerializeToString(), (observed.graph.output[0].name, *names)


def _activations(
    content: bytes, names: tuple[str, ...], pictures: Pixels
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the probabilities (n, classes), and what a detector reads (n, channels), float32."""
    probabilities, *parts = (
        np.concatenate(part) for part in zip(*_run(content, names, pictures), strict=True)
    )
    return probabilities, np.concatenate(parts, axis=1)


def _run(content: bytes, names: tuple[str, ...], pictures: Pixels) -> Iterator[list[npt.NDArray[np.float32]]]:
    session = open_session(Path("detector.onnx"), providers=("cpu",), threads=2, content=content)
    source = session.get_inputs()[0].name
    for rows in split_rows(pictures):
        yield session.run(names, {source: rows})
