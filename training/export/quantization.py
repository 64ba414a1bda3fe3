"""Makes the 8-bit form of an image classifier by static quantisation (Jacob et al. 2018, arXiv:1712.05877).

Weights have one scale for each output channel, activations one for each tensor, calibrated on training
pictures. In the file, operations stand between DequantizeLinear and QuantizeLinear nodes; ONNX Runtime
replaces them with 8-bit operations. Products of unsigned activations and signed weights are summed exactly on
processors with VNNI. Those with AVX2 only may saturate and give slightly different predictions.
"""

import io
import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from msgspec.structs import replace
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from service.inference.card import Card, Metrics, QuantizedFile
from service.inference.catalog import Catalog
from service.inference.files import sha256_of
from service.inference.precision import INT8_FILE, onnx_path
from service.inference.session import open_session
from training.datasets.dataset import Examples, as_served
from training.errors import ExportError
from training.export.confidence import calibrate_network, describe_int8
from training.export.inference import Splits, load_splits, median_milliseconds, run_file
from training.export.model_folder import rewrite
from training.metrics import compute_metrics
from training.recipes import load_recipe

MAX_ACCURACY_LOSS = 0.003  # on the test split
_SEED = 0
_BATCH_SIZE = 16
_PERCENTILE = 99.99
_DENSE_OPERATIONS = {"MatMul", "Gemm"}
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


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A quantised network and its result."""

    method: RangeMethod  # determined the ranges
    float_nodes: tuple[str, ...]  # convolutions that stay in 32 bits
    metrics: Metrics  # of the validation split
    path: Path  # file of the network


def quantize_model(
    name: str,
    *,
    version: int | None,
    models: Path,
    data: Path | None = None,
    announce: Callable[[Trial], None] = lambda trial: None,
) -> Card:
    """Add ``model.int8.onnx`` to a model and describe it in the card.

    Args:
        name: Name of the model.
        version: Version of the model; None for the default one.
        models: Folder of all models.
        data: Folder of the user's pictures, if the model was trained on it.
        announce: Called after each trial.

    Returns:
        The card as it was written.

    Raises:
        ModelError: There is no such model, or its files are damaged.
        DatasetError: The data cannot be loaded.
        ExportError: The model does not classify pictures, has no convolution, or loses more than 0.3 points
            of accuracy on the test split; nothing was written.
    """
    catalog = Catalog(models)
    card = catalog.card(name, version)
    folder = catalog.folder(card)
    catalog.predictor(card.name, card.version)  # checks the file against the card
    if card.task != "image-classification":
        kind = f"reads {card.reads}" if card.reads != "pictures" else f"is a model for {card.task}"
        raise ExportError(f"{name} {kind}; only classifiers with convolutions can be quantised")
    splits = load_splits(card, folder, data=data)
    with tempfile.TemporaryDirectory() as work:
        trials = _run_trials(card, onnx_path(folder, "float32"), splits, work=Path(work), announce=announce)
        best = min(trials, key=lambda trial: trial.metrics.log_loss)
        proto = onnx.load(best.path)
        target_accuracy = load_recipe(card.recipe.name).sure_accuracy
        confidence = calibrate_network(proto, splits, labels=card.labels, target_accuracy=target_accuracy)
        form = _describe(
            best, card, confidence.metrics, network=onnx_path(folder, "float32"), test=splits.test
        )
        form, content = describe_int8(form, proto, confidence)
        return rewrite(folder, replace(card, quantized=form), files={INT8_FILE: content})


def _describe(best: Trial, card: Card, metrics: Metrics, *, network: Path, test: Examples) -> QuantizedFile:
    """Time a trial, and refuse it if it loses too much accuracy on the test split."""
    assert card.metrics is not None, "a classifier has metrics"
    loss = card.metrics.accuracy - metrics.accuracy
    if loss > MAX_ACCURACY_LOSS:
        raise ExportError(
            f"{card.name} {card.version} loses {100 * loss:.2f} points of accuracy in 8 bits, more than "
            f"{100 * MAX_ACCURACY_LOSS:.1f}; nothing was written"
        )
    sessions = [open_session(path, providers=("cpu",), threads=1) for path in (network, best.path)]
    inputs = {card.input.name: test.x[:1]}
    float_ms, int8_ms = median_milliseconds([partial(session.run, None, inputs) for session in sessions])
    return QuantizedFile(
        sha256=sha256_of(best.path),
        bytes=best.path.stat().st_size,
        calibration=str(best.method),
        float_nodes=best.float_nodes,
        metrics=metrics,
        milliseconds=int8_ms,
        ratio=round(int8_ms / float_ms, 3),
    )


def choose_nodes(graph: onnx.GraphProto) -> tuple[str, ...]:
    """Return the nodes to quantise: convolutions, and the operations between them and the dense layers.

    Pixel scaling, dense layers and softmax are cheap and sensitive to rounding, so they stay in floats. So do
    factors and terms that differ by channel, such as those of batch normalisation: they would need a scale
    for each channel.
    """
    constants = {tensor.name for tensor in graph.initializer}
    after_convolution: set[str] = set()
    after_dense: set[str] = set()
    names = []
    for node in graph.node:
        inputs = set(node.input)
        if node.op_type in _DENSE_OPERATIONS or inputs & after_dense:
            after_dense.update(node.output)
        elif node.op_type == "Conv" or inputs & after_convolution:
            after_convolution.update(node.output)
            by_channel = node.op_type in _ARITHMETIC_OPERATIONS and inputs & constants
            if node.op_type in _QUANTIZED_OPERATIONS and not by_channel:
                names.append(node.name)
    return tuple(names)


def _run_trials(
    card: Card, network: Path, splits: Splits, *, work: Path, announce: Callable[[Trial], None]
) -> Iterator[Trial]:
    order = np.random.default_rng(_SEED).permutation(len(splits.dataset.train))
    chosen = splits.dataset.train.take(order[: max(method.pictures for method in RANGE_METHODS)])
    pictures = as_served(chosen, preprocessing=card.input.preprocessing).x
    folded = work / "folded.onnx"
    with _quiet():
        # Folds batch normalisation into the convolutions, so its factors are not rounded separately.
        quant_pre_process(str(network), str(folded), skip_symbolic_shape=True)
    graph = onnx.load(folded).graph
    nodes = choose_nodes(graph)
    convolutions = [node.name for node in graph.node if node.op_type == "Conv"]
    if not convolutions:
        raise ExportError(
            f"{card.name} {card.version} has no convolution and gains nothing in 8 bits; nothing was written"
        )
    for method in RANGE_METHODS:
        reader = _Reader(card.input.name, pictures[: method.pictures])
        for float_nodes in ((), _first_convolutions(graph)):
            path = work / f"{len(list(work.iterdir()))}.onnx"
            quantized_nodes = [name for name in nodes if name not in float_nodes]
            _write_network(folded, path, method, reader, quantized_nodes, title=card.title)
            metrics = _measure(path, splits.validation, card)
            trial = Trial(method=method, float_nodes=float_nodes, metrics=metrics, path=path)
            announce(trial)
            yield trial


def _first_convolutions(graph: onnx.GraphProto) -> tuple[str, ...]:
    """Return the convolutions that no other one precedes: the first one, or that of each ensemble member."""
    after_convolution: set[str] = set()
    first = []
    for node in graph.node:
        is_first = node.op_type == "Conv" and not after_convolution & set(node.input)
        if is_first:
            first.append(node.name)
        if is_first or after_convolution & set(node.input):
            after_convolution.update(node.output)
    return tuple(first)


class _Reader(CalibrationDataReader):
    """Gives the calibrator pictures in batches."""

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


def _write_network(
    source: Path, target: Path, method: RangeMethod, reader: _Reader, nodes: Sequence[str], *, title: str
) -> None:
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


def _measure(path: Path, examples: Examples, card: Card) -> Metrics:
    return compute_metrics(run_file(path, examples.x), examples.y, labels=card.labels)


@contextmanager
def _quiet() -> Iterator[None]:
    """Discard the progress messages of ONNX Runtime's tools."""
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)
