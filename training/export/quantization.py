"""Owns the 8-bit form of a picture network: static quantisation, chosen on the validation split.

Weights get a scale for each output channel, activations one for each tensor, found on training pictures
(Jacob et al. 2018, arXiv:1712.05877). In the file, operations stand between DequantizeLinear and
QuantizeLinear; ONNX Runtime makes 8-bit operations of them when it loads it. Unsigned activations times
signed weights are summed exactly by processors with VNNI; those with AVX2 alone saturate sums of two
products, and may answer a little differently.
"""

import io
import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

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
from onnxruntime.quantization.calibrate import create_calibrator, save_tensors_data
from onnxruntime.quantization.shape_inference import quant_pre_process

from service.inference.card import Card, Metrics, QuantizedFile
from service.inference.catalog import Catalog
from service.inference.files import sha256_of
from service.inference.precision import INT8_FILE, path_of
from service.inference.session import open_session
from training.datasets.dataset import Examples
from training.datasets.inputs import as_served
from training.errors import ExportError
from training.evaluation.evaluate import Splits, load_splits
from training.evaluation.latency import median_milliseconds
from training.evaluation.metrics import measure_probabilities
from training.export.inference import run_session
from training.export.model_folder import rewrite

# How much lower the accuracy on the test split may be.
LARGEST_LOSS = 0.003
_SEED = 0
# The calibrator keeps every activation of so many pictures in memory.
_CHUNK = 16
_SUMS = {"MatMul", "Gemm"}
# What ONNX Runtime computes in 8 bits between two convolutions. An activation that is not among them is
# computed in floats, and only its result is rounded.
_INNER = {"Conv", "Relu", "Clip", "MaxPool", "Add", "Mul", "Sigmoid", "Concat"}
_ARITHMETIC = {"Add", "Mul"}


@dataclass(frozen=True)
class Calibration:
    """A way of finding the ranges of activations, and on how many training pictures."""

    title: str
    method: CalibrationMethod
    pictures: int
    options: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return f"{self.title}, on {self.pictures} training pictures"


