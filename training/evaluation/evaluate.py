"""Evaluates an exported model, compares the result with its card, and records it there."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from service.inference.card import Card, read_card
from service.inference.catalog import Catalog
from training.errors import ExportError
from training.evaluation.comparison import Comparison, compare, measured_sections
from training.evaluation.garment_photos import GarmentPhotoRow
from training.evaluation.latency import measure_latency
from training.evaluation.long_photos import LongPhotoRow
from training.evaluation.measurements import LATENCY, MEASUREMENTS, Subject, check_measurements
from training.evaluation.numbers import NumberFigures
from training.export.confidence import measure_confidence
from training.export.inference import load_splits
from training.export.model_folder import rewrite


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Result of an evaluation."""

    card: Card
    measured: Card  # the same card with the measured figures
    rows: tuple[Comparison, ...]  # one for each figure
    # Whether the data in the cache has the checksum in the card. A set that was converted again may differ by
    # a few grey levels.
    same_data: bool
    confusion: npt.NDArray[np.int64] | None = None  # of pen digits, if they were measured
    pages: Mapping[str, float] | None = None  # accuracy on each kind of page, if it was measured
    numbers: NumberFigures | None = None  # if they were measured
    long_photos: tuple[LongPhotoRow, ...] = ()  # if they were measured
    garment_photos: tuple[GarmentPhotoRow, ...] = ()  # if they were measured

    @property
    def same(self) -> bool:
        """Whether every figure agrees with the card."""
        return all(row.same for row in self.rows)


def evaluate(
    name: str,
    *,
    version: int | None,
    models: Path,
    data: Path | None = None,
    pictures: Path | None = None,
    measurements: Collection[str] = (),
    announce: Callable[[str], None] = lambda line: None,
) -> Evaluation:
    """Run a model's ONNX file over its whole test set, and make further measurements.

    Args:
        name: Name of the model.
        version: Version of the model; None for the default one.
        models: Folder of all models.
        data: Folder of the user's pictures, if the model was trained on it.
        pictures: Folder of pictures that show none of the classes, a subfolder for each kind.
        measurements: Further measurements to make, from :func:`supported_measurements`.
        announce: Called with a line of text for each row of the long tables.

    Raises:
        ModelError: There is no such model, or its files are damaged.
        DatasetError: The data cannot be loaded.
        RecipeError: A measurement does not suit this kind of model.
    """
    catalog = Catalog(models, providers=("cpu",), threads=2)
    card = catalog.card(name, version)
    folder, predictor = catalog.folder(card), catalog.predictor(card.name, card.version)
    check_measurements(card, measurements)
    splits = load_splits(card, folder, data=data)
    measured = measure_confidence(card, folder, splits)
    subject = Subject(
        catalog=catalog,
        card=card,
        predictor=predictor,
        splits=splits,
        announce=announce,
        pictures=pictures,
    )
    results: dict[str, Any] = {
        name: measurement.measure(subject)
        for name, measurement in MEASUREMENTS.items()
        if name in measurements
    }
    if "pen_digits" in results:
        results["pen_digits"], results["confusion"] = results["pen_digits"]
    sections = {name: results.pop(name) for name in Card.__struct_fields__ if name in results}
    measured = replace(measured, **sections)
    if LATENCY in measurements:
        measured = measure_latency(measured, models=models, dataset=splits.dataset)
    rows = compare(card, measured)
    if len(splits.validation) != card.training.splits.get("validation"):  # of a run on a part of the examples
        rows = tuple(row for row in rows if not row.name.endswith(", validation"))
    return Evaluation(
        card=card,
        measured=measured,
        rows=rows,
        same_data=splits.dataset.sha256 == card.training.dataset_sha256,
        **results,
    )


def record(evaluation: Evaluation, *, models: Path) -> None:
    """Write the measured figures into a model's card, and into the copy of it in the network's file.

    Args:
        evaluation: The result to record.
        models: Folder of all models.

    Raises:
        ExportError: The figures are not those of the model any more; nothing was written.
    """
    card = evaluation.card
    folder = models / card.name / str(card.version)
    # Another command may have changed the card during the evaluation.
    current = read_card(folder / "card.json")
    form = current.quantized
    other_form = card.quantized and (form is None or form.sha256 != card.quantized.sha256)
    if other_form or _confidence(current) != _confidence(card):
        raise ExportError(
            f"{card.name} {card.version}: was calibrated again, or got another 8-bit form, during the "
            "evaluation; nothing was written; evaluate it again"
        )
    rewrite(folder, replace(current, **measured_sections(card, evaluation.measured)))


def _confidence(card: Card) -> tuple[object, ...]:
    """Return what the confidence of a model's predictions depends on."""
    fitted = card.calibration
    return card.unsure_below, fitted and (fitted.method, fitted.temperature, fitted.offsets)
