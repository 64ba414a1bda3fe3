"""Defines the model card, the typed description of a model in its ``card.json``, and reads and writes it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from service.inference.card_migration import migrate_card
from service.inference.errors import CardError, shorten
from service.inference.files import model_file_name, write_atomically

SCHEMA_VERSION = 2

Task = Literal[
    "image-classification",
    "text-classification",
    "tabular-classification",
    "multi-label-classification",
    "regression",
]
InputKind = Literal["pictures", "texts", "tables"]
OutputName = Literal["probabilities", "values"]
Dtype = Literal["uint8", "int32", "float32"]
ColorMode = Literal["L", "RGB", "none"]
PreprocessingKind = Literal["digit", "garment", "photo", "text", "sequence", "table"]
# The kinds that make ids of words: the distinct ones, or the first words in the order of the text.
TEXT_KINDS: tuple[PreprocessingKind, ...] = ("text", "sequence")
_CHOICES = {"task": Task, "dtype": Dtype, "color_mode": ColorMode, "preprocessing": PreprocessingKind}
_INVALID_CHOICE = "Invalid enum value '"  # beginning of msgspec's message

_FEWEST_LABELS = 2  # of a classifier
_LARGEST = 1.7976931348623157e308
Finite = Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)]  # neither NaN nor infinite
Share = Annotated[float, Meta(ge=0, le=1)]
Milliseconds = Annotated[float, Meta(gt=0, le=_LARGEST)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]


class CardPart(Struct, frozen=True, kw_only=True):
    """Base of the card and of each object in it; ``extra`` holds the fields that Lectern does not know."""

    extra: Mapping[str, Any] = msgspec.field(default_factory=dict)


class InputSpec(CardPart, frozen=True, kw_only=True):
    """Input of the network."""

    name: str  # of the ONNX input: "image", "ids" or "features"
    dtype: Dtype  # uint8 for pixels, int32 for token ids, float32 for the columns of a table
    shape: Annotated[tuple[int, ...], Meta(min_length=2)]  # batch first; -1 stands for a free dimension
    color_mode: ColorMode  # L for grey, none for texts and tables
    preprocessing: PreprocessingKind  # makes such arrays from pictures, texts or rows of a table
    parameters: Mapping[str, Any]  # of the preprocessing, for example {"size": 180}

    @property
    def length(self) -> int | None:
        """Largest number of words that a network of sequences reads; None for all other networks."""
        length: int | None = self.parameters["length"] if self.preprocessing == "sequence" else None
        return length


class OnnxFile(CardPart, frozen=True, kw_only=True):
    """``model.onnx``: its SHA-256, size in bytes and ONNX opset."""

    sha256: Sha256
    bytes: Positive
    opset: int


class ExplanationFile(CardPart, frozen=True, kw_only=True):
    """``explain.onnx``, the graph that explains an image classifier's predictions; its size is in bytes.

    Without a ``heat_layer`` the graph has no heat map; the heat map is then computed by occlusion.
    """

    sha256: str
    bytes: int
    layers: tuple[str, ...]  # convolutional layers whose feature maps the graph returns, from the first
    heat_layer: str  # layer that the heat map belongs to, "image" for the pixels, or empty


class RecipeInfo(CardPart, frozen=True, kw_only=True):
    """The recipe that trained the network, and its settings."""

    name: str
    settings: Mapping[str, Any]


class MemberRun(CardPart, frozen=True, kw_only=True):
    """One of several runs that a network is made of; ``settings`` are those that differ from the first."""

    recipe: str
    seed: int
    settings: Mapping[str, Any]


class Layer(CardPart, frozen=True, kw_only=True):
    """One row of the layer table, as Keras reports it."""

    name: str
    type: str
    output_shape: tuple[int, ...]  # -1 stands for the batch
    parameters: int


class TrainingRun(CardPart, frozen=True, kw_only=True):
    """The training of the network."""

    dataset: str
    dataset_sha256: str
    splits: Mapping[str, int]  # number of examples in train, validation and test
    epochs: int
    seed: int
    seconds: Finite  # wall-clock time
    machine: str  # processor, number of cores and GPU, as text
    versions: Mapping[str, str]  # of Keras, TensorFlow and tf2onnx


class Metrics(CardPart, frozen=True, kw_only=True):
    """Metrics of the exported ONNX file on the whole test set.

    With several labels at once, a prediction is right if the decisions on all labels are.
    """

    accuracy: Share
    log_loss: Annotated[float, Meta(ge=0, le=_LARGEST)]  # mean, natural logarithm
    expected_calibration_error: Share  # over 15 equal bins of confidence
    per_class_accuracy: Mapping[str, Finite]  # by label
    count: Positive  # of test examples


class RegressionMetrics(CardPart, frozen=True, kw_only=True):
    """Metrics of a regression: those of the exported ONNX file on the whole test set."""

    unit: str  # of the values, as text; empty for a pure number
    mean_absolute_error: Finite  # in that unit, as the next one
    root_mean_squared_error: Finite
    r2: Finite  # coefficient of determination: 1 is exact, 0 as good as the test set's mean
    count: Positive  # of test examples


class Latency(CardPart, frozen=True, kw_only=True):
    """Latency of the network for one input, with one thread of ONNX Runtime on the CPU."""

    milliseconds: Milliseconds  # median
    ratio: Finite  # to the time of version 1, measured alternately
    machine: str  # processor, number of cores and GPU, as text


class Calibration(CardPart, frozen=True, kw_only=True):
    """Calibration of the probabilities, fitted on the validation split.

    ``chance_level_error`` is the expected calibration error on a test set of this size if every probability
    were exactly right, which sampling alone causes.
    """

    method: str
    temperature: Finite  # divisor of the logits (temperature scaling, Guo et al. 2017)
    offsets: tuple[Finite, ...]  # added to the logits of the labels; empty if there are none
    chance_level_error: Finite


class Coverage(CardPart, frozen=True, kw_only=True):
    """Coverage of a confidence threshold, and its selective accuracy, both 0 to 1."""

    coverage: Finite  # share of predictions whose confidence reaches the threshold
    accuracy: Finite  # share of correct predictions among those


class SelectivePrediction(CardPart, frozen=True, kw_only=True):
    """Effect of the confidence threshold ``unsure_below``."""

    target_accuracy: Finite  # selective accuracy on the validation split that the threshold was chosen for
    validation: Coverage
    test: Coverage


class QuantizedFile(CardPart, frozen=True, kw_only=True):
    """``model.int8.onnx``, the network with 8-bit weights and activations in its convolutions."""

    sha256: Sha256
    bytes: Positive
    calibration: str  # method that determined the ranges of the activations, as text
    float_nodes: tuple[str, ...]  # convolutions that stay in 32 bits
    metrics: Metrics
    milliseconds: Milliseconds  # measured as in Latency
    ratio: Finite  # to the time of the 32-bit network, measured alternately
    # These are of this form alone. In cards of early versions, both forms have the network's.
    confidence: Calibration | None = None
    unsure_below: Share | None = None
    selective_prediction: SelectivePrediction | None = None


class OutOfDistribution(CardPart, frozen=True, kw_only=True):
    """Shares of pictures without a class that a model of digits or garments marks as unsure or refuses."""

    digits: Finite | None = None  # test pictures of MNIST; not for models of digits
    garments: Finite | None = None  # test pictures of Fashion-MNIST; not for models of garments
    photos: Finite  # test pictures of CIFAR-10
    scribbles: Finite  # random ones
    counts: Mapping[str, int]  # pictures of each kind


class PenDigits(CardPart, frozen=True, kw_only=True):
    """Evaluation of a model of digits on digits drawn with a pen, which are in no training set."""

    accuracy: Finite
    per_class_accuracy: Mapping[str, Finite]  # by label
    unsure: Finite  # share of predictions marked as unsure, 0 to 1
    selective_accuracy: Finite  # share of correct predictions among the others, 0 to 1
    count: int  # of drawings


class Drawings(CardPart, frozen=True, kw_only=True):
    """Shares of drawings of which MNIST has few or none, as a model of digits reads them."""

    straight_ones: Finite  # straight strokes that are read as 1
    straight_ones_sure: Finite  # and are not marked as unsure
    flagged_ones: Finite  # straight strokes with a flag that are read as 1
    flagged_ones_sure: Finite  # and are not marked as unsure
    letters: Finite  # letters, A to Z without B, I, O, S and Z, that are marked as unsure
    shapes: Finite  # stars, hearts, arrows and faces that are marked as unsure
    counts: Mapping[str, int]  # drawings of each kind


class RobustnessRow(CardPart, frozen=True, kw_only=True):
    """Accuracy on the corrupted test set; ``baseline`` is the accuracy of version 1."""

    name: str
    accuracy: Finite
    baseline: Finite


class Robustness(CardPart, frozen=True, kw_only=True):
    """Evaluation on corrupted pictures."""

    unchanged: RobustnessRow  # without a corruption
    rows: tuple[RobustnessRow, ...]  # one for each corruption
    summary: str  # the corruptions that cost more than half of what they cost version 1, as text


class Faithfulness(CardPart, frozen=True, kw_only=True):
    """Deletion test of the heat maps (Samek et al. 2017): mean drops of the label's probability."""

    hottest_drop: Finite  # when the hottest fifth of the picture is covered
    random_drop: Finite  # when a random fifth is covered
    count: int  # of test pictures