CALIBRATIONS = (
    Calibration("smallest and largest value", CalibrationMethod.MinMax, 512),
    # Histograms take ten times as long, and each picture already gives a tensor thousands of values.
    Calibration(
        "percentile 99.99", CalibrationMethod.Percentile, 128, (("percentile", 99.99), ("num_bins", 2048))
    ),
)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One way of quantising a network, and how it did on the validation split.

    Attributes:
        calibration: How the ranges were found.
        float_nodes: Convolutions that were left in floats.
        metrics: On the validation split.
        path: The network.
    """

    calibration: Calibration
    float_nodes: tuple[str, ...]
    metrics: Metrics
    path: Path


def quantize_model(
    name: str,
    *,
    version: int | None,
    models: Path,
    data: Path | None = None,
    announce: Callable[[Trial], None] = lambda trial: None,
) -> Card:
    """Put ``model.int8.onnx`` beside a model's network, and what is to be known of it into the card.

    Args:
        name: Of the model.
        version: Of the model; the highest if None.
        models: Folder of all models.
        data: Folder of one's own pictures, if the model was trained on such.
        announce: Is told of every trial.

    Returns:
        The card as it was written.

    Raises:
        ModelError: There is no such model, or its files are damaged.
        DatasetError: The data cannot be had.
        ExportError: See :func:`quantize`; nothing was written.
    """
    catalog = Catalog(models)
    card = catalog.card(name, version)
    folder = catalog.folder(card)
    catalog.predictor(card.name, card.version)  # Refuses a file that is not the card's.
    if card.task != "image-classification":
        raise ExportError(f"{name} reads texts; only networks with convolutions gain from 8 bits")
    with tempfile.TemporaryDirectory() as work:
        best, quantized = quantize(
            card,
            network=path_of(folder, "float32"),
            splits=load_splits(card, folder, data=data),
            work=Path(work),
            announce=announce,
        )
        return rewrite(folder, replace(card, quantized=quantized), pictures={INT8_FILE: best.read_bytes()})


def quantize(
    card: Card, *, network: Path, splits: Splits, work: Path, announce: Callable[[Trial], None]
) -> tuple[Path, QuantizedFile]:
    """Try every calibration, with the first convolution in 8 bits and in floats, and keep the best.

    The lowest log-loss on the validation split is best; the test split says whether that is good enough.

    Args:
        card: The network's.
        network: Its file.
        splits: Its pictures.
        work: Empty folder for the trials.
        announce: Is told of every trial.

    Returns:
        The file, in ``work``, and its part of the card.

    Raises:
        ExportError: The network has no convolution, or loses more than 0.3 points of accuracy on the test
            split.
    """
    trials = _trials(card, network, splits, work=work, announce=announce)
    best = min(trials, key=lambda trial: trial.metrics.log_loss)
    metrics = _measure(best.path, splits.test, card)
    loss = card.metrics.accuracy - metrics.accuracy
    if loss > LARGEST_LOSS:
        raise ExportError(
            f"{card.name} {card.version} loses {100 * loss:.2f} points of accuracy in 8 bits, more than "
            f"{100 * LARGEST_LOSS:.1f}; nothing was written"
        )
    float_ms, int8_ms = _times((network, best.path), card.input.name, splits.test.x[:1])
    return best.path, QuantizedFile(
        sha256=sha256_of(best.path),
        bytes=best.path.stat().st_size,
        calibration=str(best.calibration),
        float_nodes=best.float_nodes,
        metrics=metrics,
        milliseconds=int8_ms,
        ratio=round(int8_ms / float_ms, 3),
    )


def inner_nodes(graph: onnx.GraphProto) -> tuple[str, ...]:
    """Name the nodes to quantise: convolutions, and what lies behind them but before the dense layers.

    Scaling the pixels, dense layers and softmax are small, and count for more in the answer. So do factors
    and terms that differ by channel, such as batch normalisation's: they need a scale of their own each.
    """
    constants = {tensor.name for tensor in graph.initializer}
    reached: set[str] = set()
    dense: set[str] = set()
    names = []
    for node in graph.node:
        sources = set(node.input)
        if node.op_type in _SUMS or sources & dense:
            dense.update(node.output)
        elif node.op_type == "Conv" or sources & reached:
            reached.update(node.output)
            if node.op_type in _INNER and not (node.op_type in _ARITHMETIC and sources & constants):
                names.append(node.name)
    return tuple(names)


def _trials(
    card: Card,
    network: Path,
    splits: Splits,
    *,
    work: Path,
    announce: Callable[[Trial], None],
) -> Iterator[Trial]:
    folded = work / "folded.onnx"
    # The same pictures every time, as a server would hand them on.
    order = np.random.default_rng(_SEED).permutation(len(splits.dataset.train))
    chosen = splits.dataset.train.take(order[: max(calibration.pictures for calibration in CALIBRATIONS)])
    drawn = as_served(chosen, preprocessing=card.input.preprocessing).x
    with _no_advice():
        # Puts batch normalisation into the convolutions, without which its factors would be rounded apart.
        quant_pre_process(str(network), str(folded), skip_symbolic_shape=True)
    graph = onnx.load(folded).graph
    inner = inner_nodes(graph)
    convolutions = [node.name for node in graph.node if node.op_type == "Conv"]
    if not convolutions:
        raise ExportError(
            f"{card.name} {card.version} has no convolution and gains nothing in 8 bits; nothing was written"
        )
    for calibration in CALIBRATIONS:
        ranges = work / "ranges.json"
        _find_ranges(folded, calibration, card.input.name, drawn[: calibration.pictures], ranges)
        for spared in ((), (convolutions[0],)):
            path = work / f"{len(list(work.iterdir()))}.onnx"
            _write(folded, path, calibration, ranges, [name for name in inner if name not in spared], card)
            trial = Trial(
                calibration=calibration,
                float_nodes=spared,
                metrics=_measure(path, splits.validation, card),
                path=path,
            )
            announce(trial)
            yield trial


class _Reader(CalibrationDataReader):
    def __init__(self, name: str, pictures: npt.NDArray[np.uint8]) -> None:
        self._batches = iter([{name: pictures}])

    def get_next(self) -> dict[str, npt.NDArray[np.uint8]] | None:
        return next(self._batches, None)


def _find_ranges(
    network: Path, calibration: Calibration, name: str, pictures: npt.NDArray[np.uint8], target: Path
) -> None:
    """Run the pictures through the network, and write the range of every activation."""
    target.unlink(missing_ok=True)
    with _no_advice():
        calibrator = create_calibrator(
            str(network),
            sorted(_INNER),
            augmented_model_path=str(target.with_name("augmented.onnx")),
            calibrate_method=calibration.method,
            extra_options=dict(calibration.options),
        )
        for start in range(0, len(pictures), _CHUNK):
            calibrator.collect_data(_Reader(name, pictures[start : start + _CHUNK]))
        save_tensors_data(calibrator.compute_data(), target)


def _write(
    source: Path, target: Path, calibration: Calibration, ranges: Path, nodes: Sequence[str], card: Card
) -> None:
    with _no_advice():
        quantize_static(
            str(source),
            str(target),
            None,
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=list(nodes),
            calibrate_method=calibration.method,
            calibration_cache_path=ranges,
        )
    proto = onnx.load(target)
    used = {node.domain for node in proto.graph.node}
    kept = [entry for entry in proto.opset_import if entry.domain in used]
    del proto.opset_import[:]
    proto.opset_import.extend(kept)
    del proto.metadata_props[:]
    proto.producer_name, proto.producer_version = "lectern", ""
    proto.doc_string = f"{card.title}; 8-bit form"
    target.write_bytes(proto.SerializeToString())


def _times(paths: Sequence[Path], name: str, batch: npt.NDArray[np.uint8]) -> tuple[float, ...]:
    """Return the median milliseconds that each network takes for a batch, on one thread."""
    sessions = [open_session(path, providers=("cpu",), threads=1) for path in paths]
    return median_milliseconds([partial(session.run, None, {name: batch}) for session in sessions])


def _measure(path: Path, examples: Examples, card: Card) -> Metrics:
    session = open_session(path, providers=("cpu",), threads=2)
    return measure_probabilities(run_session(session, examples.x), examples.y, labels=card.labels)


@contextmanager
def _no_advice() -> Iterator[None]:
    """Keep what ONNX Runtime's tools print about each step out of the output."""
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)
