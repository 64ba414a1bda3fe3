"""Makes the 8-bit form of an image classifier: the best of several, measured on the validation split."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import onnx
from msgspec.structs import replace

from service.inference.card import Card, Metrics, QuantizedFile, read_card
from service.inference.catalog import Catalog
from service.inference.files import sha256_of
from service.inference.precision import INT8_FILE, onnx_path
from service.inference.session import open_session
from training.datasets.dataset import Examples, as_served
from training.errors import ExportError
from training.export.confidence import calibrate_network, describe_int8, target_accuracy_of
from training.export.graph.int8 import (
    RANGE_METHODS,
    RangeMethod,
    choose_nodes,
    first_convolutions,
    fold_normalisation,
    quantize_network,
)
from training.export.inference import Splits, load_splits, median_milliseconds, run_file
from training.export.model_folder import rewrite
from training.metrics import compute_metrics

MAX_ACCURACY_LOSS = 0.003  # on the test split
_SEED = 0


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
    form, content = make_int8(card, onnx_path(folder, "float32"), splits, announce=announce)
    # Another command may have changed the card meanwhile.
    current = read_card(folder / "card.json")
    return rewrite(folder, replace(current, quantized=form), files={INT8_FILE: content})


def make_int8(
    card: Card, network: Path, splits: Splits, *, announce: Callable[[Trial], None] = lambda trial: None
) -> tuple[QuantizedFile, bytes]:
    """Make the 8-bit form of a network.

    Args:
        card: Describes the network.
        network: Its file.
        splits: Ranges are determined on training pictures; the validation split chooses among the trials.
        announce: Called after each trial.

    Returns:
        Its description, and the content of its file.

    Raises:
        ExportError: The network has no convolution, or loses more than 0.3 points of accuracy on the test
            split.
    """
    with tempfile.TemporaryDirectory() as work:
        trials = _run_trials(card, network, splits, work=Path(work), announce=announce)
        best = min(trials, key=lambda trial: trial.metrics.log_loss)
        proto = onnx.load(best.path)
        confidence = calibrate_network(
            proto, splits, labels=card.labels, target_accuracy=target_accuracy_of(card)
        )
        form = _describe(best, card, confidence.metrics, network=network, test=splits.test)
    return describe_int8(form, proto, confidence)


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


def _run_trials(
    card: Card, network: Path, splits: Splits, *, work: Path, announce: Callable[[Trial], None]
) -> Iterator[Trial]:
    order = np.random.default_rng(_SEED).permutation(len(splits.dataset.train))
    chosen = splits.dataset.train.take(order[: max(method.pictures for method in RANGE_METHODS)])
    pictures = as_served(chosen, preprocessing=card.input.preprocessing).x
    folded = work / "folded.onnx"
    graph = fold_normalisation(network, folded)
    nodes, first = choose_nodes(graph), first_convolutions(graph)
    if not first:
        raise ExportError(
            f"{card.name} {card.version} has no convolution and gains nothing in 8 bits; nothing was written"
        )
    for method in RANGE_METHODS:
        for float_nodes in ((), first):
            path = work / f"{len(list(work.iterdir()))}.onnx"
            quantized = [name for name in nodes if name not in float_nodes]
            quantize_network(
                folded, path, method=method, pictures=pictures, nodes=quantized, title=card.title
            )
            probabilities = run_file(path, splits.validation.x)
            metrics = compute_metrics(probabilities, splits.validation.y, labels=card.labels)
            trial = Trial(method=method, float_nodes=float_nodes, metrics=metrics, path=path)
            announce(trial)
            yield trial
