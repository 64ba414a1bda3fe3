"""Runs a network, and returns the values of all of its stages."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from desktop.lab.network.stage import Network, StageKind, Values
from service.inference import Card
from service.inference.errors import InvalidInput, ModelError
from service.inference.files import check_sha256, model_file_name

if TYPE_CHECKING:
    import onnxruntime as ort

Pixels = npt.NDArray[np.uint8]

_FILE_NAME = "model.onnx"


@dataclass(frozen=True, eq=False)
class Activations:
    """What a network computes of one picture.

    Attributes:
        network: The network.
        labels: Labels of the network.
        pixels: The prepared picture, uint8 (height, width) or (height, width, 3).
        tensors: float32 values of the network's tensors, without the axis of the batch.
    """

    network: Network
    labels: tuple[str, ...]
    pixels: Pixels
    tensors: Mapping[str, Values]

    def values(self, number: int) -> Values:
        """Return the values of a stage: float32 (maps, height, width) or (units,).

        The values of the input are those of the pixels, 0 to 255, with 1 or 3 maps.
        """
        stage = self.network.stages[number]
        if stage.kind is StageKind.INPUT:
            planes = self.pixels[None] if self.pixels.ndim == 2 else self.pixels.transpose(2, 0, 1)
            return planes.astype(np.float32)
        return _without_ones(self.tensors[stage.output])

    def maps(self, number: int) -> Values:
        """Return the values of a stage as maps, float32 (maps, height, width); a unit is a map of 1 × 1."""
        values = self.values(number)
        return values[:, None, None] if values.ndim == 1 else values

    def read(self, number: int) -> Values:
        """Return what a stage reads: float32 (depth, height, width) or (units,)."""
        return _without_ones(self.tensors[self.network.stages[number].input])

    def read_count(self, number: int) -> int:
        """Return how many maps or units a stage reads."""
        stage = self.network.stages[number]
        return len(self.logits if stage.kind is StageKind.SCORES else self.read(number))

    @cached_property
    def scores(self) -> Values:
        """The probabilities of the labels, float32 (labels,)."""
        return self.tensors[self.network.stages[-1].output]

    @property
    def logits(self) -> Values:
        """What softmax or sigmoid reads, after the calibration: float32 (labels,), or (1,) for a sigmoid."""
        return self.tensors[self.network.logits]


class NetworkRunner:
    """A network whose tensors can all be read; several threads can use it at once.

    Attributes:
        card: Card of the model.
        network: The stages of the network.
    """

    def __init__(self, card: Card, network: Network, session: "ort.InferenceSession") -> None:
        self.card = card
        self.network = network
        self._session = session

    @classmethod
    def load(cls, folder: Path, card: Card) -> "NetworkRunner":
        """Load the network of an image classifier.

        Args:
            folder: Folder of the model.
            card: Card of the model.

        Raises:
            InvalidInput: The model reads texts.
            ChecksumMismatch: The file is not the one that the card describes.
            ModelError: The file is missing, or cannot be loaded.
        """
        if card.task != "image-classification":
            raise InvalidInput(f"{card.name} {card.version} reads texts; choose a network for pictures")
        path, content = read_model_file(folder, card)
        # Imported late, because both libraries would delay the start.
        from desktop.lab.network.graph import read_network
        from service.inference.session import open_session

        network = read_network(content, model_file_name(path))
        session = open_session(path, providers=("cpu",), content=network.content)
        return cls(card, network, session)

    def run(self, pixels: Pixels) -> Activations:
        """Compute all stages.

        Args:
            pixels: A picture as :meth:`service.inference.Predictor.prepare_image` returns it.

        Raises:
            InvalidInput: The pixels have another shape or type.
        """
        spec = self.card.input
        if pixels.dtype != spec.dtype or pixels.shape != spec.shape[1:]:
            raise InvalidInput(
                f"{self.card.name} expects {spec.dtype} of shape {list(spec.shape[1:])}, "
                f"not {pixels.dtype} of shape {list(pixels.shape)}"
            )
        names = self.network.outputs
        values = self._session.run(list(names), {spec.name: pixels[None]})
        tensors = {name: value[0].astype(np.float32) for name, value in zip(names, values, strict=True)}
        return Activations(self.network, self.card.labels, pixels, tensors)


def read_model_file(folder: Path, card: Card) -> tuple[Path, bytes]:
    """Return a model's ONNX file and its content.

    Raises:
        ChecksumMismatch: The file is not the one that the card describes.
        ModelError: The file cannot be read.
    """
    path = folder / _FILE_NAME
    check_sha256(path, card.onnx.sha256)
    try:
        return path, path.read_bytes()
    except OSError as error:
        name = model_file_name(path)
        raise ModelError(f"{name}: cannot be read ({error.strerror}); check its permissions") from error


def _without_ones(values: Values) -> Values:
    """Return (units,) for the (units, 1, 1) of a global pooling, and other values as they are."""
    return values[:, 0, 0] if values.ndim == 3 and values.shape[1:] == (1, 1) else values
