"""Owns the model card: the typed description that lies beside every ``model.onnx`` as ``card.json``."""

import dataclasses
import json
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from service.inference.errors import CardError
from service.inference.files import write_atomically

SCHEMA_VERSION = 1

Task = Literal["image-classification", "text-classification"]
PreprocessingKind = Literal["digit", "garment", "photo", "text"]


@dataclass(frozen=True, kw_only=True)
class InputSpec:
    """What the network takes.

    Attributes:
        name: Name of the ONNX input, ``image`` or ``ids``.
        dtype: Element type, ``uint8`` for pixels, ``int32`` for token ids.
        shape: Shape with the batch first; -1 stands for a free dimension.
        color_mode: ``L`` (grey), ``RGB``, or ``none`` for text.
        preprocessing: Which preprocessing makes such arrays from pictures or texts.
        parameters: Settings of that preprocessing, for example ``{"size": 180}``.
    """

    name: str
    dtype: Literal["uint8", "int32"]
    shape: tuple[int, ...]
    color_mode: Literal["L", "RGB", "none"]
    preprocessing: PreprocessingKind
    parameters: Mapping[str, Any]
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class OnnxFile:
    """The file the card belongs to: its checksum, size in bytes and ONNX opset."""

    sha256: str
    bytes: int
    opset: int
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ExplanationFile:
    """``explain.onnx``, the second graph of a picture network: what it saw.

    Attributes:
        sha256: Checksum of the file.
        bytes: Its size.
        layers: Convolutional layers whose feature maps it gives, from the first.
        heat_layer: The layer that its heat map is of, ``image`` for the pixels themselves; empty if it has
            none, and the heat is found by hiding parts of the picture.
    """

    sha256: str
    bytes: int
    layers: tuple[str, ...]
    heat_layer: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RecipeInfo:
    """The recipe that trained the network and the settings it was run with."""

    name: str
    settings: Mapping[str, Any]
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One row of the layer table, as Keras reports it; -1 stands for the batch in ``output_shape``."""

    name: str
    type: str
    output_shape: tuple[int, ...]
    parameters: int
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """How the weights came about.

    Attributes:
        dataset: Name of the data set.
        dataset_sha256: Checksum of the data as it was read.
        splits: Number of examples in ``train``, ``validation`` and ``test``.
        epochs: Epochs that were really run.
        seed: Seed of every random choice.
        seconds: Wall-clock seconds of the training.
        machine: What it ran on, for people.
        versions: Versions of Keras, TensorFlow and tf2onnx.
    """

    dataset: str
    dataset_sha256: str
    splits: Mapping[str, int]
    epochs: int
    seed: int
    seconds: float
    machine: str
    versions: Mapping[str, str]
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Metrics:
    """Figures measured with the exported ONNX file on the whole test set.

    Attributes:
        accuracy: Share of right answers, 0 to 1.
        log_loss: Mean negative natural logarithm of the true class's probability.
        expected_calibration_error: Over 15 equal bins of confidence, 0 to 1.
        per_class_accuracy: Accuracy among the examples of each label.
        count: Number of test examples.
    """

    accuracy: float
    log_loss: float
    expected_calibration_error: float
    per_class_accuracy: Mapping[str, float]
    count: int
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one answer of the network takes: one input, one thread, ONNX Runtime on the CPU.

    Attributes:
        milliseconds: Median time of one call.
        ratio: That time as a multiple of version 1's, both measured in turn in the same run.
        machine: What it was measured on, for people.
    """

    milliseconds: float
    ratio: float
    machine: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class QuantizedFile:
    """``model.int8.onnx``, the same network with weights and activations of 8 bits in its convolutions.

    Attributes:
        sha256: Checksum of the file.
        bytes: Its size.
        calibration: How the ranges of the activations were found, for people.
        float_nodes: Convolutions that were left in 32 bits.
        metrics: Measured as the card's own ones.
        milliseconds: Median time of one call, as in :class:`Cost`.
        ratio: That time as a multiple of the 32-bit network's, both measured in turn in the same run.
    """

    sha256: str
    bytes: int
    calibration: str
    float_nodes: tuple[str, ...]
    metrics: Metrics
    milliseconds: float
    ratio: float
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Sure:
    """Of the answers that are not called unsure: their share of all answers, and the share that is right."""

    share: float
    accuracy: float
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """How the confidence was made to mean something, and what the threshold of doubt leaves.

    Attributes:
        method: What was fitted on the validation split, in words.
        temperature: What the network's logits were divided by; its last layer's weights hold it.
        offsets: What was added to each label's logit then; empty for nothing.
        sure_accuracy: Share of right answers that ``unsure_below`` was chosen to reach on validation.
        validation: What was reached there.
        test: The same threshold on the test set.
        perfect_calibration_error: Expected calibration error that a network of exactly these confidences
            would show on a test set of this size if each of them were true, by chance alone.
    """

    method: str
    temperature: float
    offsets: tuple[float, ...]
    sure_accuracy: float
    validation: Sure
    test: Sure
    perfect_calibration_error: float
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outliers:
    """Share of pictures that show no digit and that a model of digits calls unsure, or refuses as blank.

    Attributes:
        garments: Of Fashion-MNIST's test pictures.
        photos: Of CIFAR-10's test pictures.
        scribbles: Of random scribbles.
        counts: How many of each there were.
    """

    garments: float
    photos: float
    scribbles: float
    counts: Mapping[str, int]
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DrawnDigits:
    """How a model of digits reads digits that people drew with a pen, which nobody trained on.

    Attributes:
        accuracy: Share read right.
        by_digit: Accuracy among the drawings of each label.
        unsure: Share called unsure.
        sure_accuracy: Share read right of those that were not.
        count: Number of drawings.
    """

    accuracy: float
    by_digit: Mapping[str, float]
    unsure: float
    sure_accuracy: float
    count: int
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RobustnessRow:
    """Accuracy on the whole test set under one change; ``first`` is version 1's, in the same run."""

    name: str
    accuracy: float
    first: float
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Robustness:
    """What changes of the pictures cost.

    Attributes:
        unchanged: Accuracy on the pictures as they are, sent the same way.
        rows: One for each change.
        remark: Whether at most half as much is lost as version 1 loses, and where not.
    """

    unchanged: RobustnessRow
    rows: tuple[RobustnessRow, ...]
    remark: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Licences, and where the data and any pretrained weights come from."""

    license: str
    data: str
    weights: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Hiding:
    """Whether heat maps show what counts: what hiding a fifth of a picture takes from its label.

    Attributes:
        hottest: Fall of the label's probability, mean over test pictures, where the hottest fifth is hidden.
        random: Where a random fifth is.
        pictures: How many there were.
    """

    hottest: float
    random: float
    pictures: int
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Card:
    """Everything that is known of one version of one model.

    Fields of ``card.json`` that this version of Lectern does not know are kept in ``extra``, at every
    level, and are written back.

    Attributes:
        name: Model name, also the folder's.
        version: From 1; the highest is served by default.
        title: One line for people.
        task: What goes in and comes out.
        labels: In the order of the network's outputs.
        parameters: Number of the network's parameters, as Keras counts them.
        keras_difference: Largest difference of a probability between Keras and ONNX Runtime on the test set.
        unsure_below: A highest probability below this makes a prediction unsure, 0 to 1.
        explanation: The graph beside the network that explains it, if there is one.
        cost: What one answer takes; None where that was not measured yet.
        quantized: The 8-bit form of the network, if there is one.
        doubt: How far its confidence can be trusted; None in older cards.
        outliers: Of a model of digits: what it makes of other things.
        drawn: Of a model of digits: how it reads drawings.
        robustness: Of a model of pictures: what changes of them cost.
        hiding: Of a model of pictures: whether its heat maps show what counts.
    """

    name: str
    version: int
    title: str
    task: Task
    labels: tuple[str, ...]
    input: InputSpec
    onnx: OnnxFile
    recipe: RecipeInfo
    parameters: int
    layers: tuple[Layer, ...]
    training: TrainingRun
    metrics: Metrics
    keras_difference: float
    unsure_below: float
    provenance: Provenance
    explanation: ExplanationFile | None = None
    cost: Cost | None = None
    quantized: QuantizedFile | None = None
    doubt: Doubt | None = None
    outliers: Outliers | None = None
    drawn: DrawnDigits | None = None
    robustness: Robustness | None = None
    hiding: Hiding | None = None
    schema_version: int = SCHEMA_VERSION
    extra: Mapping[str, Any] = field(default_factory=dict)


def read_card(path: Path) -> Card:
    """Read and check a card.

    Args:
        path: The ``card.json``.

    Returns:
        The card.

    Raises:
        CardError: The file cannot be read, is no JSON, or a field is missing or wrong. Names both.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CardError(f"{path}: cannot be read ({error.strerror}); export the model again") from error
    except (ValueError, RecursionError) as error:
        raise CardError(f"{path}: is not JSON ({error}); export the model again") from error
    return parse_card(document, source=str(path))


