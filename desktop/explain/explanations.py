"""Owns explanations: gets from the networks on this computer what they saw, ready to be shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from service.inference import Card

if TYPE_CHECKING:
    from service.inference import Catalog

Pixels = npt.NDArray[np.uint8]
Levels = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class ExplanationRequest:
    """What is to be explained.

    Attributes:
        model: A model's name.
        version: One of its versions; the default one if None.
        pixels: What the network was given, uint8 (height, width) or (height, width, 3); None for nothing yet.
        label: Whose heat is wanted; None for nobody's.
        layer: Whose feature maps are wanted; the first layer's if it is not one of the network's.
    """

    model: str
    version: int | None
    pixels: Pixels | None = None
    label: str | None = None
    layer: str | None = None


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """What a convolutional layer made of a picture.

    Attributes:
        layer: Its name.
        tiles: uint8 (channels, height, width), each channel stretched to the full range of grey.
        peaks: float32 (channels,), the strongest response of each.
    """

    layer: str
    tiles: Pixels
    peaks: Levels


@dataclass(frozen=True, eq=False, kw_only=True)
class Explanation:
    """What came of a wish.

    Attributes:
        wish: What was asked.
        card: The network's.
        overlay: uint8 (height, width, 3), the heat over the enlarged picture; None without pixels or label.
        maps: None without pixels, and where there is no convolutional layer.
    """

    wish: ExplanationRequest
    card: Card
    overlay: Pixels | None = None
    maps: FeatureMaps | None = None


@dataclass(frozen=True)
class Network:
    """A network whose first filters can be looked at."""

    model: str
    version: int


class Explanations:
    """Explains with the models of this computer; safe to use from several threads."""

    def __init__(self, catalog: Callable[[], "Catalog"]) -> None:
        """Take the way to the models.

        Args:
            catalog: Returns them; is not called before something is to be explained.
        """
        self._catalog = catalog

    def explain(self, wish: ExplanationRequest) -> Explanation:
        """Explain; takes from 1 to 400 ms, the first time also as long as loading the network takes.

        Raises:
            LecternError: The model is not on this computer or cannot be loaded, or takes other pixels.
        """
        catalog = self._catalog()
        card = catalog.card(wish.model, wish.version)
        if card.explanation is None or wish.pixels is None:
            return Explanation(wish=wish, card=card)
        explainer = catalog.explainer(wish.model, wish.version)
        overlay = None
        if wish.label is not None:
            # It brings ONNX Runtime, which the first paint does not wait for.
            from service.inference.overlay import heat_overlay

            overlay = np.asarray(heat_overlay(wish.pixels, explainer.heat(wish.pixels, label=wish.label)))
        if not explainer.layers:
            return Explanation(wish=wish, card=card, overlay=overlay)
        layer = wish.layer if wish.layer in explainer.layers else explainer.layers[0]
        maps = feature_maps(layer, explainer.feature_maps(wish.pixels, layer=layer))
        return Explanation(wish=wish, card=card, overlay=overlay, maps=maps)

    def networks(self) -> tuple[Network, ...]:
        """Return the networks that have filters, the newest version of each model first.

        Raises:
            ModelError, CardError: The folder of models cannot be used.
        """
        catalog = self._catalog()
        cards = (
            catalog.card(default.name, version)
            for default in catalog
            for version in reversed(catalog.versions(default.name))
        )
        return tuple(
            Network(card.name, card.version)
            for card in cards
            if card.explanation is not None and card.explanation.layers
        )

    def filters(self, network: Network) -> Levels:
        """Return a network's first filters as they act on a grey picture: summed over its colours.

        Returns:
            float32 (filters, height, width).

        Raises:
            LecternError: The model is not there any more, or cannot be loaded.
        """
        weights = self._catalog().explainer(network.model, network.version).filters()
        summed: Levels = weights.sum(axis=2).transpose(2, 0, 1)
        return summed


def feature_maps(layer: str, maps: Levels) -> FeatureMaps:
    """Make feature maps visible, each channel by itself.

    Args:
        layer: The layer's name.
        maps: float32 (height, width, channels).

    Returns:
        The maps; a channel with the same value everywhere is black.
    """
    low, high = maps.min(axis=(0, 1)), maps.max(axis=(0, 1))
    levels = np.rint((maps - low) / np.maximum(high - low, 1e-9) * 255).astype(np.uint8)
    return FeatureMaps(layer, np.ascontiguousarray(levels.transpose(2, 0, 1)), high)
