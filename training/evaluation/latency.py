"""Measures the latency of a model for one input on one thread, and that of version 1 and the 8-bit form."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from PIL import Image

from service.inference.card import Card, Latency
from service.inference.catalog import Catalog
from service.inference.precision import Precision
from service.inference.predictor import Input, Predictor
from training.datasets.dataset import Dataset
from training.evaluation.batch_prediction import encode_png
from training.export.inference import median_milliseconds
from training.fit.run import describe_machine


def measure_latency(card: Card, *, models: Path, dataset: Dataset) -> Card:
    """Time a model's network, alternately with version 1 and with its own 8-bit form.

    Args:
        card: Card of a model in ``models``.
        models: Folder of all models.
        dataset: The model's data set: pictures, raw texts, or rows of a table.

    Returns:
        The card with ``latency``, and with the times in ``quantized`` if it has that.

    Raises:
        ModelError: A file of one of the networks is missing or damaged.
    """
    catalog = Catalog(models, providers=("cpu",), threads=1)
    value = typical_input(dataset)
    calls = {"float32": _call(catalog, card, value)}
    if card.quantized:
        calls["int8"] = _call(catalog, card, value, precision="int8")
    if card.version != 1 and 1 in catalog.versions(card.name):
        calls["baseline"] = _call(catalog, catalog.card(card.name, 1), value)
    times = dict(zip(calls, median_milliseconds(list(calls.values())), strict=True))
    own = times["float32"]
    ratio = round(own / times.get("baseline", own), 3)
    card = replace(card, latency=Latency(milliseconds=own, ratio=ratio, machine=describe_machine()))
    if card.quantized:
        int8 = times["int8"]
        card = replace(card, quantized=replace(card.quantized, milliseconds=int8, ratio=round(int8 / own, 3)))
    return card


def describe_latency(card: Card) -> str:
    """Return a line with the latency of each form of the network."""
    assert card.latency is not None, "measure_latency has been called"
    lines = [
        f"{card.name} {card.version}: {card.latency.milliseconds:.3f} ms for one input on one thread of "
        f"{card.latency.machine}, {card.latency.ratio:.2f} of version 1's time"
    ]
    if card.quantized:
        lines.append(
            f"  int8: {card.quantized.milliseconds:.3f} ms, {card.quantized.ratio:.2f} of float32's time"
        )
    return "\n".join(lines)


def typical_input(dataset: Dataset) -> Input:
    """Return a picture of the validation split as a PNG file, a row, or the text of median length."""
    inputs = dataset.validation.x
    if dataset.columns:
        return {column.name: float(value) for column, value in zip(dataset.columns, inputs[0], strict=True)}
    if inputs.dtype == np.uint8:
        return encode_png(Image.fromarray(inputs[0]))
    return str(sorted(inputs, key=len)[len(inputs) // 2])


def _call(
    catalog: Catalog, card: Card, value: Input, *, precision: Precision = "float32"
) -> Callable[[], object]:
    predictor = Predictor.load(catalog.folder(card), card, providers=("cpu",), precision=precision)
    batch = predictor.stack([predictor.prepare(value)])
    return lambda: predictor.probabilities(batch)