def parse_card(document: object, *, source: str) -> Card:
    """Make a card from decoded JSON.

    Args:
        document: What ``json.loads`` returned.
        source: Named in errors: the file or address that the document came from.

    Returns:
        The card.

    Raises:
        CardError: A field is missing or wrong.
    """
    if isinstance(document, Mapping) and document.get("schema_version") != SCHEMA_VERSION:
        raise CardError(
            f"{source}: schema_version is {document.get('schema_version')!r}, "
            f"this Lectern reads {SCHEMA_VERSION}"
        )
    card: Card = _parse(Card, document, source, "")
    _check_values(card, source)
    return card


def card_document(card: Card) -> dict[str, Any]:
    """Return the card as the JSON-ready dict that ``card.json`` holds, unknown fields included."""
    document: dict[str, Any] = _unparse(card)
    return document


def write_card(card: Card, path: Path) -> None:
    """Write a card, replacing the file atomically.

    Args:
        card: What to write.
        path: The ``card.json``.

    Raises:
        CardError: The card contradicts itself (the checks of :func:`read_card`).
        OSError: The file cannot be written; the old one is left as it was.
    """
    _check_values(card, str(path))
    text = json.dumps(card_document(card), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, text.encode())


def _check_values(card: Card, source: str) -> None:
    problems = {
        "version": card.version < 1 and "must be 1 or more",
        "labels": (len(card.labels) < 2 or len(set(card.labels)) != len(card.labels))
        and "must be two or more different labels",
        "input.shape": len(card.input.shape) < 2 and "must have a batch and at least one more dimension",
        "onnx.sha256": not _is_sha256(card.onnx.sha256) and "must be 64 lower-case hexadecimal digits",
        "onnx.bytes": card.onnx.bytes < 1 and "must be 1 or more",
        "parameters": card.parameters < 0 and "must be 0 or more",
        "metrics.accuracy": not 0 <= card.metrics.accuracy <= 1 and "must lie between 0 and 1",
        "metrics.log_loss": card.metrics.log_loss < 0 and "must be 0 or more",
        "metrics.expected_calibration_error": not 0 <= card.metrics.expected_calibration_error <= 1
        and "must lie between 0 and 1",
        "metrics.count": card.metrics.count < 1 and "must be 1 or more",
        "unsure_below": not 0 <= card.unsure_below <= 1 and "must lie between 0 and 1",
    }
    if card.cost:
        problems["cost.milliseconds"] = card.cost.milliseconds <= 0 and "must be above 0"
    if card.quantized:
        problems |= {
            "quantized.sha256": not _is_sha256(card.quantized.sha256)
            and "must be 64 lower-case hexadecimal digits",
            "quantized.bytes": card.quantized.bytes < 1 and "must be 1 or more",
            "quantized.milliseconds": card.quantized.milliseconds <= 0 and "must be above 0",
            "quantized.metrics.accuracy": not 0 <= card.quantized.metrics.accuracy <= 1
            and "must lie between 0 and 1",
        }
    for name, problem in problems.items():
        if problem:
            raise CardError(f"{source}: field {name} {problem}")


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def _parse(kind: Any, value: object, source: str, where: str) -> Any:
    """Turn decoded JSON into ``kind``, a dataclass or an annotation that one of its fields has."""
    if dataclasses.is_dataclass(kind):
        return _parse_fields(typing.cast(type, kind), value, source, where)
    origin = typing.get_origin(kind)
    if origin is types.UnionType:  # only ever "something, or not there"
        return None if value is None else _parse(typing.get_args(kind)[0], value, source, where)
    if origin is tuple and isinstance(value, list):
        item = typing.get_args(kind)[0]
        return tuple(_parse(item, part, source, f"{where}[{index}]") for index, part in enumerate(value))
    if origin is Mapping:
        if isinstance(value, Mapping):
            item = typing.get_args(kind)[1]
            return {key: _parse(item, part, source, f"{where}.{key}") for key, part in value.items()}
    elif (origin is Literal and value in typing.get_args(kind)) or kind is Any:
        return value
    elif kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) <= sys.float_info.max:  # False for NaN and infinity, and for integers beyond any float
            return float(value)
    elif isinstance(kind, type) and isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    raise CardError(f"{source}: field {where} is {_shorten(value)}, expected {_describe(kind)}")


