"""Owns what an answer costs: the time of one input on one thread, beside that of the first version."""

import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from PIL import Image

from service.inference.card import Card, Latency
from service.inference.catalog import Catalog
from service.inference.precision import Precision, clock
from service.inference.predictor import Input, Predictor
from training.datasets.dataset import Dataset
from training.fit.run import describe_machine

# A median over so many seconds for each network, and never over fewer calls than these.
_SECONDS, _FEWEST = 1.0, 30


def measure_cost(card: Card, *, models: Path, dataset: Dataset) -> Card:
    """Time a model's network, in turn with version 1 and with its own 8-bit form.

    Args:
        card: Of a model in the folder of all models; its files are those that the card describes.
        models: Folder of all models.
        dataset: The model's, as it is loaded: pictures, or raw texts.

    Returns:
        The card with ``latency``, and with the times in ``quantized`` where it has that.

    Raises:
        ModelError: A file of one of the networks is missing or damaged.
    """
    catalog = Catalog(models, providers=("cpu",), threads=1)
    value = typical_input(dataset)
    calls = {"own": _call(catalog, card, value)}
    if card.quantized:
        calls["int8"] = _call(catalog, card, value, precision="int8")
    if card.version != 1 and 1 in catalog.versions(card.name):
        calls["first"] = _call(catalog, catalog.card(card.name, 1), value)
    taken = dict(zip(calls, median_milliseconds(list(calls.values())), strict=True))
    ratio = round(taken["own"] / taken.get("first", taken["own"]), 3)
    card = replace(card, latency=Latency(milliseconds=taken["own"], ratio=ratio, machine=describe_machine()))
    if card.quantized:
        form = replace(
            card.quantized, milliseconds=taken["int8"], ratio=round(taken["int8"] / taken["own"], 3)
        )
        card = replace(card, quantized=form)
    return card


def describe_cost(card: Card) -> str:
    """Say what one answer takes, a line for each form of the network."""
    assert card.latency is not None, "measure_cost has been called"
    lines = [
        f"{card.name} {card.version}: {card.latency.milliseconds:.3f} ms an answer on one thread of "
        f"{card.latency.machine}, {card.latency.ratio:.2f} of version 1's time"
    ]
    if card.quantized:
        lines.append(
            f"  int8: {card.quantized.milliseconds:.3f} ms, {card.quantized.ratio:.2f} of float32's time"
        )
    return "\n".join(lines)


def typical_input(dataset: Dataset) -> Input:
    """Return a picture of the validation split as a file, or its text of median length."""
    inputs = dataset.validation.x
    if inputs.dtype != np.uint8:
        by_length = sorted(inputs, key=len)
        return str(by_length[len(by_length) // 2])
    stream = io.BytesIO()
    Image.fromarray(inputs[0]).save(stream, "PNG")
    return stream.getvalue()


def median_milliseconds(
    calls: Sequence[Callable[[], object]], *, seconds: float = _SECONDS
) -> tuple[float, ...]:
    """Time several calls in turn, so that what else the machine does slows all of them alike.

    Args:
        calls: What to time, each on this thread alone; each is called once beforehand.
        seconds: How long to go on, for each of them.

    Returns:
        Median milliseconds of each: of the processor's time, so that waiting for others' turns is left out.
    """
    for call in calls:
        call()
    times: list[list[float]] = [[] for _ in calls]
    end = time.perf_counter() + seconds * len(calls)
    while time.perf_counter() < end or len(times[0]) < _FEWEST:
        for call, taken in zip(calls, times, strict=True):
            begun = clock()
            call()
            taken.append(clock() - begun)
    return tuple(round(float(np.median(taken)) * 1e3, 4) for taken in times)


def _call(
    catalog: Catalog, card: Card, value: Input, *, precision: Precision = "float32"
) -> Callable[[], object]:
    predictor = Predictor.load(catalog.folder(card), card, providers=("cpu",), precision=precision)
    batch = predictor.stack([predictor.prepare(value)])
    return lambda: predictor.probabilities(batch)
