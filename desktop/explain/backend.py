"""Computes explanations with the models on this computer, as pixels for display."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.inference import Card

if TYPE_CHECKING:
    from service.inference import Catalog

Pixels = npt.NDArray[np.uint8]
Activations = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False, kw_only=True)
class ExplanationRequest:
    """What to explain.

    Attributes:
        model: Name of the model.
        version: Version of the model; the default version if None.
        pixels: Input of the network, uint8 (height, width) or (height, width, 3); None if there is none yet.
        label: Label to compute the heat map for; None for no heat map.
        layer: Layer to compute the feature maps of; the first one if the network has no layer of that name.
    """

    model: str
    version: int | None
    pixels: Pixels | None = None
    label: str | None = None
    layer: str | None = None


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """The feature maps of a convolutional layer.

    Attributes:
        layer: Name of the layer.
        images: uint8 (channels, height, width), each channel scaled to the full range 0 to 255.
        maxima: float32 (channels,), the strongest activation of each channel.
    """

    layer: str
    images: Pixels
    maxima: Activations


@dataclass(frozen=True, eq=False, kw_only=True)
class Explanation:
    """The explanation for a request.

    Attributes:
        request: The request.
        card: Card of the model.
        overlay: uint8 (height, width, 3), the heat map over the enlarged input; None without pixels or label.
        has_heat: Whether any pixel contributes to the label.
        maps: Feature maps; None without pixels, and for networks without convolutional layers.
    """

    request: ExplanationRequest
    card: Card
    overlay: Pixels | None = None
    has_heat: bool = False
    maps: FeatureMaps | None = None


class ExplanationBackend:
    """Explains with the models on this computer; may be used from several threads."""

    def __init__(self, catalog: Callable[[], "Catalog"]) -> None:
        """Initialize without loading anything.

        Args:
            catalog: Returns the models; it is called with the first request.
        """
        self._catalog = catalog

    def explain(self, request: ExplanationRequest) -> Explanation:
        """Compute an explanation; slow, so not for the GUI thread.

        Raises:
            LecternError: The model is not on this computer, cannot be loaded, or takes other shapes.
        """
        catalog = self._catalog()
        card = catalog.card(request.model, request.version)
        if card.explanation is None:
            return Explanation(request=request, card=card)
        # Loaded without pixels too, so that the first drawing does not wait for it.
        explainer = catalog.explainer(request.model, request.version)
        if request.pixels is None:
            return Explanation(request=request, card=card)
        overlay = maps = None
        has_heat = False
        if request.label is not None:
            # Imported late, because it imports ONNX Runtime, which would delay the start.
            from service.inference.overlay import heat_overlay

            heat = explainer.heat(request.pixels, label=request.label)
            overlay = np.asarray(heat_overlay(request.pixels, heat))
            has_heat = bool(heat.max() > 0)
        if explainer.layers:
            layer = request.layer if request.layer in explainer.layers else explainer.layers[0]
            maps = scale_feature_maps(layer, explainer.feature_maps(request.pixels, layer=layer))
        return Explanation(request=request, card=card, overlay=overlay, has_heat=has_heat, maps=maps)

    def convolutional_models(self) -> tuple[Card, ...]:
        """Return the cards of all models with convolutional layers, the newest version of each first.

        Raises:
            ModelError, CardError: The folder of models cannot be used.
        """
        catalog = self._catalog()
        cards = (
            catalog.card(default.name, version)
            for default in catalog
            for version in reversed(catalog.versions(default.name))
        )
        return tuple(card for card in cards if card.explanation is not None and card.explanation.layers)

    def models(self, task: str) -> tuple[Card, ...]:
        """Return the cards of all models of a task, the newest version of each first.

        Args:
            task: ``image-classification`` or ``text-classification``.

        Raises:
            ModelError, CardError: The folder of models cannot be used.
        """
        catalog = self._catalog()
        return tuple(
            catalog.card(default.name, version)
            for default in catalog
            if default.task == task
            for version in reversed(catalog.versions(default.name))
        )

    def folder(self, model: Card) -> Path:
        """Return the folder of a model's files."""
        return self._catalog().folder(model)

    def prepare(self, model: Card, picture: Image.Image) -> Pixels:
        """Return the input that a network for pictures gets.

        Args:
            model: Card of the model.
            picture: Mode ``L``, ``RGB`` or ``RGBA``, upright.

        Returns:
            uint8 (height, width) or (height, width, 3).

        Raises:
            LecternError: The model no longer exists or cannot be loaded, or the picture cannot be used.
        """
        return self._catalog().predictor(model.name, model.version).prepare_image(picture)

    def prepare_text(self, model: Card, text: str) -> Ids:
        """Return the input that a network for texts gets, int32 (n,); errors as for :meth:`prepare`."""
        return self._catalog().predictor(model.name, model.version).prepare(text)

    def scores(self, model: Card, prepared: Ids) -> Activations:
        """Return the probabilities of a network for one prepared text, float32 (labels,)."""
        probabilities: Activations = (
            self._catalog().predictor(model.name, model.version).probabilities(prepared[None])[0]
        )
        return probabilities

    def first_filters(self, model: Card) -> Activations:
        """Return the filters of the first convolutional layer.

        Returns:
            float32 (filters, depth, height, width).

        Raises:
            LecternError: The model no longer exists, or cannot be loaded.
        """
        weights = self._catalog().explainer(model.name, model.version).filters()
        return weights.transpose(3, 2, 0, 1)


def scale_feature_maps(layer: str, maps: Activations) -> FeatureMaps:
    """Scale each channel of feature maps to grey levels.

    Args:
        layer: Name of the layer.
        maps: float32 (height, width, channels).

    Returns:
        The feature maps; a constant channel is black.
    """
    low, high = maps.min(axis=(0, 1)), maps.max(axis=(0, 1))
    levels = np.rint((maps - low) / np.maximum(high - low, 1e-9) * 255).astype(np.uint8)
    return FeatureMaps(layer, np.ascontiguousarray(levels.transpose(2, 0, 1)), high)