def _parse_fields(kind: type, value: object, source: str, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise CardError(f"{source}: {f'field {where}' if where else 'the card'} must be a JSON object")
    hints = typing.get_type_hints(kind)
    known: dict[str, Any] = {}
    for spec in dataclasses.fields(kind):
        path = f"{where}.{spec.name}" if where else spec.name
        if spec.name == "extra":
            continue
        if spec.name not in value:
            if spec.default is None:
                known[spec.name] = None
                continue
            raise CardError(f"{source}: field {path} is missing; export the model again")
        known[spec.name] = _parse(hints[spec.name], value[spec.name], source, path)
    return kind(**known, extra={key: part for key, part in value.items() if key not in known})


def _unparse(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = {spec.name: getattr(value, spec.name) for spec in dataclasses.fields(value)}
        extra = pairs.pop("extra")
        return {key: _unparse(part) for key, part in pairs.items()} | dict(extra)
    if isinstance(value, Mapping):
        return {key: _unparse(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_unparse(part) for part in value]
    return value


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _describe(kind: Any) -> str:
    if typing.get_origin(kind) is Literal:
        return "one of " + ", ".join(map(repr, typing.get_args(kind)))
    names = {int: "a whole number", float: "a finite number", str: "a string"}
    return names.get(kind, "a list" if typing.get_origin(kind) is tuple else "an object")
