"""Owns the way from a finished run to ``models/<name>/<version>/``, and the checks on that way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from msgspec.structs import replace

from service.inference.card import (
    Card,
    ExplanationFile,
    InputSpec,
    Layer,
    MemberRun,
    Metrics,
    OnnxFile,
    Provenance,
    RecipeInfo,
    TrainingRun,
    write_card,
)
from service.inference.explain import FILE_NAME as EXPLANATION
from service.inference.files import sha256_of
from service.inference.preprocessing import Vocabulary
from service.inference.session import open_session
from training.datasets import Dataset, Examples
from training.datasets.inputs import as_served
from training.errors import ExportError
from training.evaluation.metrics import measure_probabilities, sure_threshold
from training.evaluation.selective import measure_doubt
from training.export.explanation import explain
from training.export.head import scale_heat
from training.export.inference import run_network, run_session
from training.export.model_folder import NETWORK, describe_file, new_folder, put_card
from training.export.onnx_graph import OPSET, store_in_halves, to_onnx
from training.export.recalibration import calibrate_network
from training.export.rounding import round_convolutions
from training.fit.history import Epoch
from training.fit.run import RunRecord
from training.networks.ensemble import average_logits, with_flip_tta
from training.recipes.recipe import Recipe
from training.reporting.plots import confusion_picture, draw_curves

LARGEST_DIFFERENCE = 1e-4
# Probabilities closer than this are a tie: float32 arithmetic in another order may turn it.
_TIE = 1e-5
_BATCH = 250

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished run with everything that its card tells of.

    Attributes:
        recipe: Where the network comes from.
        record: How it was trained.
        model: The network; its confidence is calibrated in the exported graph.
        history: A row per epoch.
        dataset: Its data, as the network takes it.
        vocabulary: Of text networks.
        others: Networks of further runs of the recipe, whose logits are averaged with the first one's.
        members: The runs of an ensemble, or those whose weights are averaged; empty for a single run.
        remarks: Further facts for the card, beside its own fields.
    """

    recipe: Recipe
    record: RunRecord
    model: keras.Model
    history: tuple[Epoch, ...]
    dataset: Dataset
    vocabulary: Vocabulary | None = None
    others: tuple[keras.Model, ...] = ()
    members: tuple[MemberRun, ...] = ()
    remarks: Mapping[str, Any] = field(default_factory=dict)


def export(trained: Trained, *, models: Path, name: str, version: int) -> Card:
    """Convert a network, check it on the whole test set, and put it in the catalogue's folder.

    Args:
        trained: What to export.
        models: Folder of all models.
        name: Of the model.
        version: Of the model; a version that is there already is replaced as a whole.

    Returns:
        The card that was written.

    Raises:
        ExportError: The exported network does not answer as the trained one does; nothing was written.
    """
    with new_folder(models / name / str(version)) as work:
        return _fill(work, trained, name=name, version=version)


def _fill(folder: Path, trained: Trained, *, name: str, version: int) -> Card:
    kind, recipe = trained.recipe.preprocessing, trained.recipe
    validation = as_served(trained.dataset.validation, preprocessing=kind)
    test = as_served(trained.dataset.test, preprocessing=kind)
    if recipe.float16_weights:
        for model in (trained.model, *trained.others):
            round_convolutions(model)
    network = served_network(trained.model, recipe, others=trained.others)
    proto = to_onnx(network)
    if recipe.float16_weights:
        store_in_halves(proto, rounded_only=True)
    difference = check_parity(keras_probabilities(network, test.x), run_network(proto, test.x))
    calibration = calibrate_network(proto, validation)
    held_out, probabilities = run_network(proto, validation.x), run_network(proto, test.x)
    right = held_out.argmax(axis=1) == validation.y
    threshold = sure_threshold(held_out.max(axis=1), right, accuracy=recipe.sure_accuracy)
    fitted, selective = measure_doubt(
        calibration,
        unsure_below=threshold,
        target_accuracy=recipe.sure_accuracy,
        validation=(held_out, validation.y),
        test=(probabilities, test.y),
    )
    card = _card(trained, name=name, version=version, probabilities=probabilities, difference=difference)
    card = replace(card, unsure_below=threshold, calibration=fitted, selective_prediction=selective)
    if card.task == "image-classification":
        path = folder / EXPLANATION
        card = _with_explanation(card, trained, path, temperature=calibration.temperature)
    put_card(proto, card)
    path = folder / NETWORK
    path.write_bytes(proto.SerializeToString())
    _check_unchanged(open_session(path, providers=("cpu",), threads=2), test, probabilities)
    card = replace(card, onnx=describe_file(path, opset=OPSET))
    write_card(card, folder / "card.json")
    if trained.vocabulary:
        trained.vocabulary.write(folder / "vocabulary.txt")
    (folder / "curves.png").write_bytes(draw_curves(trained.history, title=f"{card.title}: training"))
    (folder / "confusion.png").write_bytes(confusion_picture(card, probabilities, test.y))
    return card


def served_network(model: keras.Model, recipe: Recipe, *, others: Sequence[keras.Model] = ()) -> keras.Model:
    """Return what is exported: a trained network or a committee of several, if need be with a mirror.

    One network looks at each picture twice then, of several every second one at the mirror image.
    """
    if others:
        return average_logits([model, *others], flip_tta=recipe.flip_tta)
    return with_flip_tta(model) if recipe.flip_tta else model


