"""Loads the pretrained networks of ``keras.applications``, without their classifiers."""

import difflib
import importlib
import math
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from training.errors import DatasetError, RecipeError

DEFAULT = "MobileNetV2"
_URL = re.compile(r"https?://\S+/([^/\s:]+\.h5)")
# Files that Keras stores under other names than their publisher.
_RENAMED = {
    "NASNet-mobile-no-top.h5": "nasnet_mobile_no_top.h5",
    "NASNet-large-no-top.h5": "nasnet_large_no_top.h5",
}
# Fine-tuning begins after about this share of a base's layers; the cut is somewhere in this range.
_CUT, _FIRST_CUT, _LAST_CUT = 0.75, 0.5, 0.95


@dataclass(frozen=True, kw_only=True)
class Base:
    """A network of ``keras.applications``."""

    name: str  # that of its function
    alpha: float | None = None  # factor on the number of filters, of the mobile networks

    def __str__(self) -> str:
        return self.name if self.alpha is None else f"{self.name}-{self.alpha:g}"

    @property
    def origin(self) -> str:
        """Where its weights come from, for people."""
        return (
            f"{self}, convolutional base pretrained on ImageNet, as keras.applications loads it, which names "
            "its source and licence; the classifier on top is trained by this recipe"
        )


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """How a base takes pixels: of each channel in RGB order, level from 0 to 255 times scale plus offset."""

    scale: tuple[float, float, float]
    offset: tuple[float, float, float]
    is_bgr: bool  # whether it takes the channels in the order blue, green, red

    def layer(self) -> keras.layers.Layer:
        """Return the layer that scales an image, without the change of order."""
        single = len(set(self.scale)) == len(set(self.offset)) == 1
        scale, offset = (self.scale[0], self.offset[0]) if single else (list(self.scale), list(self.offset))
        return keras.layers.Rescaling(scale, offset, name="scaling")


def base_names() -> tuple[str, ...]:
    """Return the names of all bases."""
    return tuple(sorted(name for name in dir(keras.applications) if name[0].isupper()))


def find_base(text: str | None) -> Base:
    """Return the base of a name such as ``VGG16``, in any case, or ``MobileNetV2-0.5`` with half the filters.

    Raises:
        RecipeError: ``keras.applications`` has no such network.
    """
    name, _, alpha = (text or DEFAULT).partition("-")
    names = {known.lower(): known for known in base_names()}
    if name.lower() not in names:
        close = difflib.get_close_matches(name.lower(), names, n=1)
        hint = f"did you mean {names[close[0]]}?" if close else f"choose from {', '.join(names.values())}"
        raise RecipeError(f"keras.applications has no network {name!r} for --base; {hint}")
    known = names[name.lower()]
    if not alpha:
        return Base(name=known)
    try:
        return Base(name=known, alpha=_checked_alpha(known, alpha))
    except ValueError as error:
        raise RecipeError(
            f"--base {text}: {known} has no weights for {alpha} times its filters; write a number such as "
            "MobileNetV2-0.5, and only for a mobile network"
        ) from error


def load_base(base: Base, *, size: int, weights: str | None) -> keras.Model:
    """Load a base for images of a side in pixels; its inputs are scaled RGB images (size, size, 3).

    Args:
        base: The base.
        size: Side of the images.
        weights: ``imagenet``, or None for random ones.

    Raises:
        DatasetError: The weights are not at hand and cannot be downloaded.
    """
    function = getattr(keras.applications, base.name)
    options: dict[str, Any] = {} if base.alpha is None else {"alpha": base.alpha}
    try:
        with warnings.catch_warnings():
            # Keras loads the weights for 224 x 224, which is intended, and warns.
            warnings.filterwarnings("ignore", message=".*[Ww]eights for input shape", category=UserWarning)
            warnings.filterwarnings("ignore", message=".*input_shape. is undefined", category=UserWarning)
            model: keras.Model = function(
                include_top=False,
                weights=weights,
                input_shape=(size, size, 3),
                name=re.sub(r"(?<=[a-z])(?=[A-Z])", "_", base.name).lower(),
                **options,
            )
    except Exception as error:  # Keras wraps whatever urllib raises in a plain Exception.
        raise DatasetError(_missing(base, error)) from error
    if scaling_of(base).is_bgr:
        _take_rgb(model)
    return model


def scaling_of(base: Base) -> Scaling:
    """Find out how a base takes pixels by applying Keras's own preprocessing to black and to pure colours."""
    function = getattr(keras.applications, base.name)
    module = importlib.import_module(f"keras.applications.{function.__module__.rpartition('.')[2]}")
    pixels = np.zeros((1, 1, 4, 3))
    pixels[0, 0, 1:] = 255 * np.eye(3)
    black, *colours = np.asarray(module.preprocess_input(pixels), dtype=np.float64)[0, 0]
    matrix = (np.array(colours) - black) / 255  # from an input channel to an output channel
    order = np.abs(matrix).argmax(axis=1)
    scale = np.round(matrix[range(3), order], 15).tolist()
    offset = np.round(black[order], 12).tolist()
    return Scaling(scale=tuple(scale), offset=tuple(offset), is_bgr=order.tolist() == [2, 1, 0])


def split_base(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Split a base near three quarters of its layers, where a single tensor connects the two parts.

    Returns:
        The lower part, which fine-tuning leaves as it is, and the upper part, which takes the activations of
        the lower one. Both share their layers with the base.

    Raises:
        RecipeError: There is no such place in the upper half.
    """
    for layer in _nearest(model):
        try:
            upper = keras.Model(layer.output, model.output)
        except ValueError:  # another connection goes around this layer
            continue
        return keras.Model(model.input, layer.output), upper
    raise RecipeError(
        f"{model.name} cannot be divided for fine-tuning, since its parts are connected in several places; "
        "choose another base"
    )


def _nearest(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yield the layers that may end the lower part, from the one nearest to the wanted place."""
    count = len(model.layers)
    places = range(int(_FIRST_CUT * count), int(_LAST_CUT * count))
    for place in sorted(places, key=lambda place: abs(place - _CUT * count)):
        yield model.layers[place]


def _take_rgb(model: keras.Model) -> None:
    """Make a network for BGR images take RGB images by reversing the kernels of its first convolution."""
    first = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    kernel, *others = first.get_weights()
    first.set_weights([kernel[:, :, ::-1], *others])


def _checked_alpha(name: str, text: str) -> float:
    alpha = float(text)
    if not (name.startswith("MobileNet") and 0 < alpha < math.inf):
        raise ValueError(name)
    return alpha


def _missing(base: Base, error: Exception) -> str:
    """Return the message that a base's weights cannot be loaded, with the place of their file."""
    folder = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
    found = _URL.search(str(error))
    if found is None:
        return f"{base} cannot be loaded ({error}); choose another network with --base"
    name, reason = _RENAMED.get(found[1], found[1]), str(error).partition(f"{found[0]}: ")[2] or error
    return (
        f"the weights of {base} are not at hand and cannot be downloaded ({reason}); put the file {found[0]} "
        f"at {folder / name}, or choose a recipe that needs no pretrained weights, such as cats-dogs-scratch"
    )
