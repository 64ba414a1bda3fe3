"""Defines the events of ``lectern train --progress json``, each of which is one line of JSON."""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec
from msgspec import Struct

from service.inference.prediction import Score


class TrainingStarted(Struct, frozen=True, kw_only=True, tag_field="event", tag="start"):
    """The network is built; with two stages, each begins with this event."""

    recipe: str
    dataset: str
    labels: tuple[str, ...]
    splits: Mapping[str, int]  # number of examples in train, validation and test
    parameters: int  # of the network, as Keras counts them
    epochs: int  # of the run or stage, at most
    finished: int  # epochs that a resumed run has finished before
    run: str  # folder of the run
    measure: str = "accuracy"  # what the accuracies of the run are: of a regression, R²


class Downloading(Struct, frozen=True, kw_only=True, tag_field="event", tag="download"):
    """A data set is being downloaded; sizes are in bytes."""

    received: int
    total: int | None


class PicturesRead(Struct, frozen=True, kw_only=True, tag_field="event", tag="pictures"):
    """Pictures of a split have gone through a pretrained base."""

    done: int
    total: int
    split: str


class StepFinished(Struct, frozen=True, kw_only=True, tag_field="event", tag="step"):
    """A step of the optimizer; loss and accuracy are means over the epoch so far, numbers count from 1."""

    epoch: int
    step: int
    steps: int
    loss: float
    accuracy: float


class EpochFinished(Struct, frozen=True, kw_only=True, tag_field="event", tag="epoch"):
    """An epoch whose checkpoint is stored; accuracies are 0 to 1, the R² of a regression at most 1."""

    number: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    seconds: float


class FirstFilters(Struct, frozen=True, kw_only=True, tag_field="event", tag="filters"):
    """Weights of the first layer: filters of a convolution, or inputs of dense units as pictures."""

    epoch: int  # finished epochs; 0 before the first
    layer: str
    shape: tuple[int, int, int, int]  # (filters, height, width, depth)
    values: tuple[float, ...]  # in that order, the last axis fastest; rounded


class InputRead(Struct, frozen=True, kw_only=True, tag_field="event", tag="prediction"):
    """What the network says of the watched picture; the probabilities are not calibrated."""

    epoch: int  # finished epochs; 0 before the first
    scores: tuple[Score, ...]  # in the order of the labels


class TrainingPaused(Struct, frozen=True, kw_only=True, tag_field="event", tag="pause"):
    """The training waits, as a line on standard input asked."""


class TrainingContinued(Struct, frozen=True, kw_only=True, tag_field="event", tag="continue"):
    """The training goes on after a pause."""


class TrainingStopped(Struct, frozen=True, kw_only=True, tag_field="event", tag="stop"):
    """The training ends early, as a line on standard input asked; ``--resume`` continues it."""

    epochs: int  # that are finished


class TrainingFinished(Struct, frozen=True, kw_only=True, tag_field="event", tag="finish"):
    """The run is complete."""

    epochs: int
    seconds: float
    best: int  # number of the epoch whose weights the run keeps
    validation_accuracy: float  # of that epoch


class ModelExported(Struct, frozen=True, kw_only=True, tag_field="event", tag="export"):
    """A version of a model was written."""

    model: str
    version: int
    folder: str
    accuracy: float  # on the test set
    count: int  # of test examples
    measure: str = "accuracy"  # what the accuracy is: of a regression, R²


class TrainingFailed(Struct, frozen=True, kw_only=True, tag_field="event", tag="error"):
    """The command ends with an error."""

    code: str
    message: str


TrainingEvent: TypeAlias = (
    TrainingStarted
    | Downloading
    | PicturesRead
    | StepFinished
    | EpochFinished
    | FirstFilters
    | InputRead
    | TrainingPaused
    | TrainingContinued
    | TrainingStopped
    | TrainingFinished
    | ModelExported
    | TrainingFailed
)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[TrainingEvent] = msgspec.json.Decoder(TrainingEvent)


def encode_event(event: TrainingEvent) -> str:
    """Return an event as one line, without the line break."""
    return _encoder.encode(event).decode()


def decode_event(line: bytes | str) -> TrainingEvent | None:
    """Return the event of a line; None for one that this version does not know."""
    try:
        return _decoder.decode(line)
    except msgspec.MsgspecError:
        return None