def measure_network(model: keras.Model, dataset: Dataset, *, recipe: Recipe) -> Metrics:
    """Convert a network and measure it on the test split, without keeping it.

    Args:
        model: The network.
        dataset: As the network takes it.
        recipe: Of the network.
    """
    test = as_served(dataset.test, preprocessing=recipe.preprocessing)
    probabilities = run_network(to_onnx(served_network(model, recipe)), test.x)
    return measure_probabilities(probabilities, test.y, labels=dataset.labels)


def keras_probabilities(model: keras.Model, x: npt.NDArray[Any]) -> Probabilities:
    """Run a Keras network over prepared inputs; one sigmoid unit is spread out to both classes.

    Returns:
        float32 (n, classes).
    """
    result = np.asarray(model.predict(x, batch_size=_BATCH, verbose=0), dtype=np.float32)
    return np.concatenate([1 - result, result], axis=1) if result.shape[1] == 1 else result


def check_parity(ours: Probabilities, exported: Probabilities) -> float:
    """Compare Keras's probabilities with ONNX Runtime's.

    Args:
        ours: (n, classes), Keras.
        exported: (n, classes), ONNX Runtime.

    Returns:
        The largest difference.

    Raises:
        ExportError: It is above 1e-4, or a label changed that was not a tie.
    """
    difference = float(np.abs(ours - exported).max())
    if not difference <= LARGEST_DIFFERENCE:
        raise ExportError(
            f"Keras and ONNX Runtime differ by {difference:.2g}, more than {LARGEST_DIFFERENCE:g}; "
            "nothing was written"
        )
    rows = np.arange(len(ours))
    gap = ours.max(axis=1) - ours[rows, exported.argmax(axis=1)]
    changed = int((gap > _TIE).sum())
    if changed:
        raise ExportError(f"{changed} of {len(ours)} labels changed in the export; nothing was written")
    return difference


def describe_layers(model: keras.Model) -> tuple[Layer, ...]:
    """Make the card's layer table; networks within the network are listed layer by layer."""
    rows: list[Layer] = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        if isinstance(layer, keras.Model):
            rows.extend(describe_layers(layer))
            continue
        shape = tuple(-1 if size is None else size for size in layer.output.shape)
        rows.append(
            Layer(
                name=layer.name,
                type=type(layer).__name__,
                output_shape=shape,
                parameters=layer.count_params(),
            )
        )
    return tuple(rows)


def _card(
    trained: Trained,
    *,
    name: str,
    version: int,
    probabilities: Probabilities,
    difference: float,
) -> Card:
    recipe, record, dataset = trained.recipe, trained.record, trained.dataset
    tensor = trained.model.inputs[0]
    shape = tuple(-1 if size is None else size for size in tensor.shape)
    metrics = measure_probabilities(probabilities, dataset.test.y, labels=dataset.labels)
    return Card(
        name=name,
        version=version,
        title=recipe.title,
        task="text-classification" if recipe.preprocessing == "text" else "image-classification",
        labels=dataset.labels,
        input=InputSpec(
            name=tensor.name,
            dtype=keras.backend.standardize_dtype(tensor.dtype),
            shape=shape,
            color_mode="none" if recipe.preprocessing == "text" else "RGB" if len(shape) == 4 else "L",
            preprocessing=recipe.preprocessing,
            parameters=_parameters(trained, shape),
        ),
        # Placeholders until the file exists; the copy in the file's own metadata leaves them out.
        onnx=OnnxFile(sha256="0" * 64, bytes=0, opset=OPSET),
        recipe=RecipeInfo(name=recipe.name, settings=record.settings),
        ensemble=trained.members if trained.others else (),
        weight_average=() if trained.others else trained.members,
        flip_tta=recipe.flip_tta,
        float16_weights=recipe.float16_weights,
        parameters=sum(model.count_params() for model in (trained.model, *trained.others)),
        layers=_all_layers(trained),
        training=TrainingRun(
            dataset=record.dataset,
            dataset_sha256=dataset.sha256,
            splits=record.splits,
            epochs=record.epochs,
            seed=record.seed,
            seconds=record.seconds,
            machine=record.machine,
            versions=record.versions,
        ),
        metrics=metrics,
        max_keras_difference=difference,
        unsure_below=0.0,
        provenance=Provenance(license=dataset.license, data=dataset.source, weights=recipe.weights),
        extra=trained.remarks,
    )


def _all_layers(trained: Trained) -> tuple[Layer, ...]:
    """Describe the layers of all networks of a committee, those behind the first one with its number."""
    rows = list(describe_layers(trained.model))
    for number, other in enumerate(trained.others, start=2):
        rows += [replace(row, name=f"{number}/{row.name}") for row in describe_layers(other)]
    return tuple(rows)


def _parameters(trained: Trained, shape: tuple[int, ...]) -> dict[str, Any]:
    if trained.vocabulary:
        return {"words": len(trained.vocabulary.words), "padding": 0}
    return {"size": shape[1]}


def _check_unchanged(session: ort.InferenceSession, test: Examples, probabilities: Probabilities) -> None:
    """Make sure that the file as it was finished gives what the card says was measured."""
    if not np.array_equal(run_session(session, test.x[:_BATCH]), probabilities[:_BATCH]):
        raise ExportError("the finished file answers differently from the measured one; nothing was written")


def _with_explanation(card: Card, trained: Trained, path: Path, *, temperature: float) -> Card:
    graph = explain(trained.model, others=trained.others)
    if graph.heat_layer:
        scale_heat(graph.proto, temperature)
    store_in_halves(graph.proto)
    path.write_bytes(graph.proto.SerializeToString())
    return replace(
        card,
        explanation=ExplanationFile(
            sha256=sha256_of(path),
            bytes=path.stat().st_size,
            layers=graph.layers,
            heat_layer=graph.heat_layer,
        ),
    )