class Provenance(CardPart, frozen=True, kw_only=True):
    """License, and source of the data and of pretrained weights."""

    license: str
    data: str
    weights: str


class Card(CardPart, frozen=True, kw_only=True):
    """Description of one version of a model.

    A part is None if it does not apply to the model, or was not measured; a regression has ``regression`` in
    place of ``metrics``, and the names of its values as labels. An ensemble averages the logits of
    several networks. With test-time augmentation (``flip_tta``) every second network of an ensemble reads the
    flipped picture; a single network averages the logits of both pictures.
    """

    schema_version: Literal[2] = 2
    name: str  # also the folder's
    version: Positive
    title: str  # one line that describes the model
    task: Task
    labels: Annotated[tuple[str, ...], Meta(min_length=1)]  # in the order of the network's outputs
    input: InputSpec
    onnx: OnnxFile
    recipe: RecipeInfo
    ensemble: tuple[MemberRun, ...] = ()  # empty for a single network
    weight_average: tuple[MemberRun, ...] = ()  # runs whose weights are averaged; empty for a single run
    flip_tta: bool = False
    float16_weights: bool = False  # whether the convolutions' weights are rounded to 16 bits
    parameters: Count  # of the network, as Keras counts them
    layers: tuple[Layer, ...]
    training: TrainingRun
    metrics: Metrics | None = None
    regression: RegressionMetrics | None = None
    # Largest difference between Keras and ONNX Runtime on the test set: of a probability; of a value, in
    # standard deviations of the targets.
    max_keras_difference: Finite
    unsure_below: Share  # predictions with a lower confidence are marked as unsure
    provenance: Provenance
    explanation: ExplanationFile | None = None  # only of image classifiers
    latency: Latency | None = None
    quantized: QuantizedFile | None = None
    calibration: Calibration | None = None  # not in cards of early versions
    selective_prediction: SelectivePrediction | None = None  # not in cards of early versions
    out_of_distribution: OutOfDistribution | None = None  # only of models of digits and of garments
    pen_digits: PenDigits | None = None  # only of models of digits
    drawings: Drawings | None = None  # only of models of digits
    robustness: Robustness | None = None  # only of image classifiers
    faithfulness: Faithfulness | None = None  # only of image classifiers

    @property
    def reads(self) -> InputKind:
        """What the inputs are."""
        if self.task == "text-classification":
            return "texts"
        return "tables" if self.input.preprocessing == "table" else "pictures"

    @property
    def output(self) -> OutputName:
        """Name of the network's output."""
        return "values" if self.task == "regression" else "probabilities"


