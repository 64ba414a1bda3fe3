"""Explains predictions for pictures: heat maps, feature maps and filters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from service.inference.card import Card, ExplanationFile
from service.inference.errors import InvalidInput, shorten
from service.inference.files import check_sha256
from service.inference.occlusion import occlusion_heat
from service.inference.predictor import Array, Predictor
from service.inference.session import AUTO, open_session

FILE_NAME = "explain.onnx"

Maps = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class Kernel:
    """A filter of a convolutional layer that reads grey pictures.

    Attributes:
        weights: float32 (height, width).
        stride: Distance between two windows in pixels, vertical and horizontal.
        padding: Rows above and columns to the left of the picture that count as 0 for the first window.
    """

    weights: Maps
    stride: tuple[int, int]
    padding: tuple[int, int]


class Explainer:
    """The explanation graph of an image classifier; several threads can use it at once."""

    def __init__(
        self,
        card: Card,
        explanation: ExplanationFile,
        session: ort.InferenceSession,
        network: Callable[[], Predictor],
    ) -> None:
        self.card = card
        self._explanation = explanation
        self._session = session
        self._network = network
        # The graph has an output for each layer; only the nodes that the requested output needs are run.
        self._options = ort.RunOptions()
        self._options.only_execute_path_to_fetches = True

    @classmethod
    def load(
        cls,
        folder: Path,
        card: Card,
        *,
        network: Callable[[], Predictor],
        providers: Sequence[str] = (AUTO,),
        threads: int = 1,
    ) -> "Explainer":
        """Load ``explain.onnx`` from a model's folder.

        Args:
            folder: Folder of the model.
            card: Card of the model.
            network: Returns the loaded model; called only if the graph has no heat map.
            providers: As in :func:`service.inference.session.open_session`.
            threads: Number of threads within one run.

        Raises:
            InvalidInput: The model has no explanation graph, because it does not classify pictures.
            ChecksumMismatch: The file is not the one that the card describes.
            ModelError: The file is missing or cannot be loaded.
        """
        if card.explanation is None:
            raise InvalidInput(
                f"{card.name} {card.version} cannot be explained; only models that classify pictures can"
            )
        path = folder / FILE_NAME
        check_sha256(path, card.explanation.sha256)
        session = open_session(path, providers=providers, threads=threads)
        return cls(card, card.explanation, session, network)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the convolutional layers, from the first."""
        return self._explanation.layers

    def heat(self, pixels: Array, *, label: str) -> Maps:
        """Compute the heat map of a label.

        Args:
            pixels: One prepared picture, as :meth:`Predictor.prepare` returns it.
            label: One of the card's labels.

        Returns:
            float32 (height, width): the contribution of each position of the card's ``heat_layer`` to the
            label's logit; negative if it is evidence against the label. Without such a layer float32 (8, 8)
            of :func:`service.inference.occlusion.occlusion_heat`.

        Raises:
            InvalidInput: There is no such label, or the pixels have another shape or dtype.
        """
        if label not in self.card.labels:
            raise InvalidInput(
                f"{self.card.name} has no label {shorten(label)}; it has {', '.join(self.card.labels)}"
            )
        index = self.card.labels.index(label)
        if self._explanation.heat_layer:
            return self._run("heat", pixels, label=index)
        self._check(pixels)
        return occlusion_heat(self._network().probabilities, pixels, label=index)

    def feature_maps(self, pixels: Array, *, layer: str) -> Maps:
        """Return the feature maps of a convolutional layer, after its activation.

        Args:
            pixels: One prepared picture.
            layer: One of :attr:`layers`.

        Returns:
            float32 (height, width, channels).

        Raises:
            InvalidInput: There is no such layer, or the pixels have another shape or dtype.
        """
        if layer not in self.layers:
            names = ", ".join(self.layers) or "none"
            raise InvalidInput(
                f"{self.card.name} has no convolutional layer {shorten(layer)}; it has {names}"
            )
        return self._run(layer, pixels)

    def all_feature_maps(self, pixels: Array) -> list[Maps]:
        """Return the feature maps of all convolutional layers, as :meth:`feature_maps`.

        Args:
            pixels: One prepared picture.

        Returns:
            float32 (height, width, channels) for each of :attr:`layers`.

        Raises:
            InvalidInput: The pixels have another shape or dtype.
        """
        self._check(pixels)
        return [maps[0] for maps in self._session.run(list(self.layers), self._inputs(pixels))]

    def kernel(self, index: int) -> Kernel:
        """Return the filter of a feature map of the first layer, for a network that reads grey pictures.

        A value of the feature map is the activation function of scale times sum plus bias, where the sum is
        that of the products of weights and pixels.

        Args:
            index: Number of the feature map, from 0.

        Raises:
            InvalidInput: The network reads colours, each with a scale of its own, or has no convolutional
                layer.
        """
        size = self.card.input.shape[1:]
        if len(size) > 2:
            raise InvalidInput(
                f"{self.card.name} reads colours; only networks for grey pictures have kernels"
            )
        weights = np.ascontiguousarray(self.filters()[:, :, 0, index])
        (output,) = (layer.output_shape[1:3] for layer in self.card.layers if layer.name == self.layers[0])
        (top, down), (left, across) = map(_geometry, size, output, weights.shape)
        return Kernel(weights=weights, stride=(down, across), padding=(top, left))

    def filters(self) -> Maps:
        """Return the weights of the first convolutional layer.

        Returns:
            float32 (height, width, channels, filters).

        Raises:
            InvalidInput: The network has no convolutional layer.
        """
        if not self.layers:
            raise InvalidInput(f"{self.card.name} {self.card.version} has no convolutional layer")
        shape = self.card.input.shape[1:]
        return self._run("filters", np.zeros(shape, dtype=np.uint8), batched=False)

    def _check(self, pixels: Array) -> None:
        spec = self.card.input
        if pixels.dtype != spec.dtype or pixels.shape != spec.shape[1:]:
            raise InvalidInput(
                f"{self.card.name} expects {spec.dtype} of shape {list(spec.shape[1:])}, "
                f"not {pixels.dtype} of shape {shorten(list(pixels.shape))}"
            )

    def _run(self, output: str, pixels: Array, *, label: int = 0, batched: bool = True) -> Maps:
        self._check(pixels)
        inputs = self._inputs(pixels, label=label)
        result: Maps = self._session.run([output], inputs, run_options=self._options)[0]
        return result[0] if batched else result

    def _inputs(self, pixels: Array, *, label: int = 0) -> dict[str, Array]:
        inputs = {self.card.input.name: pixels[None]}
        if self._explanation.heat_layer:
            inputs["label"] = np.eye(len(self.card.labels), dtype=np.float32)[[label]]
        return inputs


def _geometry(size: int, output: int, kernel: int) -> tuple[int, int]:
    """Return padding before the first window, and stride, of a convolution by Keras, along one side.

    Keras pads nothing ("valid"), or so that a stride of s divides the size by s ("same"); then what is
    odd comes after the picture.
    """
    for stride in range(1, size + 1):
        if (size - kernel) // stride + 1 == output:
            return 0, stride
        if -(-size // stride) == output:
            return max((output - 1) * stride + kernel - size, 0) // 2, stride
    raise AssertionError(f"no convolution of {size} values with {kernel} weights has {output} values")
