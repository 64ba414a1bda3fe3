"""Quantises the graph of a network statically to 8 bits (Jacob et al. 2018, arXiv:1712.05877).

Weights have one scale for each output channel, activations one for each tensor. In the file, operations stand
between DequantizeLinear and QuantizeLinear nodes; ONNX Runtime replaces them with 8-bit operations. Products
of unsigned activations and signed weights are summed exactly on processors with VNNI. Those with AVX2 only
may saturate and give slightly different predictions.
"""

import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

_BATCH_SIZE = 16
_PERCENTILE = 99.99
# Nothing after these operations is quantised: dense layers, and the means and norms that a detector reads.
_FLOAT_OPERATIONS = {"MatMul", "Gemm", "ReduceMean", "ReduceL2"}
# Operations that ONNX Runtime computes in 8 bits between two convolutions. It computes other activations in
# floats and rounds only their result.
_QUANTIZED_OPERATIONS = {"Conv", "Relu", "Clip", "MaxPool", "Add", "Mul", "Sigmoid", "Concat"}
_ARITHMETIC_OPERATIONS = {"Add", "Mul"}


@dataclass(frozen=True)
class RangeMethod:
    """A method that determines the ranges of activations, and the number of training pictures for it."""

    title: str
    method: CalibrationMethod
    pictures: int

    def __str__(self) -> str:
        return f"{self.title}, on {self.pictures} training pictures"


RANGE_METHODS = (
    RangeMethod("smallest and largest value", CalibrationMethod.MinMax, 512),
    # Histograms are slow, and need fewer pictures: each one gives a tensor thousands of values.
    RangeMethod(f"percentile {_PERCENTILE}", CalibrationMethod.Percentile, 128),
)


def choose_nodes(graph: onnx.GraphProto) -> tuple[str, ...]:
    """Return the nodes to quantise: convolutions, and the operations between them and the dense layers.

    Pixel scaling, dense layers, softmax and a detector are cheap and sensitive to rounding, so they stay in
    floats. So do factors and terms that differ by channel, such as those of batch normalisation: they would
    need a scale for each channel.
    """
    constants = {tensor.name for tensor in graph.initializer}
    after_convolution: set[str] = set()
    in_floats: set[str] = set()
    names = []
    for node in graph.node:
        inputs = set(node.input)
        if node.op_type in _FLOAT_OPERATIONS or inputs & in_floats:
            in_floats.update(node.output)
        elif node.op_type == "Conv" or inputs & after_convolution:
            after_convolution.update(node.output)
            by_channel = node.op_type in _ARITHMETIC_OPERATIONS and inputs & constants
            if node.op_type in _QUANTIZED_OPERATIONS and not by_channel:
                names.append(node.name)
    return tuple(names)


def first_convolutions(graph: onnx.GraphProto) -> tuple[str, ...]:
    """Return the convolutions that no other one precedes: the first one, or that of each ensemble member."""
    after_convolution: set[str] = set()
    first = []
    for node in graph.node:
        follows = bool(after_convolution & set(node.input))
        if node.op_type == "Conv" and not follows:
            first.append(node.name)
        if node.op_type == "Conv" or follows:
            after_convolution.update(node.output)
    return tuple(first)


def fold_normalisation(source: Path, target: Path) -> onnx.GraphProto:
    """Fold batch normalisation into the convolutions, so that its factors are not rounded separately.

    Args:
        source: File of a network.
        target: File to write.

    Returns:
        The graph that was written.
    """
    with _quiet():
        quant_pre_process(str(source), str(target), skip_symbolic_shape=True)
    graph: onnx.GraphProto = onnx.load(target).graph
    return graph


def quantize_network(
    source: Path,
    target: Path,
    *,
    method: RangeMethod,
    pictures: npt.NDArray[np.uint8],
    nodes: Sequence[str],
    title: str,
) -> None:
    """Write the 8-bit form of a network.

    Args:
        source: File of the network.
        target: File to write. The ranges that a method found are kept in its folder.
        method: Determines the ranges of activations.
        pictures: Training pictures as the network takes them; as many as the method needs.
        nodes: Names of the nodes to quantise.
        title: Title of the model.
    """
    reader = _Reader(onnx.load(source).graph.input[0].name, pictures[: method.pictures])
    with _quiet():
        quantize_static(
            str(source),
            str(target),
            reader,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=sorted(_QUANTIZED_OPERATIONS),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=list(nodes),
            calibrate_method=method.method,
            # The ranges are the same for all trials of a method.
            calibration_cache_path=target.with_name(f"{method.method.name}.json"),
            # The calibrator keeps the activations of only one batch in memory.
            extra_options={"CalibStridedMinMax": 1, "CalibPercentile": _PERCENTILE},
        )
    proto = onnx.load(target)
    domains = {node.domain for node in proto.graph.node}
    used = [entry for entry in proto.opset_import if entry.domain in domains]
    del proto.opset_import[:]
    proto.opset_import.extend(used)
    del proto.metadata_props[:]
    proto.producer_name, proto.producer_version = "lectern", ""
    proto.doc_string = f"{title}; 8-bit form"
    target.write_bytes(proto.SerializeToString())


class _Reader(CalibrationDataReader):
    """Provides pictures in batches to the calibrator."""

    def __init__(self, name: str, pictures: npt.NDArray[np.uint8]) -> None:
        starts = range(0, len(pictures), _BATCH_SIZE)
        self._batches = [{name: pictures[start : start + _BATCH_SIZE]} for start in starts]
        self._selected = iter(self._batches)

    def __len__(self) -> int:
        return len(self._batches)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._selected = iter(self._batches[start_index:end_index])

    def get_next(self) -> dict[str, npt.NDArray[np.uint8]] | None:
        return next(self._selected, None)


@contextmanager
def _quiet() -> Iterator[None]:
    """Discard the progress messages of ONNX Runtime's tools."""
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)
