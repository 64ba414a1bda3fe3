"""Defines the model card, the typed description of one version of a model."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta

from service.inference.card.measurements import (
    Calibration,
    Drawings,
    Faithfulness,
    Latency,
    Metrics,
    OutOfDistribution,
    PenDigits,
    RegressionMetrics,
    Robustness,
    SelectivePrediction,
)
from service.inference.card.part import CardPart, Count, Finite, Milliseconds, Positive, Sha256, Share

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
# What each preprocessing turns into arrays.
INPUT_KINDS: Mapping[PreprocessingKind, InputKind] = {
    "digit": "pictures",
    "garment": "pictures",
    "photo": "pictures",
    "text": "texts",  # the distinct words
    "sequence": "texts",  # the first words, in the order of the text
    "table": "tables",
}
TEXT_KINDS = tuple(kind for kind, reads in INPUT_KINDS.items() if reads == "texts")


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


class Provenance(CardPart, frozen=True, kw_only=True):
    """License, and source of the data and of pretrained weights."""

    license: str
    data: str
    weights: str


class Card(CardPart, frozen=True, kw_only=True):
    """Description of one version of a model.

    A part is None if it does not apply to the model, or was not measured. A regression has ``regression`` in
    place of ``metrics``, and the names of its values as labels. An ensemble averages the logits of several
    networks. With test-time augmentation (``flip_tta``) every second network of an ensemble reads the flipped
    picture; a single network averages the logits of both pictures.
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
    out_of_distribution: OutOfDistribution | None = None  # only of image classifiers
    pen_digits: PenDigits | None = None  # only of models of digits
    drawings: Drawings | None = None  # only of models of digits
    robustness: Robustness | None = None  # only of image classifiers
    faithfulness: Faithfulness | None = None  # only of image classifiers

    @property
    def reads(self) -> InputKind:
        """What the inputs are."""
        return INPUT_KINDS[self.input.preprocessing]

    @property
    def output(self) -> OutputName:
        """Name of the network's output."""
        return "values" if self.task == "regression" else "probabilities"
