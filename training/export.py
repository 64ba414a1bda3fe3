"""Owns the way from a finished run to ``models/<name>/<version>/``, and the checks on that way."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort

from service.inference.card import (
    Card,
    ExplanationFile,
    InputSpec,
    Layer,
    Metrics,
    OnnxFile,
    Provenance,
    RecipeInfo,
    TrainingRun,
    card_document,
    write_card,
)
from service.inference.files import sha256_of
from service.inference.preprocessing import Vocabulary
from service.inference.session import open_session
from training.calibration import divide_logits, fit_temperature
from training.datasets import Dataset, Examples
from training.errors import ExportError
from training.evaluate import run_session
from training.explanation import explain
from training.figures import draw_confusion, draw_curves
from training.graph import OPSET, to_onnx
from training.history import Epoch
from training.inputs import as_served
from training.metrics import confusion, measure_probabilities, sure_threshold
from training.recipe import Recipe
from training.run import RunRecord

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
        model: The network; its logits are divided by a temperature when it is exported.
        history: A row per epoch.
        dataset: Its data, as the network takes it.
        vocabulary: Of text networks.
        remarks: Further facts for the card, beside its own fields.
    """

    recipe: Recipe
    record: RunRecord
    model: keras.Model
    history: tuple[Epoch, ...]
    dataset: Dataset
    vocabulary: Vocabulary | None = None
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
    home = models / name
    home.mkdir(parents=True, exist_ok=True)
    # Folders that begin with a dot are no versions to the catalogue, so a half-made export is never served.
    work = Path(tempfile.mkdtemp(dir=home, prefix=f".{version}-"))
    try:
        card = _fill(work, trained, name=name, version=version)
        work.chmod(0o755)
        _replace(home / str(version), work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if not any(home.iterdir()):
            home.rmdir()
    return card


def _fill(folder: Path, trained: Trained, *, name: str, version: int) -> Card:
    path = folder / "model.onnx"
    kind = trained.recipe.preprocessing
    validation = as_served(trained.dataset.validation, preprocessing=kind)
    temperature = fit_temperature(keras_probabilities(trained.model, validation.x), validation.y)
    divide_logits(trained.model, temperature)
    proto = to_onnx(trained.model)
    path.write_bytes(proto.SerializeToString())
    session = open_session(path, providers=("cpu",), threads=2)
    test = as_served(trained.dataset.test, preprocessing=kind)
    probabilities = run_session(session, test.x)
    difference = check_parity(keras_probabilities(trained.model, test.x), probabilities)
    threshold = _threshold(session, validation, trained.recipe)
    card = _card(
        trained,
        name=name,
        version=version,
        probabilities=probabilities,
        difference=difference,
        threshold=threshold,
        temperature=temperature,
    )
    if card.task == "image-classification":
        card = _with_explanation(card, trained.model, folder / "explain.onnx")
    _add_metadata(proto, card)
    path.write_bytes(proto.SerializeToString())
    _check_unchanged(open_session(path, providers=("cpu",), threads=2), test, probabilities)
    card = _with_file(card, path)
    write_card(card, folder / "card.json")
    if trained.vocabulary:
        trained.vocabulary.write(folder / "vocabulary.txt")
    (folder / "curves.png").write_bytes(draw_curves(trained.history, title=f"{card.title}: training"))
    (folder / "confusion.png").write_bytes(
        draw_confusion(
            confusion(probabilities, test.y),
            labels=card.labels,
            title=f"{name} {version}: {card.metrics.accuracy:.2%} of {card.metrics.count:,} test examples",
        )
    )
    return card


def measure_network(model: keras.Model, dataset: Dataset, *, preprocessing: str) -> Metrics:
    """Convert a network and measure it on the test split, without keeping it.

    Args:
        model: The network.
        dataset: As the network takes it.
        preprocessing: The kind its inputs go through when served.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(to_onnx(model).SerializeToString())
        test = as_served(dataset.test, preprocessing=preprocessing)
        probabilities = run_session(open_session(path, providers=("cpu",), threads=2), test.x)
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


def _threshold(session: ort.InferenceSession, validation: Examples, recipe: Recipe) -> float:
    probabilities = run_session(session, validation.x)
    right = probabilities.argmax(axis=1) == validation.y
    return sure_threshold(probabilities.max(axis=1), right, accuracy=recipe.sure_accuracy)


def _card(
    trained: Trained,
    *,
    name: str,
    version: int,
    probabilities: Probabilities,
    difference: float,
    threshold: float,
    temperature: float,
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
        parameters=trained.model.count_params(),
        layers=describe_layers(trained.model),
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
        keras_difference=difference,
        unsure_below=threshold,
        provenance=Provenance(license=dataset.license, data=dataset.source, weights=recipe.weights),
        extra={
            # In the weights of the last layer already; fitted on the validation split.
            "temperature": temperature,
            "unsure_rule": "the lowest confidence, in steps of 0.01, from which on "
            f"{recipe.sure_accuracy:.1%} of the validation split's answers are right, or the closest to that",
        }
        | dict(trained.remarks),
    )


def _parameters(trained: Trained, shape: tuple[int, ...]) -> dict[str, Any]:
    if trained.vocabulary:
        return {"words": len(trained.vocabulary.words), "padding": 0}
    return {"size": shape[1]}


def _add_metadata(proto: onnx.ModelProto, card: Card) -> None:
    """Put the card into the file it describes, without the checksum and size that the file cannot know."""
    document = card_document(card)
    document["onnx"] = {"opset": OPSET}
    onnx.helper.set_model_props(proto, {"card": json.dumps(document, ensure_ascii=False)})
    proto.producer_name, proto.producer_version = "lectern", ""
    proto.doc_string = card.title


def _check_unchanged(session: ort.InferenceSession, test: Examples, probabilities: Probabilities) -> None:
    """Make sure that the file as it was finished gives what the card says was measured."""
    if not np.array_equal(run_session(session, test.x[:_BATCH]), probabilities[:_BATCH]):
        raise ExportError("the finished file answers differently from the measured one; nothing was written")


def _with_file(card: Card, path: Path) -> Card:
    return replace(card, onnx=OnnxFile(sha256=sha256_of(path), bytes=path.stat().st_size, opset=OPSET))


def _with_explanation(card: Card, model: keras.Model, path: Path) -> Card:
    graph = explain(model)
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


def _replace(target: Path, work: Path) -> None:
    """Let a finished folder take the place of an older one."""
    old = target.with_name(f".{target.name}-old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    work.rename(target)
    shutil.rmtree(old, ignore_errors=True)