def read_card(path: Path) -> Card:
    """Read and check a card.

    Args:
        path: The ``card.json``.

    Returns:
        The card; one of an older schema version is migrated.

    Raises:
        CardError: The file cannot be read, is not JSON, or a field is missing or wrong.
    """
    source = model_file_name(path)
    try:
        document = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise CardError(f"{source}: cannot be read ({error.strerror}); export the model again") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise CardError(f"{source}: is not JSON ({error}); export the model again") from error
    return parse_card(document, source=source)


def parse_card(document: object, *, source: str) -> Card:
    """Make a card from decoded JSON.

    Args:
        document: The decoded JSON.
        source: File or address of the document, for error messages.

    Returns:
        The card; one of an older schema version is migrated.

    Raises:
        CardError: A field is missing or wrong.
    """
    if not isinstance(document, Mapping):
        raise CardError(f"{source}: the card must be a JSON object")
    document = migrate_card(document)
    version = document.get("schema_version")
    if version != SCHEMA_VERSION:
        raise CardError(
            f"{source}: schema_version is {shorten(version)}, this Lectern reads 1 and {SCHEMA_VERSION}"
        )
    try:
        card = msgspec.convert(document, Card)
    except msgspec.ValidationError as error:
        raise CardError(f"{source}: {_describe(error)}") from error
    _check_consistency(card, source)
    _keep_unknown_fields(card, document)
    return card


