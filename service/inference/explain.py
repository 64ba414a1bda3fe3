"""Owns what a network saw: heat maps, feature maps and filters, on ONNX Runtime alone."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from service.inference.card import Card, ExplanationFile
from service.inference.errors import ChecksumMismatch, InvalidInput, ModelError
from service.inference.files import sha256_of
from service.inference.occlusion import occlusion_heat
from service.inference.predictor import Array, Predictor
from service.inference.session import AUTO, open_session

FILE_NAME = "explain.onnx"

Maps = npt.NDArray[np.float32]


class Explainer:
    """The second graph of a picture model, and the network itself; safe to call from several threads."""

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
        # The graph computes every layer's maps; only what leads to the one that is asked for has to run.
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
            folder: The model's.
            card: The folder's card.
            network: Returns the loaded model; asked only for heat that the graph does not give.
            providers: As :func:`service.inference.session.open_session` takes them.
            threads: Threads within one call.

        Raises:
            InvalidInput: The model has no such graph, being one for texts.
            ChecksumMismatch: The file is not the one that the card describes.
            ModelError: The file is missing or cannot be loaded.
        """
        if card.explanation is None:
            raise InvalidInput(
                f"{card.name} {card.version} cannot be explained; only models for pictures can"
            )
        path = folder / FILE_NAME
        try:
            checksum = sha256_of(path)
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({error.strerror}); export the model again") from error
        if checksum != card.explanation.sha256:
            raise ChecksumMismatch(f"{path}: is not the file that its card describes; export the model again")
        session = open_session(path, providers=providers, threads=threads)
        return cls(card, card.explanation, session, network)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the convolutional layers, from the first."""
        return self._explanation.layers

    def heat(self, pixels: Array, *, label: str) -> Maps:
        """Say where in a picture a label was seen.

        Args:
            pixels: One prepared picture, as :meth:`Predictor.prepare` returns it.
            label: One of the card's.

        Returns:
            float32 (height, width) of the layer that is explained: what each place adds to the label's score
            before softmax; negative where it speaks against it. Where no layer is, what hiding each of 8 x 8
            places takes from the label's log-odds.

        Raises:
            InvalidInput: No such label, or pixels of another shape or type.
        """
        if label not in self.card.labels:
            raise InvalidInput(
                f"{self.card.name} has no label {label!r}; it has {', '.join(self.card.labels)}"
            )
        place = self.card.labels.index(label)
        if self._explanation.heat_layer:
            return self._run("heat", pixels, label=place)
        self._check(pixels)
        return occlusion_heat(self._network().probabilities, pixels, label=place)

    def feature_maps(self, pixels: Array, *, layer: str) -> Maps:
        """Return what a convolutional layer makes of a picture, after its activation.

        Args:
            pixels: One prepared picture.
            layer: One of :attr:`layers`.

        Returns:
            float32 (height, width, channels).

        Raises:
            InvalidInput: No such layer, or pixels of another shape or type.
        """
        if layer not in self.layers:
            there = ", ".join(self.layers) or "none"
            raise InvalidInput(f"{self.card.name} has no convolutional layer {layer!r}; it has {there}")
        return self._run(layer, pixels)

    def filters(self) -> Maps:
        """Return the first convolutional layer's weights.

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
                f"{self.card.name} takes {spec.dtype} of shape {list(spec.shape[1:])}, "
                f"and got {pixels.dtype} of shape {list(pixels.shape)}"
            )

    def _run(self, output: str, pixels: Array, *, label: int = 0, batched: bool = True) -> Maps:
        self._check(pixels)
        inputs = {self.card.input.name: pixels[None]}
        if self._explanation.heat_layer:
            inputs["label"] = np.eye(len(self.card.labels), dtype=np.float32)[[label]]
        result: Maps = self._session.run([output], inputs, run_options=self._options)[0]
        return result[0] if batched else result
