"""Describes a network as the stages that its input passes through."""

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from desktop.lab.convolution.window import Field, SlidingWindow, receptive_field

Values = npt.NDArray[np.float32]


class StageKind(Enum):
    """What a stage computes."""

    INPUT = "input"
    RESIZING = "resizing"
    CONVOLUTION = "convolution"
    NORMALIZATION = "batch normalization"
    ACTIVATION = "activation"
    POOLING = "pooling"
    GLOBAL_POOLING = "global pooling"
    ADDITION = "addition"
    MULTIPLICATION = "multiplication"
    DENSE = "dense"
    SCORES = "scores"


# Stages that join the values of two stages.
JOINING = frozenset({StageKind.ADDITION, StageKind.MULTIPLICATION})


class Function(Enum):
    """The function of an activation, of a pooling, or of the scores."""

    RELU = "ReLU"
    RELU6 = "ReLU6"
    ELU = "ELU"
    SILU = "SiLU"
    SIGMOID = "sigmoid"
    TANH = "tanh"
    MAXIMUM = "maximum"
    MEAN = "mean"
    SOFTMAX = "softmax"


@dataclass(frozen=True, eq=False, kw_only=True)
class Stage:
    """One step of a network.

    Attributes:
        kind: What it computes.
        output: Name of the tensor that it computes; empty for the pixels of the picture.
        input: Name of the tensor that it reads.
        sources: Numbers of the stages that it reads; an addition has two.
        function: The function of an activation, a pooling or the scores; None for other kinds.
        weights: float32 (maps, depth, side, side) of a convolution, (inputs, units) of a dense layer, (maps,)
            of a normalization, which multiplies with them.
        bias: float32 (maps or units,); what a normalization adds.
        windows: The padding before a window as a window of size 1, and the window; empty for other kinds, and
            for windows that are not square.
        groups: Number of groups of a convolution.
        factor: How many times higher and wider a resizing makes maps, by bilinear interpolation; None if
            unknown, and for other kinds.
    """

    kind: StageKind
    output: str
    input: str = ""
    sources: tuple[int, ...] = ()
    function: Function | None = None
    weights: Values | None = None
    bias: Values | None = None
    windows: tuple[SlidingWindow, ...] = ()
    groups: int = 1
    factor: float | None = None

    @property
    def parameters(self) -> int:
        """Number of weights and biases in the exported file."""
        return sum(part.size for part in (self.weights, self.bias) if part is not None)


@dataclass(frozen=True, eq=False)
class Network:
    """The stages of a network, and its file with all of their tensors as outputs.

    Attributes:
        stages: From the pixels to the scores. Of an ensemble, the first of its networks.
        content: The ONNX file.
        logits: Name of the tensor that softmax or sigmoid reads.
        outputs: Names of the tensors that can be read.
    """

    stages: tuple[Stage, ...]
    content: bytes
    logits: str
    outputs: tuple[str, ...]

    def field(self, number: int, row: int, column: int) -> Field | None:
        """Return the square of input pixels that a value of a stage's maps depends on.

        Args:
            number: Number of the stage.
            row: Row of the value, from 0.
            column: Column of the value, from 0.

        Returns:
            None if it is not a square of pixels: after a global pooling, a dense layer, or a resizing by an
            unknown factor. Where the network branches, the longest way counts.
        """
        fields = {number: Field(row, column, 1)}
        for at in range(number, 0, -1):
            if at not in fields:
                continue
            stage = self.stages[at]
            if stage.kind in (StageKind.GLOBAL_POOLING, StageKind.DENSE, StageKind.SCORES):
                return None
            if stage.kind is StageKind.RESIZING and stage.factor is None:
                return None
            for source in stage.sources:
                found = _before(stage, fields[at])
                known = fields.get(source)
                fields[source] = found if known is None else _enclosing(known, found)
        return fields.get(0)


def _before(stage: Stage, field: Field) -> Field:
    """Return what a square of a stage's output depends on in its input."""
    if stage.factor is not None:
        return _before_resizing(stage.factor, field)
    first = receptive_field(stage.windows, field.top, field.left)
    last = field.side - 1
    end = receptive_field(stage.windows, field.top + last, field.left + last)
    return Field(first.top, first.left, end.top - first.top + end.side)


def _before_resizing(factor: float, field: Field) -> Field:
    """Return the pixels between which a square is interpolated."""

    def nearest(place: int) -> int:
        """Return the pixel above or to the left of a place in the enlarged map."""
        return math.floor((place + 0.5) / factor - 0.5)

    last = field.side - 1
    top, left = nearest(field.top), nearest(field.left)
    bottom, right = nearest(field.top + last) + 1, nearest(field.left + last) + 1
    return Field(top, left, max(bottom - top, right - left) + 1)


def _enclosing(one: Field, other: Field) -> Field:
    top, left = min(one.top, other.top), min(one.left, other.left)
    bottom = max(one.top + one.side, other.top + other.side)
    right = max(one.left + one.side, other.left + other.side)
    return Field(top, left, max(bottom - top, right - left))