def card_document(part: CardPart) -> dict[str, Any]:
    """Return a card, or a part of one, as the JSON object that ``card.json`` holds, with unknown fields."""
    document: dict[str, Any] = _to_builtins(part)
    return document


def write_card(card: Card, path: Path) -> None:
    """Check a card and write it, replacing the file atomically.

    Args:
        card: The card.
        path: The ``card.json``.

    Raises:
        CardError: A field has a wrong value.
        OSError: The file cannot be written; the old one is unchanged.
    """
    document = card_document(card)
    parse_card(document, source=str(path))
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, text.encode())


def _check_consistency(card: Card, source: str) -> None:
    if len(set(card.labels)) < len(card.labels):
        raise CardError(f"{source}: field labels: expected different labels")
    if card.task.endswith("-classification") and len(card.labels) < _FEWEST_LABELS:
        raise CardError(f"{source}: field labels: expected at least {_FEWEST_LABELS}")
    name = "regression" if card.task == "regression" else "metrics"
    if getattr(card, name) is None:
        raise CardError(f"{source}: field {name} is missing; export the model again")
    length = card.input.parameters.get("length")
    if card.input.preprocessing == "sequence" and not (isinstance(length, int) and length >= 1):
        raise CardError(
            f"{source}: field input.parameters.length: expected the largest number of words, from 1"
        )


def _describe(error: msgspec.ValidationError) -> str:
    problem, _, place = str(error).partition(" - at `$")
    path = place.strip("`.")
    if problem.startswith("Object missing required field"):
        name = problem.split("`")[1]
        return f"field {f'{path}.{name}' if path else name} is missing; export the model again"
    if problem.startswith(_INVALID_CHOICE):
        value = problem.removeprefix(_INVALID_CHOICE).removesuffix("'")
        choices = get_args(_CHOICES[path.rpartition(".")[2]])
        return f"field {path}: {shorten(value)} is not one of {', '.join(choices)}"
    return f"field {path}: {problem[0].lower()}{problem[1:]}"


def _keep_unknown_fields(part: CardPart, document: Mapping[str, Any]) -> None:
    """Set ``extra`` of a part, and of the parts in it, to the fields that it does not know."""
    known = [name for name in part.__struct_fields__ if name != "extra"]
    force_setattr(part, "extra", {key: value for key, value in document.items() if key not in known})
    for name in known:
        value = getattr(part, name)
        if isinstance(value, CardPart):
            _keep_unknown_fields(value, document[name])
        elif isinstance(value, tuple) and value and isinstance(value[0], CardPart):
            for item, source in zip(value, document[name], strict=True):
                _keep_unknown_fields(item, source)


def _to_builtins(value: Any) -> Any:
    if isinstance(value, CardPart):
        fields = {name: getattr(value, name) for name in value.__struct_fields__ if name != "extra"}
        return {key: _to_builtins(part) for key, part in (fields | dict(value.extra)).items()}
    if isinstance(value, Mapping):
        return {key: _to_builtins(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_to_builtins(part) for part in value]
    return value
